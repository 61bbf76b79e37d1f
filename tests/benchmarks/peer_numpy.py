"""The bare matrix products that the work needs, in NumPy's BLAS, on matrices made beforehand."""

import numpy as np
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
