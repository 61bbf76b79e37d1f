"""Recording: how a call on Tensors is computed and noted in the graph, or refused."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd import Constant, Leaf, Node, tick
from minigrad.backward import Handle
from minigrad.mode import local
from minigrad.table import Primitive, define, primitive, primitives

implementations: dict[Callable[..., Any], Callable[..., Any]] = {}  # composed of primitives
undifferentiable: set[Callable[..., Any]] = set()  # their results are plain arrays

_FLOAT = np.dtype(np.float32)
_NOTHING: dict[str, Any] = {}
_NUMBERS = frozenset({float, int, bool})
_OPERANDS = (np.ndarray, np.generic, float, int, list, tuple)


def record(entry: Primitive, inputs: Sequence[Any], keywords: dict[str, Any] | None = None) -> Any:
    """Compute a primitive and, if an input requires a gradient, note the call in the graph.

    Parameters
    ----------
    entry : Primitive
        The function's entry in the table.
    inputs : sequence
        Tensors, arrays, Python numbers or None.
    keywords : dict, optional
        What else the function is called with.

    Returns
    -------
    Tensor
        Or what the bare function returns, if there is no Tensor among the inputs.
    """
    arrays: list[Any] = []
    nodes: list[Any] = []
    needs: list[bool] = []
    tensor: Handle | None = None
    any_need = any_other = False
    for value in inputs:
        if isinstance(value, Handle):
            tensor = value
            array, node = value._data, value._node or _constant(value)
        else:
            array, node = _operand(value, entry)
        kind = node.__class__
        if kind is Node or kind is Leaf:
            any_need = True
            needs.append(True)
        else:
            any_other = True
            needs.append(False)
        arrays.append(array)
        nodes.append(node)
    if tensor is None:  # NumPy's scalars stay what they are
        arrays = [
            v if isinstance(v, np.generic) else a for v, a in zip(inputs, arrays, strict=True)
        ]
    elif any_other:
        _match(entry, inputs, arrays)
    try:
        y = entry.forward(*arrays, **keywords) if keywords else entry.forward(*arrays)
    except (ValueError, TypeError, IndexError) as error:
        raise _explain(error, entry, arrays, keywords or {}) from None
    residual = None
    if entry.residual:
        y, residual = y
    if tensor is None:
        return y
    mode = local.mode
    if mode.debug is not None:
        mode.debug.check_result(entry, arrays, y)
    if not (any_need and mode.enabled):
        if y.dtype == np.float64 and any_other and _floating(inputs) is None:
            y = y.astype(np.float32)  # of integers: float32 is the default here, not float64
        return tensor._wrap(y)
    wanted = tuple(needs)
    keep = entry.kept.get(wanted) or entry.keeps(wanted)
    node = Node()
    node.function, node.inputs, node.keywords = entry, tuple(nodes), keywords or _NOTHING
    arrays.insert(0, y)
    nodes.insert(0, None)
    node.saved = tuple([a if k else n for a, k, n in zip(arrays, keep, nodes, strict=True)])
    node.residual, node.stamp, node.module, node.name = residual, tick(), mode.module, None
    node.shape, node.dtype = y.shape, y.dtype
    if mode.debug is not None:
        mode.debug.watch(node)
    return tensor._wrap(y, node)


def operator_pair(
    function: np.ufunc, operation: Callable[[Any, Any], Any]
) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """Make the two methods of a binary operator, such as `__add__` and `__radd__`.

    The usual case, Tensors of one dtype or Python numbers, is written out: it is `record` in half
    the time, and small networks spend theirs here.
    """
    entry = primitive(function)
    entry.forward = operation

    def binary(a: Any, b: Any) -> Any:
        usual, p_needs, q_needs = True, False, False
        if isinstance(a, Handle):
            x, p = a._data, a._node or _constant(a)
            p_needs = p.__class__ is Node or p.__class__ is Leaf
        else:
            x = p = a
            usual = a.__class__ in _NUMBERS
        if isinstance(b, Handle):
            z, q = b._data, b._node or _constant(b)
            q_needs = q.__class__ is Node or q.__class__ is Leaf
            if usual and not (p_needs and q_needs):
                usual = p is a or p.dtype is q.dtype
        else:
            z = q = b
            usual = usual and b.__class__ in _NUMBERS
        mode = local.mode
        if not (usual and mode.quick and (p_needs or q_needs)):
            if not (isinstance(a, (Handle, *_OPERANDS)) and isinstance(b, (Handle, *_OPERANDS))):
                return NotImplemented
            return record(entry, (a, b))
        try:
            y = operation(x, z)
        except ValueError as error:
            raise _explain(error, entry, [x, z], {}) from None
        keep = entry.kept.get((p_needs, q_needs)) or entry.keeps((p_needs, q_needs))
        node = Node()
        node.function = entry
        node.inputs = (p, q)
        node.keywords = _NOTHING
        node.saved = (y if keep[0] else None, x if keep[1] else p, z if keep[2] else q)
        node.stamp = tick()
        node.shape = y.shape
        node.dtype = y.dtype
        node.module = mode.module
        node.name = None
        return a._wrap(y, node) if p_needs else b._wrap(y, node)

    return binary, lambda a, b: binary(b, a)


def _constant(tensor: Handle) -> Constant:
    constant = tensor._node = Constant(tensor.shape, tensor.dtype)
    return constant


def _operand(value: Any, entry: Primitive) -> tuple[Any, Any]:
    """Return an input that is no Tensor: as NumPy should see it, and as the graph notes it.

    NumPy's scalars become Python numbers, which take the dtype of the arrays they meet.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, float | int):
        return value, value
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{entry.name}: expected real numbers, got {array.dtype}: {value!r:.60}")
    return array, Constant(array.shape, array.dtype)


