"""Functions of functions: gradients, Jacobians, Hessians, and their products with vectors.

All take functions written in NumPy and give functions. Plain arrays and numbers in, plain arrays
out, of the dtype that came in: a Python float counts as float64, as it does in NumPy. Arguments
and results may be nested lists, tuples and dicts of arrays. Tensors in, Tensors out; and if `f`
reaches a Tensor that requires a gradient, as a module does or a function of functions around
this one, results are Tensors of that graph: so these functions nest.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd import Array, Tensor
from minigrad.tracing import Argnums, Function, Traced, pulled
from minigrad.trees import rebuild, same_shape


# --------------------------------------------------------------------------------- of one number
def value_and_grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return a function that gives `(value, gradient)`, of a function that gives one number.

    Parameters
    ----------
    f : callable
        From arrays, or trees of them, to one real number.
    argnums : int or sequence of int
        Which arguments to differentiate by; several give a tuple.
    has_aux : bool
        Whether `f` gives `(value, aux)`; then the result is `((value, aux), gradient)`.

    Examples
    --------
    >>> value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """

    @functools.wraps(f)
    def run(*args: Any, **keywords: Any) -> Any:
        t = Traced("grad", f, argnums, args, keywords, has_aux)
        t.scalar()
        g = t.give(t.shaped(t.pull([None])))
        value = t.give(t.value)
        return ((value, t.give(t.aux)) if has_aux else value), g

    return run


def grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that gives the gradient of `f`; see `value_and_grad`.

    For a real function of complex z = x + iy it is df/dx - i df/dy.

    Examples
    --------
    >>> grad(np.tanh)(0.0)
    np.float64(1.0)
    >>> grad(grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def run(*args: Any, **keywords: Any) -> Any:
        value, g = both(*args, **keywords)
        return (g, value[1]) if has_aux else g

    return run


def elementwise_grad(f: Function, argnums: Argnums = 0) -> Function:
    """Return the derivative of each value by the value at its place: of the sum of all outputs.

    It is f'(x) where `f` works elementwise, as `np.tanh` does.

    Examples
    --------
    >>> elementwise_grad(lambda x: x**3)(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """

    @functools.wraps(f)
    def run(*args: Any, **keywords: Any) -> Any:
        t = Traced("elementwise_grad", f, argnums, args, keywords, has_aux=False)
        return t.give(t.shaped(t.pull([np.ones(np.shape(y)) for y in t.ys])))

    return run


# ------------------------------------------------------------------------------ all derivatives
def jacobian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that gives all derivatives of all outputs of `f`.

    An output of shape s and an input of shape t make an array of shape s + t. It takes one sweep
    for each number that `f` gives, or, where that is less, two for each number that it takes.

    Parameters
    ----------
    f : callable
        From real arrays, or trees of them, to real arrays, or trees of them.
    argnums, has_aux
        As for `value_and_grad`; the result is a tree like that of the outputs with, in the place
        of each, a tree like that of the inputs.

    Examples
    --------
    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    @functools.wraps(f)
    def run(*args: Any, **keywords: Any) -> Any:
        t = Traced("jacobian", f, argnums, args, keywords, has_aux)
        if any(np.asarray(getattr(v, "_array", v)).dtype.kind == "c" for v in [*t.xs, *t.ys]):
            raise TypeError("jacobian: of complex numbers is not one array: use vjp, or jvp")
        outputs, inputs = (sum(np.size(v) for v in vs) for vs in (t.ys, t.xs))
        blocks = _by_columns(t) if 1 + 2 * inputs < outputs else _by_rows(t)
        rows = [t.give(t.shaped(blocks[k])) for k in range(len(t.ys))]
        result = rebuild(t.value, rows)
        return (result, t.give(t.aux)) if has_aux else result

    return run


def _ones_in_turn(x: Any, dtype: Any) -> Iterable[Array]:
    for i in range(np.size(x)):
        unit = np.zeros(np.size(x), dtype)
        unit[i] = 1
        yield unit.reshape(np.shape(x))


def _by_rows(t: Traced) -> list[list[Any]]:
    """For each output and input the block of derivatives: one sweep for each number put out."""
    blocks = []
    for y in t.ys:
        rows = [pulled([y], t.xs, [u], t.recorded) for u in _ones_in_turn(y, float)]
        shapes = [(*np.shape(y), *x.shape) for x in t.xs]
        columns = zip(*rows, strict=True) if rows else [()] * len(t.xs)
        blocks.append([_joined(c, s, x) for c, s, x in zip(columns, shapes, t.xs, strict=True)])
    return blocks


def _joined(parts: Sequence[Any], shape: tuple[int, ...], x: Any) -> Any:
    if not parts:
        return Tensor(np.zeros(shape, x.dtype))
    return np.reshape(np.stack(parts), shape)


def _by_columns(t: Traced) -> list[list[Any]]:
    """The same: a sweep of the recorded sweep, which is linear, for each number put in."""
    push = _pushed(t)
    blocks: list[list[Any]] = [[] for _ in t.ys]
    for i, x in enumerate(t.xs):
        columns = []
        for unit in _ones_in_turn(x, x.dtype):
            tangents = [np.zeros(v.shape, v.dtype) for v in t.xs]
            tangents[i] = unit
            columns.append(push(tangents, t.recorded))
        for k, y in enumerate(t.ys):
            parts = [c[k].astype(x.dtype) for c in columns]
            stacked = np.stack(parts, -1) if parts else Tensor(np.zeros((*np.shape(y), 0)))
            blocks[k].append(np.reshape(stacked, (*np.shape(y), *x.shape)))
    return blocks


def _pushed(t: Traced) -> Callable[[Sequence[Any], bool], list[Any]]:
    """Return the map from tangents of `xs` to tangents of `ys`.

    The gradient u J is linear in the upstream u, so its own gradient with respect to u is J v.
    """
    us = [
        Tensor(np.zeros(y.shape, y.dtype) if isinstance(y, Tensor) else np.zeros(np.shape(y)), True)
        for y in t.ys
    ]
    found = t.pull(us, recorded=True)
    return lambda tangents, again: pulled(found, us, tangents, again)


def hessian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that gives all second derivatives of a function that gives one number.

    Examples
    --------
    >>> hessian(lambda x: np.prod(x))(np.array([1.0, 2.0, 3.0]))
    array([[0., 3., 2.],
           [3., 0., 1.],
           [2., 1., 0.]])
    """
    return jacobian(grad(f, argnums, has_aux), argnums, has_aux)


# ------------------------------------------------------------------------ products with a vector
def vjp(f: Function, *args: Any, has_aux: bool = False) -> Any:
    """Return `f(*args)`, and the function from an upstream gradient to a tuple of gradients.

    Parameters
    ----------
    f : callable
        From arrays, or trees of them, to arrays, or trees of them.
    *args
        Where; the function returned gives a gradient for each.
    has_aux : bool
        Whether `f` gives `(value, aux)`; then three results: value, function, aux.

    Examples
    --------
    >>> y, pull = vjp(np.multiply, 2.0, 3.0)
    >>> y, pull(1.0)
    (np.float64(6.0), (np.float64(3.0), np.float64(2.0)))
    """
    t = Traced("vjp", f, range(len(args)), args, {}, has_aux)

    def pull(upstream: Any) -> Any:
        us = same_shape("vjp: upstream", t.value, upstream)
        recorded = any(isinstance(u, Tensor) and u.requires_grad for u in us)
        return t.give(t.shaped(t.pull(us, recorded=recorded)), recorded)

    value = t.give(t.value)
    return (value, pull, t.give(t.aux)) if has_aux else (value, pull)


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return `f(*primals)`, and its derivative in the direction of the tangents: J v.

    Examples
    --------
    >>> jvp(np.sin, (0.0,), (2.0,))
    (np.float64(0.0), np.float64(2.0))
    """
    t = Traced("jvp", f, range(len(primals)), primals, {}, has_aux=False)
    vs = same_shape("jvp: tangents", [*primals], [*tangents])
    recorded = any(isinstance(v, Tensor) and v.requires_grad for v in vs)
    found = _pushed(t)(vs, t.recorded or recorded)
    return t.give(t.value), t.give(rebuild(t.value, found), recorded)


def hvp(f: Function, argnums: Argnums = 0) -> Function:
    """Return the function of `(*args, v)` that gives the Hessian of `f` times `v`, in two sweeps.

    Examples
    --------
    >>> hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """

    @functools.wraps(f)
    def run(*args: Any, **keywords: Any) -> Any:
        *args, v = args  # type: ignore[assignment]
        t = Traced("hvp", f, argnums, args, keywords, has_aux=False)
        t.scalar()
        vs = same_shape("hvp: vector", t.tree, v)
        recorded = any(isinstance(u, Tensor) and u.requires_grad for u in vs)
        found = pulled(t.pull([None], recorded=True), t.xs, vs, t.recorded or recorded)
        return t.give(t.shaped(found), recorded)

    return run


def _half_square(y: Any) -> Any:
    return 0.5 * np.sum(y * y)


def ggnvp(f: Function, g: Function = _half_square) -> Function:
    """Return the function of `(x, v)` that gives the Gauss-Newton product of g(f(x)): J^T H J v.

    J is the Jacobian of `f` at x, and H the Hessian of `g`, half the sum of squares by default, at
    f(x): a positive semidefinite stand-in for the Hessian where `g` is convex (Schraudolph, Fast
    curvature matrix-vector products, 2002).

    Examples
    --------
    >>> ggnvp(np.sin)(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    array([1., 0.])
    """

    def run(x: Any, v: Any) -> Any:
        y, pushed = jvp(f, (x,), (v,))
        return vjp(f, x)[1](hvp(g)(y, pushed))[0]

    return run
