"""The package as a whole: what importing it loads, its public names, what it registers."""

import ast
import re
from pathlib import Path

import pytest

import kdec

KERAS_OBJECTS = {
    *("Autoencoder", "ClusteringLayer", "ClusteringModel", "DEC", "FeatureDropout"),
    *("NeighborContrast", "NeighborVote", "RandomAffine", "RandomNoise", "SelfLabeling"),
    "Standardization",
}


@pytest.mark.parametrize(
    "code",
    [
        "import kdec; dir(kdec); kdec.__version__",
        "import kdec.metrics, kdec.data",
        "import kdec.cli, sys; sys.argv = ['kdec', '--help']\n"
        "try: kdec.cli.main()\nexcept SystemExit as end: assert not end.code",
        "import kdec.cli, sys; sys.argv = ['kdec', 'list']\n"
        "try: kdec.cli.main()\nexcept SystemExit as end: assert not end.code",
    ],
    ids=["import", "metrics and data", "help", "list"],
)
def test_tensorflow_and_keras_are_not_loaded_by(code, run_python):
    loaded = run_python(f"{code}\nimport sys; print('loaded:', *sys.modules)")
    modules = set(loaded.rpartition("loaded:")[2].split())
    assert "kdec" in modules
    assert not {"tensorflow", "keras", "torch", "jax"} & modules


def test_all_public_names_are_there():
    for name in kdec.__all__:
        assert getattr(kdec, name) is not None
    assert set(dir(kdec)) == set(kdec.__all__)
    contract = {"NeighborContrast", "diffuse_labels", "nearest_neighbors", "neighbors", "views"}
    contract |= {
        "DeepClustering",
        "load_data",
        "KMeans",
        "ClusteringLayer",
        "Autoencoder",
        "target_distribution",
    }
    assert contract | {"DEC", "metrics", "plots", "autoencoders"} <= set(kdec.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'kdec' has no attribute 'nothing'"):
        kdec.nothing  # noqa: B018


def test_version_is_a_release_number():
    assert re.fullmatch(r"\d+\.\d+\.\d+", kdec.__version__)


IMPORTS = [
    "import kdec; import keras",
    "import keras; import kdec",
    "import kdec; kdec.nearest_neighbors; import keras",
    "from kdec.models.contrastive_loss import nt_xent; import keras",
    "import kdec.models.samples; import keras",
    "from kdec.layers import ClusteringLayer; import keras",
    "from kdec.models.dec import DEC; import keras",
    "from kdec.clustering.model import ClusteringModel; import keras",
    "import kdec; kdec.DeepClustering; import keras",
]

# Each import is tried in a process that has loaded neither Keras nor kdec. What else takes seconds
# is loaded once, before they part.
REGISTERED = """
import os, sys
sys.modules["keras"] = None  # TensorFlow would import it
import h5py, matplotlib.pyplot, optree, pandas, scipy.ndimage, sklearn.cluster, tensorflow
del sys.modules["keras"]
assert not {name for name in sys.modules if name.startswith(("keras", "kdec"))}
names, *imports = sys.argv[1:]
for code in imports:
    if not os.fork():
        exec(code)
        found = [keras.saving.get_registered_object(f"kdec>{name}") for name in names.split()]
        print(code, "|", *[item.__name__ for item in found if item], flush=True)
        os._exit(0)
    os.wait()
"""


def test_every_import_registers_the_keras_objects(run_python):
    printed = run_python(REGISTERED, " ".join(sorted(KERAS_OBJECTS)), *IMPORTS)
    found = dict(line.split(" | ") for line in printed.splitlines())
    assert found == dict.fromkeys(IMPORTS, " ".join(sorted(KERAS_OBJECTS)))


FOR_EVERY_BACKEND = {
    "kdec.autoencoders",
    "kdec.data",
    "kdec.models.arrays",
    "kdec.models.backend",
    "kdec.distances",
    "kdec.models.differentiable_kmeans_layer",
    "kdec.models.encoders",
    "kdec.guards",
    "kdec.guards.archives",
    "kdec.guards.folders",
    "kdec.guards.forked",
    "kdec.guards.integers",
    "kdec.guards.real_arrays",
    "kdec.layers",
    "kdec.lazy_names",
    "kdec.models.own_loss",
    "kdec.models.placement",
    "kdec.models.temperature",
    "kdec.quiet",
    "kdec.whole_files",
}


@pytest.mark.parametrize(
    "path",
    [
        "clustering/model.py",
        "clustering/neighbor_vote.py",
        "clustering/standardization.py",
        "data/*.py",
        "distances.py",
        "models/arrays.py",
        "models/backend.py",
        "models/contrastive_loss.py",
        "models/differentiable_kmeans.py",
        "models/differentiable_kmeans_layer.py",
        "models/encoders.py",
        "guards/*.py",
        "layers.py",
        "models/own_loss.py",
        "models/placement.py",
        "models/stateless_seeds.py",
        "models/temperature.py",
        "models/temperature_decay.py",
        "whole_files.py",
        "views.py",
        "autoencoders/*.py",
    ],
)
def test_module_for_every_backend_imports_neither_tensorflow_nor_what_needs_it(path):
    modules = list(Path(kdec.__file__).parent.glob(path))
    assert modules
    for module in modules:
        imported = set()
        # Not what a function imports, for data that only TensorFlow reads.
        for node in ast.parse(module.read_text()).body:
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        own = {name for name in imported if name.startswith("kdec.")}
        assert "tensorflow" not in {name.partition(".")[0] for name in imported}
        assert all(f"{name}.".startswith(tuple(f"{m}." for m in FOR_EVERY_BACKEND)) for name in own)
