"""Making a graph small enough to look at: repeats, depth, limits, and reference nodes."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from minigrad.graph.model import Box, Cluster, Edge, Graph, count, used
from minigrad.graph.repeats import fold_repeats, span


def fold(
    graph: Graph,
    *,
    depth: int | None = None,
    expand: Collection[str] = (),
    collapse_repeats: bool = True,
    max_nodes: int = 1000,
    max_fanout: int = 8,
) -> Graph:
    """Return the graph as it will be drawn.

    Parameters
    ----------
    graph : Graph
        The whole graph, which is left as it is.
    depth : int, optional
        How many levels of modules stand open; those below are one box each.
    expand : collection of str
        Paths of modules to open whatever the depth, and never to fold as repeats.
    collapse_repeats : bool
        Whether equal modules in a row are drawn once.
    max_nodes : int
        Above this, repeats are folded, then modules closed, then operations hidden, and a warning
        says so.
    max_fanout : int
        What is read more often is drawn again, or referred to, at each use.
    """
    paths = {cluster.path for cluster in graph.clusters.values()}
    unknown = sorted(set(expand) - paths)
    if unknown:
        raise ValueError(
            f"draw: expand names {unknown}, but the modules that ran are {sorted(paths - {''})}"
        )
    small = fold_repeats(graph, expand) if collapse_repeats else graph
    small = close(small, depth, expand)
    if len(small.boxes) > max_nodes:
        before = len(small.boxes)
        small = fold_repeats(graph, expand)
        levels = {cluster.level for cluster in small.clusters.values()}
        deepest = len(levels) if depth is None else min(depth, len(levels))
        choice = next(
            (d for d in range(deepest, -1, -1) if visible(small, d, expand) <= max_nodes), 0
        )
        small = close(small, choice, expand)
        if len(small.boxes) > max_nodes:
            small = hide(small, max_nodes)
        warnings.warn(
            f"draw: the graph has {before:,} nodes, more than max_nodes={max_nodes:,}: repeats, "
            f"modules and operations were folded until {len(small.boxes):,} were left: pass a "
            "larger max_nodes to see more",
            stacklevel=3,
        )
    small = refer(small, max_fanout)
    if graph.view == "backward":
        small.edges = [replace(e, tail=e.head, head=e.tail) for e in small.edges]
        small.boxes.reverse()
    return small


# ------------------------------------------------------------------------------------------- depth
def _closed(
    clusters: Mapping[str, Cluster], depth: int | None, expand: Iterable[str]
) -> dict[str, str]:
    """Map each cluster that is not open to the outermost closed one around it."""
    if depth is None:
        return {}
    open_paths = {
        ".".join(path.split(".")[:n]) for path in expand for n in range(1, path.count(".") + 2)
    }
    shut: dict[str, str] = {}
    for key, cluster in clusters.items():  # parents first
        if cluster.parent in shut:
            shut[key] = shut[cluster.parent]
        elif cluster.level >= depth and cluster.path not in open_paths:
            shut[key] = key
    return shut


def visible(graph: Graph, depth: int, expand: Iterable[str]) -> int:
    """Count the boxes that closing modules below `depth` leaves."""
    shut = _closed(graph.clusters, depth, expand)
    return len({shut.get(box.cluster or "", box.id) for box in graph.boxes})


def close(graph: Graph, depth: int | None, expand: Iterable[str]) -> Graph:
    """Draw each module below `depth` as one box."""
    shut = _closed(graph.clusters, depth, expand)
    if not shut:
        return replace(graph, boxes=list(graph.boxes), edges=list(graph.edges))
    members: dict[str, list[Box]] = {}
    boxes: list[Box] = []
    alias: dict[str, str] = {}
    for box in graph.boxes:
        key = shut.get(box.cluster or "")
        if key is None:
            boxes.append(box)
            continue
        if key not in members:
            members[key] = []
            boxes.append(Box(key.replace("cluster", "module", 1), "module", key))
        members[key].append(box)
        alias[box.id] = key.replace("cluster", "module", 1)
    edges = _reroute(graph.edges, alias, merge=set(alias.values()))
    entering: dict[str, list[str]] = {}
    leaving: dict[str, Edge] = {}
    for edge in edges:
        entering.setdefault(edge.head, []).append(f"{edge.shape} {edge.dtype}")
        leaving[edge.tail] = edge
    for i, box in enumerate(boxes):
        if box.kind == "module" and box.label in members:
            boxes[i] = module_box(
                graph.clusters[box.label], members[box.label], leaving.get(box.id)
            )
            boxes[i].inputs = tuple(dict.fromkeys(entering.get(box.id, ())))
    return replace(graph, boxes=boxes, edges=edges, clusters=used(graph.clusters, boxes))


def module_box(cluster: Cluster, members: Sequence[Box], leaving: Edge | None) -> Box:
    """Sum up the boxes of a module."""
    last = next((b for b in reversed(members) if b.kind == "op"), members[-1])
    box = Box(
        cluster.id.replace("cluster", "module", 1),
        "module",
        cluster.label.partition(" · ")[0],
        name=cluster.path,
        shape=leaving.shape if leaving else last.shape,
        dtype=leaving.dtype if leaving else last.dtype,
        nbytes=leaving.nbytes if leaving else last.nbytes,
        cluster=cluster.parent,
        ops=sum(b.ops for b in members),
        parameters=cluster.parameters,
        saved=sum(b.saved for b in members),
        gradient=span(b.gradient for b in members),
    )
    bad = [b.bad for b in members if b.bad] + [r.bad for b in members for r in b.rows if r.bad]
    box.bad = max(bad, key=lambda b: (b.first, b.origin), default=None)
    box.bad_gradient = next((b.bad_gradient for b in members if b.bad_gradient), None)
    return box


def _reroute(
    edges: Iterable[Edge], alias: Mapping[str, str], merge: Collection[str] = ()
) -> list[Edge]:
    """Point edges at the boxes that stand for others, once for each pair with one of `merge`."""
    result: dict[tuple[str, str, int], Edge] = {}
    for edge in edges:
        tail, head = alias.get(edge.tail, edge.tail), alias.get(edge.head, edge.head)
        if tail == head:
            continue
        key = (tail, head, -1 if head in merge else edge.argument)
        if key in result:
            if edge.bad and not result[key].bad:
                result[key] = replace(result[key], bad=True)
        else:
            moved = tail != edge.tail or head != edge.head
            result[key] = replace(edge, tail=tail, head=head) if moved else edge
    return list(result.values())


# -------------------------------------------------------------------------------------- operations
def hide(graph: Graph, max_nodes: int) -> Graph:
    """Keep outputs, parameters and non-finite sites; what lies between is one box a stretch."""
    read = {e.tail for e in graph.edges if e.head.startswith("output")}
    budget = max(2, min(max_nodes // 4, 60))
    wanted = [b for b in graph.boxes if b.kind == "output" or b.id in read or _origin(b)]
    rest = [b for b in graph.boxes if b.rows or b.kind in ("parameter", "module", "input")]
    kept = {b.id for b in wanted[:budget]}
    for some in (rest, graph.boxes):  # of what is left, the beginning and the end
        half = min((budget - len(kept)) // 2, len(some) if some is rest else 4)
        kept |= {b.id for b in some[:half]} | {b.id for b in some[len(some) - half :]}
    boxes: list[Box] = []
    alias: dict[str, str] = {}
    stretch: Box | None = None
    for box in graph.boxes:
        if box.id in kept:
            stretch = None
            boxes.append(box)
            continue
        if stretch is None:
            stretch = Box(f"hidden_{box.id}", "hidden", "", cluster=None)
            boxes.append(stretch)
        alias[box.id] = stretch.id
        stretch.ops += box.ops
        stretch.saved += box.saved
        stretch.gradient = span((stretch.gradient, box.gradient))
    for box in boxes:
        if box.kind == "hidden":
            box.label = f"… {count(box.ops, 'op')} hidden …" if box.ops else "… inputs …"
    edges = _reroute(graph.edges, alias, merge=set(alias.values()))
    return replace(graph, boxes=boxes, edges=edges, clusters=used(graph.clusters, boxes))


def _origin(box: Box) -> bool:
    marks = [box.bad, box.bad_gradient, *(row.bad for row in box.rows)]
    return any(mark is not None and mark.origin for mark in marks)


def refer(graph: Graph, max_fanout: int) -> Graph:
    """Draw inputs that are read often at each use, and references to such operations."""
    readers = Counter(e.tail for e in graph.edges)
    often = {tail for tail, n in readers.items() if n > max_fanout}
    if not often:
        return graph
    by_id = {box.id: box for box in graph.boxes}
    extra: dict[str, list[Box]] = {}
    edges: list[Edge] = []
    seen: Counter[str] = Counter()
    for edge in graph.edges:
        if edge.tail in often:
            seen[edge.tail] += 1
            if seen[edge.tail] > 1:
                box, reader = by_id[edge.tail], by_id[edge.head]
                copy = _again(box, f"{box.id}_at_{seen[edge.tail]}", reader.cluster)
                extra.setdefault(edge.head, []).append(copy)
                edge = replace(edge, tail=copy.id)
        edges.append(edge)
    boxes = [b for box in graph.boxes for b in (*extra.get(box.id, ()), box)]
    return replace(graph, boxes=boxes, edges=edges)


def _again(box: Box, key: str, cluster: str | None) -> Box:
    if box.kind in ("input", "constant", "parameter"):
        return replace(box, id=key, cluster=cluster, target=box.id, saved=0)
    label = re.sub(r"^op(\d+)_.*", r" (op \1)", box.id) if not box.name else ""
    return Box(
        key, "reference", f"→ {box.name or box.label}{label}", shape=box.shape, dtype=box.dtype,
        cluster=cluster, target=box.id, nbytes=box.nbytes,
    )  # fmt: skip
