"""A Sphinx extension that writes formulas as MathML, which browsers draw without a script.

Sphinx's own renderers load MathJax from another server, or need LaTeX for the build.
"""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

# Brackets of a given size, which docutils does not know; MathML sizes them by itself.
_SIZES = re.compile(r"\\[bB]igg?[lmr]?(?![a-zA-Z])")


def to_mathml(formula, as_block):
    """Return the MathML of a formula in LaTeX."""
    return tex2mathml(_SIZES.sub("", formula), as_block=as_block)


def visit_inline(self, node):
    """Write an inline formula."""
    self.body.append(to_mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def visit_block(self, node):
    """Write a displayed formula, in a box of its own that scrolls where it is too wide."""
    self.body.append(f'<div class="math-block">{to_mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app):
    """Register the renderer under the name by which `html_math_renderer` chooses it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
