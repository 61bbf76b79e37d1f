"""Functions of functions: gradients, Jacobians, Hessians, and their products with vectors.

All take functions written in NumPy and give functions. Plain arrays and numbers in, plain arrays
out, of the dtype that came in: a Python float counts as float64, as it does in NumPy. Arguments
and results may be nested lists, tuples and dicts of arrays. Tensors in, Tensors out; and if `f`
reaches a Tensor that requires a gradient, as a module does or a function of functions around
this one, results are Tensors of that graph: so these functions nest.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.autograd import Tensor
from minigrad.tracing import Argnums, Function, Traced, by_columns, by_rows, pulled, pushed
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

    Returns
    -------
    callable
        It takes what `f` does.

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

    Parameters
    ----------
    f, argnums, has_aux
        As for `value_and_grad`.

    Returns
    -------
    callable
        It takes what `f` does, and gives the gradient, or `(gradient, aux)`.

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

    Parameters
    ----------
    f, argnums
        As for `value_and_grad`, but `f` may give arrays.

    Returns
    -------
    callable
        It takes what `f` does, and gives the derivatives, of the shape of the argument.

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

    Returns
    -------
    callable
        It takes what `f` does.

    Raises
    ------
    TypeError
        By the function returned, if an input or output is complex.

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
        blocks = by_columns(t) if 1 + 2 * inputs < outputs else by_rows(t)
        rows = [t.give(t.shaped(blocks[k])) for k in range(len(t.ys))]
        result = rebuild(t.value, rows)
        return (result, t.give(t.aux)) if has_aux else result

    return run


def hessian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that gives all second derivatives of a function that gives one number.

    Parameters
    ----------
    f, argnums, has_aux
        As for `value_and_grad`.

    Returns
    -------
    callable
        It takes what `f` does; an input of shape s gives an array of shape s + s.

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

    Returns
    -------
    tuple
        `(value, pull)` or `(value, pull, aux)`.

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

    Parameters
    ----------
    f : callable
        From arrays, or trees of them, to arrays, or trees of them.
    primals : sequence
        The arguments of `f`.
    tangents : sequence
        A direction for each, of its shape.

    Returns
    -------
    tuple
        The value, and the derivative, of its shape.

    Examples
    --------
    >>> jvp(np.sin, (0.0,), (2.0,))
    (np.float64(0.0), np.float64(2.0))
    """
    t = Traced("jvp", f, range(len(primals)), primals, {}, has_aux=False)
    vs = same_shape("jvp: tangents", [*primals], [*tangents])
    recorded = any(isinstance(v, Tensor) and v.requires_grad for v in vs)
    found = pushed(t)(vs, t.recorded or recorded)
    return t.give(t.value), t.give(rebuild(t.value, found), recorded)


def hvp(f: Function, argnums: Argnums = 0) -> Function:
    """Return the function of `(*args, v)` that gives the Hessian of `f` times `v`, in two sweeps.

    Parameters
    ----------
    f, argnums
        As for `value_and_grad`.

    Returns
    -------
    callable
        It takes what `f` does and then `v`, of the shape of the argument, as is the result.

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

    Parameters
    ----------
    f : callable
        From an array, or a tree of them, to an array, or a tree of them.
    g : callable
        From what `f` gives to one number.

    Returns
    -------
    callable
        It takes `x` and `v`, of the same shape, as is the result.

    Examples
    --------
    >>> ggnvp(np.sin)(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    array([1., 0.])
    """

    def run(x: Any, v: Any) -> Any:
        y, pushed = jvp(f, (x,), (v,))
        return vjp(f, x)[1](hvp(g)(y, pushed))[0]

    return run
