"""The graph as a tree: frames hold boxes and frames, and know what stands for them when closed."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from minigrad.graph.model import Box, Edge, Frame, Gradient, Graph, count

Homes = dict[str | Frame, tuple[Frame, ...]]  # the frames around each frame, and each box by id
LOOSE = frozenset({"input", "constant", "output"})  # no steps of what a frame does


def owned(items: Iterable[Frame | Box]) -> dict[int, int]:
    """Return the size of each parameter in frames and boxes, by number."""
    found: dict[int, int] = {}
    for item in items:
        if isinstance(item, Frame):
            found |= item.owned
        else:
            found |= {row.number: math.prod(row.shape or ()) for row in item.rows}
    return found


def plant(graph: Graph) -> Frame:
    """Read the nesting of a graph: the one place that does."""
    frames: dict[str | None, Frame] = {None: Frame()}
    frames |= {key: replace(frame, items=[], loop=False) for key, frame in graph.clusters.items()}
    for box in graph.boxes:
        frame = frames[box.cluster]
        frame.items.append(box)
        while len(frame.items) == 1 and frame is not frames[None]:  # its first
            inner, frame = frame, frames[frame.parent]
            frame.items.append(inner)
    return frames[None]


def around(root: Frame) -> Homes:
    """Return what is around each frame and box, from the root inwards."""
    found: Homes = {}
    pending: list[tuple[Frame, tuple[Frame, ...]]] = [(root, (root,))]
    for frame, inside in pending:
        for item in frame.items:
            if isinstance(item, Frame):
                found[item] = inside
                pending.append((item, (*inside, item)))
            else:
                found[item.id] = inside
    return found


def folders(
    root: Frame, homes: Homes, edges: Iterable[Edge], wanted: Collection[Frame]
) -> dict[Frame, Box]:
    """Return the box that stands for each of some frames while it is closed."""
    if not wanted:
        return {}
    boxes = {box.id: box for box in root.boxes()}
    entering: dict[Frame, dict[str, None]] = {}
    leaving: dict[Frame, Box] = {}
    for edge in edges:
        tail, out, into = boxes[edge.tail], homes[edge.tail], homes[edge.head]
        if out != into:
            for frame in [frame for frame in into if frame not in out]:
                entering.setdefault(frame, {})[f"{tail.shape} {tail.dtype}"] = None
            leaving |= dict.fromkeys([frame for frame in out if frame not in into], tail)
    return {f: _folder(f, tuple(entering.get(f, ())), leaving.get(f)) for f in wanted}


def _folder(frame: Frame, inputs: tuple[str, ...], leaving: Box | None) -> Box:
    """Sum up the boxes of a frame."""
    members = list(frame.boxes())
    last = leaving or next((b for b in reversed(members) if b.kind == "op"), members[-1])
    hidden = frame.sort == "stretch"
    ops = sum(b.ops for b in members)
    hiding = f"… {count(ops, 'op')} hidden …" if ops else "… inputs …"
    marks = [b.bad for b in members if b.bad] + [r.bad for b in members for r in b.rows if r.bad]
    kind, label = ("hidden", hiding) if hidden else ("module", frame.title(relative=True))
    box = Box(f"{kind}_{frame.key}", kind, label, last.shape, last.dtype, frame.path)
    box.ops, box.parameters, box.inputs = ops, frame.parameters, inputs
    box.nbytes, box.saved = last.nbytes, sum(b.saved for b in members)
    box.gradient = span(b.gradient for b in members)
    box.bad = max(marks, key=lambda b: (b.first, b.origin), default=None)
    box.bad_gradient = next((b.bad_gradient for b in members if b.bad_gradient), None)
    box.health = next((b.health for b in members if b.health), "")
    return box


def span(gradients: Iterable[Gradient | None]) -> Gradient | None:
    """Return the range of several gradients, None if none was measured."""
    measured = [g for g in gradients if g is not None]
    sizes = [size for g in measured for size in g if size is not None]
    return Gradient(min(sizes), max(sizes)) if sizes else next(iter(measured), None)


def joined(box: Box, others: list[Box], uses: Mapping[int, int]) -> Box:
    """Return a box that stands for equal ones too: what one has, and the range of gradients."""
    everyone = [box, *others]
    rows = [
        replace(row, uses=uses[row.number], gradient=span(b.rows[i].gradient for b in everyone))
        for i, row in enumerate(box.rows)
    ]
    steps = [re.split(r"(\d+)", b.does) for b in everyone]  # x[:, 0], x[:, 1] ... are x[:, t]
    alike = len({len(step) for step in steps}) == 1
    parts = ["t" if len(set(t)) > 1 else t[0] for t in zip(*steps, strict=alike) if alike]
    gradient = span(b.gradient for b in everyone)
    return replace(box, rows=rows, value=None, stats=None, slopes=None, gradient=gradient,
                   does="".join(parts))  # fmt: skip
