"""Autoencoders: the Keras model, and builders of dense and convolutional ones."""

from kdec.autoencoders.composite import CompositeModel
from kdec.autoencoders.convolutional import (
    conv,
    conv_pooling,
    conv_pooling_encoder,
    conv_upsampling,
)
from kdec.autoencoders.fully_connected import dense, sigmoid
from kdec.autoencoders.model import Autoencoder
from kdec.autoencoders.normalized_encoders import conv_encoder, dense_encoder
from kdec.autoencoders.training_samples import TrainingSamples

__all__ = [
    "Autoencoder",
    "CompositeModel",
    "TrainingSamples",
    "conv",
    "conv_encoder",
    "conv_pooling",
    "conv_pooling_encoder",
    "conv_upsampling",
    "dense",
    "dense_encoder",
    "sigmoid",
]
