"""The Tensor: an array that records what is done to it, by operators and by NumPy's protocols."""

from __future__ import annotations

import importlib
import operator
import warnings
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from minigrad.autograd import messages, refusals
from minigrad.autograd.clock import note_change
from minigrad.autograd.dtypes import CONTINUOUS, as_array
from minigrad.autograd.graph import Array, Constant, Leaf, Node, bare, nobody, place_of
from minigrad.autograd.methods import ArrayMethods
from minigrad.autograd.mode import local
from minigrad.autograd.recording import call, operator_pair, record
from minigrad.autograd.sweep import backward
from minigrad.autograd.table import define, primitive

if TYPE_CHECKING:
    from minigrad.graph import GraphView

Comparison = Callable[["Tensor", object], Array]

_new = object.__new__


def _in_place(symbol: str, operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def update(self: Tensor, other: Any) -> Any:
        if self._node.__class__ is not Leaf:
            return NotImplemented  # then t += u is t = t + u
        if local.mode.enabled:
            raise RuntimeError(refusals.recorded_in_place(symbol, self._node))
        operation(self.data, bare(other))
        note_change(self.data)
        return self

    return update


def _comparison(operation: Callable[[Any, Any], Any]) -> Comparison:
    return lambda self, other: operation(self._array, bare(other))


def _ordering(operation: Callable[[Any, Any], Any]) -> Comparison:
    def compare(self: Tensor, other: object) -> Any:
        if np.iscomplexobj(self._array) or np.iscomplexobj(bare(other)):
            raise TypeError(messages.no_order(operation.__name__))
        return operation(self._array, bare(other))

    return compare


def _unary(function: np.ufunc) -> Callable[[Tensor], Tensor]:
    return lambda self: record(primitive(function), (self,))


class Tensor(ArrayMethods):
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

    __slots__ = ()

    def __init__(
        self, data: Any, requires_grad: bool = False, *, dtype: Any = None, name: str | None = None
    ):
        self._array, self._grad, self._node = as_array(data, dtype, copy=requires_grad), None, None
        if name is not None:
            self.name = name
        if requires_grad:
            self.requires_grad = True

    @staticmethod
    def _wrap(array: Any, node: Any = None) -> Tensor:
        """Make a Tensor without looking at what is in it."""
        tensor = _new(Tensor)
        tensor._array, tensor._grad, tensor._node = array, None, node
        return tensor

    @property
    def data(self) -> Array:
        """The array itself, outside the graph; assign to replace it."""
        self._array = np.asarray(self._array)
        return self._array

    @data.setter
    def data(self, value: Any) -> None:
        if value is self._array:  # t.data -= u changes it in place, then assigns it
            note_change(value)
            return
        node = self._node
        if isinstance(node, Node):
            raise RuntimeError(refusals.data_of_node(node))
        from_python = not isinstance(value, np.ndarray | np.generic | Tensor)
        array = as_array(value, self.dtype if from_python and self.requires_grad else None)
        if isinstance(node, Leaf) and array.dtype.kind not in CONTINUOUS:
            raise TypeError(refusals.data_not_floating(node, array.dtype))
        self._array = array
        if node is not None and (node.shape, node.dtype) != (array.shape, array.dtype):
            self._grad, self._node = None, Constant(array.shape, array.dtype, node.name)
            self.requires_grad = isinstance(node, Leaf)

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward()` left; None if never reached, zeros if reached by zeros."""
        node = self._node
        if self._grad is None and isinstance(node, Node) and node.tensor is nobody:
            warnings.warn(refusals.not_a_leaf(node), stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = value if isinstance(value, Tensor) else Tensor(value, dtype=self.dtype)
            if value.shape != self.shape:
                raise ValueError(f"grad: expected shape {self.shape}, got {value.shape}")
        self._grad = value

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows to this Tensor; can be set on leaves."""
        return isinstance(self._node, Leaf)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        node = self._node
        if isinstance(node, Node):
            if not value:
                raise RuntimeError(refusals.part_of_a_graph(node))
        elif value and not isinstance(node, Leaf):
            if self.dtype.kind not in CONTINUOUS:
                raise TypeError(refusals.not_floating(self.dtype))
            again: Leaf | None = getattr(node, "frozen", None)  # which graphs may know
            self._node = again or Leaf(self, self.shape, self.dtype, self.name)
        elif not value and isinstance(node, Leaf):
            place = Constant(node.shape, node.dtype, node.name)
            place.frozen, self._node = node, place

    @property
    def name(self) -> str | None:
        """The name used in messages and pictures."""
        return self._node.name if self._node is not None else None

    @name.setter
    def name(self, value: str | None) -> None:
        place_of(self).name = value

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this Tensor."""
        return not isinstance(self._node, Node)

    backward = backward

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self._grad = None

    def retain_grad(self) -> None:
        """Let `backward()` leave the gradient of this Tensor in `grad`, although it is no leaf."""
        if isinstance(self._node, Node):
            self._node.tensor = weakref.ref(self)

    def detach(self) -> Tensor:
        """Return a Tensor of the same memory that is not part of the graph."""
        return Tensor._wrap(self._array)

    def astype(self, dtype: Any, *, copy: bool = True) -> Tensor:
        """Return a Tensor of another floating point type, within the graph."""
        dtype = np.dtype(dtype)
        if self.requires_grad and dtype.kind not in CONTINUOUS:
            raise TypeError(f"astype: {dtype} has no gradients: write t.detach().astype(...)")
        if self.dtype.kind == "c" != dtype.kind:
            raise TypeError(messages.imaginary_part_lost(dtype))
        if not self.requires_grad:
            return Tensor._wrap(self.data.astype(dtype, copy=copy))
        return record(_cast, (self,), {"dtype": dtype})

    def draw(self, **options: Any) -> GraphView:
        """Draw the graph that computed this Tensor: `minigrad.draw` with these options."""
        return importlib.import_module("minigrad.graph").draw(self, **options)

    def __repr__(self) -> str:
        body = np.array2string(self.data, separator=", ", threshold=100, prefix="Tensor(")
        facts = [] if self.dtype == np.float32 else [f"dtype={self.dtype}"]
        if isinstance(self._node, Node):
            facts.append(f"from={self._node.function.name}")
        elif self.requires_grad:
            facts.append("requires_grad=True")
        facts += [] if self.name is None else [f"name={self.name!r}"]
        return f"Tensor({', '.join([body, *facts])})"

    def _repr_html_(self) -> Any:
        return importlib.import_module("minigrad.html").tensor(self)

    def __reduce__(self) -> Any:
        if isinstance(self._node, Node):
            raise TypeError(refusals.not_copied(self._node))
        return _restore, (type(self), self.data, self.requires_grad, self.name, self._grad)

    # -------------------------------------------------------------------------------- operations
    __add__, __radd__ = operator_pair(np.add, operator.add)
    __sub__, __rsub__ = operator_pair(np.subtract, operator.sub)
    __mul__, __rmul__ = operator_pair(np.multiply, operator.mul)
    __truediv__, __rtruediv__ = operator_pair(np.divide, operator.truediv)
    __floordiv__, __rfloordiv__ = operator_pair(np.floor_divide, operator.floordiv)
    __mod__, __rmod__ = operator_pair(np.remainder, operator.mod)
    __pow__, __rpow__ = operator_pair(np.power, operator.pow)
    __matmul__, __rmatmul__ = operator_pair(np.matmul, operator.matmul)

    __eq__: ClassVar[Comparison] = _comparison(operator.eq)  # type: ignore[assignment]
    __ne__: ClassVar[Comparison] = _comparison(operator.ne)  # type: ignore[assignment]
    __lt__ = _ordering(operator.lt)
    __le__ = _ordering(operator.le)
    __gt__ = _ordering(operator.gt)
    __ge__ = _ordering(operator.ge)
    __hash__ = object.__hash__

    __neg__ = _unary(np.negative)
    __pos__ = _unary(np.positive)
    __abs__ = _unary(np.absolute)

    def __getitem__(self, key: Any) -> Tensor:
        return record(_getitem, (self,), {"key": bare(key)})

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(refusals.NO_ASSIGNMENT)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        return call(function, *inputs, **keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        return call(function, *args, **keywords)


_OPERATORS = "+ add, - sub, * mul, / truediv, // floordiv, % mod, ** pow, @ matmul"
for _symbol, _name in map(str.split, _OPERATORS.split(", ")):
    setattr(Tensor, f"__i{_name}__", _in_place(f"{_symbol}=", getattr(operator, f"i{_name}")))


def _restore(kind: type[Tensor], data: Array, requires_grad: bool, name: Any, grad: Any) -> Tensor:
    tensor = kind(data, requires_grad, name=name)
    tensor._grad = grad
    return tensor


def from_dlpack(x: Any) -> Tensor:
    """Return a Tensor that shares the memory of another library's array on the CPU, by DLPack.

    Parameters
    ----------
    x : object
        An array of another library, on the CPU.

    Returns
    -------
    Tensor
        It requires no gradient.

    Examples
    --------
    >>> from_dlpack(np.ones(2))
    Tensor([1., 1.], dtype=float64)
    """
    return Tensor._wrap(as_array(np.from_dlpack(x)))


def _astype(x: Any, dtype: Any) -> Any:
    return x.astype(dtype)


_getitem = primitive(operator.getitem)
_cast = define(_astype, lambda g, _y, _x, dtype: g)  # the sweep gives gradients the input's dtype
