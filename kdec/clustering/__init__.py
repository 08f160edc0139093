"""Clusters of your own data: the whole pipeline as one estimator."""

from kdec.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "choice_of_k": ["ChoiceOfK", "choose_n_clusters"],
        "contrast": ["unit_means"],
        "decoding": ["train_decoder"],
        "encoding": ["train_encoder"],
        "estimator": ["DeepClustering"],
        "model": ["ClusteringModel"],
        "recipe": ["choose_network"],
    },
)
