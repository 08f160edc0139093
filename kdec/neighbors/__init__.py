"""Nearest neighbours: which samples are alike, and labels that neighbours share."""

from kdec.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "diffusion": ["diffuse_labels"],
        "joining": ["join_clusters"],
        "over_views": ["neighbors_over_views"],
        "search": ["nearest_neighbors"],
    },
)
