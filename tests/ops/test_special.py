"""SciPy's special functions on Tensors: values, gradients of both orders, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest

import minigrad
import minigrad.functional as F
from minigrad import Tensor
from minigrad.autograd import rules
from minigrad.testing import check_gradients

sp = pytest.importorskip("scipy.special")
linalg = pytest.importorskip("scipy.linalg")

X = np.array([[0.31, 1.2], [2.6, 0.83]])
UNIT, SIGNED = X / 3.1, np.array([-2.3, -0.4, 0.0, 0.05, 0.9, 3.3])
ROWS = {
    **{name: [X, SIGNED[[0, 1, 4]]] for name in "psi digamma gamma gammaln rgamma".split()},
    **{
        name: [SIGNED] for name in "j0 j1 i0 i1 erf erfc erfi expit ndtr log_ndtr log_expit".split()
    },
    **{
        name: [X, SIGNED + 0.01]
        for name in "exp10 exprel erfcx dawsn exp2 expm1 cosm1 gammasgn".split()
    },
    **{
        name: [X, np.array([1.0, 1.03])]
        for name in "loggamma y0 y1 k0 k1 spence entr log1p cbrt i0e i1e".split()
    },
    **{name: [UNIT] for name in "erfinv erfcinv logit ndtri".split()},
}
TWO = {
    **dict.fromkeys(
        "beta betaln xlogy xlog1py rel_entr kl_div pseudo_huber".split(), (X, X[0] + 0.2)
    ),
    "boxcox": (X, np.array([-0.4, 1.3])),
    "huber": (X, np.array([0.2, 2.9])),
}
BY_ORDER = {
    **{name: [0, 1, 2.5] for name in "jn jv iv ive yv kv".split()},
    **{name: [0, 1, 3] for name in "yn kn".split()},
    **{name: [0.7, 2.0, 3.1] for name in "gammainc gammaincc".split()},
}


def check(f, *inputs):
    expected, found = f(*inputs), f(*map(Tensor, inputs))
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found.data, expected, rtol=1e-11, atol=1e-14)
    check_gradients(f, *inputs, rtol=3e-5, atol=1e-6)
    assert f(*(Tensor(x, True, dtype=np.float32) for x in inputs)).dtype == np.float32


def test_every_function_of_the_table_has_its_row():
    assert np.isfinite(sp.erf(Tensor(0.5)).data)  # which loads the table
    functions = {f for f in rules if isinstance(f, np.ufunc) and getattr(sp, f.__name__, 0) is f}
    assert len(functions) > 50
    tested = {*ROWS, *TWO, *BY_ORDER, "betainc", "wofz"}  # the last two below
    assert functions == {getattr(sp, name) for name in tested}


@pytest.mark.parametrize("name", ROWS)
def test_of_one_argument(name):
    for x in ROWS[name]:
        check(getattr(sp, name), x)


@pytest.mark.parametrize("name", TWO)
def test_of_two_arguments(name):
    a, b = TWO[name]
    f = getattr(sp, name)
    check(f, a, b)


@pytest.mark.parametrize("name", BY_ORDER)
def test_of_an_order_or_shape(name):
    f = getattr(sp, name)
    for order in BY_ORDER[name]:
        check(lambda x, v=order, f=f: f(v, x), X + 0.1)
    with pytest.raises(TypeError, match="argument 0 has no derivative but requires a gradient"):
        f(Tensor(1.0, requires_grad=True), X)


def test_boxcox_is_a_logarithm_at_0():
    check_gradients(sp.boxcox, X, np.zeros(2), order=1)


def test_betainc():
    check(lambda x: sp.betainc(1.4, 2.3, x), UNIT)
    with pytest.raises(TypeError, match="argument 1 has no derivative"):
        sp.betainc(1.0, Tensor(1.0, requires_grad=True), 0.5)


def test_of_complex_numbers():
    z = np.array([0.3 + 0.4j, -1.2 + 0.7j])
    for f in (sp.erf, sp.wofz, sp.loggamma, sp.dawsn):
        check_gradients(f, z, order=1)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (sp.logsumexp, r"scipy\.special\.logsumexp .*minigrad\.functional\.logsumexp"),
        (sp.softmax, r"scipy\.special\.softmax .*minigrad\.functional\.softmax"),
        (sp.log_softmax, r"scipy\.special\.log_softmax .*minigrad\.functional\.log_softmax"),
        (
            lambda t: sp.polygamma(1, t),
            r"scipy\.special\.polygamma .*elementwise_grad\(scipy\.special\.psi\)",
        ),
        (lambda t: sp.multigammaln(t, 2), r"scipy\.special\.multigammaln .*gammaln"),
        (lambda t: sp.comb(5, t), r"scipy\.special\.comb .*ufuncs, such as gammaln here"),
        (lambda t: linalg.cholesky(np.outer(t, t)), r"^scipy\S* can't .*np\.linalg"),
        (lambda t: linalg.expm(np.outer(t, t)), r"^scipy\.linalg\.expm .*use np\.linalg here"),
    ],
)
def test_functions_that_never_ask_are_refused_with_what_works(f, message):
    with pytest.raises(TypeError, match=message):
        f(Tensor([3.0, 4.0], requires_grad=True))


def test_without_scipy_nothing_of_it_is_imported():
    code = (
        "import sys, numpy as np, minigrad, minigrad.functional as F\n"
        "x = minigrad.Tensor([1.0], requires_grad=True)\n"
        "F.erf(x); F.gelu(x)\n"
        "try: np.gcd(x, x)\n"
        "except TypeError as error: assert 'gcd: has no derivative' in str(error)\n"
        "print('scipy' in sys.modules, 'minigrad.ops.special' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.stdout.strip(), run.stderr) == ("False False", "")


def test_the_librarys_own_agree():
    x = Tensor(np.linspace(-3, 3, 9), requires_grad=True)
    np.testing.assert_allclose(F.erf(x).data, sp.erf(x).data, rtol=1e-12)
    assert minigrad.grad(sp.erf)(0.0) == pytest.approx(2 / np.sqrt(np.pi))
