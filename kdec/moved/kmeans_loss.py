"""`kdec.kmeans_loss`, now in `kdec.models`."""

from kdec.models import KMeansLoss
from kdec.models.lloyd_loss import kmeans_loss, lloyd_shares, nearest

__all__ = ["KMeansLoss", "kmeans_loss", "lloyd_shares", "nearest"]
