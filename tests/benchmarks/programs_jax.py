"""The programs and operations in JAX, each step under one `jit`."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax, nn
from programs import BLOCKS, HEADS, STEPS, WIDTH, upstream


def layer_norm(x, w, b):
    return (x - x.mean(-1, keepdims=True)) * lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * w + b


def batch_norm(x, w, b, axes, eps):
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
    return (x - mean) * lax.rsqrt(var + eps) * w.reshape(shape) + b.reshape(shape)


def attention(q, k, v, is_causal=False):
    """Softmax of the scores, of (batch, heads, steps, width): the whole of them at once."""
    scores = q @ jnp.swapaxes(k, -1, -2) * q.shape[-1] ** -0.5
    if is_causal:
        scores = jnp.where(jnp.tri(q.shape[-2], dtype=bool), scores, -jnp.inf)
    return nn.softmax(scores) @ v


def conv(x, w, stride=1, groups=1):
    pad = [(w.shape[-1] // 2,) * 2] * 2
    return lax.conv_general_dilated(x, w, (stride,) * 2, pad, feature_group_count=groups)


def picked(scores, t):
    chosen = jnp.take_along_axis(nn.log_softmax(scores), t[..., None], -1)
    return -chosen.mean()


def gpt(weights, codes):
    take = partial(next, iter(weights))
    x = take()[codes] + take()
    for _ in range(BLOCKS):
        mixed = layer_norm(x, take(), take()) @ take() + take()
        q, k, v = mixed.reshape(-1, STEPS, 3, HEADS, WIDTH // HEADS).transpose(2, 0, 3, 1, 4)
        y = attention(q, k, v, is_causal=True).swapaxes(1, 2).reshape(x.shape)
        x = x + y @ take() + take()
        wide = layer_norm(x, take(), take()) @ take() + take()
        x = x + nn.gelu(wide) @ take() + take()
    return layer_norm(x, take(), take()) @ take() + take()


def scanned(cell, weights, x, states):
    w, u, b, c, *head = weights
    _, hs = lax.scan(lambda state, x_w: cell(state, x_w, u, c), states, x @ w + b)
    return hs @ head[0] + head[1]


def gru_cell(h, x_w, u, c):
    (r, z, n), (h_r, h_z, h_n) = (jnp.split(gates, 3, -1) for gates in (x_w, h @ u + c))
    z = nn.sigmoid(z + h_z)
    n = jnp.tanh(n + nn.sigmoid(r + h_r) * h_n)
    h = n + z * (h - n)
    return h, h


def lstm_cell(state, x_w, u, c):
    h, cell = state
    i, f, g, o = jnp.split(x_w + h @ u + c, 4, -1)
    cell = nn.sigmoid(f) * cell + nn.sigmoid(i) * jnp.tanh(g)
    h = nn.sigmoid(o) * jnp.tanh(cell)
    return (h, cell), h


def gru(weights, x):
    return scanned(gru_cell, weights, x, jnp.zeros_like(x[0]))


def gru_by_hand(weights, x):
    gates = [jnp.concatenate(weights[i:12:4], -1) for i in range(4)]
    return gru([*gates, *weights[12:]], x)


def lstm(weights, x):
    return scanned(lstm_cell, weights, x, (jnp.zeros_like(x[0]),) * 2)


def resnet8(weights, x):
    take = partial(next, iter(weights))

    def normal(x):
        return batch_norm(x, take(), take(), (0, 2, 3), 1e-6)

    x = nn.relu(normal(conv(x, take())))
    for stride in 1, 2, 2:
        body = nn.relu(normal(conv(x, take(), stride)))
        body = normal(conv(body, take()))
        x = nn.relu(body + (x if stride == 1 else conv(x, take(), stride)))
    return x.mean((2, 3)) @ take() + take()


MODELS = {"gpt": gpt, "gru": gru, "gru_by_hand": gru_by_hand, "lstm": lstm, "resnet8": resnet8}


def adamw(p, g, m, v, t, lr):
    m, v = m + 0.1 * (g - m), v + 0.001 * (g * g - v)
    rate = lr * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return p * (1 - lr * 0.01) - rate * m / (jnp.sqrt(v) + 1e-7), m, v


def program(name, weights, batch, lr):
    model = MODELS[name]

    def train(state, x, t):
        weights, ms, vs, count = state
        loss, grads = jax.value_and_grad(lambda weights: picked(model(weights, x), t))(weights)
        if name != "gpt":
            return loss, ([p - lr * g for p, g in zip(weights, grads, strict=True)], ms, vs, count)
        norm = jnp.sqrt(sum((g * g).sum() for g in grads))
        grads = [g * jnp.minimum(1, 1 / norm) for g in grads]
        each = zip(weights, grads, ms, vs, strict=True)
        new = zip(*(adamw(*one, count, lr) for one in each), strict=True)
        return loss, (*map(list, new), count + 1)

    train = jax.jit(train, donate_argnums=0)
    x, t = map(jnp.array, batch)
    weights = [jnp.array(w) for w in weights]
    moments = [[jnp.zeros_like(w) for w in weights] if name == "gpt" else [] for _ in "mv"]
    state = (weights, *moments, jnp.array(1.0))

    def step():
        nonlocal state
        loss, state = jax.block_until_ready(train(state, x, t))
        return float(loss)

    return step


OPERATIONS = {
    "gelu": partial(nn.gelu, approximate=False),
    "gelu_tanh": nn.gelu,
    "cube": lambda x: x**3,
    "clip": lambda x: jnp.clip(x, -0.5, 0.5),
    "logsumexp": partial(nn.logsumexp, axis=-1),
    "layer_norm": layer_norm,
    "batch_norm": lambda x, w, b: batch_norm(x, w, b, (0,), 1e-6),
    "embedding": lambda w, codes: w[codes],
    "einsum": lambda q, k: jnp.einsum("bhqd,bhkd->bhqk", q, k),
    "attention": attention,
    "depthwise": lambda x, w: conv(x, w, groups=32),
    "cross_entropy": picked,
}


def operation(name, inputs):
    run = OPERATIONS.get(name) or getattr(nn, name)
    arrays = [jnp.array(x) for x in inputs]
    given = [x for x in arrays if x.dtype.kind == "f"]
    rest = arrays[len(given) :]

    @jax.jit
    def both(given, g):
        y, pull = jax.vjp(lambda *given: run(*given, *rest), *given)
        return y, pull(g)

    g = jnp.array(upstream(run(*arrays).shape))
    return lambda: jax.block_until_ready(both(given, g))[1]
