import numpy as np
import pytest

from kdec.report import Contents


@pytest.fixture
def make_contents():
    """A function that makes small contents: 12 vectors in 3 clusters, and what is given."""

    def make(**given):
        rng = np.random.default_rng(0)
        labels = np.repeat([0, 1, 2], 4)
        x = rng.normal(size=(12, 5)) + labels[:, None]
        known = {"title": "Twelve", "x": x, "labels": labels, "codes": x}
        return Contents(**{**known, "confidence": rng.random(12), **given})

    return make
