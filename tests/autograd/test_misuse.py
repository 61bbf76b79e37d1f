"""Likely mistakes, each with an answer that names the mend, and warnings at the user's line."""

import inspect
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor, differentiable, enable_grad, gradients, no_grad


def leaf(data=(1.0, 2.0)):
    return Tensor(data, requires_grad=True, name="w")


# ---------------------------------------------------------------------------------- own operations
@differentiable(lambda g, _y, _x: g * 2 * _x)
def reads_x(x):
    return x * x


@differentiable(lambda g, _y, _x: g * np.exp(_x))
def exponent_of_x(x):
    return x * x


@differentiable(lambda g, _y, _x: g * _y)
def reads_y(x):
    return x * x


@differentiable(lambda g, _y, a: g)
def one_for_two(a, b):
    return a * b


@differentiable(lambda g, _y, x: g)
def two_results(x):
    return x, x


@differentiable(lambda g, _y, x: g)
def a_number(x):
    return 1.0


@differentiable(lambda g, _y, _x: None)
def no_gradient(x):
    return x * x


UNDERSCORE = r"An argument whose name starts with an underscore has shape and .* call it x"
ONE_ARRAY = r"a recorded function returns one array, this one returned {}.*: return np\.asarray"
NONE = r"^backward: the pullback of no_gradient .* returned None: expected an array$"


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (reads_x, rf"^backward: the pullback of reads_x .* failed: unsup.*\. {UNDERSCORE}"),
        (exponent_of_x, rf"^backward: the pullback of exponent_of_x .* failed: .*\. {UNDERSCORE}"),
        (reads_y, rf"^backward: the pullback of reads_y .* failed: .*\. {UNDERSCORE}"),
        (lambda x: one_for_two(x, np.ones(2)),
         "^one_for_two: its argument b is an array, but there are pullbacks for 1 alone: give"),
        (lambda x: one_for_two(x, x), "^one_for_two: its argument b is an array, but there are pu"),
        (two_results, "^two_results: " + ONE_ARRAY.format(r"\(array")),
        (a_number, "^a_number: " + ONE_ARRAY.format("1.0")),
        (no_gradient, NONE),
        (lambda x: no_gradient(x * [[1.0, 2.0]]), "^backward: the pullback of .* returned None: e"),
    ],
    ids="reads_x exp_x reads_y one_array one_Tensor tuple number None None_later".split(),
)  # fmt: skip
@pytest.mark.parametrize("ask", [Tensor.backward, lambda y: gradients(y, [W])], ids=["b", "g"])
def test_a_mistake_in_an_own_operation_is_named(f, message, ask):
    with pytest.raises(TypeError, match=message):
        ask(np.sum(f(W)))


W = leaf()


def test_another_error_in_a_pullback_is_left_as_it_is():
    @differentiable(lambda g, _y, x: g * undefined(x))
    def fails(x):
        return x * x

    def undefined(x):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="^mine$"):
        np.sum(fails(leaf())).backward()


# -------------------------------------------------------------------------- asking for gradients
@pytest.mark.parametrize("data", [[1.0, 2.0], 1.0], ids=["vector", "scalar"])
def test_inputs_that_are_no_list_are_refused(data):
    x = leaf(data)
    with pytest.raises(TypeError, match=r"^gradients: inputs are a list of Tensors: write .*\[x\]"):
        gradients(np.sum(x * x), x)


def test_the_advice_for_an_update_in_place_can_be_followed():
    w = leaf()
    np.sum(w * w).backward()
    with pytest.raises(RuntimeError, match=r"^-=: 'w' .* write `t\.data -= \.\.\.`, or do it und"):
        w -= 0.1 * w.grad
    w.data -= 0.5 * w.grad
    assert w.tolist() == [0, 0]
    with no_grad():
        w -= w.grad
    assert w.tolist() == [-2, -4]


def test_a_leaf_that_is_frozen_after_forward_gets_no_gradient_until_it_is_thawed():
    x = leaf()
    y = np.sum(x * x)
    x.requires_grad = False
    y.backward(retain_graph=True)
    assert x.grad is None
    with pytest.raises(RuntimeError, match="^gradients: the input .* does not require a gradient$"):
        gradients(y, [x], retain_graph=True)
    x.requires_grad = True
    assert gradients(y, [x], retain_graph=True)[0].tolist() == [2, 4]
    y.backward()
    assert x.grad.tolist() == [2, 4]
    x.requires_grad = False
    x.requires_grad = False
    x.data = np.ones(3)
    x.requires_grad = True
    assert gradients(np.sum(x), [x])[0].tolist() == [1, 1, 1]


