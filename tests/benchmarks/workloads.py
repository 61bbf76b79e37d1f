"""What is measured: the book's networks, chains of small operations, single convolutions.

Everything a peer needs to compute the same numbers is made here: layers, weights, batch. A peer is
a module that defines some of these functions; each returns `step()`, which does the work once:

- `network(layers, weights, rule, lr, images, labels)`: one training step (forward, backward,
  update, gradients cleared), returning the loss. `weights` has weight and bias of each layer that
  has them, in order; those of a linear layer are (in, out).
- `chain(body, x)`: `body` applied to the array x, an operator at a time, and the gradient of x.
- `convolution(x, weight, padding, g, input_gradient)`: forward, and for the upstream gradient g
  the gradient of the filters and, unless it is the first layer, of the input.

Those of programs.py likewise: `program` and `operation`. Optionally `use_threads(n)`, and
`peak_of_arrays(build)`: the most bytes that the arrays of a step take.
"""

from functools import partial

import numpy as np
import programs

BATCH = 100
CHAIN = 1000
# With a real learning rate a network memorises the one batch it sees: its gradients become
# denormal numbers, and the clock measures those.
LEARNING_RATE = 1e-8

MLP = [("linear", 784, 50), ("relu",), ("linear", 50, 10)]
MLP_BN = [("linear", 784, 100), ("batch_norm", 100), ("relu",)]
MLP_BN += 4 * [("linear", 100, 100), ("batch_norm", 100), ("relu",)] + [("linear", 100, 10)]
# conv: channels in, channels out, kernel size, padding
SIMPLE_CONV = [("conv", 1, 30, 5, 0), ("relu",), ("pool",), ("flatten",)]
SIMPLE_CONV += [("linear", 30 * 12 * 12, 100), ("relu",), ("linear", 100, 10)]
DEEP_CONV = [
    *[("conv", 1, 16, 3, 1), ("relu",), ("conv", 16, 16, 3, 1), ("relu",), ("pool",)],
    *[("conv", 16, 32, 3, 1), ("relu",), ("conv", 32, 32, 3, 2), ("relu",), ("pool",)],
    *[("conv", 32, 64, 3, 1), ("relu",), ("conv", 64, 64, 3, 1), ("relu",), ("pool",)],
    *[("flatten",), ("linear", 64 * 4 * 4, 50), ("relu",), ("dropout",)],
    *[("linear", 50, 10), ("dropout",)],
]
NETWORKS = {
    "mlp": (MLP, "SGD"),
    "mlp_bn": (MLP_BN, "Adam"),
    "simple_conv": (SIMPLE_CONV, "Adam"),
    "deep_conv": (DEEP_CONV, "Adam"),
}


def input_shape(layers):
    return (BATCH, 784) if layers[0][0] == "linear" else (BATCH, 1, 28, 28)


def initial_weights(layers, rng):
    """He's normal weights, and biases that are not zero, so that a wrong one shows."""
    weights = []
    for kind, *sizes in layers:
        if kind == "linear":
            weights += [rng.normal(0, (2 / sizes[0]) ** 0.5, sizes), rng.normal(0, 0.1, sizes[1])]
        elif kind == "conv":
            n_in, n_out, k, _ = sizes
            scale = (2 / (n_in * k * k)) ** 0.5
            weights += [rng.normal(0, scale, (n_out, n_in, k, k)), rng.normal(0, 0.1, n_out)]
        elif kind == "batch_norm":
            weights += [rng.normal(1, 0.1, sizes[0]), rng.normal(0, 0.1, sizes[0])]
    return [w.astype(np.float32) for w in weights]


def forward(layers, functions, weights, x):
    """Apply `functions[kind](x, *own weights, *sizes)` layer by layer."""
    weights = iter(weights)
    for kind, *sizes in layers:
        own = (next(weights), next(weights)) if kind in ("linear", "conv", "batch_norm") else ()
        x = functions[kind](x, *own, *sizes)
    return x


def layer_shapes(layers):
    """Each layer with the shape of its input."""
    shape = input_shape(layers)
    for layer in layers:
        yield layer, shape
        kind, *sizes = layer
        if kind == "conv":
            _, n_out, k, pad = sizes
            shape = (BATCH, n_out, *(n + 2 * pad - k + 1 for n in shape[2:]))
        elif kind == "pool":
            shape = (*shape[:2], shape[2] // 2, shape[3] // 2)
        elif kind == "flatten":
            shape = (BATCH, int(np.prod(shape[1:])))
        elif kind == "linear":
            shape = (BATCH, sizes[1])


def network(peer, name, rule=None, lr=LEARNING_RATE, dropout=True):
    layers, usual_rule = NETWORKS[name]
    if not dropout:
        layers = [layer for layer in layers if layer[0] != "dropout"]
    rng = np.random.default_rng(0)
    images = rng.normal(size=input_shape(layers)).astype(np.float32)
    labels = rng.integers(0, 10, BATCH)
    weights = initial_weights(layers, rng)
    return peer.network(layers, weights, rule or usual_rule, lr, images, labels)


def with_numbers(x):
    for _ in range(CHAIN // 2):
        x = x * 0.999 + 0.001
    return x


def with_tensors(x):
    y = x
    for _ in range(CHAIN // 2):
        y = y * x + x
    return y


def chain(peer, body, shape):
    return peer.chain(body, np.full(shape, 0.999, np.float32))


def convolution(peer, layer, shape):
    _, n_in, n_out, k, pad = layer
    rng = np.random.default_rng(0)
    height, width = (n + 2 * pad - k + 1 for n in shape[2:])
    shapes = shape, (n_out, n_in, k, k), (BATCH, n_out, height, width)
    x, weight, g = (rng.normal(size=s).astype(np.float32) for s in shapes)
    return peer.convolution(x, weight, pad, g, input_gradient=n_in > 1)


# name -> (the peer's function that it needs, how to build it for a peer, steps in a unit, unit)
WORKLOADS = {name: ("network", partial(network, name=name), 1e3, "ms") for name in NETWORKS}
for _title, _body, _shape in (
    ("scalar_op", with_numbers, ()),
    ("10x10_op", with_numbers, (10, 10)),
    ("scalar_op_pair", with_tensors, ()),
    ("10x10_op_pair", with_tensors, (10, 10)),
):
    _build = partial(chain, body=_body, shape=_shape)
    WORKLOADS[_title] = ("chain", _build, 1e6 / CHAIN, "µs")
for _name in "simple_conv", "deep_conv":
    _convs = [pair for pair in layer_shapes(NETWORKS[_name][0]) if pair[0][0] == "conv"]
    for _i, (_layer, _shape) in enumerate(_convs, 1):
        _build = partial(convolution, layer=_layer, shape=_shape)
        WORKLOADS[f"{_name}/{_i}"] = ("convolution", _build, 1e3, "ms")
for _name in programs.PROGRAMS:
    WORKLOADS[_name] = ("program", partial(programs.program, name=_name), 1e3, "ms")
for _name in programs.OPERATIONS:
    for _size in programs.SIZES:
        _build = partial(programs.operation, name=_name, size=_size)
        WORKLOADS[f"op/{_name}/{_size}"] = ("operation", _build, 1e3, "ms")
