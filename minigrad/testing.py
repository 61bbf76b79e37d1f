"""Checking gradients against finite differences, for your own operations and layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd import Array, Tensor, gradients


def numerical_gradient(
    f: Callable[..., Any], *inputs: Any, upstream: Any = None, step: float = 1e-6
) -> tuple[Array, ...]:
    """Estimate gradients by central differences, (f(x + h) - f(x - h)) / 2h for each value.

    Parameters
    ----------
    f : callable
        From Tensors (or arrays) to a Tensor or a sequence of Tensors.
    *inputs : array_like
        Where to differentiate; computed with in float64, complex ones in complex128.
    upstream : array_like or sequence, optional
        A weight for each value of the output(s); 1 by default.
    step : float
        The h above.

    Returns
    -------
    tuple of ndarray
        The gradient of the weighted sum of outputs for each input, in double precision; by a
        complex input z = x + iy that of the real part, d/dx - i d/dy.

    Examples
    --------
    >>> numerical_gradient(lambda x: x**2, np.array([1.0, 3.0]))[0].round(6)
    array([2., 6.])
    """
    arrays = [_in_double(x) for x in inputs]

    def weighted() -> float:
        outputs = _as_list(f(*(Tensor(a, requires_grad=True) for a in arrays)))
        weights = [1.0] * len(outputs) if upstream is None else _as_list(upstream)
        pairs = zip(outputs, weights, strict=True)
        return float(sum(np.sum((_bare(y) * _bare(w)).real) for y, w in pairs))

    results = []
    for a in arrays:
        slope = np.empty_like(a)
        for i in np.ndindex(a.shape):
            value = a[i]
            a[i] = value + step
            above = weighted()
            a[i] = value - step
            slope[i] = (above - weighted()) / (2 * step)
            if a.dtype.kind == "c":
                a[i] = value + 1j * step
                above = weighted()
                a[i] = value - 1j * step
                slope[i] -= 1j * (above - weighted()) / (2 * step)
            a[i] = value
        results.append(slope)
    return tuple(results)


def check_gradients(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 2,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    step: float = 1e-6,
    rng: np.random.Generator | int = 0,
) -> None:
    """Check the gradients of `f` at `inputs` up to some order, with random upstream gradients.

    Order 2 differentiates the gradient itself, with respect to the inputs and to the upstream
    gradient. At each order two gradients are compared with the differences: the plain one, and the
    one that is recorded (`create_graph=True`). A pullback that can't be recorded refuses with a
    TypeError, which is let pass at the last order alone, as it is no silent fault. Keep away from
    kinks, or the differences will straddle them.

    Parameters
    ----------
    f : callable
        From Tensors to a Tensor or a sequence of Tensors.
    *inputs : array_like
        Where to differentiate; computed with in float64, all requiring gradients.
    order : int
        How many times to differentiate.
    rtol, atol : float
        Accept `|exact - estimated| <= atol + rtol * |estimated|`.
    step : float
        Half the width of the differences.
    rng : Generator or int
        Draws the upstream gradients.

    Raises
    ------
    AssertionError
        At the first input whose gradient is wrong: which order, which input, where, both values.

    Examples
    --------
    >>> check_gradients(lambda x, y: np.sin(x) * y, np.ones(3), np.ones((2, 3)))
    """
    rng = np.random.default_rng(rng)
    _check(f, [_in_double(x) for x in inputs], 1, order, rtol, atol, step, rng)


def _check(
    f: Callable[..., Any],
    inputs: list[Array],
    this: int,
    order: int,
    rtol: float,
    atol: float,
    step: float,
    rng: np.random.Generator,
) -> None:
    xs = [Tensor(a, requires_grad=True) for a in inputs]
    outputs = _as_list(f(*xs))
    for y in outputs:
        if y.dtype not in (np.float64, np.complex128):
            raise AssertionError(f"check_gradients: float64 inputs gave a result in {y.dtype}")
    upstream = [_drawn(y, rng) for y in outputs]
    estimated = numerical_gradient(f, *inputs, upstream=upstream, step=step)
    for kind in ("gradient", "gradient with create_graph=True"):
        recorded = kind != "gradient"
        try:
            found = _gradients(outputs, xs, upstream, recorded, retain_graph=True)
        except TypeError:
            if recorded and this == order:
                continue
            raise
        for i, (g, e) in enumerate(zip(found, estimated, strict=True)):
            exact, where = _bare(g), f"order {this}, input {i}"
            if exact.shape != e.shape:
                raise AssertionError(f"{where}: {kind} of shape {exact.shape}, not {e.shape}")
            wrong = ~(np.abs(exact - e) <= atol + rtol * np.abs(e))
            if np.any(wrong):
                raise AssertionError(f"{where}: the {kind} is {_report(exact, e, wrong)}")
    if this < order:
        n = len(inputs)

        def derivative(*arguments: Any) -> Any:
            first = _as_list(f(*arguments[:n]))
            return _gradients(first, arguments[:n], arguments[n:], create_graph=True)

        _check(derivative, inputs + upstream, this + 1, order, rtol, atol, step, rng)


def _gradients(
    outputs: list[Tensor],
    inputs: Sequence[Tensor],
    upstream: Any,
    create_graph: bool,
    retain_graph: bool = False,
) -> list[Any]:
    """Return the gradients, zeros where an input has no influence."""
    live = [(y, u) for y, u in zip(outputs, upstream, strict=True) if y.requires_grad]
    if not live:
        return [Tensor(np.zeros(x.shape, x.dtype)) for x in inputs]
    graph = {"create_graph": create_graph, "retain_graph": retain_graph}
    found = gradients([y for y, _ in live], inputs, [u for _, u in live], **graph)
    return [
        Tensor(np.zeros(x.shape, x.dtype)) if g is None else g
        for g, x in zip(found, inputs, strict=True)
    ]


def _report(exact: Array, estimated: Array, wrong: Array) -> str:
    at = np.unravel_index(np.argmax(np.where(wrong, np.abs(exact - estimated), -1)), exact.shape)
    place = tuple(int(k) for k in at)
    return (
        f"wrong at {int(wrong.sum())} of {wrong.size} places, most at {place}: {exact[at]:.9g}, "
        f"but differences say {estimated[at]:.9g}"
    )


def _in_double(value: Any) -> Array:
    array: Array = np.array(_bare(value))
    copy: Array = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    return copy


def _drawn(y: Any, rng: np.random.Generator) -> Array:
    """Return a random upstream gradient, complex for a complex output."""
    draw = np.asarray(rng.normal(size=y.shape))
    return draw + 1j * np.asarray(rng.normal(size=y.shape)) if y.dtype.kind == "c" else draw


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _bare(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else np.asarray(value)