def _match(entry: Primitive, inputs: Sequence[Any], arrays: list[Any]) -> None:
    """Give integers, booleans and lists the dtype of the floating arrays, so none is widened."""
    for i, (value, array) in enumerate(zip(inputs, arrays, strict=True)):
        weak = isinstance(value, list | tuple) or getattr(array, "dtype", _FLOAT).kind != "f"
        if weak and (entry.joint or entry.pullbacks[i]):
            dtype = _floating(inputs)
            arrays[i] = array if dtype is None else array.astype(dtype)


def _floating(values: Sequence[Any]) -> Any:
    """Return the floating point dtype that the Tensors and arrays among `values` have together."""
    dtypes = [v.dtype for v in values if isinstance(v, Handle | np.ndarray)]
    floating = [d for d in dtypes if d.kind == "f"]
    return np.result_type(*floating) if floating else None


def alike(values: Iterable[Any]) -> list[Any]:
    """Turn the numbers and lists among `values` into arrays of the dtype of those beside them."""
    values = list(values)
    dtype = _floating(values)
    return [v if isinstance(v, Handle | np.ndarray) else np.asarray(v, dtype) for v in values]


def _explain(
    error: Exception, entry: Primitive, arrays: Sequence[Any], keywords: dict[str, Any]
) -> Exception:
    """Say in which operation, on which shapes, NumPy met an error."""
    kind = TypeError if isinstance(error, TypeError) else type(error)
    product = getattr(entry.function, "signature", None)
    if str(error).startswith(f"{entry.name}:") and not product:
        return error
    shapes = ", ".join(f"{a.shape} {a.dtype}" if hasattr(a, "shape") else repr(a) for a in arrays)
    also = "".join(f", {k}={v!r:.60}" for k, v in keywords.items())
    if product and kind is ValueError:
        hint = (
            "expected shapes (..., n, k) and (..., k, m), or (k,) for a vector, with leading axes "
            "that broadcast; a scalar multiplies with *"
        )
    elif "broadcast" in str(error) and entry.broadcasts:
        hint = "align them from the last axis: each pair of lengths must be equal, or one of them 1"
    else:
        hint = str(error)
    return kind(f"{entry.name}: can't be computed for {shapes}{also}: {hint}")


def call(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call a NumPy function on Tensors: record it, compose it, or refuse.

    Raises
    ------
    TypeError
        If the function or a keyword has no derivative here: nothing leaves the graph silently.
    """
    if keywords.pop("out", None) is not None:
        raise TypeError(
            f"{function.__name__}: can't write a Tensor's result into out= (or with += into an "
            "ndarray), the graph would miss it: write a = a + t, or use t.detach().numpy()"
        )
    if function in implementations:
        try:
            return implementations[function](*arguments, **keywords)
        except TypeError:
            _check_arguments(function, arguments, keywords)
            raise
    if function in primitives:
        entry = primitives[function]
        return record(entry, *entry.bind(arguments, keywords))
    if function in undifferentiable:
        return function(*bare(arguments), **bare(keywords))
    raise TypeError(no_derivative(function.__name__))


def _check_arguments(
    function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> None:
    signature = inspect.signature(implementations[function])
    try:
        signature.bind(*arguments, **keywords)
    except TypeError as error:
        raise TypeError(
            f"{function.__name__}: {error}: here it takes {', '.join(signature.parameters)} alone"
        ) from None


def no_derivative(name: str) -> str:
    """Return the message for a function that can't be recorded."""
    return (
        f"{name}: has no derivative in minigrad, so the graph would lose it: call it on "
        "t.detach().numpy(), or give it a pullback with minigrad.define"
    )


def bare(value: Any) -> Any:
    """Return the same with each Tensor replaced by its array, in lists, tuples and dicts too."""
    if isinstance(value, Handle):
        return np.asarray(value._data)
    if isinstance(value, list | tuple):
        return type(value)(map(bare, value))
    if isinstance(value, dict):
        return {k: bare(v) for k, v in value.items()}
    return value


def differentiable(
    *pullbacks: Callable[..., Any] | None,
    joint: Callable[..., Any] | None = None,
    residual: bool = False,
    broadcasts: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a NumPy function differentiable by its pullbacks, one for each array argument.

    `minigrad.table.Primitive` describes a pullback. Called without a Tensor, the function stays
    what it was.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> @differentiable(lambda g, y, _x: g * (1 - y * y))
    ... def squash(x):
    ...     return np.tanh(x)
    >>> x = Tensor(0.0, requires_grad=True)
    >>> squash(x).backward()
    >>> x.grad
    Tensor(1.)
    """

    def decorate(forward: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(forward)
        def function(*arguments: Any, **keywords: Any) -> Any:
            return record(entry, *entry.bind(arguments, keywords))

        entry = define(
            function,
            *pullbacks,
            forward=forward,
            joint=joint,
            residual=residual,
            broadcasts=broadcasts,
        )
        return function

    return decorate
