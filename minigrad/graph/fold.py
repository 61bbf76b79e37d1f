"""Making a graph small enough to look at: which frames are open, and what is then seen of it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import pairwise

from minigrad.graph.model import Box, Edge, Frame, Graph
from minigrad.graph.repeats import MANY, Repeats
from minigrad.graph.tree import Homes, around, folders, joined, owned, plant

DRAWN = 150  # boxes in a picture, unless more are asked for
FEW = 8  # boxes that say something of a network
STRETCH = 25  # neighbours that are put into one frame where there are too many


def fold(
    graph: Graph, depth: int | None = None, max_nodes: int = DRAWN, max_fanout: int = 8
) -> Graph:
    """Return the graph as it will be drawn.

    Parameters
    ----------
    graph : Graph
        The whole graph, which is left as it is; it says whether equal neighbours are drawn
        once, and which modules are open whatever the depth.
    depth : int, optional
        How many levels of modules stand open; those below are one box each. By default all, or as
        many as make a picture of 40 boxes.
    max_nodes : int
        Above this, repeats are folded, then modules closed, then operations hidden, and a warning
        says so.
    max_fanout : int
        What is read more often is drawn again, or referred to, at each use.
    """
    expand, repeats = graph.expand, graph.repeats
    paths = {cluster.path for cluster in graph.clusters.values() if cluster.path}
    unknown = sorted(set(expand) - paths)
    if unknown:
        ran = f"the modules that ran are {sorted(paths)}"
        raise ValueError(f"draw: expand names {unknown}, but {ran}")
    root = grow(graph, repeats, MANY if len(graph.boxes) <= max_nodes else 0)
    levels = max((frame.level for frame in root.frames()), default=0) + 1
    auto = depth is None and repeats
    if auto:  # as many as make a picture that is taken in at a glance
        seen = {d: _open(root, d, expand, True) for d in range(levels, -1, -1)}
        fitting = (d for d, n in seen.items() if d < levels and FEW <= n <= MANY < seen[levels])
        depth = next(fitting, None)
    before = _open(root, depth, expand, auto)
    if before > max_nodes:
        root = root if repeats else grow(graph, True, 0)
        depths = range(levels if depth is None else min(depth, levels), -1, -1)
        if not any(_open(root, d, expand, auto) <= max_nodes for d in depths):
            stretch(root, max(2, min(MANY, max_nodes - 2)))
            open_within(root, graph, max_nodes, set(root.frames()))
    small = drawn(root, graph)
    if before > max_nodes:
        warnings.warn(
            f"draw: the graph has {before:,} nodes, more than max_nodes={max_nodes:,}: it was "
            f"folded to {len(small.boxes):,}: pass a larger max_nodes to see more",
            stacklevel=3,
        )
    small = refer(small, max_fanout)
    return turned(small) if graph.view == "backward" else small


def grow(graph: Graph, repeats: bool, least: int = MANY) -> Frame:
    """Return the tree of a graph, with equal neighbours in frames of their own."""
    root = plant(graph)
    if repeats:
        Repeats(root, graph, least).search(root, 0)
    return root


def turned(graph: Graph) -> Graph:
    """Return the graph as the gradient sees it."""
    edges = [replace(e, tail=e.head, head=e.tail) for e in graph.edges]
    return replace(graph, boxes=graph.boxes[::-1], edges=edges)


# -------------------------------------------------------------------------------- what stands open
def _open(root: Frame, depth: int | None, expand: Iterable[str], single: bool = False) -> int:
    """Open the modules above a depth, around what is asked for, and of a single box; count."""
    wanted = {".".join(p.split(".")[:n]) for p in expand for n in range(1, p.count(".") + 2)}
    for frame in root.frames():
        made = frame.sort == "step" or frame.kind == "loop"
        frame.open = depth is None or made or frame.level < depth or frame.path in wanted
        if single and len(frame.seen) == 1 and isinstance(frame.seen[0], Box):
            frame.open = True
    shut = {_look(frame) for frame in root.frames() if single and not frame.open}
    for frame in root.frames():
        # What is closed at one place is closed at the others.
        frame.open &= _look(frame) not in shut or frame.path in wanted
    return _size(root)


def _size(frame: Frame) -> int:
    """Count the boxes that are seen in a frame."""
    return sum(_size(i) if isinstance(i, Frame) and i.open else 1 for i in frame.seen)


def _look(frame: Frame) -> tuple[str, str, int, int]:
    return frame.sort, frame.kind, frame.parameters, len(frame.items)


def open_within(root: Frame, graph: Graph, budget: int, wanted: Collection[Frame]) -> None:
    """Open what is wanted while it fits, outer frames first; where it went wrong always."""
    outputs = {box.id for box in graph.boxes if box.kind == "output"}
    ends = {edge.tail for edge in graph.edges if edge.head in outputs}
    homes = around(root)
    first: set[Frame] = set()
    notable: set[Frame] = set()
    for box in graph.boxes:
        marks = (box.marked, box.bad_gradient, *(row.marked for row in box.rows))
        if any(mark and mark.first for mark in marks):
            first.update(homes[box.id])
        if any(marks) or box.rows or box.id in ends:
            notable.update(homes[box.id])
    for frame in root.frames():
        frame.open = False
    shown = len(root.seen)
    level = [root]
    while level:
        inner = [item for frame in level for item in frame.seen if isinstance(item, Frame)]
        for frame in sorted(inner, key=lambda f: (f not in first, f not in notable)):
            if frame in first or (frame in wanted and shown - 1 + len(frame.seen) <= budget):
                frame.open = True
                shown += len(frame.seen) - 1
        level = [frame for frame in inner if frame.open]


def stretch(frame: Frame, many: int = MANY) -> None:
    """Put neighbours into stretches where there are too many in a frame, in place."""
    for item in frame.items:
        if isinstance(item, Frame):
            stretch(item, many)
    if frame.loop:
        return
    kinds = ("input", "output")
    ends = [[i for i in frame.items if isinstance(i, Box) and i.kind == kind] for kind in kinds]
    before, after = ends if sum(map(len, ends)) <= STRETCH else ([], [])
    apart = {id(item) for item in (*before, *after)}
    items = [item for item in frame.items if id(item) not in apart]
    while len(items) > many:
        pieces = -(-len(items) // min(STRETCH, many))
        bounds = [len(items) * i // pieces for i in range(pieces + 1)]
        items = [_stretch_of(frame, items[a:b]) for a, b in pairwise(bounds)]
    frame.items = [*before, *items, *after]


def _stretch_of(frame: Frame, items: list[Frame | Box]) -> Frame:
    made = Frame(sort="stretch", items=items, owned=owned(items), outer=frame.path)
    boxes = list(made.boxes())
    numbers = [box.number for box in boxes if box.number] or [0]
    text = f"ops {min(numbers):,}–{max(numbers):,}"
    paths = [i.path for i in items if isinstance(i, Frame) and i.path]
    if paths:
        text += f": {paths[0]}" + (f" … {paths[-1]}" if paths[-1] != paths[0] else "")
    made.key, made.kind = f"{boxes[0].id}_{len(boxes)}", text
    return made


# ------------------------------------------------------------------------------------ what is seen
def drawn(root: Frame, graph: Graph) -> Graph:
    """Return what is seen of a tree: closed frames as one box, and of equal ones the first."""
    homes = around(root)
    closed = folders(root, homes, graph.edges, [f for f in root.frames() if not f.open])
    seen: dict[str, Box] = {}
    stands: dict[str, str] = {}  # which box is drawn for each
    clusters: dict[str, Frame] = {}
    others: dict[str, list[Box]] = {}
    inside_one: dict[str, Counter[int]] = {}  # how often one round reads each parameter

    def visit(items: Iterable[Frame | Box], home: str | None, inside: bool) -> None:
        for item in items:
            if isinstance(item, Box):
                stands[item.id] = item.id
                seen[item.id] = replace(item, cluster=home)
            elif not item.open:
                box = closed[item]
                stands.update((member.id, box.id) for member in item.boxes())
                seen[box.id] = replace(box, cluster=home)
            elif item.sort == "stretch":
                visit(item.items, home, inside)
            else:
                calls = 1 if inside else item.calls
                clusters[item.id] = replace(item, parent=home, calls=calls, items=[])
                visit(item.seen, item.id, inside or item.loop)
                if item.loop:
                    gather(item)

    def gather(loop: Frame) -> None:
        first, *rest = (list(each.boxes()) for each in loop.items if isinstance(each, Frame))
        uses = Counter(row.number for box in first for row in box.rows)
        inside_one.update((stands[box.id], uses) for box in first)
        for box, like in [pair for boxes in rest for pair in zip(boxes, first, strict=True)]:
            stands[box.id] = stands[like.id]
            others.setdefault(stands[like.id], []).append(box)

    visit(root.items, None, False)
    for key, boxes in others.items():
        seen[key] = joined(seen[key], boxes, inside_one[key])
    boxes = [seen[key] for key in dict.fromkeys(stands[box.id] for box in graph.boxes)]
    edges = _seen_edges(graph.edges, stands, homes, clusters)
    return replace(graph, boxes=boxes, edges=edges, clusters=clusters)


def _seen_edges(
    edges: list[Edge], stands: dict[str, str], homes: Homes, clusters: dict[str, Frame]
) -> list[Edge]:
    """Point edges at what is drawn: one for each argument, or for each pair with a closed frame.

    From one round of a loop to the next there is one edge for the whole loop.
    """
    result: dict[tuple[str, str, int], Edge] = {}
    onward: dict[str, Edge] = {}
    for edge in edges:
        tail, head = stands[edge.tail], stands[edge.head]
        out, into = homes[edge.tail], homes[edge.head]
        common = [frame for frame in out if frame in into]
        if any(loop.loop and loop.items[0] is not each for loop, each in pairwise(common)):
            continue  # inside a round that is not drawn
        loop = common[-1]
        if loop.loop and loop.id in clusters:
            again = replace(edge, tail=tail, head=head, uses=loop.repeats - 1, repeat=True)
            onward.setdefault(loop.id, again)
        elif tail != head:
            leaves = any(
                frame.loop and frame.id in clusters for frame in out if frame not in common
            )
            boxes = tail in homes and head in homes and not leaves  # and no closed frames
            key = tail, head, edge.argument if boxes else -1
            if key not in result:
                result[key] = replace(edge, tail=tail, head=head, uses=0)
            result[key].uses += 1
            result[key].bad |= edge.bad
    return [*result.values(), *onward.values()]


def refer(graph: Graph, max_fanout: int) -> Graph:
    """Draw inputs that are read often at each use, and references to such operations."""
    readers = Counter(e.tail for e in graph.edges)
    by_id = {box.id: box for box in graph.boxes}
    extra: dict[str, list[Box]] = {}
    edges: list[Edge] = []
    seen: Counter[str] = Counter()
    for edge in graph.edges:
        seen[edge.tail] += 1
        if readers[edge.tail] > max_fanout and seen[edge.tail] > 1:
            key = f"{edge.tail}_at_{seen[edge.tail]}"
            copy = _again(by_id[edge.tail], key, by_id[edge.head].cluster)
            extra.setdefault(edge.head, []).append(copy)
            edge = replace(edge, tail=copy.id)
        edges.append(edge)
    boxes = [b for box in graph.boxes for b in (*extra.get(box.id, ()), box)]
    return replace(graph, boxes=boxes, edges=edges)


def _again(box: Box, key: str, cluster: str | None) -> Box:
    if box.kind in ("input", "constant", "parameter"):
        return replace(box, id=key, cluster=cluster, target=box.id, saved=0)
    label = "" if box.name or not box.number else f" (op {box.number})"
    return Box(
        key, "reference", f"→ {box.name or box.label}{label}", shape=box.shape, dtype=box.dtype,
        cluster=cluster, target=box.id, nbytes=box.nbytes,
    )  # fmt: skip
