"""`kdec.differentiable_kmeans`, now in `kdec.models`."""

from kdec.models import DifferentiableKMeans, DifferentiableKMeansLayer, TemperatureDecay

__all__ = ["DifferentiableKMeans", "DifferentiableKMeansLayer", "TemperatureDecay"]
