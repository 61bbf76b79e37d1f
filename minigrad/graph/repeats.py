"""Finding what repeats: equal modules in a row, and equal rounds of a loop of operations."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from minigrad.graph.model import Box, Cluster, Edge, Graph
from minigrad.graph.tree import LOOSE, Frame, owned

MANY = 40  # boxes of a loop without modules that are still drawn one by one
ROUNDS = 4  # the least of such a loop; of modules, two are enough
LOOKS = 4  # how many periods are tried where a loop may begin
Items = list[Frame | Box]
Wires = tuple[tuple[int, int, int | None, int], ...]  # at which leaf, argument; from how far, leaf


def fold_repeats(root: Frame, graph: Graph, expand: Collection[str] = (), many: int = MANY) -> None:
    """Put equal neighbours into a frame that draws the first of them, marked ×12.

    Equal are modules of one class, or sequences of modules and operations, that did the same on
    the same shapes, wired alike, each reading the one before. What holds the origin of a
    non-finite value, or is named in `expand`, stays as it is; so do loops of up to `many` boxes.
    """
    _Repeats(root, graph, expand, many).finish(root)


class _Repeats:
    """What the search has found so far."""

    def __init__(self, root: Frame, graph: Graph, expand: Collection[str], many: int):
        self.expand, self.many = expand, many
        self.numbers: dict[Any, int] = {}  # of forms: what looks the same has the same number
        self.boxes = {box.id: box for box in graph.boxes}
        self.incoming: dict[str, list[Edge]] = {}
        self.readers: dict[str, list[Edge]] = {}
        for edge in graph.edges:
            self.incoming.setdefault(edge.head, []).append(edge)
            self.readers.setdefault(edge.tail, []).append(edge)
        self.moved: dict[str, Frame] = {}  # inputs, into the round that alone reads them
        self._search(root)

    def finish(self, frame: Frame) -> None:
        """Take what was moved from where it was."""
        for item in frame.items:
            if isinstance(item, Frame):
                self.finish(item)
        frame.items = [
            item for item in frame.items
            if isinstance(item, Frame) or self.moved.get(item.id, frame) is frame
        ]  # fmt: skip

    def _number(self, form: Any) -> int:
        return self.numbers.setdefault(form, len(self.numbers))

    def _form(self, box: Box) -> int:
        if box.marked or any(row.bad and row.bad.origin for row in box.rows):
            return self._number(box.id)  # like no other
        keywords = "" if box.label == "getitem" else box.keywords  # of a loop, the step's number
        rows = tuple((r.label, r.shape, r.dtype, r.argument, r.requires_grad) for r in box.rows)
        return self._number((
            box.kind, box.label, box.name, box.shape, box.dtype, keywords, box.scalars,
            box.requires_grad, bool(box.bad), bool(box.health), rows,
        ))  # fmt: skip

    def _search(self, frame: Frame) -> int:
        """Gather the repeats in a frame, inner ones first, and return the number of its form."""
        items = [i for i in frame.items if isinstance(i, Frame) or i.kind not in LOOSE]
        forms = [self._search(i) if isinstance(i, Frame) else self._form(i) for i in items]
        wires = self._wires([_leaves(item) for item in items])
        loops: dict[int, Frame] = {}
        gone: set[int] = set()
        for run in self._runs(items, forms, wires):
            rounds = [self._round(frame, items[i : i + run.step]) for i in run]
            loops[id(items[run.start])] = self._loop(rounds)
            gone |= {id(item) for item in items[run.start : run.stop]}
        frame.items = [
            loops.get(id(item), item)
            for item in frame.items
            if id(item) in loops or id(item) not in gone
        ]
        path = frame.cluster.path
        if path and any(p == path or p.startswith(f"{path}.") for p in self.expand):
            return self._number(frame.cluster.key)
        inner = tuple(tuple(wire for wire in each if wire[2] is not None) for each in wires)
        sizes = tuple(frame.cluster.owned.values())
        return self._number((frame.cluster.kind, sizes, tuple(forms), inner))

    def _wires(self, leaves: list[list[Box]]) -> list[Wires]:
        """Return where each item reads from, as seen from there."""
        at = {box.id: (i, k) for i, each in enumerate(leaves) for k, box in enumerate(each)}
        wires = []
        for i, each in enumerate(leaves):
            found: list[tuple[int, int, int | None, int]] = []
            for k, box in enumerate(each):
                for edge in self.incoming.get(box.id, ()):
                    j, leaf = at.get(edge.tail, (None, 0))
                    if j is None:
                        found.append((k, edge.argument, None, self._outer(self.boxes[edge.tail])))
                    elif j != i:
                        found.append((k, edge.argument, i - j, leaf))
            wires.append(tuple(found))
        return wires

    def _outer(self, box: Box) -> int:
        loose = box.kind in LOOSE
        return self._number((box.kind, box.shape, box.dtype)) if loose else self._form(box)

    def _runs(self, items: Items, forms: list[int], wires: list[Wires]) -> list[range]:
        """Find what repeats among neighbours: from where to where, in steps of a round."""
        places: dict[int, list[int]] = {}
        for i, form in enumerate(forms):
            places.setdefault(form, []).append(i)
        rank = {i: n for each in places.values() for n, i in enumerate(each)}
        runs = []
        start = 0
        while start < len(items):
            best = range(0)
            later = places[forms[start]][rank[start] + 1 : rank[start] + 1 + LOOKS]
            for period in (i - start for i in later if i - start > len(best) * best.step):
                times = _times(forms, wires, start, period)
                if times < 2:
                    continue
                inside = sum(len(_leaves(i)) for i in items[start : start + period])
                module = period == 1 and isinstance(items[start], Frame)
                enough = times >= ROUNDS and inside * times > self.many
                if (module or enough) and times * period > len(best) * best.step:
                    best = range(start, start + times * period, period)
            runs += [best] * bool(best)
            start = best.stop if best else start + 1
        return runs

    def _round(self, frame: Frame, items: Items) -> Frame:
        """Return the frame of one round: of a module itself, or one made for the occasion."""
        if len(items) == 1 and isinstance(items[0], Frame):
            return items[0]
        around = frame.cluster
        key = "_".join(filter(None, ["step", around.key, str(_leaves(items[0])[0].number)]))
        level = around.level + bool(around.path)
        made = Cluster(key, "", "step", level=level, sort="step", owned=owned(items),
                       outer=around.path)  # fmt: skip
        return Frame(made, items)

    def _loop(self, rounds: Sequence[Frame]) -> Frame:
        """Return the frame around equal ones."""
        clusters = [each.cluster for each in rounds]
        first = clusters[0]
        if first.sort == "step":
            for n, cluster in enumerate(clusters, 1):
                cluster.kind = f"step {n}"
            first = replace(first, kind="loop", key=first.key.replace("step", "loop", 1))
        made = replace(
            first,
            path=span_of_paths([cluster.path for cluster in clusters]),
            sort="loop",
            repeats=len(rounds),
            owned={n: size for cluster in clusters for n, size in cluster.owned.items()},
            each=first.parameters,
            shared=bool(first.owned) and all(c.owned == first.owned for c in clusters),
            ops=sum(box.ops for each in rounds for box in each.boxes()),
            calls=1,
        )
        self._move_inputs(rounds)
        return Frame(made, rounds, loop=True)

    def _move_inputs(self, rounds: Sequence[Frame]) -> None:
        """Move what each round alone reads, at the same place, into the rounds."""
        found: list[dict[Any, Box]] = []
        for each in rounds:
            leaves = {box.id: k for k, box in enumerate(_leaves(each))}
            found.append({})
            for tail in {edge.tail: 0 for key in leaves for edge in self.incoming.get(key, ())}:
                box, ends = self.boxes[tail], self.readers[tail]
                if box.kind in LOOSE and all(e.head in leaves for e in ends):
                    places = tuple((leaves[e.head], e.argument) for e in ends)
                    found[-1][places, box.kind, box.shape, box.dtype] = box
        inside = [{box.id for box in each.boxes()} for each in rounds]
        for place in [p for p in found[0] if all(p in alone for alone in found)]:
            for each, alone, known in zip(rounds, found, inside, strict=True):
                if alone[place].id not in known:
                    each.items.insert(0, alone[place])
                    self.moved[alone[place].id] = each


def _leaves(item: Frame | Box) -> list[Box]:
    """Return the boxes that do something."""
    boxes = [item] if isinstance(item, Box) else item.boxes()
    return [box for box in boxes if box.kind not in LOOSE]


def _times(forms: list[int], wires: list[Wires], start: int, period: int) -> int:
    """Count the equal rounds of a period: each reads the one before, the first from anywhere."""
    second = start + period
    end = second
    while (
        forms[end : end + period] == forms[start:second]
        and wires[end : end + period] == wires[second : second + period]
    ):
        end += period
    if end == second:
        return 1
    inner, follows = [], False
    for i in range(start, second):
        here, later = ([w for w in wires[k] if w[2]] for k in (i, i + period))
        inner.append([[w for w in each if (w[2] or 0) <= i - start] for each in (here, later)])
        follows |= any(i - start < (w[2] or 0) <= i - start + period for w in later)
    return (end - start) // period if follows and all(a == b for a, b in inner) else 1


def span_of_paths(paths: Sequence[str]) -> str:
    """Write the paths of modules in a row: `layers.0–11`."""
    first, last = paths[0], paths[-1]
    if first == last:
        return first
    start = re.fullmatch(r"(.*?)(\d+)", first)
    end = re.fullmatch(r"(.*?)(\d+)", last)
    if start and end and start[1] == end[1]:
        return f"{first}–{end[2]}"
    return f"{first} … {last}"
