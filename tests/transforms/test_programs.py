"""Programs in the style of HIPS autograd run, and give the same, after changing two imports."""

import importlib.util
import json
from pathlib import Path

import numpy
import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "hips_programs.json"  # sums and sizes, by autograd

PROGRAMS = {
    "derivatives of tanh": """
def tanh(x):
    y = np.exp(-2.0 * x)
    return (1.0 - y) / (1.0 + y)
x = np.linspace(-3, 3, 20)
d = tanh
result = []
for _ in range(5):
    d = egrad(d)
    result.append(d(x))
""",
    "logistic regression": """
inputs = np.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.3], [0.7, -2.5, 1.4]])
targets = np.array([True, True, False, True])
def predict(w):
    return 0.5 * (np.tanh(np.dot(inputs, w) / 2.0) + 1)
def loss(w):
    p = predict(w)
    return -np.sum(np.log(p * targets + (1 - p) * (1 - targets)))
weights = np.array([0.0, 0.0, 0.0])
for _ in range(50):
    weights -= grad(loss)(weights) * 0.1
result = [weights, loss(weights)]
""",
    "a neural network, its parameters in tuples": """
rs = np.random.RandomState(0)
sizes = [3, 8, 8, 2]
params = [(rs.randn(m, n) * 0.3, rs.randn(n) * 0.1) for m, n in zip(sizes[:-1], sizes[1:])]
x, y = rs.randn(12, 3), np.eye(2)[rs.randint(2, size=12)]
def logits(params, x):
    for w, b in params:
        out = np.dot(x, w) + b
        x = np.tanh(out)
    return out - np.log(np.sum(np.exp(out), axis=1, keepdims=True))
def objective(params):
    return -np.mean(np.sum(logits(params, x) * y, axis=1))
for _ in range(20):
    g = grad(objective)(params)
    params = [(w - 0.3 * dw, b - 0.3 * db) for (w, b), (dw, db) in zip(params, g)]
result = [objective(params), params[0][0], params[2][1]]
""",
    "a mixture of Gaussians": """
rs = np.random.RandomState(1)
data = np.concatenate([rs.randn(20, 2), rs.randn(20, 2) + 3])
def logsumexp(x):
    top = np.max(x, axis=0)
    return top + np.log(np.sum(np.exp(x - top), axis=0))
def log_density(p):
    parts = []
    for share, mean, chol in zip(p["shares"], p["means"], p["chols"]):
        cov = np.dot(chol, chol.T) + 0.1 * np.eye(2)
        d = (data - mean).T
        q = np.sum(d * np.linalg.solve(cov, d), axis=0)
        parts.append(share - 0.5 * (q + np.linalg.slogdet(cov)[1]))
    return np.sum(logsumexp(np.vstack(parts))) - data.shape[0] * logsumexp(p["shares"])
p = {"shares": np.zeros(2), "means": rs.randn(2, 2), "chols": np.stack([np.eye(2)] * 2)}
g = grad(log_density)(p)
result = [log_density(p), g["shares"], g["means"], g["chols"]]
""",
    "a recurrent network": """
rs = np.random.RandomState(2)
p = {"h": rs.randn(4), "w": rs.randn(8, 4) * 0.5, "o": rs.randn(4, 3)}
text = np.eye(3)[rs.randint(3, size=(9, 2))]
def likelihood(p):
    h = np.repeat(p["h"][None], 2, axis=0)
    total = 0.0
    for letter, after in zip(text[:-1], text[1:]):
        h = np.tanh(np.dot(np.hstack([letter, np.ones((2, 1)), h]), p["w"]))
        out = np.dot(h, p["o"])
        total = total + np.sum(after * (out - np.log(np.sum(np.exp(out), 1, keepdims=True))))
    return total
g = grad(likelihood)(p)
result = [likelihood(p), g["h"], g["w"], g["o"]]
""",
    "a fluid, advected": """
rs = np.random.RandomState(3)
target = rs.rand(8, 8)
def project(vx, vy):
    p = np.zeros(vx.shape)
    div = np.roll(vx, 1, 1) - np.roll(vx, -1, 1) + np.roll(vy, 1, 0) - np.roll(vy, -1, 0)
    for _ in range(5):
        p = (div / 2 + sum(np.roll(p, k, a) for k in (1, -1) for a in (0, 1))) / 4
    dx, dy = np.roll(p, -1, 1) - np.roll(p, 1, 1), np.roll(p, -1, 0) - np.roll(p, 1, 0)
    return vx - 0.5 * dx, vy - 0.5 * dy
def advect(f, vx, vy):
    east, west = f - np.roll(f, 1, 1), np.roll(f, -1, 1) - f
    south, north = f - np.roll(f, 1, 0), np.roll(f, -1, 0) - f
    along = np.maximum(vx, 0) * east + np.minimum(vx, 0) * west
    return f - along - np.where(vy > 0, vy * south, vy * north)
def loss(v):
    vx, vy = np.reshape(v, (2, 8, 8))
    smoke = np.ones((8, 8)) * np.arange(8.0)
    for _ in range(3):
        vx, vy = project(advect(vx, vx, vy), advect(vy, vx, vy))
        smoke = advect(smoke, vx, vy)
    return np.mean((target - smoke) ** 2)
v = rs.randn(128) * 0.1
value, g = value_and_grad(loss)(v)
result = [value, g]
""",
    "Rosenbrock by scipy": """
from scipy.optimize import minimize
def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
found = minimize(value_and_grad(rosenbrock), np.array([0.0, 0.0]), jac=True, method="CG")
result = [np.round(found.x, 4), grad(rosenbrock)(np.array([0.3, -0.2]))]
""",
    "a Gaussian process": """
rs = np.random.RandomState(4)
x, y = np.sort(rs.randn(12, 1), axis=0), rs.randn(12)
def kernel(p, a, b):
    d = (a[:, None, :] - b[None, :, :]) / np.exp(p[1:2])
    return np.exp(p[0]) * np.exp(-0.5 * np.sum(d ** 2, axis=2))
def likelihood(p):
    cov = kernel(p, x, x) + np.exp(p[2]) * np.eye(12)
    chol = np.linalg.cholesky(cov)
    half = np.linalg.solve(chol, y)
    return -0.5 * np.dot(half, half) - np.sum(np.log(np.diag(chol)))
def prediction(p):
    cov = kernel(p, x, x) + np.exp(p[2]) * np.eye(12)
    return np.dot(kernel(p, x[:3] + 0.1, x), np.linalg.solve(cov, y))
p = np.array([0.1, -0.3, -1.0])
result = [likelihood(p), grad(likelihood)(p), jacobian(prediction)(p), hessian(likelihood)(p)]
""",
    "black-box variational inference": """
rs = np.random.RandomState(5)
samples = rs.randn(60, 2)
def log_density(x):
    mu, log_sigma = x[:, 0], x[:, 1]
    return -0.5 * (log_sigma / 1.35) ** 2 - 0.5 * (mu / np.exp(log_sigma)) ** 2 - log_sigma
def bound(p):
    mean, log_std = p[:2], p[2:]
    x = samples * np.exp(log_std) + mean
    return -(np.sum(log_std) + np.mean(log_density(x)))
p = np.array([-1.0, 0.0, -2.0, -2.0])
for _ in range(30):
    p = p - 0.05 * grad(bound)(p)
result = [p, bound(p)]
""",
    "a network fitted to an equation of motion": """
rs = np.random.RandomState(6)
p = [rs.randn(2, 5) * 0.4, rs.randn(5, 2) * 0.4]
times = np.linspace(0, 1, 15)
truth = np.stack([np.cos(times), -np.sin(times)], axis=1)
def motion(state, p):
    return np.dot(np.tanh(np.dot(state, p[0])), p[1])
def path(p):
    states, dt = [truth[0]], times[1] - times[0]
    for _ in times[1:]:
        s = states[-1]
        k1 = motion(s, p)
        k2 = motion(s + 0.5 * dt * k1, p)
        states.append(s + dt * k2)
    return np.stack(states)
def loss(p):
    return np.mean(np.abs(path(p) - truth))
g = grad(loss)(p)
result = [loss(p), g[0], g[1]]
""",
    "curvature": """
def f(x):
    return np.sum(np.sin(x) ** 2) * np.prod(x + 2)
def residuals(x):
    return np.concatenate([x ** 2 - 1, np.outer(x, x)[0]])
x = np.array([0.3, -0.7, 1.1])
hv = grad(lambda x: np.dot(grad(f)(x), np.ones(3)))
result = [hessian(f)(x), hv(x), jacobian(residuals)(x), jacobian(grad(f))(x)]
""",
    "spectra and eigenvalues": """
rs = np.random.RandomState(7)
signal = rs.randn(16)
data = rs.randn(10, 3)
def band(x):
    return np.sum(np.abs(np.fft.fft(x)[2:6]) ** 2)
def explained(x):
    x = x - np.mean(x, axis=0)
    values, vectors = np.linalg.eigh(np.dot(x.T, x))
    return values[-1] / np.sum(values) + vectors[0, -1] ** 2
def smooth(x):
    spectrum = np.fft.fft(x) * np.exp(-0.1 * np.arange(16.0))
    return np.sum(np.real(np.fft.ifft(spectrum)) ** 3)
def complex_roots(x):
    z = x + 1j * np.sin(x)
    return np.real(np.sum(np.exp(z) * np.conj(z)))
result = [grad(f)(signal) for f in (band, smooth, complex_roots)] + [grad(explained)(data)]
""",
}
BEFORE = (
    "import autograd.numpy as np\n"
    "from autograd import elementwise_grad as egrad, grad, hessian, jacobian, value_and_grad\n"
)
AFTER = (
    "import numpy as np\n"
    "from minigrad import elementwise_grad as egrad, grad, hessian, jacobian, value_and_grad\n"
)


def result(imports, program):
    scope = {}
    exec(imports + program, scope)
    return scope["result"]


def summary(values):
    return [[float(numpy.sum(v)), float(numpy.sum(numpy.square(v)))] for v in values]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    if "scipy" in PROGRAMS[name]:
        pytest.importorskip("scipy")
    ours = result(AFTER, PROGRAMS[name])
    assert {type(value) for value in ours} <= {numpy.ndarray, numpy.float64}
    expected = json.loads(GOLDEN.read_text("utf-8"))[name]
    numpy.testing.assert_allclose(summary(ours), expected, rtol=1e-6, atol=1e-9)
    if importlib.util.find_spec("autograd"):
        for value, theirs in zip(ours, result(BEFORE, PROGRAMS[name]), strict=True):
            numpy.testing.assert_allclose(value, theirs, rtol=1e-8, atol=1e-10)


def test_there_are_twelve():
    assert len(PROGRAMS) == 12
