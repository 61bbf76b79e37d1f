"""The Tensor: an array that records what is done to it, by operators and by NumPy's protocols."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import numpy as np

from minigrad.autograd import Constant, Leaf, Node, describe, note_change, tick
from minigrad.backward import GradientMethods
from minigrad.methods import Array, ArrayMethods
from minigrad.mode import local
from minigrad.table import Primitive, define, primitive, primitives

implementations: dict[Callable[..., Any], Callable[..., Any]] = {}  # composed of primitives
undifferentiable: set[Callable[..., Any]] = set()  # their results are plain arrays

_new = object.__new__
_FLOAT = np.dtype(np.float32)
_NUMBERS = frozenset({float, int, bool})
_OPERANDS = (np.ndarray, np.generic, float, int, list, tuple)


# ------------------------------------------------------------------------------------- recording
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
    any_tensor = any_need = any_other = False
    for value in inputs:
        if isinstance(value, Tensor):
            any_tensor = True
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
    if any_other and any_tensor:
        _match(entry, inputs, arrays)
    try:
        y = entry.forward(*arrays, **keywords) if keywords else entry.forward(*arrays)
    except (ValueError, TypeError, IndexError) as error:
        raise _explain(error, entry, arrays, keywords or {}) from None
    residual = None
    if entry.residual:
        y, residual = y
    if not any_tensor:
        return y
    mode = local.mode
    if not (any_need and mode.enabled):
        if y.dtype == np.float64 and any_other and _floating(inputs) is None:
            y = y.astype(np.float32)  # of integers: float32 is the default here, not float64
        return Tensor._wrap(y)
    wanted = tuple(needs)
    keep = entry.kept.get(wanted) or entry.keeps(wanted)
    node = Node()
    node.function, node.inputs, node.keywords = entry, tuple(nodes), keywords or _NOTHING
    arrays.insert(0, y)
    nodes.insert(0, None)
    node.saved = tuple([a if k else n for a, k, n in zip(arrays, keep, nodes, strict=True)])
    node.residual, node.stamp, node.module, node.name = residual, tick(), mode.module, None
    node.shape, node.dtype = y.shape, y.dtype
    tensor = _new(Tensor)
    tensor._data, tensor._grad, tensor._node = y, None, node
    return tensor


def _operator_pair(
    function: np.ufunc, operation: Callable[[Any, Any], Any]
) -> tuple[Callable[[Any, Any], Tensor], Callable[[Any, Any], Tensor]]:
    """Make the two methods of a binary operator, such as `__add__` and `__radd__`.

    The usual case, Tensors of one dtype or Python numbers, is written out: it is `record` in half
    the time, and small networks spend theirs here.
    """
    entry = primitive(function)
    entry.forward = operation

    def binary(a: Any, b: Any) -> Tensor:
        usual, p_needs, q_needs = True, False, False
        if isinstance(a, Tensor):
            x, p = a._data, a._node or _constant(a)
            p_needs = p.__class__ is Node or p.__class__ is Leaf
        else:
            x = p = a
            usual = a.__class__ in _NUMBERS
        if isinstance(b, Tensor):
            z, q = b._data, b._node or _constant(b)
            q_needs = q.__class__ is Node or q.__class__ is Leaf
            if usual and not (p_needs and q_needs):
                usual = p is a or p.dtype is q.dtype
        else:
            z = q = b
            usual = usual and b.__class__ in _NUMBERS
        mode = local.mode
        if not (usual and mode.enabled and (p_needs or q_needs)):
            if not (isinstance(a, (Tensor, *_OPERANDS)) and isinstance(b, (Tensor, *_OPERANDS))):
                return NotImplemented
            return record(entry, (a, b))  # type: ignore[no-any-return]
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
        tensor = _new(Tensor)
        tensor._data = y
        tensor._node = node
        tensor._grad = None
        return tensor

    return binary, lambda a, b: binary(b, a)


_NOTHING: dict[str, Any] = {}


def _constant(tensor: Tensor) -> Constant:
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
    dtypes = [v.dtype for v in values if isinstance(v, Tensor | np.ndarray)]
    floating = [d for d in dtypes if d.kind == "f"]
    return np.result_type(*floating) if floating else None


def alike(values: Iterable[Any]) -> list[Any]:
    """Turn the numbers and lists among `values` into arrays of the dtype of those beside them."""
    values = list(values)
    dtype = _floating(values)
    return [v if isinstance(v, Tensor | np.ndarray) else np.asarray(v, dtype) for v in values]


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
    if isinstance(value, Tensor):
        return value.data
    if isinstance(value, list | tuple):
        return type(value)(map(bare, value))
    if isinstance(value, dict):
        return {k: bare(v) for k, v in value.items()}
    return value


# -------------------------------------------------------------------------------------- the class
def _in_place(symbol: str, operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def update(self: Tensor, other: Any) -> Any:
        if not isinstance(self._node, Leaf):
            return NotImplemented  # then t += u is t = t + u
        if local.mode.enabled:
            raise RuntimeError(
                f"{symbol}: {describe(self._node)} requires a gradient and can't be changed in "
                f"place while recording: write `t.data {symbol} ...`, or do it under no_grad()"
            )
        operation(self.data, bare(other))
        note_change(self.data)
        return self

    return update


def _comparison(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: operation(self._data, bare(other))


class Tensor(GradientMethods, ArrayMethods):
    """An array that can be differentiated.

    Parameters
    ----------
    data : array_like
        Python floats and lists of them become float32, arrays keep their dtype. The memory of an
        array is shared, but copied if `requires_grad`: an optimizer will write into it.
    requires_grad : bool
        Whether `backward()` leaves a gradient in `grad`.
    dtype : dtype, optional
        Convert to this dtype.
    name : str, optional
        A name for error messages and for pictures of the graph.

    Raises
    ------
    TypeError
        If `data` is not numeric, or if integers or booleans are to require a gradient.

    Examples
    --------
    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = np.sum(x**2)
    >>> y.backward()
    >>> x.grad
    Tensor([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_node")

    _data: Any  # an ndarray, or the NumPy scalar that arithmetic on 0-d arrays gives
    _grad: Tensor | None
    _node: Node | Leaf | Constant | None

    def __init__(
        self,
        data: Any,
        requires_grad: bool = False,
        *,
        dtype: Any = None,
        name: str | None = None,
    ):
        self._data, self._grad, self._node = _as_array(data, dtype, copy=requires_grad), None, None
        if name is not None:
            self.name = name
        if requires_grad:
            self.requires_grad = True

    @staticmethod
    def _wrap(array: Any, node: Any = None) -> Tensor:
        """Make a Tensor without looking at what is in it."""
        tensor = _new(Tensor)
        tensor._data, tensor._grad, tensor._node = array, None, node
        return tensor

    @property
    def data(self) -> Array:
        """The array itself, outside the graph; assign to replace it."""
        if not isinstance(self._data, np.ndarray):
            self._data = np.asarray(self._data)
        array: Array = self._data
        return array

    @data.setter
    def data(self, value: Any) -> None:
        if value is self._data:  # t.data -= u changes it in place, then assigns it
            note_change(value)
            return
        node = self._node
        if isinstance(node, Node):
            raise RuntimeError(
                f"data: {describe(node)} was computed by the graph, its data can't be replaced: "
                "make a new Tensor"
            )
        from_python = not isinstance(value, np.ndarray | np.generic | Tensor)
        array = _as_array(value, self.dtype if from_python and isinstance(node, Leaf) else None)
        if isinstance(node, Leaf) and array.dtype.kind != "f":
            raise TypeError(
                f"data: {describe(node)} requires a gradient, so it takes floating point arrays, "
                f"got {array.dtype}: write data.astype({node.dtype})"
            )
        self._data = array
        if node is not None and (node.shape, node.dtype) != (array.shape, array.dtype):
            self._grad, self._node = None, Constant(array.shape, array.dtype, node.name)
            self.requires_grad = isinstance(node, Leaf)

    def detach(self) -> Tensor:
        """Return a Tensor of the same memory that is not part of the graph."""
        return Tensor._wrap(self._data)

    def astype(self, dtype: Any) -> Tensor:
        """Return a Tensor of another floating point type, within the graph."""
        dtype = np.dtype(dtype)
        if self.requires_grad and dtype.kind != "f":
            raise TypeError(f"astype: {dtype} has no gradients: write t.detach().astype(...)")
        if not self.requires_grad:
            return Tensor._wrap(self._data.astype(dtype))
        return record(primitive(np.astype), (self,), {"dtype": dtype})  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        body = np.array2string(self.data, separator=", ", threshold=100, prefix="Tensor(")
        facts = [] if self.dtype == np.float32 else [f"dtype={self.dtype}"]
        if isinstance(self._node, Node):
            facts.append(f"from={self._node.function.name}")
        elif self.requires_grad:
            facts.append("requires_grad=True")
        if self.name is not None:
            facts.append(f"name={self.name!r}")
        return f"Tensor({', '.join([body, *facts])})"

    def __reduce__(self) -> Any:
        if isinstance(self._node, Node):
            raise TypeError(
                f"pickle and deepcopy: {describe(self._node)} is part of a graph, and only leaves "
                "can be copied: use t.detach()"
            )
        return _restore, (type(self), self.data, self.requires_grad, self.name, self._grad)

    # -------------------------------------------------------------------------------- operations
    __add__, __radd__ = _operator_pair(np.add, operator.add)
    __sub__, __rsub__ = _operator_pair(np.subtract, operator.sub)
    __mul__, __rmul__ = _operator_pair(np.multiply, operator.mul)
    __truediv__, __rtruediv__ = _operator_pair(np.divide, operator.truediv)
    __floordiv__, __rfloordiv__ = _operator_pair(np.floor_divide, operator.floordiv)
    __mod__, __rmod__ = _operator_pair(np.remainder, operator.mod)
    __pow__, __rpow__ = _operator_pair(np.power, operator.pow)
    __matmul__, __rmatmul__ = _operator_pair(np.matmul, operator.matmul)

    __iadd__ = _in_place("+=", operator.iadd)
    __isub__ = _in_place("-=", operator.isub)
    __imul__ = _in_place("*=", operator.imul)
    __itruediv__ = _in_place("/=", operator.itruediv)
    __ifloordiv__ = _in_place("//=", operator.ifloordiv)
    __imod__ = _in_place("%=", operator.imod)
    __ipow__ = _in_place("**=", operator.ipow)
    __imatmul__ = _in_place("@=", operator.imatmul)

    __eq__ = _comparison(operator.eq)
    __ne__ = _comparison(operator.ne)
    __lt__ = _comparison(operator.lt)
    __le__ = _comparison(operator.le)
    __gt__ = _comparison(operator.gt)
    __ge__ = _comparison(operator.ge)
    __hash__ = object.__hash__

    def __neg__(self) -> Tensor:
        return record(primitive(np.negative), (self,))  # type: ignore[no-any-return]

    def __pos__(self) -> Tensor:
        return record(primitive(np.positive), (self,))  # type: ignore[no-any-return]

    def __abs__(self) -> Tensor:
        return record(primitive(np.absolute), (self,))  # type: ignore[no-any-return]

    def __getitem__(self, key: Any) -> Tensor:
        return record(primitive(operator.getitem), (self,), {"key": bare(key)})  # type: ignore[no-any-return]

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(
            "Tensor: values can't be set in place, the graph would miss it: use "
            "np.where(mask, new, t), or set t.data[...] before anything is recorded"
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method != "__call__":
            raise TypeError(no_derivative(f"{ufunc.__name__}.{method}"))
        return call(ufunc, *inputs, **keywords)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, arguments: Any, keywords: Any
    ) -> Any:
        return call(function, *arguments, **keywords)


def _as_array(data: Any, dtype: Any, copy: bool = False) -> Array:
    try:
        array = np.array(data, dtype=dtype, copy=copy or None)
    except ValueError as error:
        raise ValueError(f"Tensor: can't make one array of {data!r:.60}: {error}") from None
    from_python = not isinstance(data, np.ndarray | np.generic | Tensor)
    if dtype is None and from_python and array.dtype == np.float64:
        array = array.astype(np.float32)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Tensor: expected real numbers, got {array.dtype} from {data!r:.60}")
    return array


def _restore(
    kind: type[Tensor], data: Array, requires_grad: bool, name: str | None, grad: Any
) -> Tensor:
    tensor = kind(data, requires_grad, name=name)
    tensor._grad = grad
    return tensor


# ----------------------------------------------------------------------------- your own functions
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


# The sweep gives every gradient the dtype of its input.
define(np.astype, lambda g, _y, _x, dtype: g, forward=lambda x, dtype: x.astype(dtype))
implementations[np.astype] = lambda x, dtype: x.astype(dtype)
