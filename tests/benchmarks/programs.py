"""Programs beyond the book's networks, and single operations at three sizes.

A program is a list of parameters, in the order in which every peer defines them, and a batch. A
peer's `program(name, weights, batch, lr)` returns `step()`: one training step, returning the loss.
Its `operation(name, inputs)` returns `step()`: forward, and the gradients of the inputs for the
gradient `upstream(shape)` of the result, which it returns.
"""

import numpy as np

# ------------------------------------------------------------------------------------- programs
LETTERS, WIDTH, HEADS, STEPS, BATCH, BLOCKS = 64, 64, 4, 64, 16, 2


def dense(n_in, n_out):
    return [(n_in, n_out), (n_out,)]


def gpt():
    """Two blocks of width 64 with 4 heads, on 16 x 64 characters: AdamW and clipping."""
    norm, block = [(WIDTH,)] * 2, []
    block += norm + dense(WIDTH, 3 * WIDTH) + dense(WIDTH, WIDTH)
    block += norm + dense(WIDTH, 4 * WIDTH) + dense(4 * WIDTH, WIDTH)
    shapes = [(LETTERS, WIDTH), (STEPS, WIDTH), *BLOCKS * block, *norm, *dense(WIDTH, LETTERS)]
    codes = np.random.default_rng(1).integers(0, LETTERS, (BATCH, STEPS + 1))
    return shapes, (codes[:, :-1], codes[:, 1:])


def recurrent(gates):
    """A layer of width 128 over 32 sequences of 64 steps, and a linear one: SGD."""
    shapes = [(128, gates * 128)] * 2 + [(gates * 128,)] * 2 + dense(128, 10)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(64, 32, 128)).astype(np.float32)
    return shapes, (x, rng.integers(0, 10, (64, 32)))


def gates():
    """The same GRU by hand: for each gate a matrix of the inputs, one of the state, two vectors."""
    shapes = 3 * [(128, 128), (128, 128), (128,), (128,)] + dense(128, 10)
    return shapes, recurrent(3)[1]


def gru_by_hand(x, weights, sigmoid, tanh):
    """The state of each step, from matmul, sigmoid and tanh."""
    reset, update, new = weights[:4], weights[4:8], weights[8:12]
    h, states = x[0] * 0, []
    for t in range(len(x)):
        r, z = (sigmoid(x[t] @ w + b + h @ u + c) for w, u, b, c in (reset, update))
        w, u, b, c = new
        n = tanh(x[t] @ w + b + r * (h @ u + c))
        h = n + z * (h - n)
        states.append(h)
    return states


def resnet8():
    """Three residual blocks of 16, 32 and 64 channels on 50 images of 28 x 28: SGD."""
    shapes, norm = [(16, 1, 3, 3), (16,), (16,)], lambda n: [(n,), (n,)]
    for n_in, n_out in ((16, 16), (16, 32), (32, 64)):
        shapes += [(n_out, n_in, 3, 3), *norm(n_out), (n_out, n_out, 3, 3), *norm(n_out)]
        shapes += [] if n_in == n_out else [(n_out, n_in, 1, 1)]
    rng = np.random.default_rng(1)
    images = rng.normal(size=(50, 1, 28, 28)).astype(np.float32)
    return shapes + dense(64, 10), (images, rng.integers(0, 10, 50))


PROGRAMS = {
    "gpt": gpt,
    "gpt_written": gpt,  # LayerNorm and attention written out in NumPy's functions
    "gru": lambda: recurrent(3),
    "gru_by_hand": gates,
    "lstm": lambda: recurrent(4),
    "resnet8": resnet8,
}


def weights_of(shapes):
    """Draw weights; a vector that stands first of two is a scale, near 1."""
    rng, weights, after_vector = np.random.default_rng(0), [], False
    for i, shape in enumerate(shapes):
        pair = len(shape) == 1 and not after_vector and shapes[i + 1 : i + 2] == [shape]
        size = (np.prod(shape[1:]) if len(shape) == 4 else shape[0]) ** -0.5
        w = rng.normal(1, 0.1, shape) if pair else rng.normal(0, 0.1, shape)
        weights.append((w if len(shape) == 1 else w * 10 * size).astype(np.float32))
        after_vector = pair
    return weights


def program(peer, name, lr=1e-8):
    shapes, batch = PROGRAMS[name]()
    return peer.program(name, weights_of(shapes), batch, lr)


# ------------------------------------------------------------------------------------ operations
SIZES = {"4k": 1 << 12, "262k": 1 << 18, "4M": 1 << 22}
ROW = 64


def values(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def upstream(shape):
    return np.asarray(np.random.default_rng(9).standard_normal(shape, np.float32))


def rows(n):
    return [values(n // ROW, ROW)]


def scaled_rows(n):
    return [*rows(n), values(ROW) + 1, values(ROW)]


def picked(n):
    return [values(1000, ROW), np.random.default_rng(0).integers(0, 1000, n // ROW)]


def heads(n):
    """Matrices of 64 x 16, and as many more."""
    return [values(4, n // 4096, 64, 16) for _ in range(2)]


def images(n):
    return [values(max(1, n // (32 * 14 * 14)), 32, 14, 14), values(32, 1, 3, 3)]


# name -> the inputs for a number of values
OPERATIONS = dict.fromkeys(
    ["gelu", "gelu_tanh", "sigmoid", "softplus", "silu", "leaky_relu", "elu", "cube", "clip",
     "softmax", "log_softmax", "logsumexp"], rows,
) | {
    "layer_norm": scaled_rows, "batch_norm": scaled_rows, "embedding": picked, "einsum": heads,
    "attention": lambda n: [values(4, n // 4096, 64, 16) for _ in range(3)], "depthwise": images,
    "cross_entropy": lambda n: [*rows(n), np.arange(n // ROW) % ROW],
}  # fmt: skip


def operation(peer, name, size):
    inputs = OPERATIONS[name](SIZES[size])
    return peer.operation(name, inputs)
