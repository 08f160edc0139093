"""Workers that are not alike."""

import pytest

from kdec.workers.agreement import check_agreement


def test_the_fewest_are_named_first_and_only_what_differs():
    facts = [{"columns": 3, "dtype": "float32"}] * 5 + [{"columns": 4, "dtype": "float32"}]
    with pytest.raises(ValueError) as refusal:
        check_agreement(facts, [f"worker {i}" for i in range(6)])
    assert str(refusal.value) == (
        "Expected the same on all workers. Received: columns=4 on worker 5; "
        "columns=3 on worker 0 and worker 1 and worker 2 and 2 more"
    )


def test_a_fact_that_one_lacks_differs():
    with pytest.raises(ValueError, match="labels=None on worker 1"):
        check_agreement([{"labels": True}, {}], ["worker 0", "worker 1"])
