import numpy as np
import pandas as pd
import pytest

import kdec
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


@pytest.fixture
def hostile_contents():
    """Contents whose every name is markup that would do harm."""
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    frame = pd.DataFrame(
        {
            f"number {evil}": np.arange(12) % 5,
            f"kind {evil}": [evil, "b", "c"] * 4,
        }
    )
    dataset = kdec.data.read(frame)
    curve = {f"loss {evil}": [3.0, 2.0, 1.0]}
    return Contents.of(
        dataset,
        title=evil,
        labels=np.repeat([0, 1, 2], 4),
        confidence=np.linspace(0, 1, 12),
        codes=dataset.x[:, :2],
        samples=[f"folder/{evil}{row}.png" for row in range(12)],
        y=[0, 1] * 6,
        classes={0: evil, 1: "b"},
        source=evil,
        method=evil,
        notes=[evil],
        left_out={evil: evil},
        metrics={evil: 0.5},
        comparison={evil: {evil: 0.5}},
        choice=pd.DataFrame({evil: [1.0, 2.0], "word": [evil, evil]}, index=[2, 3]),
        suggestion=2,
        reason=evil,
        history={evil: curve},
        command=evil,
        seconds={evil: 1.0},
        versions={evil: evil},
    )
