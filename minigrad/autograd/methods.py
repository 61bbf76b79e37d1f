"""The methods that a Tensor shares with ndarray: each is the NumPy function of that name."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy

from minigrad.autograd import refusals
from minigrad.autograd.graph import Array, Axis, Handle

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike

    from minigrad.autograd.tensor import Tensor
np: Any = numpy


class ArrayMethods(Handle):
    """Methods of ndarray, for a class that NumPy's functions accept."""

    __slots__ = ()

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of values."""
        return self._array.size

    @property
    def nbytes(self) -> int:
        """The bytes that the values take."""
        return self._array.nbytes

    @property
    def itemsize(self) -> int:
        """The bytes that a value takes."""
        return self._array.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """The bytes from one value to the next along each axis."""
        return self._array.strides

    # ------------------------------------------------------------------------- leaving the graph
    def numpy(self) -> Array:
        """Return the array, without a copy; refuses if a gradient is required."""
        return self.__array__()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if self.requires_grad:
            raise TypeError(refusals.leaving(sys._getframe(1)))
        return numpy.array(self.data, dtype=dtype, copy=copy)

    to_numpy = numpy  # as matplotlib asks for it

    def __dlpack__(self, **options: Any) -> Any:
        return self.numpy().__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.data.__dlpack_device__()

    def item(self, *index: int) -> float:
        """Return the value of a Tensor of size 1, or the one at an index, as a Python number."""
        return self._array.item(*index)

    def tolist(self) -> Any:
        """Return the values as nested Python lists."""
        return self._array.tolist()

    # ------------------------------------------------------------------------------ as a number
    def _number(self) -> Any:
        if self.requires_grad:
            raise TypeError(refusals.LEAVING_AS_NUMBER)
        return self._array

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __complex__(self) -> complex:
        return complex(self._number())

    def __index__(self) -> int:
        return operator.index(self._array)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __format__(self, spec: str) -> str:
        return format(self._array[()], spec) if self.ndim == 0 else format(str(self), spec)

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return np.divmod(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return np.divmod(other, self)

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError(refusals.NO_LENGTH)
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise TypeError("iteration over a Tensor of shape (): it has no axis to go along")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: object) -> bool:
        return bool(np.any(self._array == value))

    # ---------------------------------------------------------------------------------- reductions
    def sum(self, axis: Axis = None, *, keepdims: bool = False, **options: Any) -> Tensor:
        return np.sum(self, axis=axis, keepdims=keepdims, **options)

    def mean(self, axis: Axis = None, *, keepdims: bool = False, **options: Any) -> Tensor:
        return np.mean(self, axis=axis, keepdims=keepdims, **options)

    def prod(self, axis: Axis = None, *, keepdims: bool = False, **options: Any) -> Tensor:
        return np.prod(self, axis=axis, keepdims=keepdims, **options)

    def var(
        self, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False, **options: Any
    ) -> Tensor:
        return np.var(self, axis=axis, ddof=ddof, keepdims=keepdims, **options)

    def std(
        self, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False, **options: Any
    ) -> Tensor:
        return np.std(self, axis=axis, ddof=ddof, keepdims=keepdims, **options)

    def max(self, axis: Axis = None, *, keepdims: bool = False, **options: Any) -> Tensor:
        return np.max(self, axis=axis, keepdims=keepdims, **options)

    def min(self, axis: Axis = None, *, keepdims: bool = False, **options: Any) -> Tensor:
        return np.min(self, axis=axis, keepdims=keepdims, **options)

    def cumsum(self, axis: int | None = None) -> Tensor:
        return np.cumsum(self, axis=axis)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        return np.trace(self, offset=offset, axis1=axis1, axis2=axis2)

    def cumprod(self, axis: int | None = None) -> Tensor:
        return np.cumprod(self, axis=axis)

    def sort(self, axis: int = -1) -> Tensor:  # a copy, unlike ndarray.sort
        return np.sort(self, axis=axis)

    def partition(self, kth: Any, axis: int = -1) -> Tensor:  # a copy, unlike ndarray.partition
        return np.partition(self, kth, axis=axis)

    # ------------------------------------------------------------------------------ complex numbers
    @property
    def real(self) -> Tensor:
        return np.real(self)

    @property
    def imag(self) -> Tensor:
        return np.imag(self)

    def conj(self) -> Tensor:
        return np.conjugate(self)

    conjugate = conj

    # --------------------------------------------------------------------------------------- shape
    def reshape(self, *shape: int | tuple[int, ...], order: str = "C") -> Tensor:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)

    def ravel(self) -> Tensor:
        return np.ravel(self)

    flatten = ravel

    def transpose(self, *axes: int | tuple[int, ...] | None) -> Tensor:
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    @property
    def T(self) -> Tensor:
        return np.transpose(self)

    @property
    def mT(self) -> Tensor:
        return np.swapaxes(self, -1, -2)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        return np.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Tensor:
        return np.squeeze(self, axis=axis)

    def repeat(self, repeats: ArrayLike, axis: int | None = None) -> Tensor:
        return np.repeat(self, repeats, axis=axis)

    def take(self, indices: ArrayLike, axis: int | None = None) -> Tensor:
        return np.take(self, indices, axis=axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        return np.diagonal(self, offset=offset, axis1=axis1, axis2=axis2)

    def compress(self, condition: ArrayLike, axis: int | None = None) -> Tensor:
        return np.compress(condition, self, axis=axis)

    def choose(self, choices: Any, mode: str = "raise") -> Tensor:
        return np.choose(self, choices, mode=mode)

    # --------------------------------------------------------------------------------- elementwise
    def clip(self, min: ArrayLike | None = None, max: ArrayLike | None = None) -> Tensor:
        return np.clip(self, min, max)

    def round(self, decimals: int = 0) -> Tensor:
        return np.round(self, decimals=decimals)

    def copy(self) -> Tensor:
        return np.copy(self)

    def dot(self, other: ArrayLike) -> Tensor:
        return np.dot(self, other)

    # ---------------------------------------------------- integer or boolean results: plain arrays
    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Array:
        return np.argmax(self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Array:
        return np.argmin(self, axis=axis, keepdims=keepdims)

    def argsort(self, axis: int | None = -1) -> Array:
        return np.argsort(self, axis=axis)

    def argpartition(self, kth: Any, axis: int | None = -1) -> Array:
        return np.argpartition(self, kth, axis=axis)

    def searchsorted(self, v: ArrayLike, side: str = "left") -> Array:
        return np.searchsorted(self, v, side=side)

    def any(self, axis: Axis = None, *, keepdims: bool = False) -> Array:
        return np.any(self, axis=axis, keepdims=keepdims)

    def all(self, axis: Axis = None, *, keepdims: bool = False) -> Array:
        return np.all(self, axis=axis, keepdims=keepdims)

    def nonzero(self) -> tuple[Array, ...]:
        return np.nonzero(self)
