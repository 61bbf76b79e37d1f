"""Drawing: `draw` reads a graph, and the `GraphView` that it returns shows it in every format."""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.files import write as write_file
from minigrad.graph import backends, dot, text
from minigrad.graph.fold import fold
from minigrad.graph.model import Box, Cluster, Edge, Graph
from minigrad.graph.read import read
from minigrad.graph.theme import stylesheet
from minigrad.graph.words import SHOW
from minigrad.mode import enable_grad
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    import graphviz

CHOICES = {
    "view": ("forward", "backward"),
    "direction": ("TB", "LR", "BT", "RL"),
    "theme": ("auto", "light", "dark"),
}


class GraphView:
    """A picture of a graph: it has copied what it shows, and holds no arrays.

    Notebooks display it as SVG. Everything but `render`, `pipe` and `svg` works without Graphviz.

    Attributes
    ----------
    whole : Graph
        All that was read, as plain data.
    graph : Graph
        What is drawn of it, after folding.
    """

    def __init__(
        self,
        whole: Graph,
        graph: Graph,
        *,
        direction: str = "TB",
        theme: str = "auto",
        show: tuple[str, ...] = ("shape", "dtype"),
        legend: bool = True,
    ):
        self.whole, self.graph = whole, graph
        self.direction, self.theme, self.show, self.legend = direction, theme, show, legend

    @property
    def nodes(self) -> list[Box]:
        """The boxes of the picture, in topological order."""
        return self.graph.boxes

    @property
    def edges(self) -> list[Edge]:
        """The edges of the picture: one for each argument."""
        return self.graph.edges

    @property
    def clusters(self) -> dict[str, Cluster]:
        """The modules of the picture by id, outer ones first."""
        return self.graph.clusters

    @functools.cached_property
    def source(self) -> str:
        """The picture in DOT."""
        return dot.write(
            self.graph,
            direction=self.direction,
            theme=self.theme,
            show=self.show,
            with_legend=self.legend,
        )

    def summary(self) -> str:
        """Return a text outline, indented by module."""
        return text.outline(self.graph, self.show)

    def to_mermaid(self) -> str:
        """Return a Mermaid flowchart, which many web pages draw themselves."""
        return text.mermaid(self.graph, direction=self.direction, show=self.show)

    def to_graphviz(self) -> graphviz.Source:
        """Return a `graphviz.Source`."""
        import graphviz

        return graphviz.Source(self.source)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the DOT source to a file, and return its path."""
        path = Path(path)
        if path.suffix[1:].lower() in backends.FORMATS:
            raise ValueError(
                f"save: writes DOT, and {path.name!r} is the name of a picture: use "
                f".render({str(path)!r}), or a name that ends in .dot"
            )
        write_file(path, self.source)
        return path

    def pipe(self, format: str = "svg") -> bytes:
        """Return the picture as bytes of "svg", "png" or "pdf"."""
        picture = backends.render(self.source, format)
        if format == "svg":
            return _annotate(picture.decode(), self).encode()
        return picture

    def svg(self) -> str:
        """Return the picture as SVG."""
        return self.pipe("svg").decode()

    def render(self, path: str | os.PathLike[str]) -> Path:
        """Draw to a file, its format given by the suffix: .svg, .png or .pdf.

        Raises
        ------
        ValueError
            If the suffix is another one.
        GraphvizNotFoundError
            If there is no Graphviz; then, as after any other error, no file is written.
        """
        path = Path(path)
        format = path.suffix[1:].lower()
        if format not in backends.FORMATS:
            raise ValueError(f"render: the name must end in .svg, .png or .pdf, got {path.name!r}")
        write_file(path, self.pipe(format))
        return path

    def __repr__(self) -> str:
        graph = self.graph
        return f"GraphView({graph.title!r}, {len(graph.boxes)} nodes, {len(graph.edges)} edges)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show a notebook the SVG, or Mermaid and how to get better; this never raises."""
        bundle = {"text/plain": self.summary()}
        try:
            bundle["image/svg+xml"] = self.svg()
        except Exception as error:
            fix = str(error).partition("\n")[0]
            if isinstance(error, backends.GraphvizNotFoundError):
                fix = "For a picture: apt install graphviz, or pip install pygraphviz."
            bundle["text/markdown"] = f"```mermaid\n{self.to_mermaid()}```\n\n{fix}\n"
        return bundle


def _annotate(svg: str, view: GraphView) -> str:
    """Give an SVG its role, title and description, and colours for dark pages."""
    title, facts = dot.html(view.graph.title), dot.html(f"{view.graph.view} · {view.graph.facts}")
    described = "".join(f". {dot.html(note)}" for note in view.graph.notes)
    head = f'<title id="minigrad_title">{title}</title>'
    head += f'<desc id="minigrad_desc">{facts}{described}</desc>'
    if view.theme == "auto":
        head += f"<style>{stylesheet()}</style>"
    role = 'role="img" class="minigrad" aria-labelledby="minigrad_title minigrad_desc"'
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<svg\b([^>]*)>", lambda m: f"<svg {role}{m[1]}>\n{head}", svg, count=1)
    return svg


