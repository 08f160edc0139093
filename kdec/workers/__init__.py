"""Several workers: the processes that `TF_CONFIG` names, which work as one."""

from kdec.workers.local import local_configs, run_local
from kdec.workers.workers import Workers, join, present

__all__ = ["Workers", "join", "local_configs", "present", "run_local"]
