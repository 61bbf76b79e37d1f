"""Nothing leaves the graph silently: it stays in it, or an error names the function and a way."""

import functools

import numpy as np
import pytest

from minigrad import Tensor, define, gradients, no_grad
from minigrad.autograd import rules


def leaf(data=(1.0, 2.0, 3.0)):
    return Tensor(data, requires_grad=True)


# ------------------------------------------------------------------------------- what stays in it
STAYS = {
    "np.float64 on the left": (lambda t: np.float64(2) * t, [2, 2, 2]),
    "np.float32 on the left": (lambda t: np.float32(2) - t, [-1, -1, -1]),
    "array on the left": (lambda t: np.array([1.0, 2.0, 3.0]) * t, [1, 2, 3]),
    "0-d array on the left": (lambda t: np.array(2.0) * t, [2, 2, 2]),
    "array @ tensor": (lambda t: np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]]) @ t, [1, 3, 3]),
    "array ** tensor": (lambda t: np.ones(3) ** t, [0, 0, 0]),
    "list on the left": (lambda t: [1, 2, 3] * t, [1, 2, 3]),
    "a ufunc on an array and it": (lambda t: np.add(np.ones((2, 3)), t), [2, 2, 2]),
    "array.clip": (lambda t: np.array([0.0, 5.0, 9.0]).clip(t), [1, 0, 0]),
    "sum of a list": (lambda t: sum([t, t, np.ones(3)]), [2, 2, 2]),
    "stack of Tensors and arrays": (lambda t: np.stack([np.zeros(3), t, t]), [2, 2, 2]),
    "keyword for the array": (lambda t: np.sum(a=t, axis=0), [1, 1, 1]),
    "where on an array's condition": (lambda t: np.where(np.arange(3) > 0, t, 0), [0, 1, 1]),
    "bincount's weights": (lambda t: np.bincount(np.array([0, 0, 1]), weights=t), [1, 1, 1]),
}


@pytest.mark.parametrize(("f", "expected"), STAYS.values(), ids=STAYS)
def test_stays_in_the_graph(f, expected):
    t = leaf()
    y = f(t)
    assert type(y) is Tensor
    (g,) = gradients(np.sum(y), [t])
    assert g.tolist() == expected


# ------------------------------------------------------------------------- what is refused by name
def add_in_place(array, t):
    array += t


def set_items(array, t):
    array[:] = t


CONCATENATE = r"^numpy\.r_ can't record .*: use np\.concatenate here$"
BARE = r"^this Tensor requires a gradient, .*silently leave the graph: use t\.detach\(\)\.numpy\(\)"
OUT = (
    r"can't write a Tensor's result into out= .*write a = a \+ t, or use t\.detach\(\)\.numpy\(\)$"
)
NONE = (
    r" has no derivative in minigrad, so the graph would lose it: call it on t\.detach\(\)\.numpy"
    r"\(\), or give it a pullback with minigrad\.define$"
)
LEAVES = {
    "asarray": (np.asarray, BARE),
    "array": (np.array, BARE),
    "array of a list": (lambda t: np.array([t]), BARE),
    "array of scalars": (lambda t: np.array([0.5, leaf(1.0)]), BARE),
    "asarray of a dtype": (lambda t: np.asarray(t, np.float64), BARE),
    "r_": (lambda t: np.r_[t, 1.0], CONCATENATE),
    "c_": (lambda t: np.c_[t, t], r"^numpy\.c_ can't .*: use np\.stack\(\[t, u\], axis=1\) here$"),
    "select": (
        lambda t: np.select([np.ones(3) > 0], [np.ones(3)], t),
        r"^numpy\.select can't .*: use np\.where\(condition, array, t\) here$",
    ),
    "vectorize": (
        np.vectorize(abs),
        r"^numpy\.vectorize can't .*: use functions of NumPy on w",
    ),
    "numpy()": (lambda t: t.numpy(), BARE),
    "full": (
        lambda t: np.full(3, t),
        r"^numpy\.full can't .*: use np\.broadcast_to\(t, sha",
    ),
    "float64": (np.float64, r"^this Tensor .*; to convert one, t\.astype\(np\.float64\)$"),
    "array[:] = t": (lambda t: set_items(np.zeros(3), t), BARE),
    "array.dot": (lambda t: np.ones(3).dot(t), BARE),
    "Tensor of a Tensor": (Tensor, BARE),
    "array += t": (lambda t: add_in_place(np.zeros(3), t), f"^add: {OUT}"),
    "out=array": (lambda t: np.multiply(t, 2, out=np.zeros(3)), f"^multiply: {OUT}"),
    "out=tensor": (lambda t: np.add(np.ones(3), 1, out=t), f"^add: {OUT}"),
    "out= of a function": (lambda t: np.sum(t, out=np.zeros(())), f"^sum: {OUT}"),
    "out= by position": (lambda t: np.add(t, 1, np.zeros(3)), f"^add: {OUT}"),
    "at": (lambda t: np.subtract.at(np.zeros(3), [0, 0, 1], t), rf"^subtract\.at:{NONE}"),
    "add.at": (lambda t: np.add.at(np.zeros(3), [0, 0, 1], t), r"^add\.at: .*use np\.bincount\("),
    "a ufunc without a pullback": (lambda t: np.gcd(t, t), f"^gcd:{NONE}"),
    "a function without one": (np.sort_complex, f"^sort_complex:{NONE}"),
    "copyto": (
        lambda t: np.copyto(np.zeros(3), t),
        r"^copyto: .*use np\.where\(mask, new, t\), or np\.broadcast_to\(t, shape\) for np\.full$",
    ),
    "histogramdd": (np.histogramdd, f"^histogramdd:{NONE}"),
}


