"""NumPy by hand: the networks without convolution, each gradient written out.

This is what a step costs without a framework: no graph, everything into buffers made beforehand,
and the update over all parameters at once, in blocks that stay in the cache.
"""

import numpy as np
from workloads import BATCH

BLOCK = 8192  # numbers that Adam updates at a time
ONES, MEAN = np.ones(BATCH, np.float32), np.float32(1 / BATCH)


def linear(x, w, b, dw, db, first):
    """Return the outputs, what fills them, and what turns their gradient into that of x."""
    y, dx = np.empty((BATCH, w.shape[1]), np.float32), np.empty_like(x)

    def forward():
        np.matmul(x, w, out=y)
        np.add(y, b, out=y)

    def backward(g):
        np.matmul(x.T, g, out=dw)
        np.matmul(ONES, g, out=db)
        return None if first else np.matmul(g, w.T, out=dx)

    return y, forward, backward


def batch_norm(x, gamma, beta, dgamma, dbeta):
    """Overwrites x by its normalised values; keeps running ones, as a layer does."""
    y, scratch = np.empty_like(x), np.empty_like(x)
    mean, var, std = (np.empty(x.shape[1], np.float32) for _ in range(3))
    running = [np.zeros_like(mean), np.ones_like(var)]

    def forward():
        np.matmul(ONES, x, out=mean)
        np.multiply(mean, MEAN, out=mean)
        np.subtract(x, mean, out=x)
        np.multiply(x, x, out=scratch)
        np.matmul(ONES, scratch, out=var)
        np.multiply(var, MEAN, out=var)
        np.add(var, np.float32(1e-6), out=std)
        np.sqrt(std, out=std)
        np.divide(x, std, out=x)
        np.multiply(x, gamma, out=y)
        np.add(y, beta, out=y)
        for kept, new in zip(running, (mean, var), strict=True):
            np.multiply(kept, np.float32(0.9), out=kept)
            np.add(kept, np.float32(0.1) * new, out=kept)

    def backward(g):
        np.multiply(g, x, out=scratch)
        np.matmul(ONES, scratch, out=dgamma)
        np.matmul(ONES, g, out=dbeta)
        np.multiply(x, dgamma * MEAN, out=scratch)
        np.subtract(g, scratch, out=g)
        np.subtract(g, dbeta * MEAN, out=g)
        return np.multiply(g, gamma / std, out=g)

    return y, forward, backward


def relu(x):
    """Overwrites x by its positive part."""
    positive = np.empty(x.shape, bool)

    def forward():
        np.maximum(x, 0, out=x)

    def backward(g):
        np.greater(x, 0, out=positive)
        return np.multiply(g, positive, out=g)

    return x, forward, backward


def cross_entropy(z, labels):
    """Overwrites the logits z by their gradient, and returns the loss."""
    rows, most, total = np.arange(BATCH), *np.empty((2, BATCH, 1), np.float32)

    def loss():
        np.max(z, axis=1, keepdims=True, out=most)
        np.subtract(z, most, out=z)
        right = z[rows, labels]
        np.exp(z, out=z)
        np.sum(z, axis=1, keepdims=True, out=total)
        np.divide(z, total, out=z)
        z[rows, labels] -= 1
        np.multiply(z, MEAN, out=z)
        return float((np.log(total[:, 0]) - right).mean())

    return loss


def sgd(p, g, lr):
    def update():
        np.multiply(g, np.float32(lr), out=g)
        np.subtract(p, g, out=p)

    return update


def adam(p, g, lr):
    m, v = np.zeros((2, p.size), np.float32)
    a, b = np.empty((2, BLOCK), np.float32)
    places = [slice(start, start + BLOCK) for start in range(0, p.size, BLOCK)]
    blocks = [(p[i], g[i], m[i], v[i], a[: p[i].size], b[: p[i].size]) for i in places]
    decay_m, decay_v, eps = np.float32([0.1, 0.001, 1e-7])
    t = 0

    def update():
        nonlocal t
        t += 1
        rate = np.float32(lr * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t))
        for p, g, m, v, a, b in blocks:
            np.subtract(g, m, out=a)
            np.multiply(a, decay_m, out=a)
            np.add(m, a, out=m)
            np.multiply(g, g, out=a)
            np.subtract(a, v, out=a)
            np.multiply(a, decay_v, out=a)
            np.add(v, a, out=v)
            np.sqrt(v, out=a)
            np.add(a, eps, out=a)
            np.multiply(m, rate, out=b)
            np.divide(b, a, out=b)
            np.subtract(p, b, out=p)

    return update


def views(weights):
    """One vector, and the parts of it that have the shapes of the weights."""
    flat = np.concatenate([w.ravel() for w in weights])
    ends = np.cumsum([w.size for w in weights])
    parts = np.split(flat, ends[:-1])
    return flat, [part.reshape(w.shape) for part, w in zip(parts, weights, strict=True)]


def network(layers, weights, rule, lr, images, labels):
    flat, weights = views(weights)
    slopes, gradients = views([np.zeros_like(w) for w in weights])
    makers = {"linear": linear, "batch_norm": batch_norm, "relu": relu}
    own, x, forwards, backwards = zip(weights, gradients, strict=True), images, [], []
    for kind, *_ in layers:
        if kind not in makers:
            raise NotImplementedError(f"no {kind} by hand")
        (w, dw), (b, db) = ((None, None),) * 2 if kind == "relu" else (next(own), next(own))
        given = () if kind == "relu" else (w, b, dw, db)
        x, forward, backward = makers[kind](x, *given, *[x is images] * (kind == "linear"))
        forwards.append(forward)
        backwards.insert(0, backward)
    loss, update = cross_entropy(x, labels), {"SGD": sgd, "Adam": adam}[rule](flat, slopes, lr)

    def step():
        for forward in forwards:
            forward()
        g, found = x, loss()
        for backward in backwards:
            g = backward(g)
        update()
        return found

    step.weights = weights
    return step
