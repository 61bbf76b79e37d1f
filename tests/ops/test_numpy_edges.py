"""Where a derivative is a choice: ties, equal eigenvalues, lost rank; empty arrays and 0-d ones."""

import numpy as np
import pytest

from minigrad import Tensor, grad, gradients

TIE = np.array([2.0, 1.0, 2.0, 1.0])
TIED = {
    "sort": (lambda x: np.sort(x) @ np.arange(4.0), [2, 0, 3, 1]),
    "median": (np.median, [0.5, 0, 0, 0.5]),
    "quantile": (lambda x: np.quantile(x, 1.0), [0, 0, 1, 0]),
    "nanmax": (np.nanmax, [0.5, 0, 0.5, 0]),
    "unique": (lambda x: np.unique(x) @ np.array([1.0, 10.0]), [10, 1, 0, 0]),
    "maximum.accumulate": (lambda x: np.sum(np.maximum.accumulate(x)), [4, 0, 0, 0]),
    "initial": (lambda x: np.max(x, initial=2.0), [0.25, 0, 0.25, 0]),
    "cumprod": (lambda x: np.cumprod(x - 1)[-1], [0, 0, 0, 0]),
}


@pytest.mark.parametrize("name", TIED)
def test_ties(name):
    f, expected = TIED[name]
    np.testing.assert_allclose(grad(f)(TIE), expected)


def test_equal_eigenvalues_and_singular_values():
    """What does not depend on the choice of vectors has its gradient; the rest stays finite."""
    eye = np.eye(3)
    np.testing.assert_allclose(grad(lambda a: np.sum(np.linalg.eigvalsh(a) ** 2))(eye), 2 * eye)
    np.testing.assert_allclose(grad(lambda a: np.sum(np.linalg.svdvals(a)))(eye), eye)
    for f in (np.linalg.eigh, np.linalg.svd):
        g = grad(lambda a, f=f: np.sum(f(a)[0] * np.arange(3.0)))(eye)
        assert np.all(np.isfinite(g))
    g = grad(lambda a: np.linalg.norm(a, "nuc"))(np.diag([1.0, 1.0, 0.0]))
    np.testing.assert_allclose(g[:2, :2], np.eye(2), atol=1e-15)


def test_lost_rank():
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(grad(np.linalg.det)(singular), [[4, -2], [-2, 1]])
    np.testing.assert_allclose(grad(np.linalg.det)(np.zeros((1, 1))), [[1]])
    np.testing.assert_allclose(grad(np.linalg.det)(np.zeros((3, 3))), np.zeros((3, 3)))
    with pytest.raises(
        np.linalg.LinAlgError, match=r"^inv: can't be computed for \(2, 2\) float64"
    ):
        np.linalg.inv(Tensor(singular, requires_grad=True))
    low = np.outer([1.0, 2.0, 3.0], [1.0, 1.0])  # along the matrices of this rank
    (g,) = gradients(np.sum(np.linalg.pinv(x := Tensor(low, True))), [x])
    step = 1e-6 * np.outer([1.0, 2.0, 3.0], [0.3, -0.2])
    slope = (np.sum(np.linalg.pinv(low + step)) - np.sum(np.linalg.pinv(low - step))) / 2
    np.testing.assert_allclose(np.sum(g.data * step), slope, rtol=1e-6)


def test_symmetric_gradients():
    a = np.array([[3.0, 1.0], [1.0, 2.0]])
    for f in (np.linalg.cholesky, np.linalg.eigvalsh, lambda a: np.linalg.eigh(a)[1] ** 2):
        g = grad(lambda a, f=f: np.sum(f(a) * np.arange(1.0, 3.0)))(a)
        np.testing.assert_allclose(g, g.T)


EMPTY = {
    "nansum": lambda x: np.nansum(x, axis=0),
    "cumprod": lambda x: np.cumprod(x, axis=0),
    "sort": lambda x: np.sort(x, axis=0),
    "diff": lambda x: np.diff(x, axis=0, prepend=1.0),
    "unique": np.unique,
    "rot90": np.rot90,
    "kron": lambda x: np.kron(x, np.ones(2)),
    "inv": lambda x: np.linalg.inv(np.zeros((0, 2, 2)) + np.reshape(x, (0, 1, 1))),
    "det": lambda x: np.linalg.det(np.zeros((0, 2, 2)) + np.reshape(x, (0, 1, 1))),
    "fftshift": np.fft.fftshift,
    "linspace": lambda x: np.linspace(x, x + 1, 3),
    "meshgrid": lambda x: np.meshgrid(x)[0],
    "max": lambda x: np.max(x, axis=0, initial=0.0),
    "delete": lambda x: np.delete(x, [], axis=1),
}


@pytest.mark.parametrize("name", EMPTY)
def test_empty_arrays(name):
    f, array = EMPTY[name], np.zeros((0, 3))
    x = Tensor(array, requires_grad=True)
    y, expected = f(x), f(array)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    if y.requires_grad:
        (g,) = gradients(y, [x], np.ones(y.shape))
        assert g.shape == array.shape


def test_arrays_without_axes():
    for f in (np.nanmean, np.median, np.cumsum, np.cumprod, np.real, np.unique, np.atleast_2d):
        np.testing.assert_allclose(grad(lambda x, f=f: np.sum(f(x)))(0.7), 1)
    assert grad(lambda x: np.linspace(x, 2 * x, 3)[1])(2.0) == 1.5
    assert grad(lambda x: np.interp(x, [0.0, 1.0], [0.0, 3.0]))(0.5) == 3


def test_methods_and_attributes():
    x = Tensor(np.array([[3.0, 1.0], [2.0, 4.0]]), requires_grad=True)
    assert (x.nbytes, x.itemsize, x.strides) == (32, 8, (16, 8))
    for y, expected in [
        (x.sort(axis=0), [[2, 1], [3, 4]]),
        (x.partition(0), [[1, 3], [2, 4]]),
        (x.cumprod(axis=1), [[3, 3], [2, 8]]),
        (x.compress([False, True], axis=1), [[1], [4]]),
        (x.real, x.data),
        (x.imag, np.zeros((2, 2))),
        (x.conj(), x.data),
        (x.conjugate(), x.data),
        (divmod(x, 2)[0], [[1, 0], [1, 2]]),
        (divmod(7.0, x)[1], [[1, 0], [1, 3]]),
        (x.sum(axis=0, where=[[True, False], [True, True]]), [5, 4]),
        (x.max(axis=1, initial=3.5), [3.5, 4]),
        (x.var(axis=1, correction=1), [2, 2]),
        (Tensor([1, 0]).choose([x[0], x[1]]), [2, 1]),
    ]:
        assert isinstance(y, Tensor)
        np.testing.assert_array_equal(y.data, expected)
    assert type(x.argpartition(0)) is np.ndarray
    assert x[1].searchsorted(3.0) == 1
    assert x.tolist() == [[3, 1], [2, 4]]  # sort and partition gave copies


def test_widths_of_a_pad_by_axis():
    x = np.arange(6.0).reshape(2, 3)
    expected = np.pad(x, ((0, 0), (2, 1)), mode="symmetric")
    for widths in ({-1: (2, 1)}, {1: (2, 1)}):  # NumPy's own since 2.2
        y = np.pad(Tensor(x), widths, mode="symmetric")
        np.testing.assert_array_equal(y.data, expected)
