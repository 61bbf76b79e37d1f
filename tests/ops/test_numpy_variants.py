"""Every function at every axis, of arrays without axes, batched, broadcast and empty, beside NumPy.

What NumPy gives, it gives; where NumPy raises, it raises; gradients agree with differences. Those
of the second order are with the rows.
"""

import functools
import itertools
import warnings

import numpy as np
import pytest

from minigrad import Tensor, gradients
from minigrad.autograd import rules
from minigrad.testing import check_gradients

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

RNG = np.random.default_rng(0)


def distinct(*shape):
    """Values in (0, 1) that keep apart, and sums of which do."""
    n = int(np.prod(shape))
    values = RNG.permutation(n) + 0.5 + RNG.uniform(-0.3, 0.3, n)
    return values.reshape(shape) / max(n, 1) * 0.87 + 0.051


SHAPES = [(), (5,), (1,), (3, 4), (2, 3, 2), (0,), (0, 3), (2, 0), (0, 2, 2)]
PAIRS = [(), (1,), (3,), (2, 3), (2, 1), (2, 1, 3), (2, 3, 3), (1, 3, 3), (0,), (0, 3), (2, 0)]
ARRAYS = [distinct(*shape) for shape in SHAPES]
KEEP = [{}, {"keepdims": True}]
AXES = [{}, *({"axis": a} for a in (None, 0, 1, -1, (0,), (0, 1), (-1, 0)))]
REDUCED = [{**a, **k} for a in AXES for k in KEEP]
ONE = [{}, *({"axis": a} for a in (0, 1, -1, -2, 5))]
ORDERS = [{"ord": o} for o in (1, 2, 3, np.inf, -np.inf, "fro", "nuc", -1, -2)]

CALLS: dict[str, list] = {}  # by function: what to hand it beside the array


def ufuncs(inputs):
    """Name NumPy's elementwise functions that have a derivative."""
    found = [f for f, rule in rules.items() if not isinstance(rule, functools.partial)]
    found = [f for f in found if isinstance(f, np.ufunc) and f.nin == inputs]
    return {f.__name__: f for f in found if getattr(np, f.__name__, None) is f}


def add(names, options, *arguments):
    for name in names.split():
        CALLS.setdefault(name, []).extend((arguments, o) for o in options)


add("sum prod mean var std max min amax amin ptp median nansum nanprod nanmean nanvar", REDUCED)
add("nanstd nanmax nanmin nanmedian linalg.vector_norm", REDUCED)
add("quantile percentile nanquantile nanpercentile", REDUCED, 0.3)
add("cumsum cumprod nancumsum nancumprod cumulative_sum cumulative_prod sort flip squeeze", ONE)
add("diff trapezoid unwrap gradient unstack rollaxis fft.fftshift fft.ifftshift", ONE[:-1])
for _name in "roll repeat take delete partition array_split".split():
    add(_name, ONE, 1)
add("insert", ONE, 0, 7.0)
add("expand_dims", [{"axis": a} for a in (0, -1, (0, 1), 2)])
add("resize", [{}], (3, 3))
add("tile", [{}], (2, 1))
_modes = "constant edge linear_ramp maximum mean median minimum reflect symmetric wrap".split()
add("pad", [{"mode": m} for m in _modes], 1)
add("linalg.norm", [{**a, **o, **k} for a in AXES for o in [{}, *ORDERS] for k in KEEP])
add("linalg.matrix_norm", [{**o, **k} for o in [{}, *ORDERS[:2], ORDERS[4]] for k in KEEP])
_lengths = [{}, {"n": 3}, {"n": 7}, {"norm": "ortho"}]
_each = [{**a, **n} for a in ONE[:3] for n in _lengths]
add("fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft", _each)
_several = [{}, {"axes": (-1,)}, {"s": (3, 3), "axes": (0, 1)}]
add("fft.fftn fft.ifftn fft.rfftn fft.irfftn fft.fft2 fft.rfft2", _several)
add("ravel transpose matrix_transpose flipud fliplr rot90 tril triu diag diagonal diagflat", [{}])
add("trace atleast_1d atleast_2d atleast_3d vander unique copy real imag angle nan_to_num", [{}])
add("sinc i0 ediff1d trim_zeros cov corrcoef meshgrid real_if_close linalg.svdvals", [{}])
add("linalg.inv linalg.det linalg.slogdet linalg.pinv", [{}])
add(" ".join(n for n in ufuncs(1) if n not in ("arccosh", "frexp")), [{}])

