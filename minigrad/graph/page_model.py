"""What the page draws, as JSON: boxes and edges of the whole graph, in modules that fold."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from minigrad.graph.fold import module_box
from minigrad.graph.model import Bad, Box, Cluster, Edge, Graph, Row, above, human
from minigrad.graph.theme import STEP_NAMES, legend, step
from minigrad.graph.words import facts, heading, lines, row_text

MANY = 40  # of the boxes and modules beside each other; more are put into stretches
STRETCH = 25
BUDGET = 60  # boxes that a page shows when it opens


def model(whole: Graph, drawn: Graph, show: Sequence[str] = ("shape", "dtype")) -> dict[str, Any]:
    """Return what the page draws, as JSON has it.

    Returns
    -------
    dict
        `nodes` and `clusters`, parents first, with the index of the cluster around each; `edges`
        as [tail, head, argument] with the indices of nodes, and "bad" or "repeat"; what is None,
        False or empty is left out.
    """
    turned = whole.view == "backward" and whole is not drawn  # `fold` has turned `drawn`
    boxes = list(whole.boxes[::-1]) if turned else list(whole.boxes)
    edges = [replace(e, tail=e.head, head=e.tail) for e in whole.edges] if turned else whole.edges
    frames, homes, prefixes = _slim(whole.clusters, boxes)
    boxes = [replace(box, cluster=home) for box, home in zip(boxes, homes, strict=True)]
    stretches = _stretch(frames, boxes)
    folders = _folders(frames, boxes, edges)
    opened = _opened(frames, boxes, drawn.clusters.keys() | stretches)
    places = {key: i for i, key in enumerate(frames)}
    numbers = {box.id: i for i, box in enumerate(boxes)}
    sources: dict[str, int] = {}
    nodes = []
    for box, prefix in zip(boxes, prefixes, strict=True):
        record = _record(box, prefix, show, sources)
        if box.cluster:
            record["in"] = places[box.cluster]
        nodes.append(record)
    clusters = []
    for key, cluster in frames.items():
        record = _record(folders[key], "", show, sources)
        text = replace(cluster, parameters=0).label
        record |= {"id": key, "text": text, "label": cluster.label}
        if cluster.parent:
            record["in"] = places[cluster.parent]
        if key in opened:
            record["open"] = True
        if key in stretches:
            record["kind"] = "stretch"
        clusters.append(record)
    return {
        "title": whole.title,
        "facts": f"{whole.view} · {whole.facts}",
        "notes": whole.notes,
        "legend": legend(whole),
        "steps": STEP_NAMES,
        "sources": list(sources),
        "clusters": clusters,
        "nodes": nodes,
        "edges": [_edge(edge, numbers) for edge in edges],
    }


def _edge(edge: Edge, numbers: dict[str, int]) -> list[Any]:
    marks = ["bad"] * edge.bad + ["repeat"] * edge.repeat
    return [numbers[edge.tail], numbers[edge.head], edge.argument, *marks]


def _record(box: Box, prefix: str, show: Sequence[str], sources: dict[str, int]) -> dict[str, Any]:
    """Return a box as JSON has it: the words of the picture, and the facts for the panel."""
    texts = lines(box, show)
    usual = [f"{box.shape} {box.dtype}"] if box.shape is not None else []
    mark = box.bad if box.bad and box.bad.origin else box.bad_gradient
    shaded = box.gradient and box.kind in ("op", "module", "parameter")
    source = "{}:{} in {}".format(*box.source) if box.source else None
    return _filled(
        {
            "id": box.id,
            "kind": "" if box.kind == "op" else box.kind,
            "text": prefix + heading(box),
            "shape": str(box.shape) if box.shape is not None else None,
            "dtype": box.dtype,
            "bytes": human(box.nbytes) if box.shape is not None else None,
            "lines": texts if texts != usual else None,
            "saved": human(box.saved) if box.saved else None,
            "keywords": box.keywords,
            "gradient": box.gradient.text if box.gradient else None,
            "step": step(box.gradient) if box.gradient and shaded else None,
            "bad": box.bad.text if box.bad else None,
            "badGradient": box.bad_gradient.text if box.bad_gradient else None,
            "mark": _mark(mark),
            "dotted": not box.requires_grad and box.kind in ("input", "constant", "parameter"),
            "ordered": box.ordered,
            "target": box.target,
            "source": sources.setdefault(source, len(sources)) if source else None,
            "rows": [_row(row, show) for row in box.rows],
        }
    )


def _row(row: Row, show: Sequence[str]) -> dict[str, Any]:
    parts = [facts(row, ("shape", "dtype")), human(row.nbytes)]
    parts += [item.text for item in (row.gradient, row.bad) if item]
    return _filled(
        {
            "id": row.id,
            "name": row.name,
            "text": row_text(row, show),
            "facts": ", ".join(parts),
            "step": step(row.gradient) if row.gradient else None,
            "mark": _mark(row.bad) if row.bad and row.bad.origin else None,
            "dotted": not row.requires_grad,
        }
    )


def _mark(bad: Bad | None) -> str | None:
    return ("first" if bad.first else "origin") if bad else None


def _filled(record: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not there; 0 is something."""
    return {
        k: v for k, v in record.items() if v is not None and v is not False and v not in ("", [])
    }


