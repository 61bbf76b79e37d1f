"""Finding what repeats: equal modules in a row, and equal rounds of a loop of operations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from minigrad.graph.model import Box, Edge, Frame, Graph
from minigrad.graph.tree import LOOSE, owned

MANY = 40  # boxes of a loop without modules that are still drawn one by one
ROUNDS = 4  # the least of such a loop; of modules, two are enough
LOOKS = 4  # how many periods are tried where a loop may begin
Items = list[Frame | Box]
Wires = list[tuple[int, int, int, int]]  # at which box, argument; from how far back, or which


class Repeats:
    """Put equal neighbours into a frame that draws the first of them, marked ×12.

    Equal are modules of one class, or sequences of modules and operations, that did the same on
    the same shapes, wired alike, each reading the one before. What holds the origin of a
    non-finite value, or is to be open anyway, stays as it is; so do loops of up to `many` boxes.
    Boxes that do something are known by their place.
    """

    def __init__(self, root: Frame, graph: Graph, many: int):
        self.expand, self.many = graph.expand, many
        self.numbers: dict[Any, int] = {}  # of forms: what looks the same has the same number
        self.boxes = {box.id: box for box in graph.boxes}
        self.forms = {box.id: self._form(box) for box in graph.boxes}
        self.leaves = _leaves(root)
        self.places = {box.id: place for place, box in enumerate(self.leaves)}
        self.incoming: dict[str, list[Edge]] = {}
        self.readers: dict[str, list[Edge]] = {}
        for edge in graph.edges:
            self.incoming.setdefault(edge.head, []).append(edge)
            self.readers.setdefault(edge.tail, []).append(edge)
        self.moved: set[int] = set()  # inputs, into the round that alone reads them

    def _number(self, form: Any) -> int:
        return self.numbers.setdefault(form, len(self.numbers))

    def _form(self, box: Box) -> int:
        if box.kind in LOOSE:
            return self._number((box.kind, box.shape, box.dtype))
        if box.marked or any(row.bad and row.bad.origin for row in box.rows):
            return self._number(box.id)  # like no other
        keywords = "" if box.label == "getitem" else box.keywords  # of a loop, the step's number
        rows = tuple((r.label, r.shape, r.dtype, r.argument, r.requires_grad) for r in box.rows)
        return self._number((
            box.kind, box.label, box.name, box.shape, box.dtype, keywords, box.call,
            box.requires_grad, bool(box.bad), bool(box.health), rows,
        ))  # fmt: skip

    def search(self, frame: Frame, start: int) -> int:
        """Gather the repeats in a frame, inner ones first, and return the number of its form."""
        items = [i for i in frame.items if isinstance(i, Frame) or i.kind not in LOOSE]
        forms, bounds = [], [start]
        for item in items:
            forms.append(
                self.search(item, bounds[-1]) if isinstance(item, Frame) else self.forms[item.id]
            )
            bounds.append(bounds[-1] + len(_leaves(item)))
        found: dict[int, Items] = {}  # in the place of each item
        for run in self._runs(items, forms, bounds):
            rounds = [self._round(frame, items[i : i + run.step]) for i in run]
            found |= {id(item): [] for item in items[run.start : run.stop]}
            found[id(items[run.start])] = [self._loop(rounds)]
        kept = [item for item in frame.items if id(item) not in self.moved]
        frame.items = [new for item in kept for new in found.get(id(item), [item])]
        if frame.path and any(f"{p}.".startswith(f"{frame.path}.") for p in self.expand):
            return self._number(frame.key)
        inner = tuple(wire for wire in self._wires(start, bounds[-1], start) if wire[2])
        return self._number((frame.kind, tuple(frame.owned.values()), tuple(forms), inner))

    def _wires(self, start: int, stop: int, since: int) -> Wires:
        """Return from how far back the boxes of a range read, or which of what is older."""
        found = []
        for place in range(start, stop):
            for edge in self.incoming.get(self.leaves[place].id, ()):
                tail = self.places.get(edge.tail, -1)
                back = place - tail if tail >= since else 0
                older = self.forms[edge.tail] if tail < 0 else self._number(edge.tail)
                found.append((place - start, edge.argument, back, 0 if back else older))
        return found

    def _runs(self, items: Items, forms: list[int], bounds: list[int]) -> list[range]:
        """Find what repeats among neighbours: from where to where, in steps of a round."""
        ranks: dict[int, list[int]] = {}
        for i, form in enumerate(forms):
            ranks.setdefault(form, []).append(i)
        rank = {i: n for each in ranks.values() for n, i in enumerate(each)}
        runs = []
        start = 0
        while start < len(items):
            best = range(0)
            later = ranks[forms[start]][rank[start] + 1 : rank[start] + 1 + LOOKS]
            for period in (i - start for i in later if i - start > len(best) * best.step):
                times = self._times(forms, bounds, start, period)
                boxes = bounds[start + period * times] - bounds[start]
                module = period == 1 and isinstance(items[start], Frame) and times > 1
                enough = times >= ROUNDS and boxes > self.many
                if (module or enough) and times * period > len(best) * best.step:
                    best = range(start, start + times * period, period)
            runs += [best] * bool(best)
            start = best.stop if best else start + 1
        return runs

    def _times(self, forms: list[int], bounds: list[int], start: int, period: int) -> int:
        """Count the equal rounds of a period; each reads the one before, the first anything."""
        first, end = forms[start : start + period], start + period
        if forms[end : end + period] != first:
            return 1
        a, b, c = bounds[start], bounds[end], bounds[end + period]
        wires = self._wires(b, c, a)
        follows = any(back > offset for offset, _, back, _ in wires)
        alone = [[w for w in self._wires(*at, at[0]) if w[2]] for at in ((a, b), (b, c))]
        if not follows or alone[0] != alone[1]:
            return 1
        while (
            forms[end : end + period] == first
            and self._wires(bounds[end], bounds[end + period], a) == wires
        ):
            end += period
        return (end - start) // period

    def _round(self, frame: Frame, items: Items) -> Frame:
        """Return the frame of one round: of a module itself, or one made for the occasion."""
        if len(items) == 1 and isinstance(items[0], Frame):
            return items[0]
        key = "_".join(filter(None, ["step", frame.key, str(_leaves(items[0])[0].number)]))
        level = frame.level + bool(frame.path)
        return Frame(key, kind="step", level=level, sort="step", owned=owned(items),
                     outer=frame.path, items=items)  # fmt: skip

    def _loop(self, rounds: Sequence[Frame]) -> Frame:
        """Return the frame around equal ones."""
        first = rounds[0]
        if first.sort == "step":
            for n, each in enumerate(rounds, 1):
                each.kind = f"step {n}"
            first = replace(first, kind="loop", key=first.key.replace("step", "loop", 1))
        self._move_inputs(rounds)
        made = replace(first, sort="loop", loop=True, calls=1, items=list(rounds))
        made.path, made.owned = span_of_paths([each.path for each in rounds]), owned(rounds)
        made.repeats, made.each = len(rounds), first.parameters
        made.ops = sum(box.ops for box in made.boxes())
        return made

    def _move_inputs(self, rounds: Sequence[Frame]) -> None:
        """Move what each round alone reads, at the same place, into the rounds."""
        found: list[dict[Any, Box]] = []
        for each in rounds:
            leaves, held = _leaves(each), {box.id for box in each.boxes()}
            start = self.places[leaves[0].id]
            found.append({})
            read = Counter(e.tail for box in leaves for e in self.incoming.get(box.id, ()))
            for tail, times in read.items():
                box, ends = self.boxes[tail], self.readers[tail]
                if box.kind in LOOSE and tail not in held and times == len(ends):  # by no others
                    at = [(self.places[e.head] - start, e.argument) for e in ends]
                    found[-1][tuple(at), self.forms[tail]] = box
        for place in [p for p in found[0] if all(p in alone for alone in found)]:
            for each, alone in zip(rounds, found, strict=True):
                each.items.insert(0, alone[place])
                self.moved.add(id(alone[place]))


def _leaves(item: Frame | Box) -> list[Box]:
    """Return the boxes that do something."""
    boxes = [item] if isinstance(item, Box) else item.boxes()
    return [box for box in boxes if box.kind not in LOOSE]


def span_of_paths(paths: Sequence[str]) -> str:
    """Write the paths of modules in a row: `layers.0–11`."""
    first, last = paths[0], paths[-1]
    pair = re.fullmatch(r"(.*?)\d+\n\1(\d+)", f"{first}\n{last}")
    return first if first == last else f"{first}–{pair[2]}" if pair else f"{first} … {last}"
