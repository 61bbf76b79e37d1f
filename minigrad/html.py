"""What notebooks show: tables and Tensors in plain HTML, without styles of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from minigrad.autograd import Node, Tensor


def table(head: Sequence[object], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Return a table; a row whose first cell is empty or that has fewer cells is filled up."""

    def line(cells: Sequence[object], tag: str) -> str:
        filled = [*cells, *[""] * (len(head) - len(cells))]
        return f"<tr>{''.join(f'<{tag}>{escape(str(c))}</{tag}>' for c in filled)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    title = (
        f"<div>{escape(caption)}</div>" if caption else ""
    )  # a caption is as narrow as its table
    return f"{title}<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"


def module(model: Any) -> str:
    """Return the parameters and buffers of a module as a table, its layers folded away."""
    named = list(model.named_parameters())
    rows = [(k, p.shape, p.dtype, f"{p.size:,}") for k, p in named]
    rows += [(k, b.shape, b.dtype, "buffer") for k, b in model.named_buffers()]
    total = f"{type(model).__name__}: {sum(p.size for _, p in named):,} parameters"
    layers = f"<details><summary>layers</summary><pre>{escape(repr(model))}</pre></details>"
    return table(["name", "shape", "dtype", "values"], rows, total) + layers


def tensor(t: Tensor) -> str:
    """Return what a Tensor is, over its values; a matrix of at most 100 of them as a table."""
    facts = [t.name, f"shape {t.shape}", str(t.dtype)]
    if isinstance(t._node, Node):
        facts.append(f"from {t._node.function.name}")
    elif t.requires_grad:
        facts.append("requires a gradient")
    caption = f"Tensor: {', '.join(filter(None, facts))}"
    if t.ndim == 2 and 0 < t.size <= 100:
        rows = [[i, *(f"{v:.4g}" for v in row)] for i, row in enumerate(t.data)]
        return table(["", *range(t.shape[1])], rows, caption)
    values = np.array2string(t.data, separator=", ", threshold=100)
    return f"<div>{escape(caption)}</div><pre>{escape(values)}</pre>"
