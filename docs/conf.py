"""How Sphinx builds the documentation; README.md beside this file has the command.

The build needs no network, and neither do the pages. Figures come from the records under
`results/`, by way of `tables.py`; the notebooks are copied with the outputs that they have.
"""

import inspect
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "agg")

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT)]

import keras  # noqa: E402
import tables  # noqa: E402

import kdec  # noqa: E402

project = "kdec"
author = "the authors of kdec"
release = version = kdec.__version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "mathml",
]
exclude_patterns = ["_build", "README.md"]
templates_path = ["_templates"]

# Docstrings have names and code between single backticks. This role makes links of the names that
# are documented, and code of all else.
default_role = "py:obj"
autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # The docstrings say shapes and dtypes, which annotations cannot.
autodoc_default_options = {
    # What Keras and scikit-learn call, not the user.
    "exclude-members": ", ".join(
        [
            *("build", "call", "compute_loss", "compute_metrics", "compute_output_shape"),
            *("check_fit", "check_optimizer", "check_samples", "fit_by_epochs"),
            *("from_config", "get_config", "get_metrics_result", "losses_on_rows"),
            *("instead_of_epochs", "instead_of_evaluation", "takes_several_workers"),
            *("on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end", "part"),
            "renew_optimizer",
            *("set_fit_request", "set_partial_fit_request", "set_score_request"),
            *("test_step", "train_on_rows", "train_step", "trained_variables"),
        ]
    ),
}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_custom_sections = ["Reference", "Input shape", "Output shape"]

myst_enable_extensions = ["dollarmath", "substitution"]
myst_heading_anchors = 3
myst_substitutions = tables.all_tables(ROOT)
nb_execution_mode = "off"
nb_render_markdown_format = "myst"

html_theme = "furo"
html_title = f"kdec {release}"
html_static_path = ["_static"]
html_css_files = ["kdec.css"]
html_math_renderer = "mathml"
html_show_sourcelink = html_copy_source = html_show_copyright = False
copybutton_exclude = ".linenos, .gp, .go"


def copy_notebooks(app):
    """Copy the notebooks to where Sphinx looks for pages; git ignores the copies."""
    folder = HERE / "notebooks"
    folder.mkdir(exist_ok=True)
    originals = {path.name: path for path in (ROOT / "notebooks").glob("*.ipynb")}
    for copy in folder.glob("*.ipynb"):
        if copy.name not in originals:
            copy.unlink()
    for name, path in originals.items():
        shutil.copy2(path, folder / name)


def own_signature(app, what, name, obj, options, signature, return_annotation):
    """Show the arguments of `__init__` for Keras' classes, whose `__new__` takes anything."""
    if what == "class" and issubclass(obj, (keras.layers.Layer, keras.callbacks.Callback)):
        parameters = list(inspect.signature(obj.__init__).parameters.values())[1:]
        bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
        return str(inspect.Signature(bare)), return_annotation
    return None


def indent_example(app, what, name, obj, options, lines):
    """Indent a docstring's example, its last section, as napoleon expects its sections."""
    if "Example:" in lines:
        start = lines.index("Example:") + 1
        if start < len(lines) and not lines[start].startswith(" "):
            lines[start:] = [f"    {line}" if line else line for line in lines[start:]]


def setup(app):
    """Connect the hooks above."""
    app.connect("builder-inited", copy_notebooks, priority=100)
    app.connect("autodoc-process-signature", own_signature)
    app.connect("autodoc-process-docstring", indent_example, priority=100)  # before napoleon
