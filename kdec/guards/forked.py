"""Processes made by `fork`, in which TensorFlow's threads do not live on."""

import os
import sys

_inherited = False


def _note_inheritance():
    """Note, in a new process, whether TensorFlow had started before: it would wait for ever."""
    global _inherited
    # TensorFlow has no public name for the question; to ask it otherwise starts it.
    module = sys.modules.get("tensorflow.python.eager.context")
    context = module and module.context_safe()
    _inherited = _inherited or bool(getattr(context, "_initialized", False))


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_note_inheritance)


def refuse_forked_process() -> None:
    """Raise a RuntimeError in a process that was forked after TensorFlow had started.

    Example:
    >>> from kdec.guards import refuse_forked_process
    >>> refuse_forked_process()
    """
    if _inherited:
        raise RuntimeError(
            "Expected a process in which TensorFlow can work. Received: one forked after "
            "TensorFlow had started, without its threads. Start processes by "
            'multiprocessing.get_context("spawn") or "forkserver", or fork before the first use'
        )
