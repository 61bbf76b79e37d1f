"""The picture as DOT, the language of Graphviz, with quoting of our own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from string import Template

from minigrad.graph.model import Box, Edge, Frame, Graph
from minigrad.graph.text import edge_tooltip, heading, lines, row_text, short, tooltip, width
from minigrad.graph.theme import LOOKS, STEP_NAMES, legend, look, palette, static
from minigrad.graph.tree import plant

COLUMNS = 4  # of the legend
ARROWS = {"repeat": ("⇢", "edge"), "reached": ("➞", "bad_border")}  # of the legend: their hues
CORNERS = ("tl", "tr", "bl")  # of a frame, for its title: the first that no edge runs across
SIDES = {"l": "LEFT", "r": "RIGHT"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

# The parser of Graphviz stumbles over a closing square bracket before a tag.
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "]": "&#93;", "\n": "<BR/>"}
)


class Html(str):
    """A label that is written between angle brackets, its text escaped already."""

    __slots__ = ()


def quote(text: str) -> str:
    """Return a string of DOT that is shown as `text`, whatever is in it."""
    if isinstance(text, Html):
        return f"<{text}>"
    text = _CONTROL.sub("\ufffd", text).replace("&", "&amp;")
    text = text.replace("\\", "\\" * 4)  # Graphviz replaces backslashes twice
    return '"' + text.replace('"', '\\"').replace("\n", "\\n") + '"'


def html(text: str) -> str:
    """Escape text for a label between angle brackets."""
    return _CONTROL.sub("\ufffd", text).translate(_ESCAPES)


def statement(subject: str, values: dict[str, str], colours: Mapping[str, str] = {}) -> str:
    """Write a node or an edge with its attributes, and what colours are for as colours."""
    hues = {name: colours.get(hue, hue) for name, hue in values.items() if name.endswith("color")}
    pairs = " ".join(f"{name}={quote(text)}" for name, text in (values | hues).items())
    return f"{subject} [{pairs}]"


def write(graph: Graph, corners: Mapping[str, int] = {}) -> str:
    """Return the DOT source of a folded graph; `corners` says where frames have their titles."""
    colours = palette(graph.theme)
    header = [f"<B>{html(short(graph.title))}</B>"] if graph.title else []  # no empty tag
    header += map(html, [f"{graph.view} · {graph.facts}", *graph.notes])
    given = {"direction": graph.direction, "header": table(map(cell, header))}
    parts = [Template(static("picture.dot")).substitute(colours, **given).rstrip()]
    prefix = ""
    for _, item in plant(graph).walk():
        if item is None:
            parts.append("}")
            prefix = ""
        elif isinstance(item, Frame):
            # A frame around a single relu says nothing that the box can't say itself.
            prefix = f"{item.name}: " if item.slim and item.name else ""
            frame = _frame(item, colours, CORNERS[corners.get(item.id, 0)])
            parts += [f"subgraph {item.id} {{", statement("graph", frame, colours)]
        else:
            parts.append(_box(item, colours, graph.show, prefix))
    boxes = {box.id: box for box in graph.boxes}
    ends: dict[str, set[int]] = {}
    for edge in graph.edges:
        ends.setdefault(edge.head, set()).add(edge.argument)
    for number, edge in enumerate(graph.edges):
        tail, head = boxes[edge.tail], boxes[edge.head]
        values = {"id": f"edge{number}", **_edge(edge, tail)}
        values["tooltip"] = values["labeltooltip"] = edge_tooltip(edge, tail, head, graph.view)
        if head.ordered and len(ends[head.id]) > 1:
            values |= {"headlabel": str(edge.argument), **LOOKS["argument"]}
        parts.append(statement(f"{edge.tail} -> {edge.head}", values, colours))
    if graph.legend:
        top = next(box.id for box in graph.boxes if box.id not in ends)
        parts += _legend(legend(graph), colours, top)
    return "\n".join([*parts, "}", ""])


def cell(text: str, look: str = "") -> str:
    """Write a row of a table that is one cell, its text escaped already."""
    return f"<TR><TD{look}>{text}</TD></TR>"


def table(rows: Iterable[str], look: str = ' CELLSPACING="0" CELLPADDING="1"') -> Html:
    """Write a table without a border."""
    return Html(f'<TABLE BORDER="0"{look}>{"".join(rows)}</TABLE>')


def _frame(frame: Frame, colours: Mapping[str, str], corner: str) -> dict[str, str]:
    """Return the looks of a frame; what runs into it passes beside its title."""
    values = {"id": frame.id, "class": "module", "tooltip": frame.label}
    if frame.slim:
        return values | {"label": "", "margin": "0", "peripheries": "0"}
    title = short(frame.title(relative=True))
    # Of a single operation the box says the rest.
    rest = [] if frame.alone and frame.repeats == 1 else re.split(r" · |, | (?=\()", frame.sums)
    # A spacer as wide as the text: what runs into the middle passes beside the text.
    wide = 4.7 * max(map(width, [title, *rest])) + 14
    spacers = [
        f'<TD FIXEDSIZE="TRUE" HEIGHT="1" WIDTH="{wide:.0f}"></TD>',
        *["<TD></TD>"] * len(rest),
    ]
    texts = [html(title)]
    texts += [f'<FONT COLOR="{colours["muted"]}">{html(text)}</FONT>' for text in rest if text]
    rows = []
    for text, spacer in zip(texts, spacers, strict=False):
        found = f'<TD ALIGN="{SIDES[corner[1]]}">{text}</TD>'
        rows.append(f"<TR>{spacer + found if corner[1] == 'r' else found + spacer}</TR>")
    label = table(rows, ' CELLSPACING="0" CELLPADDING="0"')
    return values | LOOKS["frame"] | {"labeljust": corner[1], "labelloc": corner[0], "label": label}


def _box(box: Box, colours: Mapping[str, str], show: Sequence[str], prefix: str) -> str:
    texts = [short(prefix + heading(box)) or " ", *lines(box, show)]
    strong = {box.health, texts[0] if box.kind in ("op", "module", "output") else ""}
    # A table even for two lines: in a PNG bold text would touch the line below.
    rows = [
        cell(f"<B>{html(text)}</B>" if text in strong else html(text), ' CELLPADDING="0"')
        for text in texts
    ]
    rows += [_row(row, colours, show) for row in box.rows]
    spacing = ' CELLSPACING="2" CELLPADDING="3"' if box.rows else ' CELLSPACING="1" CELLPADDING="0"'
    values = {"id": box.id, "class": f"{box.kind}{' nonfinite' * bool(box.marked)}", **look(box)}
    values |= {"tooltip": tooltip(box), "label": table(rows, spacing)}
    return statement(box.id, values, colours)


def _row(row: Box, colours: Mapping[str, str], show: Sequence[str]) -> str:
    values = look(row)
    border, fill = colours[values["color"]], colours[values["fillcolor"]]
    style = ' STYLE="DOTTED"' if row.dotted else ""
    looks = f'BORDER="{2 if row.marked else 1}" COLOR="{border}" BGCOLOR="{fill}"{style}'
    return cell(html(row_text(row, show)), f' PORT="{row.id}" ALIGN="LEFT" {looks}')


def _edge(edge: Edge, tail: Box) -> dict[str, str]:
    """Return the looks of an edge, and how it pulls at its ends."""
    values = {"class": f"edge argument{edge.argument}{' nonfinite' * edge.bad}"}
    if edge.bad:
        values |= {"color": "bad_border", "penwidth": "2.4"}
    if edge.repeat:
        values |= {"style": "dashed", "constraint": "false", "label": f"  next ×{edge.uses}"}
    elif tail.kind == "constant" and tail.cluster:
        values["minlen"] = "0"  # next to its reader, or the frame would push the spine aside
    elif edge.argument == 0:
        values["weight"] = "8"  # so that the spine is straight
    return values


def _legend(entries: Sequence[tuple[str, str]], colours: Mapping[str, str], top: str) -> list[str]:
    """Write a sample of each kind that is in the picture, in rows above it."""
    parts = ["subgraph cluster_legend {", statement("graph", LOOKS["legend"], colours)]
    parts += [statement("node", LOOKS["sample"]), statement("legend", {"label": "Legend"})]
    names = ["legend", *(f"legend_{kind}" for kind, _ in entries)]
    for (kind, meaning), name in zip(entries, names[1:], strict=True):
        label = Html(html(meaning))
        if kind == "scale":
            swatches = "".join(
                f'<TD BGCOLOR="{colours[f"op_{i}"]}">{html(name)}</TD>'
                for i, name in enumerate(STEP_NAMES)
            )
            title = cell(label, f' COLSPAN="{len(STEP_NAMES)}"')
            label = table([title, f"<TR>{swatches}</TR>"], ' CELLSPACING="0" CELLPADDING="2"')
        elif kind in ARROWS:
            arrow, role = ARROWS[kind]
            sample = f'<FONT COLOR="{colours[role]}" POINT-SIZE="13"><B>{arrow}</B></FONT>'
            label = Html(f"{sample} {label}")
        parts.append(statement(name, {"label": label, **LOOKS.get(kind, {})}, colours))
    rows = [names[i : i + COLUMNS] for i in range(0, len(names), COLUMNS)]
    hidden = statement("", {"style": "invis"})
    parts += [f"{{ rank=same; {' -> '.join(row)}{hidden * (len(row) > 1)} }}" for row in rows]
    parts += [f"{a[0]} -> {b[0]}{hidden}" for a, b in pairwise(rows)]
    return [*parts, "}", f"{rows[-1][0]} -> {top}{hidden}"]
