"""Which dtype a value takes: the rules that keep float32 from widening, in one place.

Python's numbers and lists take the dtype of the arrays they meet, and are float32 among
themselves; NumPy's scalars count as Python's; integers take the dtype of the floats they meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd import messages
from minigrad.autograd.graph import Array, Constant, DType, Handle

if TYPE_CHECKING:
    from minigrad.autograd.table import Primitive

NUMBERS = "fciub"  # the kinds of numbers that are computed with
CONTINUOUS = "fc"  # those that have gradients
FLOAT, COMPLEX = np.dtype(np.float32), np.dtype(np.complex64)
_PYTHONS = (float, int, complex)
_NARROW = {np.dtype(np.float64): FLOAT, np.dtype(np.complex128): COMPLEX}


def as_number(value: Any) -> Any:
    """Turn a NumPy scalar into the Python number: `np.float64(0.1)` would widen float32."""
    return value.item() if isinstance(value, np.generic) else value


def plain(value: Any, name: str) -> Array:
    """Return an array of NumPy's own rules; a mask, or `*` as a product of matrices, is refused."""
    if isinstance(value, np.ndarray) and value.__array_priority__ > 0:
        raise TypeError(messages.foreign_rules(name, value))
    return np.asarray(value)


def as_array(data: Any, dtype: Any = None, *, copy: bool = False) -> Array:
    """Return the array that `Tensor(data, dtype=dtype)` holds."""
    if data.__class__ is not np.ndarray and isinstance(data, np.ndarray):
        data = plain(data, "Tensor")
    try:
        array = np.asarray(data, dtype)
        array = array.copy("K") if copy else array
    except ValueError as error:
        raise ValueError(f"Tensor: can't make one array of {data!r:.60}: {error}") from None
    from_python = not isinstance(data, np.ndarray | np.generic | Handle)
    if dtype is None and from_python and array.dtype in _NARROW:
        array = array.astype(_NARROW[array.dtype])
    if array.dtype.kind not in NUMBERS:
        raise TypeError(f"Tensor: expected numbers, got {array.dtype} from {data!r:.60}")
    return array


def operand(value: Any, name: str) -> tuple[Any, Any]:
    """Return an input that is no Tensor: as NumPy should see it, and as the graph notes it."""
    number = as_number(value)
    if number is None or isinstance(number, _PYTHONS):
        return value, number
    array = value if value.__class__ is np.ndarray else plain(value, name)
    if array.dtype.kind not in NUMBERS:
        raise TypeError(messages.not_numbers(name, array.dtype, value))
    return array, Constant(array.shape, array.dtype)


def floating(values: Iterable[object]) -> DType | None:
    """Return the floating point dtype that the Tensors and arrays among `values` have together."""
    arrays = (v for v in values if isinstance(v, Handle | np.ndarray))
    dtypes = [array.dtype for array in arrays if array.dtype.kind in CONTINUOUS]
    return np.result_type(*dtypes) if dtypes else None


def match(entry: Primitive, inputs: Sequence[object], arrays: list[Any]) -> None:
    """Give scalars, integers and lists among `arrays` the dtype of the floats beside them."""
    for i, (value, array) in enumerate(zip(inputs, arrays, strict=True)):
        if isinstance(value, np.generic):
            arrays[i] = array = as_number(value)
        weak = (
            isinstance(value, list | tuple) or getattr(array, "dtype", FLOAT).kind not in CONTINUOUS
        )
        if weak and (entry.joint or entry.pullbacks[i]):  # indices and masks stay
            dtype = floating(inputs)
            if dtype is not None:
                arrays[i] = array.astype(_wide_enough(dtype, array))


def alike(values: Iterable[object]) -> list[Any]:
    """Turn the numbers and lists among `values` into arrays of the dtype of those beside them."""
    values = list(values)
    dtype = floating(values)
    return [
        v if isinstance(v, Handle | np.ndarray) else np.asarray(v, _wide_enough(dtype, v))
        for v in values
    ]


def _wide_enough(dtype: DType | None, value: Any) -> DType | None:
    """Return `dtype`, or for complex values beside real ones the complex type of its size."""
    real = dtype is None or dtype.kind == "c" or not np.iscomplexobj(value)
    return dtype if real else np.result_type(dtype, COMPLEX)


def result(y: Any, inputs: Sequence[object]) -> Any:
    """Return a result without a gradient: of integers it is float32, where NumPy has float64."""
    return y.astype(_NARROW[y.dtype]) if y.dtype in _NARROW and floating(inputs) is None else y
