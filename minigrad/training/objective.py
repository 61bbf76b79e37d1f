"""What a Trainer minimises: a loss of output and target, or the one that a model defines itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from operator import setitem
from typing import Any

from minigrad import functional as F
from minigrad.autograd import Tensor
from minigrad.checks import undoing
from minigrad.nn import CrossEntropyLoss, Module
from minigrad.nn.models.network import Network

Loss = Callable[[Any, Any], Tensor]  # of the output, whatever the model gives, and the target
Outcome = Callable[..., tuple[Any, Tensor]]  # output and loss, of inputs and target


def own_loss(model: Module) -> Callable[..., Tensor] | None:
    """Return the method `loss` that the class of a model defines; an attribute is another thing."""
    method = inspect.isroutine(getattr(type(model), "loss", None)) and "loss" not in vars(model)
    return getattr(model, "loss", None) if method else None


def is_cross_entropy(model: Module, loss: Loss | None) -> bool:
    """Tell whether the loss is the cross entropy, for which the accuracy has a meaning."""
    if loss is None and (own := own_loss(model)):
        return getattr(own, "__func__", None) is Network.loss
    return loss is None or loss is F.cross_entropy or isinstance(loss, CrossEntropyLoss)


def outcome_of(model: Module, loss: Loss | None, *, measured: bool) -> Outcome:
    """Return the function of inputs and target that gives the output of a model and the loss.

    Raises
    ------
    ValueError
        If a weight decay would be ignored: that of a model's own loss, where another is used.
    """
    own = own_loss(model) if loss is None else None
    if own is not None:
        return _watched(model, own) if measured else lambda *batch: (None, own(*batch))
    for path, module in model.named_modules():
        decay = getattr(module, "weight_decay", 0)
        if decay and own_loss(module):
            raise ValueError(
                f"Trainer: weight_decay={decay} of {path or type(model).__name__} would be "
                "ignored: its method loss adds it, and another loss is used here: give "
                "weight_decay to the optimizer, or leave out loss="
            )
    given = F.cross_entropy if loss is None else loss

    def outcome(*batch: Any) -> tuple[Any, Tensor]:
        *inputs, target = batch
        output = model(*inputs)
        return output, given(output, target)

    return outcome


def _watched(model: Module, own: Callable[..., Tensor]) -> Outcome:
    """Call a model's own loss, and keep the output of its first call of the model."""

    def outcome(*batch: Any) -> tuple[Any, Tensor]:
        outputs, attributes, forward = list[Any](), vars(model), model.forward
        before: tuple[Any, ...] = attributes.pop, "forward", None
        if "forward" in attributes:
            before = setitem, attributes, "forward", forward

        def watched(*inputs: Any, **keywords: Any) -> Any:
            outputs.append(forward(*inputs, **keywords))
            return outputs[-1]

        with undoing([before]):
            attributes["forward"] = watched
            loss = own(*batch)
        if not outputs:
            raise TypeError(
                "Trainer: metrics are functions of the output of the model, but its method loss "
                "does not call it: pass metrics={}"
            )
        return outputs[0], loss

    return outcome
