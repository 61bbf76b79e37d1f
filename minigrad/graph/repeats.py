"""Folding equal modules that run one after the other into one that says how many there are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from minigrad.graph.model import Box, Cluster, Edge, Gradient, Graph, above, used


class _Members:
    """What each cluster holds: all boxes inside; its items, own boxes and clusters, in order."""

    def __init__(self, graph: Graph):
        self.boxes: dict[str, list[Box]] = {key: [] for key in graph.clusters}
        self.items: dict[str | None, dict[str, Cluster | None]] = {None: {}}
        self.items.update((key, {}) for key in graph.clusters)
        for box in graph.boxes:
            if box.kind in ("input", "constant", "output"):
                continue
            inside, item = box.id, None
            for cluster in above(graph.clusters, box.cluster):
                self.boxes[cluster.id].append(box)
                self.items[cluster.id].setdefault(inside, item)
                inside, item = cluster.id, cluster
            self.items[None].setdefault(inside, item)


def fold_repeats(graph: Graph, expand: Collection[str] = ()) -> Graph:
    """Draw the first of several equal modules in a row, marked ×12.

    Equal are modules of one class that ran the same operations on the same shapes, wired alike.
    One that holds a non-finite value, or is named in `expand`, stays as it is.
    """
    if len(graph.clusters) < 2:
        return graph
    members = _Members(graph)
    incoming: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        incoming.setdefault(edge.head, []).append(edge)
    gone: dict[str, str] = {}  # clusters that were folded, and into which
    for items in members.items.values():
        for run in _runs(items.values(), members, incoming, expand):
            gone.update((other.id, run[0].id) for other in run[1:])
    if not gone:
        return graph
    groups: dict[str, list[Cluster]] = {}
    alias: dict[str, str] = {}
    for other, first in gone.items():
        groups.setdefault(first, [graph.clusters[first]]).append(graph.clusters[other])
        for box, stands in zip(members.boxes[other], members.boxes[first], strict=True):
            alias[box.id] = stands.id
    clusters = dict(graph.clusters)
    for key, group in groups.items():
        paths = span_of_paths([cluster.path for cluster in group])
        clusters[key] = replace(clusters[key], repeats=len(group), range=paths)
    for key, cluster in clusters.items():
        if any(c.repeats > 1 for c in above(clusters, key)):
            clusters[key] = replace(cluster, calls=1)
    _inputs_alike(graph, alias, incoming)
    alias = {key: _end(alias, key) for key in alias}
    return _folded(graph, alias, clusters, gone)


def _end(alias: dict[str, str], key: str) -> str:
    while key in alias:
        key = alias[key]
    return key


def _runs(
    items: Iterable[Cluster | None],
    members: _Members,
    incoming: dict[str, list[Edge]],
    expand: Collection[str],
) -> list[list[Cluster]]:
    """Find the equal clusters in a row, each reading the one before, among the items of one."""

    def follows(cluster: Cluster, previous: Cluster) -> bool:
        made = {box.id for box in members.boxes[previous.id]}
        return any(
            e.tail in made for b in members.boxes[cluster.id] for e in incoming.get(b.id, ())
        )

    runs: list[list[Cluster]] = []
    before: Any = None
    items = list(items)
    kinds = [(c.kind, len(members.boxes[c.id])) if c else None for c in items]
    for i, cluster in enumerate(items):
        likely = cluster and kinds[i] in (kinds[i - 1] if i else None, *kinds[i + 1 : i + 2])
        mark = _signature(cluster, members, incoming, expand) if cluster and likely else None
        if cluster and mark is not None and mark == before and follows(cluster, runs[-1][-1]):
            runs[-1].append(cluster)
        elif cluster:
            runs.append([cluster])
        before = mark
    return [run for run in runs if len(run) > 1]


def _signature(
    cluster: Cluster,
    members: _Members,
    incoming: dict[str, list[Edge]],
    expand: Collection[str],
) -> Any:
    """Return what equal clusters have in common, None for one that must not be folded."""
    if any(path == cluster.path or path.startswith(f"{cluster.path}.") for path in expand):
        return None
    boxes = members.boxes[cluster.id]
    if any(b.bad or b.bad_gradient or any(r.bad for r in b.rows) for b in boxes):
        return None
    place = {box.id: i for i, box in enumerate(boxes)}
    return (
        cluster.kind,
        cluster.parameters,
        len(members.items[cluster.id]),
        [
            (
                b.label, b.name, b.shape, b.dtype, b.keywords, b.scalars, b.requires_grad,
                [(r.label, r.shape, r.dtype, r.argument, r.requires_grad) for r in b.rows],
                [(e.argument, place.get(e.tail, -1)) for e in incoming.get(b.id, ())],
                b.cluster == cluster.id,
            )
            for b in boxes
        ],
    )  # fmt: skip


def _inputs_alike(graph: Graph, alias: dict[str, str], incoming: dict[str, list[Edge]]) -> None:
    """Fold the inputs that only a folded module reads into those of the one that is drawn."""
    by_id = {box.id: box for box in graph.boxes}
    readers: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        readers.setdefault(edge.tail, []).append(edge)
    for box in graph.boxes:
        edges = readers.get(box.id, [])
        if box.kind not in ("input", "constant") or not edges:
            continue
        if not all(e.head in alias for e in edges):
            continue
        head = _end(alias, edges[0].head)
        twin = next(
            (by_id[e.tail] for e in incoming.get(head, ()) if e.argument == edges[0].argument), None
        )
        if twin and (twin.kind, twin.shape, twin.dtype) == (box.kind, box.shape, box.dtype):
            alias[box.id] = twin.id


def _folded(
    graph: Graph, alias: dict[str, str], clusters: dict[str, Cluster], gone: dict[str, str]
) -> Graph:
    """Let the first of each group stand for the others."""
    stands_for: dict[str, list[Box]] = {}
    for box in graph.boxes:
        if box.id in alias:
            stands_for.setdefault(alias[box.id], []).append(box)
    several = {*alias, *stands_for}  # boxes of which there are several
    which = {  # of such a box: the module of each group that it is in
        box.id: {gone.get(c.id, c.id): c.id for c in above(graph.clusters, box.cluster)}
        for box in graph.boxes
        if box.id in several
    }
    boxes = [
        _joined(box, stands_for[box.id]) if box.id in stands_for else box
        for box in graph.boxes
        if box.id not in alias
    ]
    edges: dict[tuple[str, str, int, bool], Edge] = {}
    for edge in graph.edges:
        tail, head = alias.get(edge.tail, edge.tail), alias.get(edge.head, edge.head)
        inner, outer = which.get(edge.head, {}), which.get(edge.tail, {})
        repeat = any(inner.get(group, c) != c for group, c in outer.items())
        key = (tail, head, edge.argument, repeat)
        if key in edges:
            edges[key].uses += 1
        elif edge.tail not in several and edge.head not in several:
            edges[key] = edge
        else:
            edges[key] = replace(edge, tail=tail, head=head, repeat=repeat)
    return replace(graph, boxes=boxes, edges=list(edges.values()), clusters=used(clusters, boxes))


def _joined(box: Box, others: list[Box]) -> Box:
    """Sum up equal boxes in the first of them."""
    everyone = [box, *others]
    rows = [
        replace(row, gradient=span(b.rows[i].gradient for b in everyone))
        for i, row in enumerate(box.rows)
    ]
    return replace(
        box,
        rows=rows,
        value=None,
        gradient=span(b.gradient for b in everyone),
        saved=sum(b.saved for b in everyone),
        ops=sum(b.ops for b in everyone),
    )


def span(gradients: Iterable[Gradient | None]) -> Gradient | None:
    """Return the range of several gradients, None if none was measured."""
    measured = [g for g in gradients if g is not None]
    lows = [g.low for g in measured if g.low is not None]
    highs = [g.high for g in measured if g.high is not None]
    if not lows:
        return measured[0] if measured else None
    return Gradient(min(lows), max(highs))


def span_of_paths(paths: list[str]) -> str:
    """Write the paths of modules in a row: `layers.0–11`."""
    first, last = paths[0], paths[-1]
    if first == last:
        return first
    start = re.fullmatch(r"(.*?)(\d+)", first)
    end = re.fullmatch(r"(.*?)(\d+)", last)
    if start and end and start[1] == end[1]:
        return f"{first}–{end[2]}"
    return f"{first} … {last}"
