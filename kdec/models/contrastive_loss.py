"""The contrastive loss InfoNCE in the form of SimCLR, NT-Xent."""

import keras
from keras import ops


def nt_xent(codes, partner_codes, temperature: float = 0.5):
    """Return the mean cross-entropy of finding each code's partner among all others of the batch.

    With z the 2B codes of both arguments, brought to length one, and j the partner of i,

    `loss = mean_i(log(sum_(k != i) exp(z_i z_k / temperature)) - z_i z_j / temperature)`

    It is computed in float32 at least, whatever the dtype of the codes.

    Args:
        codes: Float tensor (batch, d).
        partner_codes: Float tensor (batch, d); row i is the partner of row i of `codes`.
        temperature: Positive float. Defaults to 0.5.

    Returns:
        Scalar tensor.

    Reference:
        van den Oord, Li, Vinyals, Representation Learning with Contrastive Predictive Coding
        (2018), eq. 4; Chen, Kornblith, Norouzi, Hinton, A Simple Framework for Contrastive Learning
        of Visual Representations (2020), eq. 1.

    Example:
    >>> import numpy as np
    >>> from kdec.models.contrastive_loss import nt_xent
    >>> codes = np.array([[1.0, 0.0], [0.0, 2.0]], "float32")
    >>> round(float(nt_xent(codes, codes)), 3)  # log(exp(2) + 2 exp(0)) - 2
    0.24
    """
    z = unit_length(ops.concatenate([codes, partner_codes], axis=0))
    batch = ops.shape(codes)[0]
    similarities = ops.matmul(z, ops.transpose(z)) / temperature
    itself = ops.eye(2 * batch, dtype=similarities.dtype)
    all_others = ops.logsumexp(similarities - 1e9 * itself, axis=1)
    partners = ops.sum(z[:batch] * z[batch:], axis=1) / temperature
    return ops.mean(all_others) - ops.mean(partners)


def unit_length(codes):
    """Return codes (n, d), of float32 at least, scaled to Euclidean length one."""
    codes = ops.cast(codes, keras.backend.result_type(codes.dtype, "float32"))
    return ops.normalize(codes, axis=-1, order=2)
