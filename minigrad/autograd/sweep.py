"""The reverse sweep through the graph, and the two ways to ask for it: `backward`, `gradients`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd import clock, messages
from minigrad.autograd.graph import (
    NO_GRADIENT,
    Handle,
    Leaf,
    Node,
    Shape,
    bare,
    nobody,
    reachable,
)
from minigrad.autograd.mode import enable_grad, local, no_grad

if TYPE_CHECKING:
    from minigrad.autograd.tensor import Tensor


Gradients = dict[Leaf, Any]  # by what they belong to: arrays, or Tensors if they are recorded
Wrap = Callable[[Any, Any], Any]


def sweep(
    seeds: Gradients, *, retain: bool = False, wrap: Wrap | None = None, targets: Any = None
) -> Gradients:
    """Return what `seeds` carry back to every leaf (or target) that they reach.

    Parameters
    ----------
    seeds : dict
        The gradient to start from at each root: an array, or a Tensor if `wrap` is given.
    retain : bool
        Keep the saved arrays, so that the graph can be swept again.
    wrap : callable, optional
        `(array, node) -> Tensor`. If given, pullbacks receive Tensors and so are recorded.
    targets : sequence, optional
        Where gradients are wanted; only what lies on the way to them is visited.

    Arrays that were released, or changed in place since they were recorded, are a RuntimeError.
    """
    order, debug = reachable(seeds), local.mode.debug
    wanted = None if targets is None else _on_the_way(order, targets)
    gradients, found, latest = dict(seeds), {}, clock.latest_change
    for node in order:
        g = gradients.pop(node, None)
        if g is None:
            continue
        if node.tensor is not nobody if targets is None else node in targets:
            found[node] = g
        inputs, function, saved, keywords = node.inputs, node.function, node.saved, node.keywords
        if wanted is not None and wanted.isdisjoint(inputs):
            continue
        if saved is None or wrap or function.residual or latest > node.stamp:
            saved, keywords = _prepared(node, wrap)
        if not retain:
            node.saved = node.residual = None
        if function.joint:
            needs = tuple([isinstance(p, Leaf) and (wanted is None or p in wanted) for p in inputs])
            joint = function.joint(needs, g, *saved, **keywords)
        for i, parent in enumerate(inputs):
            if parent.__class__ in NO_GRADIENT or (wanted is not None and parent not in wanted):
                continue
            if function.joint:
                d = joint[i]
            else:
                pull = function.pullbacks[i]
                d = pull(g, *saved, **keywords) if keywords else pull(g, *saved)
            if d is None or (parent.shape != node.shape and parent.shape != d.shape):
                d = unbroadcast(d, parent.shape)
            if parent.dtype is not node.dtype:
                d = (d if parent.dtype.kind == "c" else d.real).astype(parent.dtype)
            if debug is not None:
                debug.check_gradient(node, i, g, d)
            gradients[parent] = gradients[parent] + d if parent in gradients else d
        if debug is not None and not retain:
            debug.unwatch(node)
    return found | gradients  # of which only leaves are left


def _on_the_way(order: list[Node], targets: Iterable[Leaf]) -> set[Leaf]:
    """Collect what lies between the newest of `order` and `targets`, both ends included."""
    wanted = set(targets)
    for node in reversed(order):
        if not wanted.isdisjoint(node.inputs):
            wanted.add(node)
    return wanted


def _prepared(node: Node, wrap: Wrap | None) -> tuple[Any, dict[str, Any]]:
    """Check what a node saved, return it, as Tensors if they are to be recorded, and keywords."""
    saved, keywords = node.saved, node.keywords
    if saved is None:
        raise RuntimeError(messages.released(node))
    for array in clock.kept_arrays(node) if clock.latest_change > node.stamp else ():
        if clock.changed_at(array) > node.stamp:
            raise RuntimeError(messages.changed(array, node))
    if node.function.residual:
        residual = node.residual
        fixed = isinstance(residual, np.ndarray) and residual.dtype.kind in "iub"
        keywords = {**keywords, "residual": residual if fixed or not wrap else None}
    return tuple(map(wrap, saved, (node, *node.inputs))) if wrap else saved, keywords


def unbroadcast(g: Any, shape: Shape) -> Any:
    """Sum a gradient over the axes along which an input of `shape` was broadcast."""
    extra = g.ndim - len(shape)
    axes = [i for i, n in enumerate(g.shape) if i < extra or (n != 1 == shape[i - extra])]
    return g.sum(axis=tuple(axes)).reshape(shape) if axes else g


# ------------------------------------------------------------------------ asking for gradients
def backward(
    self: Any, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False
) -> None:
    """Add the gradient of this Tensor with respect to each leaf to the `grad` of that leaf.

    Parameters
    ----------
    gradient : array_like, optional
        The upstream gradient, of this Tensor's shape; 1 for a single value.
    retain_graph : bool
        Keep the arrays that the graph saved, so that it can be swept again.
    create_graph : bool
        Record the sweep too, so that the gradients can be differentiated; implies
        `retain_graph`.

    Raises
    ------
    RuntimeError
        If nothing was recorded, if the graph was already swept, or if a saved array was
        changed in place.
    ValueError
        If `gradient` is missing for several values, or has another shape.
    """
    for node, g in _swept([self], [gradient], retain_graph, create_graph, None).items():
        tensor = node.tensor()
        if tensor is None or not tensor.requires_grad:  # gone, or frozen since
            continue
        if g.shape != tensor.shape:
            raise RuntimeError(messages.gradient_of_wrong_shape(node, g.shape))
        if g.dtype != tensor.dtype:  # the data was replaced by some of another dtype
            g = g.astype(tensor.dtype)
        if tensor._grad is not None:
            with enable_grad() if create_graph else no_grad():
                g = tensor._grad + g
        tensor._grad = g


def gradients(
    outputs: Tensor | Sequence[Tensor],
    inputs: Sequence[Tensor],
    upstream: Any = None,
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of `outputs` with respect to `inputs`, touching no `grad`.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensors
        What to differentiate; several are summed.
    inputs : sequence of Tensors
        Leaves or results of the graph; only what lies on the way to them is visited.
    upstream : array_like or sequence, optional
        The upstream gradient of each output; 1 for single values.
    retain_graph, create_graph : bool
        As for `Tensor.backward`.

    Returns
    -------
    tuple
        One for each input: a Tensor of its shape, or None if no output depends on it.

    Raises
    ------
    RuntimeError
        If an input does not require a gradient.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> x = Tensor(3.0, requires_grad=True)
    >>> (slope,) = gradients(x**3, [x], create_graph=True)
    >>> (curvature,) = gradients(slope, [x])
    >>> slope.item(), curvature.item()
    (27.0, 18.0)
    """
    if isinstance(outputs, Handle):
        outputs, upstream = [outputs], [upstream]
    if isinstance(inputs, Handle):
        raise TypeError("gradients: inputs are a list of Tensors: write gradients(loss, [x])")
    for x in inputs:
        if not isinstance(x._node, Leaf):
            raise RuntimeError(f"gradients: the input {x!r:.60} does not require a gradient")
    upstream = [None] * len(outputs) if upstream is None else upstream
    found: Any = _swept(outputs, upstream, retain_graph, create_graph, [x._node for x in inputs])
    return tuple([found.get(x._node) for x in inputs])


