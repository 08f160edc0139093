"""Random numbers in a training that depend on a seed and the step alone.

Keras' seed generators count their calls, and no saved model keeps the count. Set anew at each step,
they draw the same in a training that a kill interrupted as in one that never stopped.
"""

import keras
import numpy as np
from keras import ops

_MOST_DRAWS = 2**10  # of one generator in a step


class StatelessSeeds:
    """The seed generators of some layers, such as views and dropout, tied to a seed and a step.

    Args:
        layers: Keras layers or models; None among them is passed over.
        seed: Int of at least 0, or a list of such; or None for the seeds that the layers have.
            Defaults to None.
    """

    def __init__(self, layers, seed: int | list[int] | None = None):
        self.states = _seed_states(layers)
        if seed is None:
            self.seeds = [int(ops.convert_to_numpy(state.value)[0]) for state in self.states]
        else:
            self.seeds = np.random.default_rng(seed).integers(2**31, size=len(self.states)).tolist()

    def set_step(self, step) -> None:
        """Let all random numbers until the next call be those of `step`, a scalar int tensor."""
        for state, value in self._at(step):
            state.assign(value)

    def scope(self, step) -> keras.StatelessScope:
        """Return a scope in which all random numbers are those of `step`, and no state changes.

        For batches made by `tf.data`, on threads of its own and, by choice, several at once.
        """
        return keras.StatelessScope(self._at(step))

    def _at(self, step):
        """Each generator's state and what it is at `step`."""
        pairs = []
        for state, seed in zip(self.states, self.seeds, strict=True):
            count = ops.cast(step, state.dtype) * _MOST_DRAWS
            pairs.append((state, ops.stack([ops.cast(seed, state.dtype), count])))
        return pairs


def _seed_states(layers):
    """The variables of the layers that are states of seed generators, each once."""
    states = {}
    for layer in layers:
        if layer is None:
            continue
        weights = {id(variable) for variable in layer.weights}
        for variable in layer.variables:
            if id(variable) not in weights and variable.name == "seed_generator_state":
                states[id(variable)] = variable
    return list(states.values())