# ---------------------------------------------------------------------------------------- folding
def _slim(
    clusters: dict[str, Cluster], boxes: Sequence[Box]
) -> tuple[dict[str, Cluster], list[str | None], list[str]]:
    """Leave out the frames around a single operation, whose box can say the module's name.

    Returns the frames that stay, and for each box the one around it and what goes before its text.
    """
    sizes: dict[str, int] = {}
    for box in boxes:
        if box.cluster:
            sizes[box.cluster] = sizes.get(box.cluster, 0) + (1 if box.kind == "op" else 2)
    parents = {cluster.parent for cluster in clusters.values()}
    slim = {
        key
        for key, cluster in clusters.items()
        if not (cluster.parameters or cluster.repeats > 1 or key in parents) and sizes.get(key) == 1
    }
    homes, prefixes = [], []
    for box in boxes:
        prefix, home = "", box.cluster
        if home in slim and home:
            path = clusters[home].path
            prefix, home = f"{path}: " if path else "", clusters[home].parent
        homes.append(home)
        prefixes.append(prefix)
    return {key: c for key, c in clusters.items() if key not in slim}, homes, prefixes


def _tree(
    frames: dict[str, Cluster], boxes: Sequence[Box]
) -> dict[str | None, list[Box | Cluster]]:
    """Return what stands in each frame, and outside all (None), in topological order."""
    tree: dict[str | None, list[Box | Cluster]] = {None: []}
    for box in boxes:
        inner: Box | Cluster = box
        for cluster in above(frames, box.cluster):
            known = cluster.id in tree
            tree.setdefault(cluster.id, []).append(inner)
            if known:
                break
            inner = cluster
        else:
            tree[None].append(inner)
    return tree


def _stretch(frames: dict[str, Cluster], boxes: Sequence[Box]) -> set[str]:
    """Gather many neighbours into stretches, in place: neighbours in topological order."""
    numbers: dict[str, tuple[int, int]] = {}  # the first and last operation of boxes and frames
    ops = 0
    for box in boxes:
        first, ops = ops + 1, ops + box.ops
        numbers[box.id] = first, ops
        for cluster in above(frames, box.cluster):
            numbers[cluster.id] = numbers.get(cluster.id, (first, 0))[0], ops
    made: dict[str, Cluster] = {}
    for home, inside in _tree(frames, boxes).items():
        ends = [
            item for item in inside if isinstance(item, Box) and item.kind in ("input", "output")
        ]
        apart = {item.id for item in ends} if len(ends) <= STRETCH else set()
        items = [item for item in inside if item.id not in apart]
        while len(items) > MANY:
            pieces = -(-len(items) // STRETCH)
            bounds = [len(items) * i // pieces for i in range(pieces + 1)]
            above_them: list[Box | Cluster] = []
            for start, end in itertools.pairwise(bounds):
                piece = items[start:end]
                key = f"stretch{len(made) + 1}"
                numbers[key] = numbers[piece[0].id][0], numbers[piece[-1].id][1]
                made[key] = _stretch_of(key, home, piece, numbers[key])
                for item in piece:
                    if isinstance(item, Box):
                        item.cluster = key
                    else:
                        (made if item.id in made else frames)[item.id] = replace(item, parent=key)
                above_them.append(made[key])
            items = above_them
    if made:
        found = frames | made
        frames.clear()
        pending = list(found.values())
        while pending:  # parents first
            waiting = []
            for cluster in pending:
                if cluster.parent is None or cluster.parent in frames:
                    frames[cluster.id] = cluster
                else:
                    waiting.append(cluster)
            pending = waiting
    return set(made)


def _stretch_of(
    key: str, home: str | None, piece: Sequence[Box | Cluster], numbers: tuple[int, int]
) -> Cluster:
    modules = [item for item in piece if isinstance(item, Cluster)]
    text = "ops {:,}–{:,}".format(*numbers)
    paths = list(dict.fromkeys(item.path for item in modules if item.path))
    if paths:
        text += f": {paths[0]}" + (f" … {paths[-1]}" if len(paths) > 1 else "")
    own = {item.module: item.parameters for item in modules}
    return Cluster(key, "", text, home, 0, sum(own.values()), -1)


def _folders(
    frames: dict[str, Cluster], boxes: Sequence[Box], edges: Sequence[Edge]
) -> dict[str, Box]:
    """Return the box that stands for each frame while it is closed."""
    around = {box.id: [c.id for c in above(frames, box.cluster)] for box in boxes}
    members: dict[str, list[Box]] = {key: [] for key in frames}
    for box in boxes:
        for key in around[box.id]:
            members[key].append(box)
    entering: dict[str, dict[str, None]] = {key: {} for key in frames}
    leaving: dict[str, Edge] = {}
    for edge in edges:
        inside, outside = around[edge.head], around[edge.tail]
        if inside == outside:
            continue
        for key in inside:
            if key not in outside:
                entering[key][f"{edge.shape} {edge.dtype}"] = None
        for key in outside:
            if key not in inside:
                leaving[key] = edge
    folders = {}
    for key, cluster in frames.items():
        folders[key] = module_box(cluster, members[key], leaving.get(key))
        folders[key].inputs = tuple(entering[key])
    return folders


def _opened(frames: dict[str, Cluster], boxes: Sequence[Box], wanted: set[str]) -> set[str]:
    """Return the frames that are open at first: outer ones before inner ones, up to a budget."""
    tree = _tree(frames, boxes)
    opened: set[str] = set()
    for box in boxes:
        marks = (box.bad, box.bad_gradient, *(row.bad for row in box.rows))
        if any(mark and mark.first for mark in marks):  # where it went wrong is never hidden
            opened |= {cluster.id for cluster in above(frames, box.cluster)}
    shown = len(tree[None]) + sum(len(tree[key]) for key in opened)
    level: list[str | None] = [None]
    while level:
        inner = [item.id for key in level for item in tree[key] if isinstance(item, Cluster)]
        for key in inner:
            if key in wanted and key not in opened and shown + len(tree[key]) <= BUDGET:
                opened.add(key)
                shown += len(tree[key])
        level = [key for key in inner if key in opened]
    return opened