def _swept(
    outputs: Sequence[Any], upstream: Sequence[Any], retain: bool, create_graph: bool, targets: Any
) -> Gradients:
    """Sweep from `outputs` and return Tensors, each of which owns its memory."""
    wrap = outputs[0]._wrap
    seeds: Gradients = {}
    for output, given in zip(outputs, upstream, strict=True):
        node, g = output._node, _seed(output, given, create_graph)
        seeds[node] = seeds[node] + g if node in seeds else g

    def attach(value: Any, node: Any) -> Any:  # give an array that was kept its place again
        local.mode.module = messages.RECORDED
        kept = isinstance(node, Leaf) and isinstance(value, np.ndarray | np.generic)
        return wrap(value, node) if kept else value

    run, wrapped = (enable_grad()(sweep), attach) if create_graph else (sweep, None)
    mode, module = local.mode, local.mode.module
    try:
        found = run(seeds, retain=retain or create_graph, wrap=wrapped, targets=targets)
    except (TypeError, AttributeError) as error:
        raise messages.pullback_failed(error) from None
    finally:
        mode.module = module  # which pullbacks that are recorded change
    taken = {id(g._array if isinstance(g, Handle) else g) for g in upstream}
    return {place: wrap(*_owned(g, taken, place)) for place, g in found.items()}


def _seed(output: Any, given: Any, create_graph: bool) -> Any:
    """Return the gradient to start with at an output: an array, or a Tensor to be recorded."""
    if not isinstance(output._node, Leaf):
        raise RuntimeError(messages.requires_no_gradient(output))
    if given is None and output.size != 1:
        raise ValueError(messages.no_upstream(output.size, output.shape))
    real = output.dtype.kind != "c"
    if (given is not None and np.iscomplexobj(bare(given))) if real else given is None:
        raise TypeError(messages.complex_gradient(output, given))
    if given is None:
        g = output.dtype.type(1) if output.ndim == 0 else np.ones(output.shape, output.dtype)
    elif create_graph and isinstance(given, Handle):
        g = given if given.dtype == output.dtype else given.astype(output.dtype)
    else:
        g = np.asarray(given._array if isinstance(given, Handle) else given, output.dtype)
    if g.shape != output.shape:
        raise ValueError(f"backward: gradient has shape {g.shape}, the output {output.shape}")
    return output._wrap(np.array(g)) if create_graph and not isinstance(g, Handle) else g


def _owned(g: Any, taken: set[int], place: Leaf) -> tuple[Any, Any]:
    """Return array and node of a gradient; the array, which may be scaled in place, is its own."""
    array, node = (g._array, g._node) if isinstance(g, Handle) else (g, None)
    if not hasattr(array, "base"):
        raise TypeError(messages.no_gradient(place, g))
    if array.base is not None or id(array) in taken:
        array = array.copy()
    taken.add(id(array))
    return array, node
