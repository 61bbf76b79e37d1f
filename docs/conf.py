"""How the documentation is built: `sphinx-build -W --keep-going -b html docs out/docs`."""

import importlib
from types import ModuleType

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.logging import getLogger

import minigrad

logger = getLogger(__name__)
project = "minigrad"
author = "minigrad contributors"
copyright = "minigrad contributors. MIT licence"
version = release = minigrad.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["notebooks"]  # they are linked as files
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "html_image"]
myst_heading_anchors = 3

default_role = "py:obj"  # `name` in a docstring: a link where there is such a thing, else code
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # np.float32, not <class 'numpy.float32'>
autodoc_typehints = "none"  # the docstrings say more
autodoc_default_options = {"members": True}
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "minigrad"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_show_sourcelink = html_copy_source = False
html_theme_options = {"top_of_page_buttons": []}
pygments_style = "default"
pygments_dark_style = "github-dark"

# The packages whose every public name has to stand in the reference.
PACKAGES = "minigrad functional nn nn.models optim data training graph distributed testing".split()


# ---------------------------------------------------------------- equations, which browsers draw
def inline_math(self, node):
    """Write an equation in a line of text."""
    self.body.append(tex2mathml(node.astext()))
    raise SkipNode


def block_math(self, node):
    """Write an equation of its own."""
    self.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise SkipNode


# ------------------------------------------------------------------- nothing is left undocumented
def missing_names(app, env):
    """Warn of public names that no page documents."""
    documented = {path.rpartition(".")[2] for path in env.get_domain("py").objects}
    for package in PACKAGES:
        module = importlib.import_module(
            package if package == "minigrad" else f"minigrad.{package}"
        )
        public = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if name[0] != "_" and str(getattr(value, "__module__", "")).startswith("minigrad")
        ]
        for name in public:
            if name not in documented and not isinstance(getattr(module, name), ModuleType):
                logger.warning("%s.%s stands on no page of docs/api", module.__name__, name)


def setup(app):
    """Register the above."""
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
    app.connect("env-check-consistency", missing_names)
