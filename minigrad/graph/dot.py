"""The picture as DOT, the language of Graphviz, with quoting of our own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from minigrad.graph.model import Box, Cluster, Edge, Graph, Row, above
from minigrad.graph.theme import LOOKS, STEP_NAMES, WORDS, legend, palette, step
from minigrad.graph.words import edge_tooltip, heading, lines, row_text, tooltip

FONT = "Helvetica,Arial,sans-serif"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

# The parser of Graphviz stumbles over a closing square bracket before a tag.
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "]": "&#93;"}


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
    text = _CONTROL.sub("\ufffd", text)
    for plain, escaped in _ESCAPES.items():
        text = text.replace(plain, escaped)
    return text.replace("\n", "<BR/>")


def statement(subject: str, values: Mapping[str, str]) -> str:
    """Write a node, an edge or a default with its attributes."""
    return f"{subject} [{' '.join(f'{name}={quote(value)}' for name, value in values.items())}]"


def write(
    graph: Graph,
    *,
    direction: str = "TB",
    theme: str = "auto",
    show: Sequence[str] = ("shape", "dtype"),
    with_legend: bool = True,
) -> str:
    """Return the DOT source of a folded graph."""
    colours = palette(theme)
    header = [f"<B>{html(graph.title)}</B>"] if graph.title else []  # Graphviz wants no empty tag
    header += [html(f"{graph.view} · {graph.facts}")]
    header += map(html, graph.notes)
    fonts = {"fontname": FONT, "fontcolor": colours["text"]}
    defaults = {
        "graph": {
            "bgcolor": colours["plain"] if theme == "dark" else "transparent",
            "rankdir": direction, "nodesep": "0.2", "ranksep": "0.3", "pad": "0.1",
            "labelloc": "t", "fontsize": "11", "tooltip": " ",
            "label": Html("<BR/>".join(header) + "<BR/> "), **fonts,
        },
        "node": {"fontsize": "10", "margin": "0.1,0.06", "height": "0", "width": "0", **fonts},
        "edge": {
            "color": colours["edge"], "arrowsize": "0.6", "fontsize": "8", "fontname": FONT,
            "fontcolor": colours["muted"],
        },
    }  # fmt: skip
    parts = ["digraph minigrad {", *(statement(k, v) for k, v in defaults.items())]
    parts += _boxes(graph, colours, show)
    names = {box.id: heading(box) for box in graph.boxes}
    ordered = _ordered(graph)
    home = {box.id: box.cluster for box in graph.boxes}
    for number, edge in enumerate(graph.edges):
        tip = edge_tooltip(edge, names[edge.tail], names[edge.head])
        parts.append(
            _edge(number, edge, edge.head in ordered, home[edge.tail] is not None, tip, colours)
        )
    entries = legend(graph) if with_legend else []
    if entries:
        look = {"shape": "plain", "tooltip": " ", "class": "legend", "id": "legend"}
        parts.append(statement("legend", {**look, "label": _legend(entries, colours)}))
    return "\n".join([*parts, "}", ""])


def _boxes(graph: Graph, colours: Mapping[str, str], show: Sequence[str]) -> list[str]:
    """Write boxes and the clusters around them."""
    own, children = graph.nesting()
    home = {box.id: box.cluster for box in graph.boxes}
    entries = {
        edge.head
        for edge in graph.edges
        if all(home[edge.head] != c.id for c in above(graph.clusters, home[edge.tail]))
    }
    parts = [_box(box, colours, show) for box in own.get(None, ())]
    stack: list[str | None] = [*reversed(children.get(None, ()))]
    while stack:
        key = stack.pop()
        if key is None:
            parts.append("}")
            continue
        cluster, boxes = graph.clusters[key], own.get(key, ())
        look = {"id": key, "class": "module", "tooltip": cluster.label}
        # A frame around a single relu says nothing that the box can't say itself.
        slim = not (cluster.parameters or cluster.repeats > 1 or key in children)
        if slim and len(boxes) == 1 and boxes[0].kind == "op":
            look |= {"label": "", "margin": "0", "peripheries": "0"}
            prefix = f"{cluster.path}: " if cluster.path else ""
            width = 0.0
        else:
            # The edges into a box pass to the right of the module's label.
            longest = max(map(len, cluster.label.split(" · ", 1)))
            prefix, width = "", min(5.4 * longest / 36, 4.0)
            look |= {
                "style": "rounded,dashed", "margin": "7", "color": colours["edge"],
                "fontsize": "9", "labeljust": "l", "labelloc": "t",
                "label": _module(cluster, colours),
            }  # fmt: skip
        parts += [f"subgraph {key} {{", statement("graph", look)]
        parts += [_box(box, colours, show, prefix, width * (box.id in entries)) for box in boxes]
        stack += [None, *reversed(children.get(key, ()))]
    return parts


def _module(cluster: Cluster, colours: Mapping[str, str]) -> Html:
    """Write a module's label in two lines, to be short."""
    name, _, rest = cluster.label.partition(" · ")
    cells = f'<TR><TD ALIGN="LEFT">{html(name)}</TD></TR>'
    if rest:
        text = f'<FONT COLOR="{colours["muted"]}">{html(rest)}</FONT>'
        cells += f'<TR><TD ALIGN="LEFT">{text}</TD></TR>'
    return Html(f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="0">{cells}</TABLE>')


def _box(
    box: Box, colours: Mapping[str, str], show: Sequence[str], prefix: str = "", width: float = 0
) -> str:
    shape, style, fill, border = LOOKS[box.kind]
    if box.gradient and box.kind in ("op", "module", "parameter"):
        fill = f"{'parameter' if box.kind == 'parameter' else 'op'}_{step(box.gradient)}"
    values = {"id": box.id, "class": box.kind, "shape": shape}
    mark = box.bad if box.bad and box.bad.origin else box.bad_gradient
    if mark:
        fill, border = "bad", "bad_border"
        style = style.replace("dashed", "filled") or "filled"
        values["class"] += " nonfinite"
        values["penwidth"] = "3" if mark.first else "1"
    elif not box.requires_grad and box.kind in ("input", "constant", "parameter"):
        style = f"{style},dotted".strip(",")
    values |= {"style": style, "fillcolor": colours[fill], "color": colours[border]}
    if width:
        values["width"] = f"{width:.2f}"
    bold = box.kind in ("op", "module", "output")
    title = html(prefix + heading(box)) or " "
    texts = [f"<B>{title}</B>" if bold else title, *map(html, lines(box, show))]
    if box.rows:
        cells = "".join(f'<TR><TD CELLPADDING="0">{text}</TD></TR>' for text in texts)
        cells += "".join(_row(row, colours, show) for row in box.rows)
        label = f'<TABLE BORDER="0" CELLSPACING="2" CELLPADDING="3">{cells}</TABLE>'
    else:
        label = "<BR/>".join(texts)
    return statement(box.id, {**values, "tooltip": tooltip(box), "label": Html(label)})


def _row(row: Row, colours: Mapping[str, str], show: Sequence[str]) -> str:
    fill, border = "parameter", "parameter_border"
    if row.gradient:
        fill = f"parameter_{step(row.gradient)}"
    bad = row.bad and row.bad.origin
    if bad:
        fill, border = "bad", "bad_border"
    look = f'BORDER="{2 if bad else 1}" COLOR="{colours[border]}" BGCOLOR="{colours[fill]}"'
    dotted = "" if row.requires_grad else ' STYLE="DOTTED"'
    text = html(row_text(row, show))
    return f'<TR><TD PORT="{row.id}" ALIGN="LEFT" {look}{dotted}>{text}</TD></TR>'


def _edge(
    number: int, edge: Edge, numbered: bool, beside: bool, tip: str, colours: Mapping[str, str]
) -> str:
    values = {"id": f"edge{number}", "class": f"edge argument{edge.argument}"}
    values |= {"tooltip": tip, "labeltooltip": tip}
    if numbered:
        values |= {"headlabel": str(edge.argument), "labelangle": "40", "labeldistance": "1.5"}
    if edge.bad:
        values |= {"color": colours["bad_border"], "penwidth": "2.4"}
        values["class"] += " nonfinite"
    if edge.repeat:
        values |= {"style": "dashed", "constraint": "false"}
    elif edge.tail.startswith("constant") and beside:
        values["minlen"] = "0"  # next to its reader, or the frame would push the spine aside
    elif edge.argument == 0:
        values["weight"] = "8"  # so that the spine is straight
    return statement(f"{edge.tail} -> {edge.head}", values)


def _ordered(graph: Graph) -> set[str]:
    """Return the operations at which several edges end in an order that matters."""
    ends: dict[str, set[int]] = {}
    for edge in graph.edges:
        ends.setdefault(edge.head, set()).add(edge.argument)
    return {box.id for box in graph.boxes if box.ordered and len(ends.get(box.id, ())) > 1}


def _legend(entries: Sequence[tuple[str, str]], colours: Mapping[str, str]) -> Html:
    """Write a table of what is in the picture."""
    rows = ""
    for kind, meaning in entries:
        if kind == "scale":
            swatches = "".join(
                f'<TD BGCOLOR="{colours[f"op_{i}"]}">{html(name)}</TD>'
                for i, name in enumerate(STEP_NAMES)
            )
            table = f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="3"><TR>{swatches}</TR></TABLE>'
            rows += f'<TR><TD COLSPAN="2" ALIGN="LEFT">{html(meaning)}</TD></TR>'
            rows += f'<TR><TD COLSPAN="2">{table}</TD></TR>'
            continue
        word, style, fill, border = {
            "dotted": ("dotted", "dotted", "plain", "op_border"),
            "repeat": ("dashed edge", "", "plain", "plain"),
            "bad": ("⚠ thick", "", "bad", "bad_border"),
            "bad_gradient": ("⚠ gradient", "", "bad", "bad_border"),
            "reached": ("bold edge", "", "plain", "bad_border"),
        }.get(kind) or (WORDS[kind], *LOOKS[kind][1:])
        styles = [s.upper() for s in style.split(",") if s in ("rounded", "dashed", "dotted")]
        rows += (
            f'<TR><TD BORDER="{2 if kind.startswith("bad") else 1}" COLOR="{colours[border]}" '
            f'BGCOLOR="{colours[fill]}"{f" STYLE={chr(34)}{styles[0]}{chr(34)}" if styles else ""}'
            f'>{html(word)}</TD><TD ALIGN="LEFT">{html(meaning)}</TD></TR>'
        )
    edge = colours["edge"]
    return Html(
        f'<TABLE COLOR="{edge}" CELLBORDER="0" CELLSPACING="3" CELLPADDING="2">{rows}</TABLE>'
    )
