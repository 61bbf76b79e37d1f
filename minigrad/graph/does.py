"""What a call does beside its name: the keywords that differ from the default, as one says them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from minigrad.autograd import Primitive
from minigrad.graph.text import short

# Seen in the shape or dtype of the result, or of the layer and not of the call.
SILENT = frozenset("shape dtype keepdims eps momentum optimize kernel".split())


def does(function: Primitive, keywords: Mapping[str, Any], shapes: Sequence[Any]) -> str:
    """Return what follows the name: `axis=1`, `3×3 /2 pad 1`; of an index the index alone.

    Parameters
    ----------
    function : Primitive
        What was called.
    keywords : mapping
        As they were recorded.
    shapes : sequence
        Of the inputs, None for those that are no arrays.
    """
    if function.name == "getitem":
        return short(f"[{index(keywords['key'])}]")
    parts = []
    for name, value in keywords.items():
        if name[0] == "_":  # not for the pullbacks, nor for the reader
            continue
        if name in ("geometry", "window"):
            parts += _sliding(value, shapes)
        elif name == "subscripts":
            parts.append(str(value))
        elif name not in SILENT and not _usual(function, name, value):
            parts.append(f"{name}={_value(value)}")
    return short(" ".join(parts))


def index(key: Any) -> str:
    """Write an index as one types it, an array by what it is."""
    if isinstance(key, tuple):
        return ", ".join(map(index, key)) + "," * (len(key) == 1 and key[0] is not Ellipsis)
    if isinstance(key, slice):
        start, stop, step = ("" if v is None else str(v) for v in (key.start, key.stop, key.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if isinstance(key, np.ndarray | list):
        return "mask" if np.asarray(key).dtype.kind == "b" else "index"
    return "..." if key is Ellipsis else str(key)


def index_arrays(keywords: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the arrays of integers or booleans among keywords: they say which, and are inputs."""
    values = [v for value in keywords.values()
              for v in (value if isinstance(value, tuple) else (value,))]  # fmt: skip
    arrays = [v for v in values if isinstance(v, np.ndarray) and v.dtype.kind in "iub"]
    return [("mask" if v.dtype.kind == "b" else "index", v) for v in arrays]


def _sliding(given: Mapping[str, Any], shapes: Sequence[Any]) -> list[str]:
    """Write the geometry of a convolution or of pooling."""
    kernel = given.get("kernel") or shapes[1][2:]
    usual = kernel if "kernel" in given else (1,) * len(kernel)
    parts = ["×".join(map(str, kernel))]
    parts += [f"/{_alike(given['stride'])}"] if given["stride"] != usual else []
    if any(map(any, given["padding"])):
        sides = [pair[0] if pair[0] == pair[1] else tuple(pair) for pair in given["padding"]]
        parts.append(f"pad {_alike(sides)}")
    if any(step != 1 for step in given.get("dilation", ())):
        parts.append(f"dilated {_alike(given['dilation'])}")
    return parts + ([f"groups {given['groups']}"] if given.get("groups", 1) != 1 else [])


def _alike(values: Sequence[Any]) -> str:
    return "×".join(map(str, dict.fromkeys(values) if len(set(values)) == 1 else values))


@cache
def defaults(function: Primitive) -> dict[str, Any]:
    """Return the arguments of a function with their defaults, nothing where NumPy does not say."""
    try:
        found = inspect.signature(function.function).parameters if function.parameters else {}
    except (TypeError, ValueError):
        return {}
    return {name: parameter.default for name, parameter in found.items()}


def _usual(function: Primitive, name: str, value: Any) -> bool:
    default = defaults(function).get(name)
    same = type(value) is type(default) and bool(value == default)
    return same or value is None or isinstance(value, np.ndarray | dict)


def _value(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"({', '.join('·' if isinstance(v, np.ndarray) else str(v) for v in value)})"
    return f"{value:g}" if isinstance(value, float) else str(value)
