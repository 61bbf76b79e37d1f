"""The programs and operations in PyTorch, in its fastest eager spelling."""

from functools import partial

import torch
import torch.nn.functional as F
from programs import BLOCKS, HEADS, LETTERS, STEPS, WIDTH, gates, gru_by_hand, upstream
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.qkv = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 3 * WIDTH)
        self.out, self.norm2 = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        n = x.shape[0]
        mixed = self.qkv(self.norm1(x)).view(n, STEPS, 3, HEADS, -1)
        q, k, v = mixed.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(n, STEPS, WIDTH))
        return x + self.narrow(F.gelu(self.wide(self.norm2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.letters, self.places = nn.Embedding(LETTERS, WIDTH), nn.Embedding(STEPS, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, LETTERS)

    def forward(self, codes):
        x = self.letters(codes) + self.places.weight
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layer, self.head = kind(128, 128), nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.layer(x)[0])


class ByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.ParameterList(torch.empty(shape) for shape in gates()[0])

    def forward(self, x):
        states = gru_by_hand(x, list(self.weights), torch.sigmoid, torch.tanh)
        return torch.stack(states) @ self.weights[-2] + self.weights[-1]


def conv(n_in, n_out, kernel=3, stride=1):
    return nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False)


def norm(n):
    return nn.BatchNorm2d(n, eps=1e-6)


class Residual(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        step = 1 + (n_in < n_out)
        self.body = nn.Sequential(
            conv(n_in, n_out, 3, step), norm(n_out), nn.ReLU(), conv(n_out, n_out), norm(n_out)
        )
        self.short = nn.Identity() if n_in == n_out else conv(n_in, n_out, 1, 2)

    def forward(self, x):
        return torch.relu(self.short(x) + self.body(x))


def resnet8():
    blocks = [Residual(n, m) for n, m in ((16, 16), (16, 32), (32, 64))]
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(conv(1, 16), norm(16), nn.ReLU(), *blocks, *pool, nn.Linear(64, 10))


MODELS = {
    "gpt": GPT,
    "gpt_written": GPT,
    "gru": lambda: Recurrent(nn.GRU),
    "gru_by_hand": ByHand,
    "lstm": lambda: Recurrent(nn.LSTM),
    "resnet8": resnet8,
}


def program(name, weights, batch, lr):
    model, (x, t) = MODELS[name](), map(torch.from_numpy, batch)
    layers = nn.Linear, nn.RNNBase
    turned = {id(p) for m in model.modules() if isinstance(m, layers) for p in m.parameters()}
    with torch.no_grad():
        for parameter, weight in zip(model.parameters(), weights, strict=True):
            parameter.copy_(torch.from_numpy(weight.T if id(parameter) in turned else weight))
    decayed = name.startswith("gpt")
    rule = partial(torch.optim.AdamW, eps=1e-7) if decayed else torch.optim.SGD
    optimizer = rule(model.parameters(), lr=lr, fused=True)
    t = t.reshape(-1)

    def step():
        optimizer.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), t)
        loss.backward()
        if decayed:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


OPERATIONS = {
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "sigmoid": torch.sigmoid,
    "cube": lambda x: x**3,
    "clip": lambda x: torch.clamp(x, -0.5, 0.5),
    "softmax": lambda x: F.softmax(x, -1),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "layer_norm": lambda x, w, b: F.layer_norm(x, w.shape, w, b),
    "batch_norm": lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True, eps=1e-6),
    "embedding": lambda w, codes: F.embedding(codes, w),
    "einsum": lambda q, k: torch.einsum("bhqd,bhkd->bhqk", q, k),
    "attention": F.scaled_dot_product_attention,
    "depthwise": lambda x, w: F.conv2d(x, w, padding=1, groups=32),
}


def operation(name, inputs):
    run = OPERATIONS.get(name) or getattr(F, name)
    arrays = [torch.from_numpy(x) for x in inputs]
    given = [x.requires_grad_() for x in arrays if x.is_floating_point()]
    g = torch.from_numpy(upstream(run(*arrays).shape))

    def step():
        for x in given:
            x.grad = None
        run(*arrays).backward(g)
        return [x.grad for x in given]

    return step
