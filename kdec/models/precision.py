"""In which precision convolutions train fastest on this machine."""

from pathlib import Path

import tensorflow as tf

# Without instructions that multiply bfloat16, TensorFlow takes six times as long as in float32.
_PROCESSOR_FLAGS = {"avx512_bf16", "amx_bf16"}
_GPU_CAPABILITY = (8, 0)


def fastest_policy() -> str:
    """Return the dtype policy in which convolutions train fastest on this machine.

    It is "mixed_bfloat16" where the hardware multiplies bfloat16 itself: processors of the x86 kind
    with AVX512-BF16 or AMX, as Linux lists them, and GPUs of compute capability 8.0 or higher.
    Elsewhere, and where this cannot be found out, it is "float32".

    Example:
    >>> import kdec
    >>> policy = kdec.models.fastest_policy()
    >>> policy in ("mixed_bfloat16", "float32")
    True
    >>> encoder = kdec.autoencoders.conv_encoder(dtype=policy)
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        fast = all(found.get("compute_capability", (0, 0)) >= _GPU_CAPABILITY for found in details)
    else:
        fast = _multiplies_bfloat16(Path("/proc/cpuinfo"))
    return "mixed_bfloat16" if fast else "float32"


def _multiplies_bfloat16(cpuinfo):
    if not cpuinfo.exists():
        return False
    for line in cpuinfo.read_text().splitlines():
        name, _, flags = line.partition(":")
        if name.strip() == "flags":
            return bool(_PROCESSOR_FLAGS & set(flags.split()))
    return False