@pytest.mark.parametrize("mode", [no_grad, enable_grad])
def test_what_runs_after_its_call_is_refused(mode):
    async def later():
        pass

    async def values():
        yield 1

    for function in (later, values):
        with pytest.raises(TypeError, match=f"^{mode.__name__}: .* is async, which ru"):
            mode()(function)


# ------------------------------------------------------------------------------ other habits
@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("tensor", r"write minigrad\.Tensor\(data\)$"),
        ("array", r"write minigrad\.Tensor\(data\)$"),
        ("exp", r"NumPy's functions take Tensors, write np\.exp$"),
        ("relu", r"it is minigrad\.functional\.relu$"),
        ("Linear", r"it is minigrad\.nn\.Linear$"),
        ("Adam", r"it is minigrad\.optim\.Adam$"),
    ],
)
def test_a_name_that_is_elsewhere_is_named(name, advice):
    with pytest.raises(AttributeError, match=f"^module .* has no attribute '{name}': {advice}"):
        getattr(minigrad, name)
    with pytest.raises(AttributeError, match="^module 'minigrad' has no attribute 'nonsense'$"):
        minigrad.nonsense  # noqa: B018


def test_arguments_of_ndarray_s_methods_are_taken():
    t = leaf()
    assert t.reshape(2, 1, order="C").shape == t.reshape((2, 1), order="C").shape == (2, 1)
    assert np.reshape(t * [[1.0], [10.0]], 4).reshape(2, 2, order="F").tolist() == [
        [1, 10],
        [2, 20],
    ]
    assert t.astype("f8", copy=False).requires_grad
    plain = t.detach()
    assert np.shares_memory(plain.astype("f4", copy=False).data, plain.data)
    assert not np.shares_memory(plain.astype("f4").data, plain.data)
    assert (t.item(1), t[:1].item()) == (2, 1)


def test_plots_ask_for_a_detached_tensor():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    _, axes = pyplot.subplots()
    try:
        for t in (leaf(), leaf() * 2):
            with pytest.raises(TypeError, match=r"plot can't record .*: use t\.detach\(\)"):
                axes.plot(t)
        (line,) = axes.plot(leaf().detach())
        assert line.get_ydata().tolist() == [1, 2]
    finally:
        pyplot.close()


# -------------------------------------------------------------------------------- NumPy's warnings
def here(offset=0):
    return inspect.currentframe().f_back.f_lineno + offset


@pytest.mark.parametrize(
    "f",
    [
        lambda t: np.log(t - 5),
        lambda t: t / 0,
        lambda t: np.sqrt(t - 5),
        lambda t: F.softplus(t * np.inf),
        lambda t: np.sum(t / [[0.0], [1.0]], axis=0),
        lambda t: np.var(t * np.inf),
    ],
    ids="log divide sqrt softplus array var".split(),
)
def test_a_warning_points_at_the_users_line(f):
    line = inspect.getsourcelines(f)[1]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        f(leaf([0.0, 1.0]))
    places = {(w.filename, w.lineno, w.category) for w in caught}
    assert places == {(__file__, line, RuntimeWarning)}


def test_a_warning_in_a_pullback_points_at_the_call_of_backward():
    y = np.sum(np.sqrt(leaf([0.0, 1.0])))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        y.backward()
        line = here(-1)
    assert [(w.filename, w.lineno) for w in caught] == [(__file__, line)]


def test_filters_apply_as_if_the_users_line_had_warned():
    script = """if True:
    import numpy as np
    from minigrad import Tensor
    t = Tensor([0.0], requires_grad=True)
    for _ in range(3):
        t / 0
    t / 0
    np.log(np.zeros(1))
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if "RuntimeWarning" in line]
    assert [line.split(": ")[0] for line in told] == ["<string>:6", "<string>:7", "<string>:8"]
    quiet = ["-W", "ignore::RuntimeWarning:__main__"]
    done = subprocess.run([sys.executable, *quiet, "-c", script], capture_output=True, text=True)
    assert done.stderr == ""


def test_a_thread_of_its_own_may_warn():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = threading.Thread(target=Tensor.__truediv__, args=(leaf([0.0]), 0))
        thread.start()
        thread.join()
    assert [w.category for w in caught] == [RuntimeWarning]
