"""Weights from PyTorch: a `state_dict` of equal layers, turned into ours."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.autograd import Array, bare
from minigrad.nn.layers import BatchNorm
from minigrad.nn.module import members
from minigrad.saving import load

Names = dict[type[nn.Module], tuple[str, ...]]  # of parameters, or what these begin with
RECURRENT = nn.RNN, nn.GRU, nn.LSTM
TRANSPOSED: Names = {  # ours are (in, out), PyTorch's (out, in)
    nn.Linear: ("weight",),
    nn.MultiheadAttention: ("in_proj_weight",),
    **dict.fromkeys(RECURRENT, ("weight_",)),
}
COPIED: Names = {  # the same numbers in the same order
    nn.Linear: ("bias",),
    nn.MultiheadAttention: ("in_proj_bias",),
    **dict.fromkeys(RECURRENT, ("bias_",)),
    nn.Conv1d: ("weight", "bias"),
    nn.Conv2d: ("weight", "bias"),
    nn.ConvTranspose2d: ("weight", "bias"),
    nn.BatchNorm1d: ("weight", "bias", "running_mean", "running_var"),
    nn.BatchNorm2d: ("weight", "bias", "running_mean", "running_var"),
    nn.LayerNorm: ("weight", "bias"),
    nn.GroupNorm: ("weight", "bias"),
    nn.RMSNorm: ("weight",),
    nn.Embedding: ("weight",),
}
COUNTER = ".num_batches_tracked"  # which we do not keep
EPS = {  # of PyTorch's normalisations, where nothing else was said
    **dict.fromkeys([BatchNorm, nn.LayerNorm, nn.GroupNorm], 1e-5),
    nn.RMSNorm: 2.0**-23,
}


def from_torch(
    model: nn.Module,
    state: Mapping[str, Any] | str | os.PathLike[str],
    *,
    names: Mapping[str, str] | None = None,
    accept: Collection[str] = (),
) -> dict[str, Array]:
    """Return the weights of a PyTorch network as a `state_dict` for `model`.

    The weights of linear and recurrent layers and of attention's projections are transposed, those
    of convolutions, normalisations and embeddings copied.
    Weights alone don't say what a network computes: where ours would compute something else, it is
    refused by its name, until that name is in `accept`.

    Parameters
    ----------
    model : Module
        Of the same layers, under the same names.
    state : mapping or path
        What `state_dict()` of the PyTorch module returns, or a file of safetensors.
    names : mapping, optional
        From PyTorch's names to ours, where they differ: of weights, or of whole modules.
    accept : collection of str
        Modules that are right as they are, although PyTorch's by default compute something else:
        the book's dropout (which multiplies by 1 - p in evaluation) and normalisations of another
        `eps`. And own parameters, of no layer of `minigrad.nn`, that are to be copied as they are.

    Returns
    -------
    dict
        For `model.load_state_dict`.

    Raises
    ------
    ValueError
        If weights are missing, left over, of another shape or ambiguous, or if a module would
        compute something else; with all problems in one message.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(3, 2))
    >>> state = {"0.weight": np.ones((2, 3)), "0.bias": np.zeros(2)}
    >>> model.load_state_dict(from_torch(model, state))
    Skipped(missing=[], unexpected=[])
    """
    held: Mapping[str, Any] = load(state) if isinstance(state, str | os.PathLike) else state
    given = {_renamed(name, names or {}): _array(value) for name, value in held.items()}
    problems = [*_differences(model, accept)]
    found: dict[str, Array] = {}
    places = dict(_places(model))
    for path, (module, name, own) in places.items():
        if path not in given:
            problems.append(f"{path} is missing")
            continue
        array = given.pop(path)
        kind = type(module)
        shape = own.shape
        if name.startswith(TRANSPOSED.get(kind, ())):
            array = array.T
        elif not name.startswith(COPIED.get(kind, ())) and path not in accept and own.ndim > 1:
            known = kind.__module__.startswith("minigrad.")
            why = "no rule for this layer" if known else "it may have to be transposed"
            if known or own.shape[-2] == own.shape[-1] or array.shape != shape:
                problems.append(f"{path} is ambiguous: {why} (shape {array.shape}, ours {shape})")
                continue
        if array.shape != shape:
            problems.append(f"{path} has shape {array.shape}, expected {shape}")
        found[path] = array
    problems += _left_over(model, given, found)
    if problems:
        raise ValueError(f"from_torch: {type(model).__name__}: " + "; ".join(problems))
    return {path: found[path] for path in model.state_dict()}


def _renamed(name: str, names: Mapping[str, str]) -> str:
    """Return our name of a weight: the longest part of it that `names` has decides."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        if (head := ".".join(parts[:n])) in names:
            return ".".join([names[head], *parts[n:]])
    return name


def _array(value: Any) -> Array:
    """Return an array, also of a PyTorch tensor of any device, also of bfloat16."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    return np.asarray(value)


def _places(model: nn.Module) -> Iterator[tuple[str, tuple[nn.Module, str, Array]]]:
    """Yield the path of each parameter and buffer, its module, its name there, and its array."""
    seen = model.state_dict().keys()
    for path, module in model.named_modules():
        for name, value, *_ in members(vars(module)):
            whole = f"{path}.{name}" if path else name
            if whole in seen:
                yield whole, (module, name, bare(value))


def _differences(model: nn.Module, accept: Collection[str]) -> Iterator[str]:
    """Say which modules compute something else than PyTorch's of the same name."""
    for path, module in model.named_modules():
        if path in accept:
            continue
        if isinstance(module, nn.Dropout) and module.p and not module.rescale:
            yield (
                f"{path} is the book's dropout, which multiplies by {1 - module.p:g} in "
                "evaluation, as PyTorch's does not: make it with rescale=True, or accept it"
            )
        eps = next((own for kind, own in EPS.items() if isinstance(module, kind)), None)
        ours = getattr(module, "eps", None)
        if eps not in (None, ours):
            yield (
                f"{path} has eps={ours:g}, PyTorch's has {eps:g} unless it was made with "
                "another: set ours to the same, or accept it"
            )


def _left_over(model: nn.Module, given: dict[str, Array], found: dict[str, Array]) -> Iterator[str]:
    """Say what was not used; a second name of a tied weight, with the same values, is no harm."""
    for path, array in given.items():
        if path.endswith(COUNTER):
            continue
        holder, name = _holder(model, path)
        value = getattr(holder, name, None)
        twin = next(
            (p for p, (_, _, a) in _places(model) if value is not None and a is bare(value)), None
        )
        if twin is None:
            yield f"{path} is unexpected"
            continue
        same = array.T if name.startswith(TRANSPOSED.get(type(holder), ())) else array
        if twin in found and not np.array_equal(same, found[twin]):
            yield f"{path} is tied to {twin} here, but has other values"


def _holder(model: Any, path: str) -> tuple[Any, str]:
    *modules, name = path.split(".")
    for part in modules:
        if isinstance(model, list | tuple) and part.isdecimal() and int(part) < len(model):
            model = model[int(part)]
        else:
            model = model.get(part) if isinstance(model, dict) else getattr(model, part, None)
    return model, name
