"""One row for each call of NumPy that researchers make: what is called, and where to try it.

`rows` are real, `complex_rows` complex. Inputs keep clear of kinks and ties. What is compared is
what NumPy gives for bare arrays, so a function may return several results as a list.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from operations import distinct

RNG = np.random.default_rng(11)


class Row(NamedTuple):
    name: str
    function: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]


SINCE = {"cumulative_sum", "cumulative_prod", "unstack", "matvec", "vecmat"}  # NumPy 2.1 and 2.2
rows: list[Row] = []
complex_rows: list[Row] = []


def row(name, function, *inputs):
    word = name.split()[0]
    if word not in SINCE or hasattr(np, word):
        rows.append(Row(name, function, inputs))


def normal(*shape):
    return RNG.normal(size=shape)


def z(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def complex_row(name, function, *inputs):
    if name not in SINCE or hasattr(np, name):
        complex_rows.append(Row(f"complex {name}", function, inputs))


def adjoint(a):
    return np.conj(np.swapaxes(a, -1, -2))


def symmetric(a):
    return (a + adjoint(a)) / 2


def positive(a):
    return a @ adjoint(a) + 2 * np.eye(a.shape[-1])


V, W = distinct(6), distinct(4, seed=3)
A, B = distinct(3, 4), distinct(3, 4, seed=1) + 0.017
C = distinct(2, 3, 4, seed=2)
U = np.abs(A) / 2.1 + 0.03
HOLES = A.copy()
HOLES[[0, 1, 1], [1, 2, 3]] = np.nan
MASK = B > -0.7
SCALAR = np.array(0.7)
AXES = [None, 0, 1, -1, (0, 1), (-1, 0)]
