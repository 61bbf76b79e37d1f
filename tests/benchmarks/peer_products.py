"""The bare matrix products that the work needs, in NumPy's BLAS, on matrices made beforehand."""

import numpy as np
from programs import BATCH, BLOCKS, HEADS, STEPS, WIDTH
from workloads import layer_shapes


def products(shapes):
    """A function that multiplies (m, k) by (k, n) for each (m, k, n)."""
    rng = np.random.default_rng(0)
    operands = []
    for m, k, n in shapes:
        a, b = (rng.standard_normal(s, np.float32) for s in ((m, k), (k, n)))
        operands.append((a, b, np.empty((m, n), np.float32)))

    def run():
        for a, b, out in operands:
            np.matmul(a, b, out=out)

    return run


def convolution_products(x_shape, weight_shape, pad, input_gradient=True):
    """Filters by columns; outputs' gradients by columns; filters by outputs' gradients."""
    images, _, height, width = x_shape
    n_out, k = weight_shape[0], int(np.prod(weight_shape[1:]))
    n = images * (height + 2 * pad - weight_shape[2] + 1) * (width + 2 * pad - weight_shape[3] + 1)
    return products([(n_out, k, n), (n_out, n, k)] + [(k, n_out, n)] * input_gradient)


def network(layers, _weights, _rule, _lr, _images, _labels):
    runs, first = [], layers[0]
    for layer, shape in layer_shapes(layers):
        kind, *sizes = layer
        if kind == "linear":
            batch, (n_in, n_out) = shape[0], sizes
            shapes = [(batch, n_in, n_out), (n_in, batch, n_out), (batch, n_out, n_in)]
            runs.append(products(shapes[:2] if layer is first else shapes))
        elif kind == "conv":
            n_in, n_out, k, pad = sizes
            weight_shape = (n_out, n_in, k, k)
            runs.append(convolution_products(shape, weight_shape, pad, layer is not first))

    def step():
        for run in runs:
            run()

    return step


def convolution(x, weight, padding, _g, input_gradient):
    return convolution_products(x.shape, weight.shape, padding, input_gradient)


def linear_products(rows, n_in, n_out, input_gradient=True):
    """Outputs, weights' gradient, inputs' gradient."""
    return [(rows, n_in, n_out), (n_in, rows, n_out), (rows, n_out, n_in)][: 2 + input_gradient]


def gpt():
    rows, head = BATCH * STEPS, WIDTH // HEADS
    # of each head: scores and what they weigh, and two gradients of each
    attention = BATCH * HEADS * [*3 * [(STEPS, head, STEPS)], *3 * [(STEPS, STEPS, head)]]
    sizes = (WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, 4 * WIDTH), (4 * WIDTH, WIDTH)
    block = attention + [shape for size in sizes for shape in linear_products(rows, *size)]
    return BLOCKS * block + linear_products(rows, WIDTH, WIDTH)


def recurrent(gates):
    """The state's weights: a product for each step, forward and back; their gradient at once."""
    steps, batch, wide = 64, 32, gates * 128
    state = [(batch, 128, wide), (batch, wide, 128)]
    ends = linear_products(steps * batch, 128, wide, False), linear_products(steps * batch, 128, 10)
    return [*ends[0], *steps * state, (128, steps * batch, wide), *ends[1]]


def resnet8():
    """Each convolution of 3 by 3 and 1 by 1, by its columns, forward and back."""
    runs = [convolution_products((50, 1, 28, 28), (16, 1, 3, 3), 1, False)]
    for n_in, n_out, size in ((16, 16, 28), (16, 32, 14), (32, 64, 7)):
        x, y = (50, n_in, size, size), (50, n_out, size, size)  # a stride halves what is read
        shapes = [(x, (n_out, n_in, 3, 3), 1), (y, (n_out, n_out, 3, 3), 1)]
        shapes += [] if n_in == n_out else [(x, (n_out, n_in, 1, 1), 0)]
        runs += [convolution_products(*shape) for shape in shapes]
    return lambda: [run() for run in runs]


def program(name, _weights, _batch, _lr):
    if name == "resnet8":
        return resnet8()
    gates = {"gru": 3, "gru_by_hand": 3, "lstm": 4}
    return products(recurrent(gates[name]) if name in gates else gpt())
