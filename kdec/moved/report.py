"""`kdec.report`, now in `kdec.experiments`."""

from kdec.experiments import report, summary, table

__all__ = ["report", "summary", "table"]
