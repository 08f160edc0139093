"""k-means: the estimator `KMeans`. All else here is its inside.

A fit passes `estimator` -> `points` (samples in memory, near the origin) -> `seeding` (first
centroids) -> `lloyd` (the iterations: `nearest` centroid of each point, new `centroids`) ->
`labeling` (labels and inertia of the result).
"""

from kdec.kmeans.estimator import KMeans

__all__ = ["KMeans"]