# ------------------------------------------------------------------------------------------- draw
def draw(
    outputs: Tensor | Iterable[Tensor] | Mapping[str, Tensor],
    *,
    params: Any = None,
    view: str = "forward",
    depth: int | None = None,
    expand: Collection[str] = (),
    collapse_repeats: bool = True,
    show: Collection[str] = ("shape", "dtype"),
    gradients: bool = False,
    check_finite: bool = True,
    direction: str = "TB",
    theme: str = "auto",
    legend: bool = True,
    max_nodes: int = 1000,
    max_fanout: int = 8,
    title: str | None = None,
) -> GraphView:
    """Draw the graph that computed `outputs`.

    Parameters
    ----------
    outputs : Tensor, sequence or dict of Tensors
        Where to begin; the keys of a dict are their names.
    params : Module or dict of Tensors, optional
        Gives parameters their names, and shows those that nothing reads. Modules that ran name
        their parameters anyway.
    view : {"forward", "backward"}
        Which way the arrows point; "backward" leaves out what has no gradient.
    depth : int, optional
        How many levels of modules stand open; a deeper one is a single box.
    expand : collection of str
        Paths of modules to open whatever the depth.
    collapse_repeats : bool
        Whether equal modules in a row are drawn once, marked ×12.
    show : collection of {"shape", "dtype", "bytes"}
        What stands in a box.
    gradients : bool
        Sweep the graph, touching no `grad`, and write the RMS of the gradient of the sum of
        `outputs` at every operation and parameter.
    check_finite : bool
        Mark where the first NaN or infinity came from. Values that no node kept are computed
        again, which takes at most the time of a forward pass.
    direction : {"TB", "LR", "BT", "RL"}
        Which way the picture runs.
    theme : {"auto", "light", "dark"}
        "auto" is light, and an SVG turns dark where the reader's system is.
    legend : bool
        Whether to explain the kinds that are present.
    max_nodes : int
        Above this, repeats, modules and operations are folded, with a warning.
    max_fanout : int
        What is read more often than this is drawn again, or referred to, at each use.
    title : str, optional
        The header, in place of the names of the outputs.

    Raises
    ------
    TypeError
        If `outputs` or `params` are something else.
    ValueError
        If an option has no such value.

    Examples
    --------
    >>> from minigrad import Tensor, draw
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> print(draw(x * x, legend=False).summary())
    output = 9
    forward · 1 op, 0 parameters, 0 B saved for backward
    <BLANKLINE>
    [input] x  () f32 = 3
    multiply  () f32 = 9
    [output] output = 9
    """
    chosen = {"view": view, "direction": direction, "theme": theme}
    for name, value in chosen.items():
        if value not in CHOICES[name]:
            raise ValueError(f"draw: {name} must be one of {', '.join(CHOICES[name])}: {value!r}")
    if isinstance(show, str) or not set(show) <= set(SHOW):
        raise ValueError(f"draw: show must be a collection among {', '.join(SHOW)}, got {show!r}")
    if isinstance(expand, str):
        raise TypeError(f"draw: expand must be a collection of paths: write [{expand!r}]")
    for name, least, number in (
        ("depth", 0, depth), ("max_nodes", 1, max_nodes), ("max_fanout", 1, max_fanout),
    ):  # fmt: skip
        if number is not None and (not isinstance(number, int) or number < least):
            raise ValueError(f"draw: {name} must be an integer of at least {least}: {number!r}")
    whole = read(_named(outputs), params, view=view, gradients=gradients, check_finite=check_finite)
    if title is not None:
        whole.title = title
    small = fold(
        whole,
        depth=depth,
        expand=expand,
        collapse_repeats=collapse_repeats,
        max_nodes=max_nodes,
        max_fanout=max_fanout,
    )
    return GraphView(
        whole, small, direction=direction, theme=theme, show=tuple(show), legend=legend
    )


def _named(outputs: Any) -> dict[str, Tensor]:
    """Return the outputs by name."""
    if isinstance(outputs, Mapping):
        named = {str(name): tensor for name, tensor in outputs.items()}
    else:
        several = [outputs] if isinstance(outputs, Tensor) else outputs
        several = list(several) if isinstance(several, Iterable) else [several]
        named = {}
        for i, tensor in enumerate(several):
            name = getattr(tensor, "name", None) or (
                "output" if len(several) == 1 else f"output {i}"
            )
            named[f"{name} ({i})" if name in named else name] = tensor
    if not named or not all(isinstance(tensor, Tensor) for tensor in named.values()):
        kinds = ", ".join(type(tensor).__name__ for tensor in named.values()) or "nothing"
        raise TypeError(f"draw: expected a Tensor, or a sequence or dict of Tensors, got {kinds}")
    return named


def draw_module(module: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> GraphView:
    """Call a module on `inputs` and draw what it did; its buffers stay as they were.

    Arrays among the inputs become Tensors named as the arguments of `forward`. In a module
    without parameters they require gradients, as nothing would be recorded otherwise.
    """
    names = list(inspect.signature(module.forward).parameters)
    names += [f"input {i}" for i in range(len(names), len(inputs))]
    watch = not any(p.requires_grad for p in module.parameters())
    arguments = []
    for name, value in zip(names, inputs, strict=False):
        if isinstance(value, np.ndarray | list):
            array = np.asarray(value)
            tensor = Tensor(value, name=name)
            if watch and tensor.dtype.kind == "f":
                tensor = Tensor(array, True, dtype=tensor.dtype, name=name)
            value = tensor
        elif isinstance(value, Tensor) and value.is_leaf and (watch or value.name is None):
            value = Tensor(value.data, value.requires_grad or (watch and value.dtype.kind == "f"),
                           name=value.name or name)  # fmt: skip
        arguments.append(value)
    buffers = [
        (array, array.copy())
        for _, buffer in module.named_buffers()
        for array in [buffer.data if isinstance(buffer, Tensor) else buffer]
    ]
    try:
        with enable_grad():
            outputs = module(*arguments)
    finally:
        for array, before in buffers:
            array[...] = before
    options.setdefault("params", module)
    options.setdefault("title", type(module).__name__)
    return draw(outputs, **options)
