"""The picture as DOT, the language of Graphviz, with quoting of our own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from minigrad.graph.model import Box, Edge, Frame, Graph
from minigrad.graph.theme import LOOKS, STEP_NAMES, legend, palette, step
from minigrad.graph.tree import plant
from minigrad.graph.words import edge_tooltip, heading, lines, row_text, short, tooltip, width

FONT = "Helvetica,Arial,sans-serif"
WIDTHS = {"bad": "3", "bad_gradient": "3", "health": "2.2"}
COLUMNS = 4  # of the legend
CORNERS = ("tl", "tr", "bl")  # of a frame, for its title: the first that no edge runs across
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


def statement(subject: str, values: Mapping[str, str]) -> str:
    """Write a node, an edge or a default with its attributes."""
    return f"{subject} [{' '.join(f'{name}={quote(value)}' for name, value in values.items())}]"


def write(graph: Graph, corners: Mapping[str, int] = {}) -> str:
    """Return the DOT source of a folded graph; `corners` says where frames have their titles."""
    colours = palette(graph.theme)
    header = [f"<B>{html(short(graph.title))}</B>"] if graph.title else []  # no empty tag
    header += [html(f"{graph.view} · {graph.facts}")]
    header += map(html, graph.notes)
    fonts = {"fontname": FONT, "fontcolor": colours["text"]}
    defaults = {
        "graph": {
            "bgcolor": colours["plain"], "rankdir": graph.direction, "nodesep": "0.2",
            "ranksep": "0.3", "pad": "0.1", "labelloc": "t", "fontsize": "11", "tooltip": " ",
            "label": table("".join(f"<TR><TD>{line}</TD></TR>" for line in header)), **fonts,
        },
        "node": {"fontsize": "10", "margin": "0.11,0.04", "height": "0", "width": "0", **fonts},
        "edge": {
            "color": colours["edge"], "arrowsize": "0.6", "fontsize": "8", "fontname": FONT,
            "fontcolor": colours["muted"],
        },
    }  # fmt: skip
    parts = ["digraph minigrad {", *(statement(k, v) for k, v in defaults.items())]
    prefix = ""
    for _, item in plant(graph).walk():
        if item is None:
            parts.append("}")
            prefix = ""
        elif isinstance(item, Frame):
            # A frame around a single relu says nothing that the box can't say itself.
            prefix = f"{item.name}: " if item.slim and item.name else ""
            key = item.id
            frame = {"id": key, "class": "module", "tooltip": item.label}
            frame |= _frame(item, colours, CORNERS[corners.get(key, 0)])
            parts += [f"subgraph {key} {{", statement("graph", frame)]
        else:
            parts.append(_box(item, colours, graph.show, prefix))
    boxes = {box.id: box for box in graph.boxes}
    ends: dict[str, set[int]] = {}
    for edge in graph.edges:
        ends.setdefault(edge.head, set()).add(edge.argument)
    for number, edge in enumerate(graph.edges):
        tail, head = boxes[edge.tail], boxes[edge.head]
        numbered = head.ordered and len(ends[head.id]) > 1
        tip = edge_tooltip(edge, tail, head, graph.view)
        parts.append(_edge(number, edge, tail, tip, numbered, colours))
    if graph.legend:
        top = next(box.id for box in graph.boxes if box.id not in ends)
        parts += _legend(legend(graph), colours, top)
    return "\n".join([*parts, "}", ""])


def table(cells: str, look: str = 'CELLSPACING="0" CELLPADDING="1"') -> Html:
    """Write a table without a border."""
    return Html(f'<TABLE BORDER="0" {look}>{cells}</TABLE>')


def _frame(frame: Frame, colours: Mapping[str, str], corner: str) -> dict[str, str]:
    """Return the looks of a frame; what runs into it passes beside its title."""
    if frame.slim:
        return {"label": "", "margin": "0", "peripheries": "0"}
    title = short(frame.title(relative=True))
    rest = (
        [] if frame.alone and frame.repeats == 1 else re.split(r" · |, | (?=\()", frame.sums)
    )  # alone, the rows say it
    letters = max(map(width, [title, *rest]))
    # A spacer as wide as the text: what runs into the middle passes beside the text.
    spacer = f'<TD FIXEDSIZE="TRUE" HEIGHT="1" WIDTH="{4.7 * letters + 14:.0f}"></TD>'
    texts = [html(title)]
    texts += [f'<FONT COLOR="{colours["muted"]}">{html(text)}</FONT>' for text in rest if text]
    side = "RIGHT" if corner[1] == "r" else "LEFT"
    found = [f'<TD ALIGN="{side}">{text}</TD>' for text in texts]
    spacers = [spacer, *("<TD></TD>" for _ in rest)]
    pairs = zip(*((spacers, found) if side == "RIGHT" else (found, spacers)), strict=False)
    cells = "".join(f"<TR>{a}{b}</TR>" for a, b in pairs)
    return {
        "style": "rounded,dashed", "margin": "7", "color": colours["edge"], "fontsize": "9",
        "labeljust": corner[1], "labelloc": corner[0],
        "label": table(cells, 'CELLSPACING="0" CELLPADDING="0"'),
    }  # fmt: skip


def _box(box: Box, colours: Mapping[str, str], show: Sequence[str], prefix: str) -> str:
    shape, style, fill, border = LOOKS["sweep" if box.recorded else box.kind]
    if box.gradient and box.kind in ("op", "module", "parameter"):
        fill = f"{'parameter' if box.kind == 'parameter' else 'op'}_{step(box.gradient)}"
    values = {"id": box.id, "class": box.kind, "shape": shape}
    if box.marked:
        fill, border = "bad", "bad_border"
        style = style.replace("dashed", "filled") or "filled"
        values["class"] += " nonfinite"
        values["penwidth"] = "3" if box.marked.first else "1"
    elif not box.requires_grad and box.kind in ("input", "constant", "parameter"):
        style = f"{style},dotted".strip(",")
    elif box.health:
        border, values["penwidth"] = "text", "2.2"
    values |= {"style": style, "fillcolor": colours[fill], "color": colours[border]}
    bold = box.kind in ("op", "module", "output")
    title = html(short(prefix + heading(box))) or " "
    texts = [f"<B>{title}</B>" if bold else title, *map(html, lines(box, show))]
    if box.health:
        texts = [f"<B>{text}</B>" if text == html(box.health) else text for text in texts]
    # A table even for two lines: in a PNG bold text would touch the line below.
    cells = "".join(f'<TR><TD CELLPADDING="0">{text}</TD></TR>' for text in texts)
    cells += "".join(_row(row, colours, show) for row in box.rows)
    spacing = 'CELLSPACING="2" CELLPADDING="3"' if box.rows else 'CELLSPACING="1" CELLPADDING="0"'
    return statement(box.id, {**values, "tooltip": tooltip(box), "label": table(cells, spacing)})


def _row(row: Box, colours: Mapping[str, str], show: Sequence[str]) -> str:
    shade = f"parameter_{step(row.gradient)}" if row.gradient else "parameter"
    fill, border = ("bad", "bad_border") if row.marked else (shade, "parameter_border")
    look = f'BORDER="{2 if row.marked else 1}" COLOR="{colours[border]}" BGCOLOR="{colours[fill]}"'
    dotted = "" if row.requires_grad else ' STYLE="DOTTED"'
    text = html(row_text(row, show))
    return f'<TR><TD PORT="{row.id}" ALIGN="LEFT" {look}{dotted}>{text}</TD></TR>'


def _edge(
    number: int, edge: Edge, tail: Box, tip: str, numbered: bool, colours: Mapping[str, str]
) -> str:
    values = {"id": f"edge{number}", "class": f"edge argument{edge.argument}"}
    values |= {"tooltip": tip, "labeltooltip": tip}
    if numbered:
        values |= {"headlabel": str(edge.argument), "labelangle": "40", "labeldistance": "1.5"}
    if edge.bad:
        values |= {"color": colours["bad_border"], "penwidth": "2.4"}
        values["class"] += " nonfinite"
    if edge.repeat:
        values |= {"style": "dashed", "constraint": "false", "label": f"  next ×{edge.uses}"}
    elif tail.kind == "constant" and tail.cluster:
        values["minlen"] = "0"  # next to its reader, or the frame would push the spine aside
    elif edge.argument == 0:
        values["weight"] = "8"  # so that the spine is straight
    return statement(f"{edge.tail} -> {edge.head}", values)


def _legend(entries: Sequence[tuple[str, str]], colours: Mapping[str, str], top: str) -> list[str]:
    """Write a sample of each kind that is in the picture, in rows above it."""
    frame = {"id": "legend", "class": "legend", "label": "", "tooltip": " ", "margin": "6",
             "style": "rounded", "color": colours["op_3"]}  # fmt: skip
    parts = ["subgraph cluster_legend {", statement("graph", frame)]
    names = ["legend", *(f"legend_{kind}" for kind, _ in entries)]
    plain = {"shape": "plaintext", "fontsize": "9", "tooltip": " ", "class": "legend"}
    parts.append(statement("legend", {**plain, "label": "Legend"}))
    for (kind, meaning), name in zip(entries, names[1:], strict=True):
        look = plain | {"label": Html(html(meaning))}
        if kind == "scale":
            swatches = "".join(
                f'<TD BGCOLOR="{colours[f"op_{i}"]}">{html(name)}</TD>'
                for i, name in enumerate(STEP_NAMES)
            )
            text = f'<TR><TD COLSPAN="{len(STEP_NAMES)}">{html(meaning)}</TD></TR>'
            look["label"] = table(f"{text}<TR>{swatches}</TR>", 'CELLSPACING="0" CELLPADDING="2"')
        elif kind in ("repeat", "reached"):
            colour = colours["bad_border" if kind == "reached" else "edge"]
            arrow = "➞" if kind == "reached" else "⇢"
            arrow = f'<FONT COLOR="{colour}" POINT-SIZE="13"><B>{arrow}</B></FONT>'
            look["label"] = Html(f"{arrow} {html(meaning)}")
        else:
            shape, style, fill, border = LOOKS[kind]
            look |= {"shape": shape, "style": style, "fillcolor": colours[fill]}
            look |= {"color": colours[border], "penwidth": WIDTHS.get(kind, "1")}
        parts.append(statement(name, look))
    rows = [names[i : i + COLUMNS] for i in range(0, len(names), COLUMNS)]
    hidden = statement("", {"style": "invis"})
    parts += [f"{{ rank=same; {' -> '.join(row)}{hidden * (len(row) > 1)} }}" for row in rows]
    parts += [f"{a[0]} -> {b[0]}{hidden}" for a, b in pairwise(rows)]
    return [*parts, "}", f"{rows[-1][0]} -> {top}{hidden}"]
