"""A parameter: a Tensor that a module trains."""

from __future__ import annotations

from typing import TypeGuard

from numpy.typing import ArrayLike, DTypeLike

from minigrad.autograd import Tensor


class Parameter(Tensor):
    """A Tensor that a module trains: it requires a gradient from the start.

    Parameters
    ----------
    data : array_like or Tensor
        Real numbers.
    requires_grad : bool
        Whether it is trained; False for one that is frozen.
    dtype, name
        As for `Tensor`.

    Raises
    ------
    TypeError
        If the numbers are complex.

    Examples
    --------
    >>> weight = Parameter([[1.0, 2.0]], name="weight")
    >>> weight.requires_grad, weight.dtype
    (True, dtype('float32'))
    """

    __slots__ = ()

    def __init__(
        self,
        data: ArrayLike | Tensor,
        requires_grad: bool = True,
        *,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ):
        super().__init__(data, requires_grad, dtype=dtype, name=name)
        if self.dtype.kind == "c":
            raise TypeError(
                f"Parameter: expected real numbers, got {self.dtype}: keep the real and the "
                "imaginary part as two parameters, and compute with a + 1j * b"
            )


def is_parameter(value: object) -> TypeGuard[Tensor]:
    """Tell whether a value in a module is trained with it."""
    return isinstance(value, Parameter) or (isinstance(value, Tensor) and value.requires_grad)
