"""Asking for gradients: `backward()` and its kin, and the `gradients` function."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd import Constant, Leaf, Node, describe, sweep, watched
from minigrad.mode import enable_grad

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Handle:
    """A handle on data and on the node that made it: what a Tensor knows of gradients.

    `_wrap(array, node)` makes another Tensor, without looking at what is in it.
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_node")

    _data: Any  # an ndarray, or the NumPy scalar that arithmetic on 0-d arrays gives
    _grad: Tensor | None
    _node: Node | Leaf | Constant | None
    _wrap: Callable[..., Tensor]
    astype: Callable[..., Any]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward()` left; None if never reached, zeros if reached by zeros."""
        node = self._node
        if self._grad is None and isinstance(node, Node) and node not in watched:
            warnings.warn(
                f"grad: {describe(node)} is not a leaf, and only leaves keep their gradient: "
                "call t.retain_grad() before backward()",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = (
                value
                if isinstance(value, Handle)
                else self._wrap(np.asarray(value, dtype=self.dtype))
            )
            if value.shape != self.shape:
                raise ValueError(f"grad: expected shape {self.shape}, got {value.shape}")
        self._grad = value

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows to this Tensor; can be set on leaves."""
        return isinstance(self._node, Node | Leaf)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        node = self._node
        if isinstance(node, Node):
            if not value:
                raise RuntimeError(
                    f"requires_grad: {describe(node)} is part of a graph: use t.detach()"
                )
        elif value and not isinstance(node, Leaf):
            if self.dtype.kind != "f":
                raise TypeError(
                    f"requires_grad: only floating point Tensors have gradients, this one is "
                    f"{self.dtype}: write 1.0 instead of 1, or pass dtype=np.float32"
                )
            self._node = Leaf(self, self.shape, self.dtype, self.name)
        elif not value and node is not None:
            self._node = Constant(node.shape, node.dtype, node.name)

    @property
    def name(self) -> str | None:
        """The name used in messages and pictures."""
        return self._node.name if self._node is not None else None

    @name.setter
    def name(self, value: str | None) -> None:
        if self._node is None:
            self._node = Constant(self.shape, self.dtype)
        self._node.name = value

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this Tensor."""
        return not isinstance(self._node, Node)

    def backward(
        self, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False
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
        as_array = np.array if create_graph else np.asarray  # a leaf's gradient is copied below
        found = _sweep_from([self], [gradient], retain_graph, create_graph, None, as_array)
        taken = {id(gradient._data)} if isinstance(gradient, Handle) else {id(gradient)}
        for node, g in found.items():
            tensor = node.tensor() if isinstance(node, Leaf) else watched[node]()
            if tensor is None:
                continue
            if g.shape != tensor.shape:
                raise RuntimeError(
                    f"backward: the gradient for {describe(node)} came with shape {g.shape}: a "
                    "pullback is wrong, or the data was replaced by some of another shape"
                )
            if g.dtype != tensor._data.dtype:  # a pullback of the user's own may widen it
                g = g.astype(tensor._data.dtype)
            array, origin = (g._data, g._node) if isinstance(g, Handle) else (g, None)
            if isinstance(array, np.ndarray) and (array.base is not None or id(array) in taken):
                array = array.copy()  # each leaf owns its gradient, which may be scaled in place
            taken.add(id(array))
            if tensor._grad is None:
                tensor._grad = self._wrap(array, origin)
            elif not create_graph:
                tensor._grad = self._wrap(tensor._grad._data + array)
            else:
                with enable_grad():
                    tensor._grad = tensor._grad + self._wrap(array, origin)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self._grad = None

    def retain_grad(self) -> None:
        """Let `backward()` leave the gradient of this Tensor in `grad`, although it is no leaf."""
        if isinstance(self._node, Node):
            watched[self._node] = weakref.ref(self)


def _sweep_from(
    outputs: Sequence[Any],
    upstream: Sequence[Any],
    retain_graph: bool,
    create_graph: bool,
    targets: Sequence[Any] | None,
    as_array: Callable[[Any, Any], Any],
) -> dict[Any, Any]:
    wrap = outputs[0]._wrap
    seeds: dict[Any, Any] = {}
    for output, given in zip(outputs, upstream, strict=True):
        g: Any = given
        node = output._node
        if not isinstance(node, Node | Leaf):
            raise RuntimeError(
                f"backward: {output!r:.60} requires no gradient: none of what it was computed from "
                "does, or it was computed under no_grad() or from detached Tensors. Setting its "
                "requires_grad afterwards would train nothing"
            )
        if g is None:
            if output.size != 1:
                raise ValueError(
                    f"backward: the output has {output.size} values (shape {output.shape}): "
                    "reduce it to one, for example with .sum(), or pass the upstream gradient"
                )
            g = output.dtype.type(1) if output.ndim == 0 else np.ones(output.shape, output.dtype)
        elif not create_graph or not isinstance(g, Handle):
            g = as_array(g._data if isinstance(g, Handle) else g, output.dtype)
        elif g.dtype != output.dtype:
            g = g.astype(output.dtype)
        if g.shape != output.shape:
            raise ValueError(f"backward: gradient has shape {g.shape}, the output {output.shape}")
        g = wrap(g) if create_graph and not isinstance(g, Handle) else g
        seeds[node] = seeds[node] + g if node in seeds else g
    if not create_graph:
        return sweep(seeds, retain=retain_graph, targets=targets)

    def attach(value: Any, node: Any) -> Any:  # give an array that was kept its place again
        kept = isinstance(value, np.ndarray | np.generic)
        return wrap(value, node) if kept and isinstance(node, Node | Leaf) else value

    with enable_grad():
        return sweep(seeds, retain=True, wrap=attach, targets=targets)


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
    targets = [x._node for x in inputs]
    for x, node in zip(inputs, targets, strict=True):
        if not isinstance(node, Node | Leaf):
            raise RuntimeError(f"gradients: the input {x!r:.60} does not require a gradient")
    upstream = [None] * len(outputs) if upstream is None else upstream
    found = _sweep_from(outputs, upstream, retain_graph, create_graph, targets, np.array)
    wrap = outputs[0]._wrap
    results: list[Any] = [found.get(node) for node in targets]
    return tuple(wrap(g) if isinstance(g, np.ndarray | np.generic) else g for g in results)
