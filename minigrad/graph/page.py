"""The graph as a page to explore: one file that holds the graph, its layout and its drawing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from importlib.resources import files

from minigrad.graph.fold import grow
from minigrad.graph.model import Graph
from minigrad.graph.page_model import model
from minigrad.graph.theme import COLOURS
from minigrad.graph.tree import Frame

LIMIT = 2_000_000  # bytes of a page: above it, the page holds the folded graph
SCRIPTS = (
    "dagre.min.js", "arrange.js", "layout.js", "draw.js", "page.js", "export.js", "panel.js",
    "controls.js",
)  # fmt: skip


def page(whole: Graph, drawn: Graph) -> str:
    """Return a page that needs no network: the whole graph, with frames to open and close.

    The page opens with the modules open that stand open in `drawn`, as far as that is readable. A
    graph that makes a larger page than 2 MB is replaced by `drawn`.
    """
    root = grow(whole, whole.look.repeats)
    text = _page(whole, root, drawn)
    return text if len(text) <= LIMIT else _page(drawn, grow(drawn, False), drawn)


def _page(graph: Graph, root: Frame, drawn: Graph) -> str:
    style = _variables(graph.look.theme) + _static("page.css")
    licence = _static("dagre.LICENSE.txt")
    script = "\n".join([f"/* {licence}*/", *map(_static, SCRIPTS)])
    # `<` could end the element that holds the data, whatever the names in it.
    data = json.dumps(model(root, graph, drawn), separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        # Nothing but these very bytes may run, and nothing may be fetched.
        "policy": f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:",  # of its own drawing, on the way to a PNG
        "title": _escape(graph.title),
        "style": style,
        "data": data,
        "script": script,
    }
    return re.sub(r"{{(\w+)}}", lambda place: parts[place[1]], _static("page.html"))


@cache
def _static(name: str) -> str:
    return (files("minigrad.graph") / "static" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _escape(text: str) -> str:
    """Escape for HTML in ASCII; what is no character, such as half of one, stays harmless."""
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode()


def _variables(theme: str) -> str:
    """Return the colours of the pictures as CSS variables."""
    light, dark = (
        "".join(f"--{role.replace('_', '-')}:{pair[i]};" for role, pair in COLOURS.items())
        for i in (0, 1)
    )
    if theme == "auto":
        both = f":root{{color-scheme:light dark;{light}}}"
        return both + f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return f":root{{color-scheme:{theme};{dark if theme == 'dark' else light}}}\n"
