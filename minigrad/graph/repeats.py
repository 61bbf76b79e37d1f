"""Finding what repeats: equal modules in a row, and equal rounds of a loop of operations."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from minigrad.graph.model import Box, Cluster, Edge, Graph
from minigrad.graph.tree import LOOSE, Frame

MANY = 40  # boxes of a loop without modules that are still drawn one by one
ROUNDS = 4  # the least of such a loop; of modules, two are enough
LOOKS = 4  # how many periods are tried where a loop may begin
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
        leaves = [_leaves(item) for item in items]
        wires = self._wires(leaves)
        loops: dict[int, Frame] = {}
        gone: set[int] = set()
        for start, period, times in self._runs(items, forms, leaves, wires):
            rounds = [
                self._round(frame, items[i : i + period])
                for i in range(start, start + period * times, period)
            ]
            loops[id(items[start])] = self._loop(rounds)
            gone |= {id(item) for item in items[start : start + period * times]}
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

    def _wires(self, leaves: Sequence[Sequence[Box]]) -> list[Wires]:
        """Return where each item reads from, as seen from there."""
        at = {box.id: (i, k) for i, each in enumerate(leaves) for k, box in enumerate(each)}
        wires = []
        for i, each in enumerate(leaves):
            found: list[tuple[int, int, int | None, int]] = []
            for k, box in enumerate(each):
                for edge in self.incoming.get(box.id, ()):
                    place = at.get(edge.tail)
                    if place is None:
                        tail = self.boxes[edge.tail]
                        loose = tail.kind in LOOSE
                        form = (tail.kind, tail.shape, tail.dtype) if loose else self._form(tail)
                        found.append((k, edge.argument, None, self._number(form)))
                    elif place[0] != i:
                        found.append((k, edge.argument, i - place[0], place[1]))
            wires.append(tuple(found))
        return wires

    def _runs(
        self,
        items: Sequence[Frame | Box],
        forms: Sequence[int],
        leaves: Sequence[Sequence[Box]],
        wires: Sequence[Wires],
    ) -> list[tuple[int, int, int]]:
        """Find what repeats among neighbours: where it starts, its period, and how many times."""
        places: dict[int, list[int]] = {}
        for i, form in enumerate(forms):
            places.setdefault(form, []).append(i)
        rank = {i: n for each in places.values() for n, i in enumerate(each)}
        hopeless: dict[int, int] = {}  # up to where a period was tried and came to nothing
        runs = []
        start = 0
        while start < len(items):
            best = (0, 0, 0)
            same = places[forms[start]]
            for later in same[rank[start] + 1 : rank[start] + 1 + LOOKS]:
                period = later - start
                if start < hopeless.get(period, 0) or period < best[0]:
                    continue
                end = _equal_until(forms, wires, start, period)
                times = (end - start) // period
                boxes = sum(map(len, leaves[start : start + period])) * times
                module = period == 1 and isinstance(items[start], Frame)
                enough = times >= ROUNDS and boxes > self.many
                if times < 2 or not (module or enough) or not _follows(wires, start, period):
                    hopeless[period] = end - ROUNDS * period
                else:
                    best = max(best, (times * period, -period, times))
            covered, period, times = best
            if covered:
                runs.append((start, -period, times))
            start += covered or 1
        return runs

    def _round(self, frame: Frame, items: Sequence[Frame | Box]) -> Frame:
        """Return the frame of one round: of a module itself, or one made for the occasion."""
        if len(items) == 1 and isinstance(items[0], Frame):
            return items[0]
        around = frame.cluster
        key = "_".join(filter(None, ["step", around.key, str(_leaves(items[0])[0].number)]))
        owned: dict[int, int] = {}
        for item in items:
            owned |= item.cluster.owned if isinstance(item, Frame) else owned_by(item)
        level = around.level + bool(around.path)
        made = Cluster(key, "", "step", level=level, sort="step", owned=owned, outer=around.path)
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
        found = []
        for each in rounds:
            leaves = {box.id: k for k, box in enumerate(_leaves(each))}
            alone: dict[Any, Box] = {}
            for key in leaves:
                for edge in self.incoming.get(key, ()):
                    tail = self.boxes[edge.tail]
                    ends = self.readers[edge.tail]
                    if tail.kind in LOOSE and all(e.head in leaves for e in ends):
                        places = tuple((leaves[e.head], e.argument) for e in ends)
                        alone[places, tail.kind, tail.shape, tail.dtype] = tail
            found.append(alone)
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


def owned_by(box: Box) -> dict[int, int]:
    """Return the size of each parameter in a box, by number."""
    return {row.number: math.prod(row.shape) for row in box.rows}


def _equal_until(forms: Sequence[int], wires: Sequence[Wires], start: int, period: int) -> int:
    """Return where what repeats with a period ends.

    The first round may read from anywhere, the others from the same places, as seen from there.
    """
    last = len(forms)
    for i in range(start, last - period):
        if forms[i] != forms[i + period]:
            return i + period
        here, later = wires[i], wires[i + period]
        if here != later:
            if i >= start + period:
                return i + period
            near = [
                [wire for wire in each if wire[2] is not None and wire[2] <= i - start]
                for each in (here, later)
            ]
            if near[0] != near[1]:
                return i + period
    return last


def _follows(wires: Sequence[Wires], start: int, period: int) -> bool:
    """Tell whether the second round reads the first."""
    second = start + period
    return any(
        way is not None and start <= i - way < second
        for i in range(second, second + period)
        for _, _, way, _ in wires[i]
    )


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
