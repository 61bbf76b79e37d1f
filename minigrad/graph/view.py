"""The picture of a graph: a `GraphView` shows it in every format."""

from __future__ import annotations

import functools
import os
import re
from collections import Counter
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigrad.files import write as write_file
from minigrad.graph import backends, dot, text
from minigrad.graph.fold import DRAWN, fold
from minigrad.graph.model import Graph
from minigrad.graph.page import page
from minigrad.graph.theme import stylesheet

if TYPE_CHECKING:
    import graphviz


Named = str | os.PathLike[str]  # of a file


class GraphView:
    """A picture of a graph: it has copied what it shows, and holds no arrays.

    Notebooks display it as SVG, or as the page of `to_html` where there is no Graphviz; only
    `render`, `pipe` and `svg` need that.

    Parameters
    ----------
    whole, graph : Graph
        See below.
    direction, theme, show, legend, repeats, expand
        As for `draw`, which makes views (`repeats` is its `collapse_repeats`).

    Attributes
    ----------
    whole : Graph
        All that was read, as plain data.
    graph : Graph
        What is drawn of it, after folding.
    nodes : list of Box
        The boxes of the picture, in topological order.
    edges : list of Edge
        The edges of the picture: one for each argument.
    clusters : dict
        The modules of the picture by id, outer ones first.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> view = (Tensor([1.0, 2.0], requires_grad=True) ** 2).sum().draw()
    >>> [box.label for box in view.nodes]
    ['input', 'power', 'sum', 'output']
    """

    def __init__(self, whole: Graph, graph: Graph):
        self.whole, self.graph = whole, graph
        self.nodes, self.edges, self.clusters = graph.boxes, graph.edges, graph.clusters

    @functools.cached_property
    def source(self) -> str:
        """The picture in DOT."""
        return dot.write(self.graph)

    def summary(self) -> str:
        """Return a text outline, indented by module."""
        return text.outline(self.graph)

    def to_mermaid(self) -> str:
        """Return a Mermaid flowchart, which many web pages draw themselves."""
        return text.mermaid(self.graph)

    def to_graphviz(self) -> graphviz.Source:
        """Return a `graphviz.Source`."""
        import graphviz

        return graphviz.Source(self.source)

    def save(self, path: Named) -> Path:
        """Write the DOT source to a file, and return its path."""
        if Path(path).suffix[1:].lower() in backends.FORMATS:
            raise ValueError(f"save: writes DOT: for a picture use .render({str(path)!r})")
        write_file(path, self.source)
        return Path(path)

    def pipe(self, format: str = "svg") -> bytes:
        """Return the picture as bytes of "svg", "png" or "pdf".

        A PNG has at most 12 million pixels: a larger picture gets a lower resolution. What takes
        Graphviz too long is folded first.
        """
        try:
            return _picture(self.graph, format)
        except TimeoutError:
            if len(self.graph.boxes) <= DRAWN:
                raise
            return _picture(fold(self.whole), format)

    def svg(self) -> str:
        """Return the picture as SVG."""
        return self.pipe("svg").decode()

    def render(self, path: Named) -> Path:
        """Draw to a file, its format given by the suffix: .svg, .png or .pdf.

        Raises
        ------
        ValueError
            If the suffix is another one.
        GraphvizNotFoundError
            If there is no Graphviz; then, as after any other error, no file is written.
        """
        return _write("render", path, [f".{name}" for name in backends.FORMATS], self.pipe)

    def html(self) -> str:
        """Return a page to explore the whole graph: to zoom, search, open and close modules.

        It needs no network, and runs from top to bottom.
        """
        return page(self.whole, self.graph)

    def to_html(self, path: Named) -> Path:
        """Write the page of `html` to a file, which holds all that it needs.

        Raises
        ------
        ValueError
            If the name does not end in .html or .htm.
        """
        return _write("to_html", path, [".html", ".htm"], lambda _: self.html())

    def __repr__(self) -> str:
        graph = self.graph
        return f"GraphView({graph.title!r}, {len(graph.boxes)} nodes, {len(graph.edges)} edges)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show a notebook the SVG, or the page where nobody draws one; this never raises."""
        bundle = {"text/plain": self.summary()}
        try:
            bundle["image/svg+xml"] = self.svg()
        except Exception as error:
            fix = escape(str(error).partition("\n")[0])
            if isinstance(error, backends.GraphvizNotFoundError):
                fix = "For a picture that stays: apt install graphviz, or pip install pygraphviz."
            inside = escape(self.html())
            bundle["text/html"] = (
                f'<iframe title="The graph" srcdoc="{inside}" width="100%" height="600" '
                f'style="border: 1px solid #767676"></iframe><p>{fix}</p>'
            )
        return bundle


def _write(call: str, path: Named, suffixes: list[str], make: Callable[[str], bytes | str]) -> Path:
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        names = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise ValueError(f"{call}: the name must end in {names}, got {path.name!r}")
    write_file(path, make(path.suffix[1:].lower()))
    return path


def _picture(graph: Graph, format: str) -> bytes:
    found, corners = [], Counter[str]()
    for _ in dot.CORNERS:
        source = dot.write(graph, corners)
        svg = backends.render(source, "svg").decode()
        crossed = backends.crossed_titles(svg)
        found.append((len(crossed), source, svg))
        if not crossed:
            break
        corners.update(crossed)  # each to its next corner
    _, source, svg = min(found, key=lambda tried: tried[0])
    if format == "svg":
        return _annotate(svg, graph).encode()
    dpi = backends.scale_to_fit(svg) if format == "png" else 96
    return backends.render(source, format, dpi)


def _annotate(svg: str, graph: Graph) -> str:
    """Give an SVG its role, title and description, and colours for dark pages."""
    facts = f"{graph.view} · {graph.facts}"
    title, about = map(dot.html, (graph.title.replace("\n", " "), ". ".join([facts, *graph.notes])))
    head = f'<title id="minigrad_title">{title}</title><desc id="minigrad_desc">{about}</desc>'
    if graph.theme == "auto":
        head += f"<style>{stylesheet()}</style>"
    role = 'role="img" class="minigrad" aria-labelledby="minigrad_title minigrad_desc"'
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    return re.sub(r"<svg\b([^>]*)>", lambda m: f"<svg {role}{m[1]}>\n{head}", svg, count=1)
