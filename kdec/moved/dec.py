"""`kdec.dec`, now in `kdec.models`."""

from kdec.models import DEC, target_distribution

__all__ = ["DEC", "target_distribution"]
