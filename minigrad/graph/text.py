"""The graph in text: an outline for the terminal, and Mermaid for pages that draw it themselves."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.graph.model import Box, Graph, above
from minigrad.graph.theme import LOOKS, palette
from minigrad.graph.words import heading, lines, row_text


def outline(graph: Graph, show: Sequence[str] = ("shape", "dtype")) -> str:
    """Return one line a box and row, indented by module."""
    result = [graph.title, f"{graph.view} · {graph.facts}", *graph.notes, ""]
    inside: list[str] = []  # the clusters that are open
    for box in graph.boxes:
        path = [cluster.id for cluster in above(graph.clusters, box.cluster)][::-1]
        same = 0
        while same < min(len(path), len(inside)) and path[same] == inside[same]:
            same += 1
        result += ["  " * i + graph.clusters[path[i]].label for i in range(same, len(path))]
        inside = path
        indent = "  " * len(path)
        text = "  ".join([heading(box), *lines(box, show)]).replace("\n", " ")
        kind = {"op": "", "module": "", "hidden": ""}.get(box.kind, f"[{box.kind}] ")
        result.append(f"{indent}{kind}{text}")
        rows = (row_text(row, show).replace("\n", " ") for row in box.rows)
        result += [f"{indent}    {row}" for row in rows]
    return "\n".join(result)


def mermaid(
    graph: Graph, *, direction: str = "TB", show: Sequence[str] = ("shape", "dtype")
) -> str:
    """Return a Mermaid flowchart."""
    result = [f"flowchart {direction}"]
    own, children = graph.nesting()
    result += [f"  {_node(box, show)}" for box in own.get(None, ())]
    stack: list[str | None] = [*reversed(children.get(None, ()))]
    depth = 1
    while stack:
        key = stack.pop()
        if key is None:
            depth -= 1
            result.append("  " * depth + "end")
            continue
        result.append("  " * depth + f'subgraph {key}["{_escape(graph.clusters[key].label)}"]')
        depth += 1
        result += ["  " * depth + _node(box, show) for box in own.get(key, ())]
        stack += [None, *reversed(children.get(key, ()))]
    bad = []
    for number, edge in enumerate(graph.edges):
        arrow = "-.->" if edge.repeat else "-->"
        result.append(f"  {edge.tail} {arrow} {edge.head}")
        if edge.bad:
            bad.append(str(number))
    colours = palette("light")
    for kind in dict.fromkeys(box.kind for box in graph.boxes):
        _, style, fill, border = LOOKS[kind]
        dashed = ",stroke-dasharray:4" if "dashed" in style else ""
        look = f"fill:{colours[fill]},stroke:{colours[border]},color:{colours['text']}{dashed}"
        result.append(f"  classDef {kind} {look}")
    if any(_marked(box) for box in graph.boxes):
        look = f"fill:{colours['bad']},stroke:{colours['bad_border']},color:{colours['text']}"
        result.append(f"  classDef nonfinite {look},stroke-width:3px")
    if bad:
        look = f"stroke:{colours['bad_border']},stroke-width:3px"
        result.append(f"  linkStyle {','.join(bad)} {look}")
    return "\n".join(result) + "\n"


def _marked(box: Box) -> bool:
    return bool((box.bad and box.bad.origin) or box.bad_gradient)


def _node(box: Box, show: Sequence[str]) -> str:
    texts = [heading(box), *lines(box, show), *(row_text(row, show) for row in box.rows)]
    label = "<br/>".join(_escape(text) or " " for text in texts)
    start, end = {"input": ("([", "])"), "constant": ("([", "])"), "output": ("{{", "}}")}.get(
        box.kind, ("(", ")") if box.kind == "op" else ("[", "]")
    )
    return f'{box.id}{start}"{label}"{end}:::{"nonfinite" if _marked(box) else box.kind}'


def _escape(text: str) -> str:
    """Write what Mermaid and the HTML in its labels would read as markup by number."""
    return "".join(
        f"#{ord(c)};" if c in '"#&<>;\\`*' else "#10;" if c == "\n" else c
        for c in text
        if c >= " " or c == "\n"
    )
