"""Starting TensorFlow for a command: what is hidden meanwhile, and what is as before afterwards."""

import gc
import importlib
import sys

import keras
import pytest

from kdec.cli.starting import _hidden, start_tensorflow


def test_hidden_package_looks_absent_and_is_there_again(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with _hidden(("colorsys", "json")):
        with pytest.raises(ImportError):
            importlib.import_module("colorsys")
        # Imported before, so hiding it would save nothing.
        assert importlib.import_module("json").loads("1") == 1
    assert importlib.import_module("colorsys").rgb_to_hsv(1, 1, 1)[2] == 1


@pytest.mark.parametrize("collects", [True, False])
def test_start_leaves_garbage_collection_as_it_was(collects):
    (gc.enable if collects else gc.disable)()
    try:
        start_tensorflow()
        assert gc.isenabled() is collects
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
        gc.enable()
    assert sys.modules["keras"] is keras
