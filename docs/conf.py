"""How the documentation is built: `sphinx-build -W --keep-going -b html docs out/docs`."""

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.logging import getLogger

import minigrad

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import live  # noqa: E402  beside this file

logger = getLogger(__name__)
project = "minigrad"
author = "minigrad contributors"
copyright = "minigrad contributors. MIT licence"
version = release = minigrad.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = []
nb_execution_mode = "force"  # so what the notebooks show is what they do now
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_merge_streams = True
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
PACKAGES = "minigrad functional nn nn.models optim data training graph testing".split()


# ---------------------------------------------------------------- equations, which browsers draw
def inline_math(self, node):
    """Write an equation in a line of text."""
    self.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def block_math(self, node):
    """Write an equation of its own."""
    self.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


# ---------------------------------------------------------------------- pictures, and the gallery
def link_pictures(app, doctree, page):
    """Give each picture its size in the page, and so, by Sphinx, a link to itself in full."""
    for image in doctree.findall(nodes.image):
        if not {"scale", "width", "height"} & image.attributes.keys():
            image["scale"] = 100


def gallery(app, page, source):
    """Show on the page `gallery` the text that stands beside the examples."""
    if page == "gallery":
        text = (HERE.parent / "examples" / "README.md").read_text("utf-8")
        text = re.sub(r"\]\((?=[\w/]+\.(?:py|md)\))", "](../examples/", text)
        source[0] = text.replace("](../docs/", "](")


def explorable(app):
    """Write the pages of graphs beside those of the site."""
    if app.builder.format == "html":
        live.write_pages(Path(app.outdir) / "live")


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
    app.connect("builder-inited", explorable)
    app.connect("source-read", gallery)
    app.connect("doctree-resolved", link_pictures)
    app.connect("env-check-consistency", missing_names)