WIDER = {"linalg.vector_norm"}  # takes axis=0 of an array without axes, as sums do


def function(name):
    f = np
    for word in name.split("."):
        f = getattr(f, word, None)
    return f


def listed(value):
    return list(value) if isinstance(value, list | tuple) else [value]


def outcome(f, *arguments, **options):
    try:
        return listed(f(*arguments, **options))
    except Exception as error:
        return error


def compare(f, arrays, wider=False):
    """Compare a call with NumPy's, and its gradients with differences."""
    expected, found = outcome(f, *arrays), outcome(f, *(Tensor(a, True) for a in arrays))
    if isinstance(expected, Exception):
        assert wider or isinstance(found, ValueError | TypeError | IndexError | ArithmeticError)
        return
    assert not isinstance(found, Exception), found
    for e, y in zip(expected, found, strict=True):
        e, y = np.asarray(e), y.data if isinstance(y, Tensor) else np.asarray(y)
        assert (y.shape, y.dtype) == (e.shape, e.dtype)
        np.testing.assert_allclose(y, e, rtol=1e-9, atol=1e-12)
    narrow = [Tensor(a.astype(np.float32), True) for a in arrays]
    widths = {y.dtype for y in outcome(f, *narrow) if isinstance(y, Tensor)}
    assert widths <= {np.dtype(np.float32), np.dtype(np.complex64)}
    live = [y for y in found if isinstance(y, Tensor) and y.requires_grad]
    if live and all(a.size for a in arrays) and all(np.isfinite(y.data).all() for y in live):
        check_gradients(f, *arrays, order=1, rtol=1e-4, atol=1e-5)
    elif live:
        xs = [Tensor(a, True) for a in arrays]
        ys = [y for y in listed(f(*xs)) if isinstance(y, Tensor) and y.requires_grad]
        for g, x in zip(gradients(ys, xs, [np.ones(y.shape) for y in ys]), xs, strict=True):
            assert g is None or g.shape == x.shape


@pytest.mark.parametrize("name", CALLS)
def test_at_every_axis_and_shape(name):
    f = function(name)
    if f is None:
        pytest.skip(f"this NumPy has no {name}")
    for (arguments, options), array in itertools.product(CALLS[name], ARRAYS):
        compare(lambda x, a=arguments, o=options: f(x, *a, **o), [array], name in WIDER)


def _two():
    two = ufuncs(2)
    for name in ("ldexp", "float_power"):
        del two[name]
    for name in "dot inner outer kron cross vdot convolve correlate tensordot append".split():
        two[name] = getattr(np, name)
    for name in "stack concatenate hstack vstack dstack column_stack block".split():
        two[name] = lambda a, b, name=name: getattr(np, name)([a, b])
    two |= {
        "clip": lambda a, b: np.clip(a, b - 0.2, b + 0.2),
        "where": lambda a, b: np.where(np.array(True), a, b),
        "linspace": lambda a, b: np.linspace(a, b, 4),
        "interp": lambda a, b: np.interp(a, [0.2, 0.5, 0.7], b),
        "einsum": lambda a, b: np.einsum("...i,...i->...", a, b),
        "einsum of matrices": lambda a, b: np.einsum("...ij,...jk", a, b),
        "solve": lambda a, b: np.linalg.solve(a + 2 * np.eye(3, dtype=a.dtype), b),
        "linalg.outer": np.linalg.outer,
        "meshgrid": lambda a, b: np.meshgrid(a, b),
    }
    return two


TWO = _two()


@pytest.mark.parametrize("name", TWO)
def test_of_two_arrays_of_all_shapes(name):
    arrays = [distinct(*shape) for shape in PAIRS]
    for a, b in itertools.product(arrays, arrays):
        compare(TWO[name], [a, b + 0.003])


def test_numpys_own_warnings_are_kept():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert np.isnan(np.median(Tensor(np.zeros((0,)))).data)
    assert any("empty slice" in str(w.message) for w in seen)
