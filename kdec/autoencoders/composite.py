"""Models made of other models: how they are built, saved and rebuilt."""

import dataclasses

import keras

from kdec.autoencoders import legacy_h5
from kdec.autoencoders.checked import CheckedModel
from kdec.autoencoders.training_samples import TrainingSamples


class CompositeModel(CheckedModel):
    """A Keras model that is saved and rebuilt along with the models that it is made of.

    Attributes:
        parts: Names of the arguments that are Keras models, or None, each kept as an attribute of
            that name; set by the subclass.
    """

    parts = ()

    def build(self, input_shape):
        """Do nothing: all parts are built. Keras notes the shape, for `export`."""
        self.built = True

    def call_once(self, encoder: keras.Model) -> None:
        """Call the model on a symbol of what `encoder` takes, which builds it for `export`."""
        self.sample_shape = encoder.input_shape[1:]
        self(keras.KerasTensor(encoder.input_shape, dtype=encoder.inputs[0].dtype))

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Save the whole model as `.keras`; a ValueError for `.h5`, which would not load again."""
        legacy_h5.refuse_whole_model(filepath)
        super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def get_config(self):
        """Return the arguments that rebuild this model."""
        parts = {name: keras.saving.serialize_keras_object(self.part(name)) for name in self.parts}
        seen = self.training_samples
        seen = None if seen is None else dataclasses.asdict(seen)
        return {**super().get_config(), **parts, "training_samples": seen}

    def expected_samples(self):
        """Return what samples are expected to be like: as in its training, or that of a part."""
        parts = [self.part(name) for name in self.parts]
        known = [getattr(model, "training_samples", None) for model in (self, *parts)]
        return next(filter(None, known), None)

    def part(self, name: str) -> keras.Model | None:
        """Return the model that was given as the argument `name`, one of `parts`."""
        return getattr(self, name)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Rebuild a model from what `get_config` returned."""
        parts = {
            part: keras.saving.deserialize_keras_object(config[part], custom_objects)
            for part in cls.parts
            if part in config  # A file of an earlier version may lack one.
        }
        seen = config.get("training_samples")
        others = {name: value for name, value in config.items() if name != "training_samples"}
        model = cls(**{**others, **parts})
        model.training_samples = None if seen is None else TrainingSamples(**seen)
        return model
