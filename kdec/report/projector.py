"""An embedding as files for TensorBoard's projector."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from kdec.plots import printable
from kdec.report.sprites import make_sheet, thumbnails, value_range

_MAX_SHEET_SIDE = 8192  # pixels, what the projector can show
_MAX_LETTERS = 200
_CONFIG = """\
embeddings {{
  tensor_name: "embedding"
  tensor_path: "tensors.tsv"
  metadata_path: "metadata.tsv"
{sprite}}}
"""
_SPRITE = """\
  sprite {{
    image_path: "sprite.png"
    single_image_dim: {width}
    single_image_dim: {height}
  }}
"""


def export_projector(
    folder: str | os.PathLike,
    z: ArrayLike,
    labels: ArrayLike | None = None,
    images: ArrayLike | None = None,
) -> Path:
    """Write an embedding as ``tensorboard --logdir FOLDER`` shows it in its projector.

    The files are ``tensors.tsv``, ``metadata.tsv``, ``projector_config.pbtxt`` and, with images,
    ``sprite.png``. The page of the projector is then ``http://localhost:6006/#projector``.

    Args:
        folder: Where to write; made if it is not there.
        z: Embedding, shape (n, d), finite.
        labels: Label or cluster of each sample, ints or strings, shape (n,). Defaults to None.
        images: Images of the samples, shape (n, height, width) or (n, height, width, channels),
            with values in [0, 1]; beyond, the smallest is black and the largest white. They are
            made smaller where all of them would not fit into 8,192 pixels a side. Defaults to None.

    Returns:
        The folder.

    Raises:
        ValueError: If shapes do not fit together, or values of `z` are not finite.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import kdec
        >>> digits = kdec.load_data("digits")
        >>> folder = kdec.export_projector(tempfile.mkdtemp(), digits.flat, digits.y, digits.x)
        >>> sorted(path.name for path in folder.iterdir())
        ['metadata.tsv', 'projector_config.pbtxt', 'sprite.png', 'tensors.tsv']
    """
    z = np.asarray(z)
    if z.ndim != 2 or z.size == 0 or not np.isfinite(z).all():
        raise ValueError(
            "Expected `z` to have the shape (n, d), n > 0, with finite values. "
            f"Received: {z.dtype}, shape {z.shape}"
        )
    labels, images = (None if values is None else np.asarray(values) for values in (labels, images))
    if labels is not None and labels.shape != z.shape[:1]:
        raise ValueError(
            f"Expected `labels` to have the shape ({len(z)},). Received: shape {labels.shape}"
        )
    if images is not None and (images.ndim not in (3, 4) or len(images) != len(z)):
        raise ValueError(
            f"Expected `images` to have the shape ({len(z)}, height, width) or "
            f"({len(z)}, height, width, channels). Received: shape {images.shape}"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / "tensors.tsv", z, fmt="%.6g", delimiter="\t")
    _write_metadata(folder / "metadata.tsv", len(z), labels)
    sprite = "" if images is None else _write_sprite(folder / "sprite.png", images)
    (folder / "projector_config.pbtxt").write_text(_CONFIG.format(sprite=sprite))
    return folder


def _write_metadata(path, n, labels):
    """Write the number of each sample and its label: two columns, so that no line is empty."""
    columns = [["sample", *range(n)]]
    if labels is not None:
        # On one line, and without tabs: the projector knows no quotes.
        columns.insert(0, ["label", *(printable(label, _MAX_LETTERS) for label in labels)])
    lines = ("\t".join(map(str, row)) for row in zip(*columns, strict=True))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_sprite(path, images):
    """Write all images in one, and return the part of the configuration that names it."""
    columns = int(np.ceil(np.sqrt(len(images))))
    side = _MAX_SHEET_SIDE // columns
    sheet = make_sheet(thumbnails(images, side, value_range(images), rows=np.arange(len(images))))
    sheet.image.save(path)
    return _SPRITE.format(width=sheet.width, height=sheet.height)
