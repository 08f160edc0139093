"""Several workers: the processes that `TF_CONFIG` names, which work as one."""

from kdec.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "cluster": ["cluster_from_environment"],
        "local": ["local_configs", "run_local"],
        "workers": ["Workers", "join", "present", "refuse_several"],
    },
)
