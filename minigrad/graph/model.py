"""What a picture shows, as plain data: boxes, rows, edges and clusters, with stable ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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


class Gradient(NamedTuple):
    """The RMS of a gradient, from smallest to largest where several are shown as one.

    Both are None where no gradient arrived, which is not the same as 0.
    """

    low: float | None
    high: float | None

    @property
    def text(self) -> str:
        """For example `|g| 1.2e-02`, `grad 0` or `grad None`."""
        if self.low is None or self.high is None:
            return "grad None"
        if self.high == 0:
            return "grad 0"
        low, high = (f"{v:.1e}" if v else "0" for v in self)
        return f"|g| {low}" if low == high else f"|g| {low} … {high}"


@dataclass(slots=True)
class Row:
    """A parameter, inside the operation that reads it."""

    id: str
    name: str
    label: str
    shape: Shape
    dtype: str
    argument: int
    nbytes: int
    requires_grad: bool = True
    uses: int = 1
    gradient: Gradient | None = None
    bad: Bad | None = None


@dataclass(slots=True)
class Box:
    """A node of the picture.

    `kind` is op, input, constant, parameter (one that nothing reads), output, module (folded),
    reference (to the box `target`) or hidden.
    """

    id: str
    kind: str
    label: str
    shape: Shape | None = None
    dtype: str = ""
    name: str | None = None
    cluster: str | None = None
    rows: list[Row] = field(default_factory=list)
    scalars: tuple[tuple[int, str], ...] = ()  # arguments that are Python numbers
    arguments: int = 0
    ordered: bool = False  # exchanging its arguments changes the result
    keywords: str = ""
    value: float | None = None
    bad: Bad | None = None
    bad_gradient: Bad | None = None
    gradient: Gradient | None = None
    requires_grad: bool = True
    nbytes: int = 0
    saved: int = 0  # bytes held for backward that no earlier box holds
    source: Source | None = None
    ops: int = 0
    parameters: int = 0  # values in the parameters of a folded module
    inputs: tuple[str, ...] = ()  # what goes into a folded module
    target: str | None = None


@dataclass(slots=True)
class Edge:
    """Box `tail` is argument number `argument` of box `head`."""

    tail: str
    head: str
    argument: int
    shape: Shape
    dtype: str
    nbytes: int
    bad: bool = False  # carries non-finite values
    uses: int = 1  # more than one where repeats are folded
    repeat: bool = False  # leads from one folded repeat to the next


@dataclass(slots=True)
class Cluster:
    """One call of a module: `path` is its dotted name, `parent` the id of the cluster around it."""

    id: str
    path: str
    kind: str
    parent: str | None
    level: int
    parameters: int
    module: int  # the same number for the calls of one module
    call: int = 1
    calls: int = 1
    repeats: int = 1
    ops: int = 0
    range: str = ""  # the paths of those folded into it

    @property
    def label(self) -> str:
        """For example `block1.conv: Conv2d · 160 params`."""
        path = self.range or self.path
        text = f"{path}: {self.kind}" if path else self.kind
        if self.repeats > 1:
            text = f"×{self.repeats} ({path}): {self.kind}" if path else f"{text} ×{self.repeats}"
        elif self.calls > 1:
            text += f" · call {self.call} of {self.calls}"
        if self.parameters:
            text += f" · {self.parameters:,} params{' each' * (self.repeats > 1)}"
        return text


@dataclass(slots=True)
class Graph:
    """A whole picture, in topological order; `clusters` has parents before children."""

    boxes: list[Box]
    edges: list[Edge]
    clusters: dict[str, Cluster]
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

    def nesting(self) -> tuple[dict[str | None, list[Box]], dict[str | None, list[str]]]:
        """Return the boxes and the ids of the clusters that lie directly in each cluster."""
        boxes: dict[str | None, list[Box]] = {}
        for box in self.boxes:
            boxes.setdefault(box.cluster, []).append(box)
        clusters: dict[str | None, list[str]] = {}
        for cluster in self.clusters.values():
            clusters.setdefault(cluster.parent, []).append(cluster.id)
        return boxes, clusters


class Ids:
    """Hand out identifiers of ASCII letters, digits and underscores, each once."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}  # of each identifier: the number that it had last

    def __call__(self, *parts: str) -> str:
        """Return the parts joined, with a number where that was handed out before."""
        base = _OTHER.sub("_", "_".join(parts)).strip("_")
        result = base
        while result in self.last:
            self.last[base] += 1
            result = f"{base}_{self.last[base]}"
        self.last[result] = 1
        return result


def human(nbytes: int) -> str:
    """Write a number of bytes: `0 B`, `409.9 KiB`."""
    if nbytes < 1024:
        return f"{nbytes} B"
    value = float(nbytes)
    for unit in ("KiB", "MiB", "GiB"):
        value /= 1024
        if value < 1024:
            return f"{value:.1f} {unit}"
    return f"{value / 1024:.1f} TiB"


def count(n: int, what: str) -> str:
    """Write a number and its noun: `1 op`, `1,200 ops`."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def above(clusters: dict[str, Cluster], cluster: str | None) -> Iterator[Cluster]:
    """Yield a cluster and those around it, the innermost first."""
    while cluster is not None:
        found = clusters[cluster]
        yield found
        cluster = found.parent


def used(clusters: dict[str, Cluster], boxes: Iterable[Box]) -> dict[str, Cluster]:
    """Return the clusters that hold one of `boxes`, in their order."""
    keep: set[str] = set()
    for box in boxes:
        for cluster in above(clusters, box.cluster):
            if cluster.id in keep:
                break
            keep.add(cluster.id)
    return {key: cluster for key, cluster in clusters.items() if key in keep}
