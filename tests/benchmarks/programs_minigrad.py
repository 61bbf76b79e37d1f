"""The programs and operations in minigrad."""

import numpy as np
from programs import BLOCKS, HEADS, LETTERS, STEPS, WIDTH, gates, gru_by_hand, upstream

import minigrad.functional as F
from minigrad import Tensor, nn, optim


def written_norm(x, layer):
    """Layer normalisation in NumPy's functions."""
    centred = x - np.mean(x, axis=-1, keepdims=True)
    var = np.mean(centred * centred, axis=-1, keepdims=True)
    return centred / np.sqrt(var + layer.eps) * layer.weight + layer.bias


HIDDEN = np.where(np.tri(STEPS, dtype=bool), np.float32(0), np.float32(-np.inf))


def written_attention(q, k, v):
    scores = q @ np.swapaxes(k, -1, -2) * WIDTH**-0.5 * HEADS**0.5 + HIDDEN
    p = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return p / np.sum(p, axis=-1, keepdims=True) @ v


def attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


class Block(nn.Module):
    def __init__(self, written):
        self.norm1, self.qkv = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 3 * WIDTH)
        self.out, self.norm2 = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.written = written

    def norm(self, x, layer):
        return written_norm(x, layer) if self.written else layer(x)

    def forward(self, x):
        n = x.shape[0]
        mixed = self.qkv(self.norm(x, self.norm1)).reshape(n, STEPS, 3, HEADS, -1)
        q, k, v = np.transpose(mixed, (2, 0, 3, 1, 4))
        y = (written_attention if self.written else attention)(q, k, v)
        x = x + self.out(np.swapaxes(y, 1, 2).reshape(n, STEPS, WIDTH))
        return x + self.narrow(F.gelu(self.wide(self.norm(x, self.norm2)), "tanh"))


class GPT(nn.Module):
    def __init__(self, written=False):
        self.letters, self.places = nn.Embedding(LETTERS, WIDTH), nn.Embedding(STEPS, WIDTH)
        self.blocks = [Block(written) for _ in range(BLOCKS)]
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, LETTERS)

    def forward(self, codes):
        x = self.letters(codes) + self.places.weight
        for block in self.blocks:
            x = block(x)
        return self.head(block.norm(x, self.norm))


class Recurrent(nn.Module):
    def __init__(self, kind):
        self.layer, self.head = kind(128, 128), nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.layer(x)[0])


class ByHand(nn.Module):
    def __init__(self):
        self.weights = [nn.Parameter(np.zeros(shape, np.float32)) for shape in gates()[0]]

    def forward(self, x):
        states = gru_by_hand(x, self.weights, F.sigmoid, np.tanh)
        return np.stack(states) @ self.weights[-2] + self.weights[-1]


def conv(n_in, n_out, kernel=3, stride=1):
    return nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False)


def residual(n_in, n_out):
    body = [conv(n_in, n_out, 3, 1 + (n_in < n_out)), nn.BatchNorm2d(n_out), nn.ReLU()]
    body += [conv(n_out, n_out), nn.BatchNorm2d(n_out)]
    short = None if n_in == n_out else conv(n_in, n_out, 1, 2)
    return nn.Sequential(nn.Residual(*body, shortcut=short), nn.ReLU())


def resnet8():
    blocks = [residual(n, m) for n, m in ((16, 16), (16, 32), (32, 64))]
    return nn.Sequential(
        conv(1, 16), nn.BatchNorm2d(16), nn.ReLU(), *blocks, nn.GlobalAvgPool2d(),
        nn.Linear(64, 10),
    )  # fmt: skip


MODELS = {
    "gpt": GPT,
    "gpt_written": lambda: GPT(written=True),
    "gru": lambda: Recurrent(nn.GRU),
    "gru_by_hand": ByHand,
    "lstm": lambda: Recurrent(nn.LSTM),
    "resnet8": resnet8,
}


def program(name, weights, batch, lr):
    model, (x, t) = MODELS[name](), batch
    parameters = list(model.parameters())
    for parameter, weight in zip(parameters, weights, strict=True):
        assert parameter.shape == weight.shape
        parameter.data = weight
    decayed = name.startswith("gpt")
    optimizer = (optim.AdamW if decayed else optim.SGD)(parameters, lr=lr)
    given = x if x.dtype.kind == "i" else Tensor(x)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(given), t)
        loss.backward()
        if decayed:
            optim.clip_grad_norm(parameters, 1.0)
        optimizer.step()
        return loss.item()

    return step


OPERATIONS = {
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, "tanh"),
    "cube": lambda x: x**3,
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "logsumexp": lambda x: F.logsumexp(x, axis=-1),
    "layer_norm": lambda x, w, b: F.layer_norm(x, w.shape[0], w, b),
    "embedding": lambda w, codes: w[codes],
    "einsum": lambda q, k: np.einsum("bhqd,bhkd->bhqk", q, k),
    "attention": F.scaled_dot_product_attention,
    "depthwise": lambda x, w: F.conv2d(x, w, padding=1, groups=32),
}


def operation(name, inputs):
    run = OPERATIONS.get(name) or getattr(F, name)
    arrays = [Tensor(x, requires_grad=True) if x.dtype.kind == "f" else x for x in inputs]
    given = [x for x in arrays if isinstance(x, Tensor)]
    g = upstream(run(*arrays).shape)

    def step():
        for x in given:
            x.grad = None
        run(*arrays).backward(g)
        return [x.grad for x in given]

    return step
