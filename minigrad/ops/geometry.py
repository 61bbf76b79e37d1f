"""What users say about the windows of images, checked and written in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.autograd import Tensor
from minigrad.kernels.columns import NO_PADS

Geometry = dict[str, Any]


def pair(name: str, what: str, value: Any, least: int) -> tuple[int, int]:
    """Return an integer or a pair of them as a pair, of at least `least`."""
    pair = value if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2 or any(not isinstance(v, int | np.integer) or v < least for v in pair):
        raise ValueError(
            f"{name}: {what} must be an integer of at least {least}, or a pair of them, got "
            f"{value!r}"
        )
    return int(pair[0]), int(pair[1])


def check_groups(name: str, groups: Any, **channels: int) -> None:
    """Refuse groups that do not divide the channels."""
    if not isinstance(groups, int | np.integer) or groups < 1:
        raise ValueError(f"{name}: groups must be an integer of at least 1, got {groups!r}")
    if any(n % groups for n in channels.values()):
        counts = " and ".join(f"{n} {what.replace('_', ' ')}" for what, n in channels.items())
        raise ValueError(f"{name}: groups={groups} must divide {counts}")


def as_arrays(*values: Any) -> Iterator[Any]:
    """Yield Tensors, arrays and None as they are, and Tensors of lists."""
    for value in values:
        yield value if value is None or hasattr(value, "ndim") else Tensor(value)


def _padding(name: str, value: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    """Return ((top, bottom), (left, right))."""
    if value == "valid":
        return NO_PADS
    if value == "same":
        if stride != (1, 1):
            raise ValueError(f"{name}: padding='same' needs stride 1, got {stride}")
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return tuple((t // 2, t - t // 2) for t in total)
    if isinstance(value, str):
        raise ValueError(
            f"{name}: padding must be a number, a pair, 'same' or 'valid', got {value!r}"
        )
    return tuple((p, p) for p in pair(name, "padding", value, 0))


def check_images(name: str, x: Any, kernel: Any, padding: Any, dilation: Any = (1, 1)) -> None:
    """Refuse what is not (N, C, H, W), or smaller than the kernel."""
    if x.ndim != 4:
        raise ValueError(
            f"{name}: x must be images of shape (N, C, H, W), got shape {x.shape}"
            + (": add the batch axis with x[None]" if x.ndim == 3 else "")
        )
    for axis, size, k, pad, d in zip("HW", x.shape[2:], kernel, padding, dilation, strict=True):
        reach = d * (k - 1) + 1
        if size + sum(pad) < reach:
            raise ValueError(
                f"{name}: the kernel does not fit: along {axis} it covers dilation * (kernel - 1) "
                f"+ 1 = {d} * ({k} - 1) + 1 = {reach} pixels, but the padded image has {size} + "
                f"{pad[0]} + {pad[1]} = {size + sum(pad)} (x has shape {x.shape})"
            )


def full_geometry(name: str, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> Geometry:
    """Return stride, padding and dilation in the form that the kernels take."""
    stride, dilation = pair(name, "stride", stride, 1), pair(name, "dilation", dilation, 1)
    padding = _padding(name, padding, kernel, stride, dilation)
    return {"stride": stride, "padding": padding, "dilation": dilation}
