"""Models that are quick to train."""

import keras

from kdec.autoencoders import Autoencoder


def convolutional():
    inputs = keras.Input((8, 8, 1))
    outputs = keras.layers.Conv2D(2, 3, strides=2, padding="same", activation="relu")(inputs)
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(outputs))
    encoder = keras.Model(inputs, outputs)
    inputs = keras.Input((3,))
    outputs = keras.layers.Reshape((4, 4, 2))(keras.layers.Dense(32)(inputs))
    outputs = keras.layers.Conv2DTranspose(1, 3, strides=2, padding="same")(outputs)
    return Autoencoder(encoder, keras.Model(inputs, outputs))
