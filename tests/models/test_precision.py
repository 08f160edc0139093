"""The dtype policy for this machine: what its processor or its GPU tells of itself."""

import pytest
import tensorflow as tf

from kdec.models import fastest_policy, precision


@pytest.mark.parametrize(
    "cpuinfo, fast",
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_tile\n", True),
        ("flags\t\t: fpu avx512f amx_bf16\n", True),
        ("model name\t: avx512_bf16\nflags\t\t: fpu avx2 avx512f\n", False),
        ("Features\t: fp asimd\n", False),
        (None, False),
    ],
)
def test_processor_with_bfloat16_products_is_told_by_its_flags(tmp_path, cpuinfo, fast):
    path = tmp_path / "cpuinfo"
    if cpuinfo is not None:
        path.write_text(cpuinfo)
    assert precision._multiplies_bfloat16(path) is fast


@pytest.mark.parametrize(
    "details, policy",
    [
        ({"compute_capability": (9, 0)}, "mixed_bfloat16"),
        ({"compute_capability": (7, 5)}, "float32"),
        ({}, "float32"),
    ],
)
def test_gpu_is_asked_first(monkeypatch, details, policy):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert fastest_policy() == policy
