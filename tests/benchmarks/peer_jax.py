"""JAX: the whole training step under one `jit`, in the memory of the old state (donated)."""

import jax
import jax.numpy as jnp
from jax import lax, nn
from programs_jax import operation as operation
from programs_jax import program as program
from workloads import forward


def batch_norm(x, gamma, beta, _n):
    mean, var = x.mean(0), x.var(0)
    return gamma * (x - mean) / jnp.sqrt(var + 1e-6) + beta


def conv(x, w, b, _n_in, _n_out, _k, pad):
    return lax.conv_general_dilated(x, w, (1, 1), [(pad, pad)] * 2) + b[:, None, None]


def pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def sgd(p, g, m, v, _t, lr):
    return p - lr * g, m, v


def adam(p, g, m, v, t, lr):
    lr *= jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    m, v = m + 0.1 * (g - m), v + 0.001 * (g * g - v)
    return p - lr * m / (jnp.sqrt(v) + 1e-7), m, v


def network(layers, weights, rule, lr, images, labels):
    update = {"SGD": sgd, "Adam": adam}[rule]

    def loss_of(weights, key, images, labels):
        keys = iter(jax.random.split(key, 2))
        functions = {
            "linear": lambda x, w, b, *_sizes: x @ w + b,
            "relu": nn.relu,
            "batch_norm": batch_norm,
            "conv": conv,
            "pool": pool,
            "flatten": lambda x: x.reshape(len(x), -1),
            "dropout": lambda x: 2 * x * jax.random.bernoulli(next(keys), 0.5, x.shape),
        }
        logits = forward(layers, functions, weights, images)
        return -nn.log_softmax(logits)[jnp.arange(len(labels)), labels].mean()

    def train(state, images, labels):
        weights, ms, vs, t, key = state
        key, now = jax.random.split(key)
        loss, grads = jax.value_and_grad(loss_of)(weights, now, images, labels)
        new = [update(*each, t, lr) for each in zip(weights, grads, ms, vs, strict=True)]
        return loss, (*map(list, zip(*new, strict=True)), t + 1, key)

    train = jax.jit(train, donate_argnums=0)
    weights, images, labels = [jnp.array(w) for w in weights], jnp.array(images), jnp.array(labels)
    zeros = [[jnp.zeros_like(w) for w in weights] for _ in "mv"]
    state = (weights, *zeros, jnp.array(1.0), jax.random.key(0))

    def step():
        nonlocal state
        loss, state = jax.block_until_ready(train(state, images, labels))
        return float(loss)

    return step
