"""What a picture shows, as plain data: boxes, rows, edges and clusters, with stable ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_OTHER = re.compile(r"[^A-Za-z0-9]+")
Shape = tuple[int, ...]
Source = tuple[str, int, str]  # file, line, function


class Bad(NamedTuple):
    """How many values are not finite: `kind` is "NaN", or "inf" where there is no NaN."""

    kind: str
    wrong: int
    size: int
    origin: bool = False  # nothing non-finite went in
    first: bool = False  # the first origin of all
    seen: bool = False  # as far as known: something before it is not

    @property
    def text(self) -> str:
        """For example `first NaN: 32 of 50176`."""
        which = f"first {self.kind}{' seen' * self.seen}" if self.first else self.kind
        return f"{which}: {self.wrong} of {self.size}"


class Stats(NamedTuple):
    """Of the finite values: range, mean, deviation, a digit for each bar; shares of the rest."""

    low: float
    mean: float
    high: float
    std: float
    zeros: float
    wrong: float
    bars: str

    @property
    def text(self) -> str:
        """For example `min -1.2, mean 0.05, max 3.1, std 0.9, 25 % zeros`."""
        numbers = zip(("min", "mean", "max", "std"), self[:4], strict=True)
        parts = [f"{name} {number:.3g}" for name, number in numbers]
        shares = ((self.zeros, "zeros"), (self.wrong, "not finite"))
        return ", ".join(parts + [f"{share:.3g} % {what}" for share, what in shares if share])


class Gradient(NamedTuple):
    """The RMS of a gradient, from smallest to largest where several are shown as one.

    Both are None where no gradient arrived, which is not the same as 0.
    """

    low: float | None
    high: float | None

    @property
    def text(self) -> str:
        """For example `|g| 1.2e-02`, `grad 0` or `grad None`."""
        if self.high is None:
            return "grad None"
        sizes = dict.fromkeys(f"{size:.1e}" if size else "0" for size in self)
        return f"|g| {' … '.join(sizes)}" if self.high else "grad 0"


@dataclass(slots=True)
class Box:
    """A node of the picture.

    `kind` is op, input, constant, parameter (a row of the operation that reads it, or a box where
    nothing does), output, module (a closed frame), reference (to the box `target`) or hidden.
    """

    id: str
    kind: str
    label: str
    shape: Shape | None = None
    dtype: str = ""
    name: str | None = None
    cluster: str | None = None
    rows: list[Box] = field(default_factory=list)
    call: str = ""  # `(·, 2)`, where arguments are Python numbers
    ordered: bool = False  # exchanging its arguments changes the result
    keywords: str = ""
    does: str = ""  # what differs from the default, as one says it
    recorded: bool = False  # part of a gradient that was recorded
    value: float | None = None
    bad: Bad | None = None
    bad_gradient: Bad | None = None
    gradient: Gradient | None = None
    stats: Stats | None = None  # of its values
    slopes: Stats | None = None  # of its gradient
    health: str = ""  # what is wrong with finite values
    requires_grad: bool = True
    nbytes: int = 0
    saved: int = 0  # bytes held for backward that no earlier box holds
    source: Source | None = None
    number: int = 0  # of an operation, from 1; of a row, the same wherever the parameter is read
    argument: int = 0  # of the operation that a row is in
    uses: int = 1  # of a row
    ops: int = 0
    parameters: int = 0  # values in the parameters of a closed frame, each once
    inputs: tuple[str, ...] = ()  # what goes into a closed frame
    target: str | None = None

    @property
    def marked(self) -> Bad | None:
        """What is written in the hue of the non-finite: where it arose."""
        return self.bad if self.bad and self.bad.origin else self.bad_gradient

    @property
    def dotted(self) -> bool:
        """Whether it went in and has no gradient, which a dotted border says."""
        return not self.requires_grad and self.kind in ("input", "constant", "parameter")


@dataclass(slots=True)
class Edge:
    """Box `tail` is argument number `argument` of box `head`."""

    tail: str
    head: str
    argument: int
    bad: bool = False  # carries non-finite values
    uses: int = 1  # more than one where repeats are folded
    repeat: bool = False  # leads from one folded repeat to the next


@dataclass(slots=True, eq=False)
class Frame:
    """What stands around boxes, and has the path of a module or none.

    `sort` is module (one call of it), loop (equal ones in a row, of which the first is drawn),
    step (one round of a loop without modules) or stretch (neighbours, to be closed together).
    `parent` is the id of the frame around it, and `owned` the size of each parameter by number.
    `items` are what it holds, in topological order, once `plant` has put it there.
    """

    key: str = ""
    path: str = ""
    kind: str = ""
    parent: str | None = None
    level: int = 0  # how many modules are around it
    sort: str = "module"
    owned: dict[int, int] = field(default_factory=dict, repr=False)
    each: int = 0  # the values in the parameters of one of several repeats
    call: int = 1
    calls: int = 1
    repeats: int = 1
    ops: int = 0
    outer: str = ""  # the path of the module around it
    items: list[Frame | Box] = field(default_factory=list, repr=False)
    open: bool = True
    loop: bool = False  # holds all the equal ones, and not the first alone

    @property
    def id(self) -> str:
        """The identifier of the frame."""
        return f"cluster_{self.key}"

    @property
    def parameters(self) -> int:
        """The number of values in the parameters, each counted once."""
        return sum(self.owned.values())

    @property
    def name(self) -> str:
        """The path as seen from the module around it."""
        return self.path.removeprefix(f"{self.outer}.") if self.outer else self.path

    def title(self, relative: bool = False) -> str:
        """Return for example `block1.conv: Conv2d`; relative to the module around, `conv: ...`."""
        path = self.name if relative else self.path
        if self.repeats > 1:
            times = f"×{self.repeats}"
            return f"{times} ({path}): {self.kind}" if path else f"{self.kind} {times}"
        text = f"{path}: {self.kind}" if path else self.kind
        return text + (f" · call {self.call} of {self.calls}" if self.calls > 1 else "")

    @property
    def sums(self) -> str:
        """What is inside: the sum over all repeats, each parameter once."""
        values = f"{self.parameters:,} params"
        if self.repeats == 1 or self.sort == "stretch":
            return values if self.parameters else ""
        if self.parameters == self.each:
            values += f", shared by all {self.repeats}"
        elif self.parameters:
            partly = ", some shared" if self.parameters < self.each * self.repeats else ""
            values += f" ({self.each:,} each{partly})"
        return f"{count(self.ops, 'op')} · {values}" if self.parameters else count(self.ops, "op")

    @property
    def label(self) -> str:
        """For example `block1.conv: Conv2d · 160 params`."""
        return " · ".join(filter(None, [self.title(), self.sums]))

    @property
    def seen(self) -> list[Frame | Box]:
        """What is seen inside while the frame is open."""
        first = self.items[0]
        return first.items if self.loop and isinstance(first, Frame) else self.items

    @property
    def slim(self) -> bool:
        """Whether it is a frame around a single operation, whose box can say its name."""
        return self.alone and self.sort == "module" and not self.parameters

    @property
    def alone(self) -> bool:
        """Whether a single operation is all that is inside."""
        return [isinstance(item, Box) and item.kind == "op" for item in self.items] == [True]

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Frame | Box | None]]:
        """Yield what is inside with its depth; None ends a frame."""
        for item in self.items:
            yield depth, item
            if isinstance(item, Frame):
                yield from item.walk(depth + 1)
                yield depth, None

    def boxes(self) -> Iterator[Box]:
        """Yield all boxes inside."""
        return (item for _, item in self.walk() if isinstance(item, Box))

    def frames(self) -> Iterator[Frame]:
        """Yield all frames inside, outer ones first."""
        return (item for _, item in self.walk() if isinstance(item, Frame))


@dataclass(slots=True)
class Graph:
    """A whole picture, in topological order; `clusters` has parents before children.

    How it is wanted is as `draw` describes it.
    """

    boxes: list[Box]
    edges: list[Edge]
    clusters: dict[str, Frame]
    direction: str = "TB"
    theme: str = "auto"
    show: tuple[str, ...] = ("shape", "dtype")
    legend: bool = True
    repeats: bool = True
    expand: tuple[str, ...] = ()
    title: str = ""
    view: str = "forward"
    ops: int = 0
    parameters: int = 0
    parameter_values: int = 0
    parameter_bytes: int = 0
    saved: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def facts(self) -> str:
        """The header: operations, parameters, bytes held for backward."""
        values = f"{count(self.parameter_values, 'value')}, {human(self.parameter_bytes)}"
        parameters = count(self.parameters, "parameter") + (f" ({values})" * bool(self.parameters))
        return f"{count(self.ops, 'op')}, {parameters}, {human(self.saved)} saved for backward"


class Ids(dict[str, int]):
    """Hand out identifiers of ASCII letters, digits and underscores, each once.

    The values are the number that each had last.
    """

    def __call__(self, *parts: str) -> str:
        """Return the parts joined, with a number where that was handed out before."""
        base = _OTHER.sub("_", "_".join(parts)).strip("_")
        result = base
        while result in self:
            self[base] += 1
            result = f"{base}_{self[base]}"
        self[result] = 1
        return result


def human(nbytes: int) -> str:
    """Write a number of bytes: `0 B`, `409.9 KiB`."""
    power = min(max(nbytes.bit_length() - 1, 0) // 10, 4)
    number = f"{nbytes / 1024**power:.1f}" if power else nbytes
    return f"{number} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def count(n: int, what: str) -> str:
    """Write a number and its noun: `1 op`, `1,200 ops`."""
    return f"{n:,} {what}{'s' * (n != 1)}"
