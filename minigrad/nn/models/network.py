"""What the networks share: the loss, the book's names of parameters, sizes, options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minigrad import functional as F
from minigrad.autograd import Tensor, bare, no_grad
from minigrad.nn.activations import ReLU, Sigmoid, Tanh
from minigrad.nn.containers import Sequential
from minigrad.nn.convolution import Conv2d
from minigrad.nn.init import Init
from minigrad.nn.layers import BatchNorm, Linear
from minigrad.nn.loading import Skipped
from minigrad.nn.module import Module
from minigrad.random import Rng, keep

KINDS = "conv", "norm", "pool"  # what layers are called by whose class has a longer name
ACTIVATIONS: dict[str, type[Module]] = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}


class Network(Sequential):
    """Layers in a row, with the book's loss and the book's names of the parameters.

    Parameters
    ----------
    *layers : Module
        Each is called by its kind and number: `conv1`, `relu1`, `conv2`, `flatten`, `linear1`.
    **named : Module
        Layers with names of their own, after the others.

    Examples
    --------
    >>> from minigrad.nn import Linear
    >>> network = Network(Linear(4, 8), ReLU(), Linear(8, 2))
    >>> [name for name, _ in network.named_parameters()]
    ['linear1.weight', 'linear1.bias', 'linear2.weight', 'linear2.bias']
    """

    weight_decay = 0.0

    def __init__(self, *layers: Module, **named: Module):
        numbered, count = dict[str, Module](), Counter[str]()
        for layer in layers:
            name = type(layer).__name__.lower()
            kind = next((kind for kind in KINDS if kind in name), name)
            count[kind] += 1
            numbered[kind if kind == "flatten" else f"{kind}{count[kind]}"] = layer
        super().__init__(**numbered, **named)

    def loss(self, x: ArrayLike, t: ArrayLike) -> Tensor:
        """Return the mean cross entropy plus 0.5 * weight_decay * sum(w**2) over all weights.

        An optimizer's own `weight_decay` gives the same gradients: use one of the two.

        Parameters
        ----------
        x : array_like
            Shape (N, ...).
        t : array_like
            Labels, shape (N,), or one-hot rows, shape (N, classes).
        """
        loss: Tensor = F.cross_entropy(self(x), t)
        if self.weight_decay:
            loss = loss + F.l2_penalty(self.parameters(), self.weight_decay)
        return loss

    def book_names(self) -> dict[str, str]:
        """Return the path of each parameter by its name in the book.

        `W1` and `b1` are the weight and bias of the first layer that has them, convolution or
        linear, `W2` and `b2` those of the second; `gamma1` and `beta1` are the weight and bias of
        the batch normalisation that follows the first.

        Examples
        --------
        >>> from minigrad.nn.models import TwoLayerNet
        >>> TwoLayerNet().book_names()["W2"]
        'linear2.weight'
        """
        names: dict[str, str] = {}
        i = 0
        for path, module in self.named_modules():
            if isinstance(module, Conv2d | Linear):
                i += 1
                names |= {f"W{i}": f"{path}.weight", f"b{i}": f"{path}.bias"}
            elif isinstance(module, BatchNorm):
                names |= {f"gamma{i}": f"{path}.weight", f"beta{i}": f"{path}.bias"}
        return names

    def load_state_dict(self, state: Mapping[str, ArrayLike], *, strict: bool = True) -> Skipped:
        """Write arrays into parameters and buffers: see `Module.load_state_dict`.

        The book's own arrays may be given too, by the names of `book_names`. They have the same
        shapes and order of axes; running means and variances, which the book does not save, stay.
        """
        names = self.book_names()
        if isinstance(state, Mapping) and not names.keys().isdisjoint(state):
            kept = {path: bare(buffer) for path, buffer in self.named_buffers()}
            state = kept | {names.get(name, name): array for name, array in state.items()}
        return super().load_state_dict(state, strict=strict)


class Options(TypedDict):
    """What every layer with weights takes."""

    init: Init
    rng: np.random.Generator | None
    dtype: DTypeLike


def options_of(init: Init, rng: Rng, dtype: DTypeLike) -> Options:
    """Return the options of all layers: one generator for all, not one seed for each."""
    return {"init": init, "rng": keep(rng), "dtype": dtype}


def activation_of(network: str, name: str) -> type[Module]:
    """Return the module of an activation."""
    if name not in ACTIVATIONS:
        raise ValueError(f"{network}: activation must be one of {[*ACTIVATIONS]}, got {name!r}")
    return ACTIVATIONS[name]


def channels_of(network: str, in_shape: tuple[int, int, int]) -> int:
    """Return C of the shape (C, H, W) of an image."""
    if np.shape(in_shape) != (3,):
        raise ValueError(f"{network}: in_shape must be (channels, height, width), got {in_shape}")
    return int(in_shape[0])


def values_after(layers: Iterable[Module], in_shape: tuple[int, int, int], dtype: DTypeLike) -> int:
    """Return how many values `layers` make of an image, by passing zeros through them."""
    with no_grad():
        return Sequential(*layers)(np.zeros((1, *in_shape), dtype)).size
