"""Building an ONNX graph: nodes and constants by name, and numbers that follow the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from minigrad.autograd import Array
from minigrad.onnx.trace import Dim, Given, Spread

INT = np.dtype(np.int64)
Emit = Callable[..., str]  # (build, call, *inputs) -> the name of the output
emits: dict[Any, Emit] = {}  # by function, as in the table of derivatives


@dataclass
class Merged:
    """One call as all runs have it; a `Dim` stands where a number follows the batch."""

    function: Callable[..., Any]
    shape: tuple[Any, ...]
    dtype: np.dtype[Any]
    shapes: list[tuple[Any, ...]]
    keywords: dict[str, Any]

    def static(self, value: Any) -> Any:
        """Return a value that may not follow the batch.

        Raises
        ------
        NotImplementedError
            If it does.
        """
        parts = value if isinstance(value, tuple | list) else [value]
        if any(isinstance(part, Dim) for part in parts):
            raise NotImplementedError("one of its numbers follows the batch: try dynamic=False")
        return value


class Builder:
    """An ONNX graph while it is made."""

    def __init__(self, inputs: Sequence[str]):
        self.inputs = inputs  # the names of the model's
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.place = ""  # the path of the module whose calls are written
        self._batch = ""
        self._count = Counter(inputs)
        self._constants: dict[tuple[Any, ...], tuple[str, Any]] = {}

    def unique(self, name: str) -> str:
        """Return a name that nothing has: numbered from its second use on."""
        self._count[name] += 1
        n = self._count[name]
        return name if n == 1 else self.unique(f"{name}_{n}")

    def op(self, kind: str, *inputs: str | None, **attributes: Any) -> str:
        """Add a node of one output, and return the output's name."""
        return self.several(kind, inputs, 1, **attributes)[0]

    def several(
        self, kind: str, inputs: Sequence[str | None], outputs: int, **attributes: Any
    ) -> list[str]:
        """Add a node, and return the names of its outputs."""
        name = self.unique("/".join(filter(None, [self.place, kind])))
        names = [name, *(self.unique(name) for _ in range(outputs - 1))]
        given = [one or "" for one in inputs]
        self.nodes.append(helper.make_node(kind, given, names, name=name, **attributes))
        return names

    def parameter(self, name: str, array: Array) -> str:
        """Add an array under its own name."""
        name = self.unique(name)
        self.initializers.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add an array, or a number that may follow the batch; equal small ones are added once."""
        if isinstance(value, Spread):
            return self.op("Expand", self.constant(value.array, dtype), self.ints(value.shape))
        if isinstance(value, Dim):
            number = self.op("Squeeze", self._dim(value), self.constant(np.zeros(1, INT)))
            return number if dtype == INT else self.cast(number, dtype)
        array = np.asarray(value, dtype)
        key = array.dtype.str, array.shape, array.tobytes() if array.size < 64 else id(value)
        if key not in self._constants:
            self._constants[key] = self.parameter("constant", array), value  # keeps its id taken
        return self._constants[key][0]

    def ints(self, numbers: Sequence[Any]) -> str:
        """Return a vector of whole numbers, some of which may follow the batch."""
        if not any(isinstance(n, Dim) for n in numbers):
            return self.constant(np.array(numbers, INT))
        parts = [self._dim(n) if isinstance(n, Dim) else self.ints([n]) for n in numbers]
        return self.op("Concat", *parts, axis=0)

    def _dim(self, dim: Dim) -> str:
        if not self._batch:
            self._batch = self.op("Shape", self.inputs[0], start=0, end=1)
        name = self._batch
        if dim.times != 1:
            name = self.op("Mul", name, self.ints([dim.times]))
        return self.op("Add", name, self.ints([dim.plus])) if dim.plus else name

    def given(self, given: Given) -> str:
        """Return the name of an input of the model."""
        return self.inputs[given.position]

    def cast(self, name: str, dtype: Any) -> str:
        """Convert to another type."""
        return self.op("Cast", name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def shaped(self, name: str, shape: Sequence[Any]) -> str:
        """Give a value another shape."""
        if sum(isinstance(n, Dim) for n in shape) == 1 and 0 not in shape:
            shape = [-1 if isinstance(n, Dim) else n for n in shape]
        return self.op("Reshape", name, self.ints(shape))


def emit(*functions: Any) -> Callable[[Emit], Emit]:
    """Enter how calls of these functions are written."""

    def enter(write: Emit) -> Emit:
        emits.update(dict.fromkeys(functions, write))
        return write

    return enter
