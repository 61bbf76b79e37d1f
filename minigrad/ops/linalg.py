"""Pullbacks of the products of vectors, matrices, and arrays of any shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from minigrad.autograd import Array, Constant, alike, compose, define, differentiable
from minigrad.kernels.einsum import einsum
from minigrad.ops.complex_numbers import conj


def _matmul_left(g: Array, _y: object, _a: Constant, b: Array) -> Array:
    """G B^T; a vector is a matrix of one row (left) or one column (right)."""
    if b.ndim == 1:
        return np.expand_dims(g, -1) * b
    if len(_a.shape) == 1:
        return np.matmul(b, np.expand_dims(g, -1))[..., 0]
    return np.matmul(g, np.swapaxes(b, -1, -2))


def _matmul_right(g: Array, _y: object, a: Array, _b: Constant) -> Array:
    """A^T G, summed over the batch where B has none."""
    if a.ndim == 1 and len(_b.shape) > 1:
        return np.expand_dims(a, -1) * np.expand_dims(g, -2)
    if len(_b.shape) > 2:
        return np.matmul(np.swapaxes(a, -1, -2), g)
    n = math.prod(a.shape[:-1])
    rows, columns = np.reshape(a, (n, a.shape[-1])), np.reshape(g, (n, *_b.shape[1:]))
    return np.matmul(np.transpose(rows), columns)


define(np.matmul, _matmul_left, _matmul_right, work=lambda y, a, _b: math.prod(y) * a[-1])


@compose(np.inner)
def _inner(a: Array, b: Array, axis: int = -1) -> Array:
    """Sum products over the last axis of `a` and one of `b`; a scalar multiplies."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=(-1, axis))


@compose(np.dot)
def _dot(a: Array, b: Array) -> Array:
    return np.matmul(a, b) if np.ndim(a) and np.ndim(b) in (1, 2) else _inner(a, b, -2)


@compose(np.outer)
def _outer(a: Array, b: Array) -> Array:
    a, b = alike([a, b])
    return np.multiply(np.reshape(a, (-1, 1)), np.ravel(b))


@compose(np.tensordot)
def _tensordot(a: Array, b: Array, axes: Any = 2) -> Array:
    """A matrix product, after the summed axes are brought together."""
    a, b = alike([a, b])
    if np.ndim(axes) == 0:
        axes = (range(-axes, 0), range(axes))
    of_a, of_b = (
        list(normalize_axis_tuple(i, x.ndim, "tensordot"))
        for i, x in zip(axes, (a, b), strict=True)
    )
    lengths = [np.shape(a)[i] for i in of_a], [np.shape(b)[i] for i in of_b]
    if lengths[0] != lengths[1]:
        raise ValueError(
            f"tensordot: axes {of_a} of shape {np.shape(a)} have lengths {lengths[0]}, but axes "
            f"{of_b} of shape {np.shape(b)} have {lengths[1]}: they must be equal"
        )
    rest_a = [i for i in range(np.ndim(a)) if i not in of_a]
    rest_b = [i for i in range(np.ndim(b)) if i not in of_b]
    rows, columns = [a.shape[i] for i in rest_a], [b.shape[i] for i in rest_b]
    n = math.prod(lengths[0])
    left = np.reshape(np.transpose(a, rest_a + of_a), (math.prod(rows), n))
    right = np.reshape(np.transpose(b, of_b + rest_b), (n, math.prod(columns)))
    return np.reshape(np.matmul(left, right), rows + columns)


compose(np.vdot)(lambda a, b: np.matmul(conj(np.ravel(a)), np.ravel(b)))


