"""`kdec.batches`, now in `kdec.models`."""

from kdec.models import ShuffledBatches

__all__ = ["ShuffledBatches"]
