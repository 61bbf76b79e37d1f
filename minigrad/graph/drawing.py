"""Drawing: `draw` reads the graph of a Tensor, makes it small enough, and returns a picture."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from operator import setitem
from typing import Any

import numpy as np

from minigrad.autograd import Tensor, bare, enable_grad
from minigrad.checks import undoing, whole
from minigrad.graph.fold import DRAWN, fold
from minigrad.graph.read import Reader
from minigrad.graph.text import SHOW
from minigrad.graph.view import GraphView

CHOICES = {"view": "forward backward", "direction": "TB LR BT RL", "theme": "auto light dark"}


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
    max_nodes: int = DRAWN,
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
        How many levels of modules stand open; a deeper one is a single box. By default all, or as
        many as make a picture of 40 boxes.
    expand : collection of str
        Paths of modules to open whatever the depth.
    collapse_repeats : bool
        Whether equal modules in a row, and the rounds of a long loop, are drawn once, marked ×12.
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

    Returns
    -------
    GraphView
        The picture: `render(path)`, `to_html(path)`, `summary()` and more.

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
    for (name, choices), value in zip(CHOICES.items(), (view, direction, theme), strict=True):
        if value not in choices.split():
            raise ValueError(f"draw: {name} must be one of {', '.join(choices.split())}: {value!r}")
    if isinstance(show, str) or not set(show) <= set(SHOW):
        raise ValueError(f"draw: show must be a collection among {', '.join(SHOW)}, got {show!r}")
    if isinstance(expand, str):
        raise TypeError(f"draw: expand must be a collection of paths: write [{expand!r}]")
    depth = None if depth is None else whole("draw: depth", depth, 0)
    max_nodes = whole("draw: max_nodes", max_nodes, 1)
    max_fanout = whole("draw: max_fanout", max_fanout, 1)
    graph = Reader(_named(outputs), params, view, gradients, check_finite).read()
    graph.title = graph.title if title is None else title
    graph.direction, graph.theme, graph.show, graph.legend = direction, theme, tuple(show), legend
    graph.repeats, graph.expand = collapse_repeats, tuple(expand)
    return GraphView(graph, fold(graph, depth, max_nodes, max_fanout))


def _named(outputs: Any) -> dict[str, Tensor]:
    """Return the outputs by name."""
    if isinstance(outputs, Mapping):
        named = {str(name): tensor for name, tensor in outputs.items()}
    else:
        one = isinstance(outputs, Tensor) or not isinstance(outputs, Iterable)
        several = [outputs] if one else list(outputs)
        named = {}
        for i, tensor in enumerate(several):
            name = getattr(tensor, "name", None) or (f"output {i}" if several[1:] else "output")
            named[f"{name} ({i})" if name in named else name] = tensor
    if not named or not all(isinstance(tensor, Tensor) for tensor in named.values()):
        kinds = ", ".join(type(tensor).__name__ for tensor in named.values()) or "nothing"
        raise TypeError(f"draw: expected a Tensor, or a sequence or dict of Tensors, got {kinds}")
    return named


def draw_module(module: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> GraphView:
    """Call a module on `inputs` and draw what it did; its buffers stay as they were.

    Arrays among the inputs become Tensors named as the arguments of `forward`. In a module
    without parameters they require gradients, as nothing would be recorded otherwise.

    Parameters
    ----------
    module : Module
        What is called, as its method `draw` does.
    inputs : tuple
        Its arguments: arrays or Tensors.
    options : dict
        Those of `draw`.

    Returns
    -------
    GraphView
        The picture.

    Examples
    --------
    >>> from minigrad import nn
    >>> draw_module(nn.Linear(3, 2), (np.ones((5, 3)),), {})
    GraphView('Linear', 3 nodes, 2 edges)
    """
    names = list(inspect.signature(module.forward).parameters)
    names += [f"input {i}" for i in range(len(names), len(inputs))]
    watch = not any(p.requires_grad for p in module.parameters())
    arguments = []
    for name, value in zip(names, inputs, strict=False):
        if isinstance(value, np.ndarray | list):
            value = Tensor(value)
        if isinstance(value, Tensor) and value.is_leaf and (watch or value.name is None):
            grad = value.requires_grad or (watch and value.dtype.kind == "f")
            value = Tensor(value.data, grad, dtype=value.dtype, name=value.name or name)
        arguments.append(value)
    buffers = [bare(buffer) for _, buffer in module.named_buffers()]
    with undoing([(setitem, array, ..., array.copy()) for array in buffers]), enable_grad():
        outputs = module(*arguments)
    options.setdefault("params", module)
    options.setdefault("title", type(module).__name__)
    return draw(outputs, **options)
