"""Colours, looks and the legend: three hues that colour-blind readers tell apart, all else grey."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from minigrad.graph.model import Box, Graph


@cache
def static(name: str) -> str:
    """Return the text of a file beside the code."""
    return (files("minigrad.graph") / "static" / name).read_text("utf-8")


_THEME = json.loads(static("theme.json"))
# What a colour is for: in light, and in dark pictures. The lightness of the numbered ones says
# log10 of the RMS of a gradient, from vanished to large.
COLOURS: dict[str, tuple[str, str]] = _THEME["colours"]
# Of each kind of box, some of the legend alone: its attributes in DOT, with what colours are for.
LOOKS: dict[str, dict[str, str]] = _THEME["looks"]
STEPS = (1e-8, 1e-6, 1e-4, 1e-2)  # the limits of the five steps
STEP_NAMES: list[str] = _THEME["steps"]


def palette(theme: str) -> dict[str, str]:
    """Return the colours of a theme by what they are for; "auto" is drawn in the light ones."""
    return {role: pair[theme == "dark"] for role, pair in COLOURS.items()}


def step(item: Box) -> int | None:
    """Return which of the five steps a gradient is on, 0 where none arrived."""
    if not item.gradient or item.kind not in ("op", "module", "parameter"):
        return None
    low = item.gradient.low or 0.0
    return sum(low >= limit for limit in STEPS) if low == low else len(STEPS)


def look(item: Box) -> dict[str, str]:
    """Return the attributes of a box or row in DOT, with what its colours are for."""
    values = dict(LOOKS["sweep" if item.recorded else item.kind])
    if (shade := step(item)) is not None:
        values["fillcolor"] = f"{'parameter' if item.kind == 'parameter' else 'op'}_{shade}"
    if item.marked:
        values |= {"fillcolor": "bad", "color": "bad_border"}
        values["penwidth"] = "3" if item.marked.first else "1"
    elif item.dotted:
        values["style"] += ",dotted"
    elif item.health:
        values |= {"color": "text", "penwidth": "2.2"}
    return values


def stylesheet() -> str:
    """Return the CSS that turns a light SVG dark where the reader's system is dark."""
    rules = [
        f'.minigrad [{attribute}="{light.lower()}"]{{{attribute}:{dark}}}'
        for light, dark in dict(COLOURS.values()).items()
        for attribute in ("fill", "stroke")
    ]
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"


def legend(graph: Graph) -> list[tuple[str, str]]:
    """List the kinds that are present: what stands for each, and what it means."""
    items = [item for box in graph.boxes for item in (box, *box.rows)]
    marks = ("dotted", "bad_gradient", "health")
    present = {"sweep" if i.recorded else i.kind.replace("constant", "input") for i in items}
    present |= {mark for mark in marks if any(getattr(item, mark) for item in items)}
    present |= {"bad" for item in items if item.bad and item.bad.origin}
    present |= {"scale" for item in items if item.gradient}
    present |= {"reached" for edge in graph.edges if edge.bad}
    present |= {"repeat" for edge in graph.edges if edge.repeat}
    return [(kind, text) for kind, text in _THEME["legend"] if kind in present]
