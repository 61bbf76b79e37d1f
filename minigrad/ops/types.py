"""Types of functions that serve Tensors and arrays alike."""

from typing import TypeVar

from minigrad.autograd import Array, Tensor

Values = Tensor | Array
T = TypeVar("T", Tensor, Array)  # a Tensor gives a Tensor, an array an array
