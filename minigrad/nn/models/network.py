"""What the networks share: the loss, the book's names of parameters, sizes, options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad import functional as F
from minigrad.autograd import bare, no_grad
from minigrad.nn.activations import ReLU, Sigmoid, Tanh
from minigrad.nn.containers import Sequential
from minigrad.nn.convolution import Conv2d
from minigrad.nn.layers import BatchNorm, Linear
from minigrad.nn.module import Module

Rng = np.random.Generator | int | None
ACTIVATIONS: dict[str, type[Module]] = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}


class Network(Sequential):
    """Named layers in a row, with the book's loss and the book's names of the parameters."""

    weight_decay = 0.0

    def loss(self, x: Any, t: Any) -> Any:
        """Return the mean cross entropy plus 0.5 * weight_decay * sum(w**2) over all weights.

        An optimizer's own `weight_decay` gives the same gradients: use one of the two.

        Parameters
        ----------
        x : array_like
            Shape (N, ...).
        t : array_like
            Labels, shape (N,), or one-hot rows, shape (N, classes).
        """
        loss = F.cross_entropy(self(x), t)
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

    def load_state_dict(self, state: Mapping[str, Any], *, strict: bool = True) -> None:
        """Write arrays into parameters and buffers: see `Module.load_state_dict`.

        The book's own arrays, by the names of `book_names`, are welcome too. They have the same
        shapes and order of axes; running means and variances, which the book does not save, stay.
        """
        names = self.book_names()
        if isinstance(state, Mapping) and not names.keys().isdisjoint(state):
            kept = {path: bare(buffer) for path, buffer in self.named_buffers()}
            state = kept | {names.get(name, name): array for name, array in state.items()}
        super().load_state_dict(state, strict=strict)


def options_of(init: Any, rng: Rng, dtype: Any) -> dict[str, Any]:
    """Return what every layer with weights takes: one generator for all, not one seed for each."""
    own = None if rng is None else np.random.default_rng(rng)
    return {"init": init, "rng": own, "dtype": dtype}


def activation_of(network: str, name: str) -> type[Module]:
    """Return the module of an activation."""
    if name not in ACTIVATIONS:
        raise ValueError(f"{network}: activation must be one of {[*ACTIVATIONS]}, got {name!r}")
    return ACTIVATIONS[name]


def channels_of(network: str, in_shape: Any) -> int:
    """Return C of an image's shape (C, H, W)."""
    if np.shape(in_shape) != (3,):
        raise ValueError(f"{network}: in_shape must be (channels, height, width), got {in_shape}")
    return int(in_shape[0])


def values_after(layers: Mapping[str, Module], in_shape: Any, dtype: Any) -> int:
    """Return how many values `layers` make of an image: they are asked, with zeros."""
    with no_grad():
        y: Any = Sequential(**layers)(np.zeros((1, *in_shape), dtype))
    return int(y.size)