@pytest.mark.parametrize(("f", "message"), LEAVES.values(), ids=LEAVES)
@pytest.mark.parametrize("recording", [True, False])
def test_is_refused(f, message, recording):
    t = leaf()
    if recording:
        with pytest.raises(TypeError, match=message):
            f(t)
    else:
        with pytest.raises(TypeError, match=message), no_grad():
            f(t)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda t: np.add(t, 1, where=t > 1), r"^add: the keyword where=.*\(accepted: none\)"),
        (lambda t: np.sum(t, None, None, np.zeros(())), r"^sum: can't write a Tensor's result in"),
        (lambda t: np.clip(t, 0, 1, np.zeros(3)), r"^clip: too many positional .* takes a, a_min"),
        (lambda t: np.pad(t, 1, mode=print), r"^pad: mode=.* has no derivative here: NumPy's own"),
        (lambda t: np.linalg.norm(t, 0), r"^norm: ord=0 has no derivative: use a nonzero number"),
        (lambda t: np.where(t, t, 0), r"^where: argument 0 has no derivative but .*\.detach\(\)$"),
        (lambda t: np.ldexp(2.0, t), r"^ldexp: can't be computed|^ldexp: argument 1 has no deriv"),
    ],
)  # fmt: skip
def test_an_argument_without_a_derivative_is_refused(f, message):
    with pytest.raises(TypeError, match=message):
        f(leaf())


def dispatched():
    """Yield every public function that NumPy hands to a Tensor."""
    for module in (np, np.linalg, np.fft):
        for name in dir(module):
            function = getattr(module, name, None)
            if isinstance(function, np.ufunc) or hasattr(function, "_implementation"):
                yield f"{module.__name__}.{name}", function


DISPATCHED = dict(dispatched())


def test_hundreds_of_functions_are_handed_to_a_tensor():
    assert len(DISPATCHED) > 300
    assert {"numpy.exp", "numpy.sum", "numpy.linalg.norm", "numpy.fft.fft"} <= set(DISPATCHED)


def test_every_function_of_numpy_is_known_or_refused_by_name():
    t = leaf()
    refused = [function for function in DISPATCHED.values() if function not in rules]
    assert len(refused) > 20
    for function in refused:
        with pytest.raises(
            TypeError, match=rf"^{function.__name__}: has no derivative in minigrad"
        ):
            hand(function, t)


def hand(function, t):
    """Call the protocol as NumPy does, whatever arguments the function asks for."""
    if isinstance(function, np.ufunc):
        return t.__array_ufunc__(function, "__call__", *[t] * function.nin)
    return t.__array_function__(function, (Tensor,), (t,), {})


def test_what_is_declared_without_a_derivative_carries_none():
    """Such functions give integers, booleans, text, or values that don't depend on the input's."""
    arguments = [(leaf(),), (leaf(), leaf()), (leaf(), np.array([0.5, 1.5, 2.5]))]
    tried = set()
    plain = {f for f, rule in rules.items() if isinstance(rule, functools.partial)}
    for function in plain - {np.zeros_like, np.ones_like, np.empty_like}:
        for args in arguments:
            if function in tried:
                continue
            try:
                result = function(*args)
            except (TypeError, ValueError):  # takes other arguments
                continue
            tried.add(function)
            for part in result if isinstance(result, tuple) else (result,):
                assert type(part) is not Tensor
                assert np.asarray(part).dtype.kind in "iubUO", function.__name__
    assert len(tried) > 30


# ------------------------------------------------------------------------------------- ways out
def test_ways_out():
    t = leaf()
    for array in (t.detach().numpy(), t.data, np.asarray(t.detach())):
        assert type(array) is np.ndarray
        assert np.shares_memory(array, t.data)
    assert t.tolist() == [1, 2, 3]
    assert t[0].item() == t.item(0) == 1


def test_a_tensor_without_gradient_is_an_array_to_numpy():
    t = Tensor([3.0, 1.0, 2.0])
    assert np.asarray(t) is t.data
    assert np.asarray(t, np.float64).dtype == np.float64
    assert not np.shares_memory(np.array(t), t.data)
    assert np.array([t, t]).shape == (2, 3)
    array = np.zeros(3)
    array[:] = t
    assert array.tolist() == [3, 1, 2]


def test_an_error_can_be_answered_with_a_pullback():
    with pytest.raises(TypeError, match="^sort_complex: has no derivative"):
        np.sort_complex(leaf())
    try:
        define(np.sort_complex, lambda g, y, x: g.real)
        assert np.sort_complex(leaf()).requires_grad
    finally:
        del rules[np.sort_complex]
