"""Several workers: the processes that `TF_CONFIG` names, which work as one."""

from kdec.workers.workers import Workers, join, present

__all__ = ["Workers", "join", "present"]
