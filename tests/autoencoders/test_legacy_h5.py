"""Legacy weights: the layout of Keras 1 and 2, written here by hand with h5py."""

import h5py
import keras
import numpy as np
import pytest

from kdec import DEC, DifferentiableKMeans, KMeansLoss
from kdec.autoencoders import Autoencoder, dense, legacy_h5


def write_keras_2(path, layers, root="/"):
    """Write {layer name: [(weight name, array), ...]} as Keras 2's save_weights did."""
    with h5py.File(path, "w") as file:
        group = file.require_group(root)
        group.attrs["layer_names"] = [name.encode() for name in layers]
        group.attrs["keras_version"] = b"2.2.4"
        for name, weights in layers.items():
            layer = group.create_group(name)
            layer.attrs["weight_names"] = [f"{name}/{weight}:0".encode() for weight, _ in weights]
            for weight, array in weights:
                layer[f"{name}/{weight}:0"] = array


@pytest.fixture
def flat():
    """The weights of a flat model 4-3-2-3-4; layers without weights have an empty group."""
    generator = np.random.default_rng(0)
    layers = {"input_1": []}
    # Names in another order than the alphabet's: the order in the file counts.
    for name, shape in zip("dbca", [(4, 3), (3, 2), (2, 3), (3, 4)], strict=True):
        kernel = generator.normal(size=shape).astype("float32")
        bias = generator.normal(size=shape[1]).astype("float32")
        layers[name] = [("kernel", kernel), ("bias", bias)]
    return layers


@pytest.mark.parametrize("root", ["/", "model_weights"])
def test_flat_file_fits_an_encoder_and_a_decoder_in_a_row(flat, root, tmp_path):
    write_keras_2(tmp_path / "flat.h5", flat, root)
    autoencoder = dense((4, 3, 2))
    autoencoder.load_weights(tmp_path / "flat.h5")
    arrays = [array for weights in flat.values() for _, array in weights]
    assert len(autoencoder.weights) == len(arrays)
    for weight, array in zip(autoencoder.get_weights(), arrays, strict=True):
        np.testing.assert_array_equal(weight, array)


def test_saved_file_is_one_that_keras_itself_reads(tmp_path):
    autoencoder = dense((4, 3, 2), seed=0)
    autoencoder.save_weights(tmp_path / "saved.h5")
    layers = [keras.Input((4,))] + [keras.layers.Dense(units) for units in (3, 2, 3, 4)]
    flat_model = keras.Sequential(layers)
    flat_model.load_weights(tmp_path / "saved.h5")
    for weight, array in zip(autoencoder.get_weights(), flat_model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, array)


def test_file_that_keras_saved_from_a_flat_model_loads(tmp_path):
    layers = [keras.Input((4,))] + [keras.layers.Dense(units) for units in (3, 2, 3, 4)]
    flat_model = keras.Sequential(layers)
    flat_model.save(tmp_path / "model.h5")
    autoencoder = dense((4, 3, 2))
    autoencoder.load_weights(tmp_path / "model.h5")
    for weight, array in zip(autoencoder.get_weights(), flat_model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, array)


def test_layers_of_one_name_are_kept_apart(tmp_path):
    def autoencoder():
        parts = [(4, 2), (2, 4)]
        return Autoencoder(
            *(
                keras.Sequential([keras.Input((n,)), keras.layers.Dense(units, name="same")])
                for n, units in parts
            )
        )

    saved, loaded = autoencoder(), autoencoder()
    saved.save_weights(tmp_path / "same.h5")
    loaded.load_weights(tmp_path / "same.h5")
    x = np.ones((3, 4), "float32")
    np.testing.assert_array_equal(saved(x), loaded(x))


def test_batch_normalisation_keeps_its_moving_moments(tmp_path):
    def model():
        return keras.Sequential(
            [keras.Input((4,)), keras.layers.BatchNormalization(), keras.layers.Dense(2)]
        )

    saved, loaded = model(), model()
    saved.layers[0].moving_mean.assign([1.0, 2, 3, 4])
    legacy_h5.save_weights(saved, tmp_path / "bn.h5")
    legacy_h5.load_weights(loaded, tmp_path / "bn.h5")
    np.testing.assert_array_equal(loaded.layers[0].moving_mean, [1, 2, 3, 4])


@pytest.mark.parametrize("dims", [(4, 5, 2), (4, 3, 3, 2), (4, 2)])
def test_other_shapes_are_rejected_and_change_nothing(dims, flat, tmp_path):
    write_keras_2(tmp_path / "flat.h5", flat)
    autoencoder = dense(dims, seed=0)
    with pytest.raises(ValueError, match=r"flat\.h5, for the model's weights in order\. Received"):
        autoencoder.load_weights(tmp_path / "flat.h5")
    for weight, same in zip(autoencoder.weights, dense(dims, seed=0).weights, strict=True):
        np.testing.assert_array_equal(weight, same)


def test_absent_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.h5, which is absent"):
        dense((4, 2)).load_weights(tmp_path / "absent.h5")


def write_empty(path):
    path.write_bytes(b"")


def write_new_format(path):
    dense((4, 2)).save_weights(path.with_name("new.weights.h5"))
    path.with_name("new.weights.h5").rename(path)


@pytest.mark.parametrize("write", [write_empty, write_new_format])
def test_file_of_another_layout_is_named(write, tmp_path):
    write(tmp_path / "other.h5")
    with pytest.raises(ValueError, match=r"other\.h5 to be a legacy Keras .* Received: "):
        dense((4, 2)).load_weights(tmp_path / "other.h5")


def test_existing_file_is_kept_unless_overwrite(tmp_path):
    path = tmp_path / "kept.h5"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match=r"overwrite=True\. Received: .*kept\.h5"):
        dense((4, 2)).save_weights(path, overwrite=False)
    assert path.read_text() == "precious"


def test_options_that_the_old_layout_has_not_are_no_longer_ignored(tmp_path):
    dense((4, 2)).save_weights(tmp_path / "a.h5")
    with pytest.raises(ValueError, match=r"Expected skip_mismatch=False .* with .*a\.h5"):
        dense((4, 3)).load_weights(tmp_path / "a.h5", True)


@pytest.mark.parametrize(
    ("name", "legacy"),
    [("a.h5", True), ("b/a.hdf5", True), ("a.weights.h5", False), ("a.keras", False)],
)
def test_name_tells_the_layout(name, legacy):
    assert legacy_h5.is_legacy_path(name) is legacy


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")  # It never trained.
@pytest.mark.parametrize("name", ["model.h5", "model.hdf5", "model.weights.h5"])
@pytest.mark.parametrize(
    "make",
    [
        lambda autoencoder: autoencoder,
        lambda autoencoder: DEC(autoencoder, 2),
        lambda autoencoder: KMeansLoss(autoencoder.encoder, 2),
        lambda autoencoder: DifferentiableKMeans(2, encoder=autoencoder.encoder),
    ],
    ids=["Autoencoder", "DEC", "KMeansLoss", "DifferentiableKMeans"],
)
def test_whole_model_is_refused_and_stays_compiled(make, name, tmp_path):
    model = make(dense((4, 3, 2), seed=0))
    model.compile(optimizer="adam")
    with pytest.raises(ValueError, match=rf"ends in \.keras.*`save_weights`.*Received: .*{name}"):
        model.save(tmp_path / name)
    assert not list(tmp_path.iterdir())
    model.save(str(tmp_path / "model.keras"), overwrite=False)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, keras.optimizers.Adam)
