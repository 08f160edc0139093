"""What refuses bad arguments, files and processes before any work is done."""

# At once, since it must know of forks before they happen; the others load on first use.
from kdec.guards.forked import refuse_forked_process
from kdec.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "archives": ["refuse_bomb"],
        "folders": ["refuse_other_work"],
        "integers": ["is_positive_int", "non_negative_int", "positive_int"],
        "real_arrays": ["as_array", "real_array"],
    },
)
__all__ += ["refuse_forked_process"]
