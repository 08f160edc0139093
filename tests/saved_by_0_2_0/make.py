"""Made the files beside this one, under version 0.2.0: `python make.py`, once, on 2026-11-26.

One small file of each kind that 0.2.0 saves, and in `expected.npz` what each model gives for `x`.
"""

from pathlib import Path

import keras
import numpy as np

import kdec

FOLDER = Path(__file__).parent


def main():
    """Write the files."""
    assert kdec.__version__ == "0.2.0"
    x = np.random.default_rng(0).random((6, 6), dtype="float32")
    images = np.random.default_rng(1).random((4, 8, 8, 1), dtype="float32")
    autoencoder = kdec.autoencoders.dense((6, 5, 2), seed=0)
    dec = kdec.DEC(autoencoder, n_clusters=3, alpha=2.0, reconstruction_weight=0.5)
    dec.initialize(x, n_init=1, random_state=0)
    dec.fit(x, max_steps=2, update_interval=1, batch_size=3, verbose=0)
    loss = kdec.KMeansLoss(autoencoder.encoder, n_clusters=2, decoder=autoencoder.decoder)
    loss.compile("adam")
    loss.fit(x, epochs=1, verbose=0)
    soft = kdec.DifferentiableKMeans(3, encoder=autoencoder.encoder, temperature=0.5)
    soft.initialize(x, random_state=0)
    inputs = keras.Input((2,))
    functional = keras.Model(inputs, kdec.ClusteringLayer(3, alpha=2.0)(inputs))
    models = {
        "autoencoder": (autoencoder, x),
        "conv-autoencoder": (kdec.autoencoders.conv((8, 8, 1), filters=(2, 3, 4), seed=0), images),
        "dec": (dec, x),
        "kmeans-loss": (loss, x),
        "differentiable-kmeans": (soft, x),
        "clustering-layer": (functional, x[:, :2]),
    }
    expected = {"x": x, "images": images}
    for name, (model, samples) in models.items():
        model.save(FOLDER / f"{name}.keras")
        expected[name] = model.predict(samples, verbose=0)
    autoencoder.save_weights(FOLDER / "autoencoder.h5")
    autoencoder.save_weights(FOLDER / "autoencoder.weights.h5")
    np.savez_compressed(FOLDER / "expected.npz", **expected)


if __name__ == "__main__":
    main()
