"""Text in pictures: names out of the data, of any letters, and the headings of an author."""

import itertools
import textwrap
import unicodedata

from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

# How a name is drawn: a dollar sign in it starts no formula.
PLAIN = {"parse_math": False, "usetex": False}
# Control letters, such as the newline, and Unicode's own breaks of lines and paragraphs.
_BREAKS = {"Cc", "Zl", "Zp"}
_LETTERS_PER_INCH = 9


def printable(name: object, max_letters: int = 40) -> str:
    r"""Return a name on one line, shortened in the middle, since many names differ at an end.

    Args:
        name: Anything with a text.
        max_letters: Length of the result at most. Defaults to 40.

    Returns:
        The text without control letters.

    Example:
        >>> from kdec.plots.names import printable
        >>> printable("first line\nsecond"), printable("a" * 50 + "b", 9)
        ('first line second', 'aaaa…aaab')
    """
    # Half of a surrogate pair is no letter, and Matplotlib fails on it.
    text = str(name).encode(errors="replace").decode()
    text = "".join(" " if unicodedata.category(letter) in _BREAKS else letter for letter in text)
    if len(text) <= max_letters:
        return text
    tail = (max_letters - 1) // 2
    return f"{text[: max_letters - 1 - tail]}…{text[len(text) - tail :]}"


def set_heading(text: Text, inches: float | None = None) -> Text:
    """Make the heading `text` drawable: plain if it is no formula, and wrapped if it is long.

    Matplotlib draws what is between dollar signs as a formula, which an author may want. It fails
    on what is no formula, such as ``Ba$$in``, and when it wraps such a text, plain or not.

    Args:
        text: Text on a figure.
        inches: Length of a line. Defaults to None: the side of the figure along the text.
    """
    heading = text.get_text().encode(errors="replace").decode()
    if _is_formula(heading):
        return text
    if inches is None:
        box = text.figure.bbox  # Subfigures have no other measure.
        inches = (box.height if text.get_rotation() == 90 else box.width) / text.figure.dpi
    max_letters = max(1, int(_LETTERS_PER_INCH * inches))
    lines = (textwrap.wrap(line, max_letters) or [""] for line in heading.split("\n"))
    text.set(text="\n".join(itertools.chain(*lines)), **PLAIN)
    return text


def _is_formula(heading):
    if "$" not in heading:
        return False
    try:
        MathTextParser("path").parse(heading)
    except ValueError:
        return False
    return True