# ---------------------------------------------------------------------------------------- einsum
@compose(np.einsum)
def _einsum_of(subscripts: str, *operands: Array, optimize: object = False) -> Array:
    """Make every label explicit, take repeated labels as diagonals, and record the rest."""
    if not isinstance(subscripts, str):
        subscripts, operands = _in_letters([subscripts, *operands])
    labels, output = _explicit(subscripts.replace(" ", ""), [np.ndim(x) for x in operands])
    arrays = alike(operands)
    lengths: dict[str, int] = {}
    for name, n in zip("".join(labels), [n for x in arrays for n in x.shape], strict=True):
        if 1 not in (n, lengths.setdefault(name, n)) and n != lengths[name]:
            raise ValueError(
                f"einsum: {name!r} of {subscripts!r} is both {lengths[name]} and {n} long in "
                f"arrays of shape {', '.join(str(x.shape) for x in arrays)}"
            )
        lengths[name] = max(lengths[name], n)
    for i, names in enumerate(labels):
        for name in names:
            while labels[i].count(name) > 1:
                first = labels[i].index(name)
                second = labels[i].index(name, first + 1)
                if arrays[i].shape[first] != arrays[i].shape[second]:
                    raise ValueError(
                        f"einsum: {name!r} of {subscripts!r} is both {arrays[i].shape[first]} and "
                        f"{arrays[i].shape[second]} long in an array of shape {arrays[i].shape}"
                    )
                arrays[i] = np.diagonal(arrays[i], 0, first, second)
                labels[i] = (
                    labels[i][:first] + labels[i][first + 1 : second] + labels[i][second + 1 :]
                )
                labels[i] += name
    explicit = f"{','.join(labels)}->{output}"
    return _einsum(*arrays, subscripts=explicit)


def _in_letters(call: Any) -> tuple[str, Any]:
    """Turn `einsum(a, [0, 1], b, [1, 2], [0, 2])` into the form of a string and the operands."""

    def word(labels: Any) -> str:
        return "".join("..." if i is ... else chr(ord("A") + i + 6 * (i > 25)) for i in labels)

    pairs = len(call) // 2
    terms = ",".join(word(labels) for labels in call[1 : 2 * pairs : 2])
    output = f"->{word(call[-1])}" if len(call) % 2 else ""
    return terms + output, call[: 2 * pairs : 2]


def _explicit(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """Write an einsum's labels out: one for each axis of an ellipsis, and the implicit output."""
    left, arrow, output = subscripts.partition("->")
    labels = left.split(",")
    if len(labels) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} names {len(labels)} operands, got {len(ndims)}")
    unused = [c for c in map(chr, range(0x41, 0x7B)) if c.isalpha() and c not in subscripts]
    dots = [n - len(s.replace("...", "")) for s, n in zip(labels, ndims, strict=True)]
    for s, n, extra in zip(labels, ndims, dots, strict=True):
        if extra < 0 or (extra and "..." not in s):
            raise ValueError(f"einsum: {s!r} of {subscripts!r} does not fit an array of {n} axes")
    most = max(dots)
    batch = "".join(unused[:most])
    labels = [s.replace("...", batch[most - d :]) for s, d in zip(labels, dots, strict=True)]
    if arrow and batch and "..." not in output:
        raise ValueError(f"einsum: {subscripts!r} has an ellipsis that its output lacks")
    if arrow:
        return labels, output.replace("...", batch)
    joined = "".join(labels)
    once = sorted(c for c in set(joined) if joined.count(c) == 1 and c not in batch)
    return labels, batch + "".join(once)


def _einsum_pullback(
    needs: Sequence[bool], g: Array, _y: object, *xs: Array, subscripts: str
) -> list[Array | None]:
    """The same sum with `g` in the place of the operand; labels only it has were summed: spread."""
    left, _, output = subscripts.partition("->")
    labels = left.split(",")

    def gradient(i: int) -> Array:
        others = [output, *labels[:i], *labels[i + 1 :]]
        long = zip(labels[i], xs[i].shape, strict=True)  # an axis of length 1 was broadcast: sum it
        shared = "".join(c for c, n in long if n != 1 and any(c in s for s in others))
        operands = [g, *xs[:i], *xs[i + 1 :]]
        d = _einsum(*operands, subscripts=f"{','.join(others)}->{shared}")
        if d.shape == xs[i].shape:
            return d
        d = np.expand_dims(d, tuple(k for k, c in enumerate(labels[i]) if c not in shared))
        return np.broadcast_to(d, xs[i].shape)

    return [gradient(i) if need else None for i, need in enumerate(needs)]


@differentiable(joint=_einsum_pullback)
def _einsum(*xs: Array, subscripts: str) -> Array:
    return einsum(subscripts, *xs)
