"""The graph in text: an outline for the terminal, and Mermaid for pages that draw it themselves."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.graph.model import Box, Frame, Graph
from minigrad.graph.theme import LOOKS, palette
from minigrad.graph.tree import plant
from minigrad.graph.words import heading, lines, row_text

# What Mermaid and the HTML in its labels would read as markup is written by number.
_ESCAPES: dict[int, str | None] = dict.fromkeys(range(32)) | {ord("\n"): "<br/>"}
_ESCAPES |= {ord(c): f"#{ord(c)};" for c in '"#&<>;\\`*'}


def outline(graph: Graph) -> str:
    """Return one line a box and row, indented by module."""
    show = graph.show
    result = [graph.title, f"{graph.view} · {graph.facts}", *graph.notes, ""]
    for depth, item in plant(graph).walk():
        indent = "  " * depth
        if isinstance(item, Frame):
            result.append(f"{indent}{item.label}")
        elif item:
            text = "  ".join([heading(item), *lines(item, show)]).replace("\n", " ")
            plain = item.kind in ("op", "module", "hidden")
            result.append(f"{indent}{'' if plain else f'[{item.kind}] '}{text}")
            rows = (row_text(row, show).replace("\n", " ") for row in item.rows)
            result += [f"{indent}    {row}" for row in rows]
    return "\n".join(result)


def mermaid(graph: Graph) -> str:
    """Return a Mermaid flowchart."""
    show = graph.show
    result = [f"flowchart {graph.direction}"]
    for depth, item in plant(graph).walk():
        indent = "  " * (depth + 1)
        if isinstance(item, Frame):
            label = item.label.translate(_ESCAPES)
            result.append(f'{indent}subgraph {item.id}["{label}"]')
        else:
            result.append(indent + (_node(item, show) if item else "end"))
    for edge in graph.edges:
        arrow = f'-. "next ×{edge.uses}" .->' if edge.repeat else "-->"
        result.append(f"  {edge.tail} {arrow} {edge.head}")
    colours = palette("light")
    names = {box.kind: box.kind for box in graph.boxes}
    names |= {"bad": "nonfinite"} if any(box.marked for box in graph.boxes) else {}
    for kind, name in names.items():
        look = LOOKS[kind]
        paint = f"fill:{colours[look['fillcolor']]},stroke:{colours[look['color']]}"
        paint += f",color:{colours['text']}" + ",stroke-dasharray:4" * ("dashed" in look["style"])
        result.append(f"  classDef {name} {paint}" + ",stroke-width:3px" * (kind == "bad"))
    # Mermaid's own look of a subgraph is of a hue that says nothing here.
    frame = f"fill:none,stroke:{colours['edge']},stroke-dasharray:4"
    result += [f"  style {key} {frame}" for key in graph.clusters]
    bad = [str(number) for number, edge in enumerate(graph.edges) if edge.bad]
    if bad:
        paint = f"stroke:{colours['bad_border']},stroke-width:3px"
        result.append(f"  linkStyle {','.join(bad)} {paint}")
    return "\n".join(result) + "\n"


def _node(box: Box, show: Sequence[str]) -> str:
    texts = [heading(box), *lines(box, show), *(row_text(row, show) for row in box.rows)]
    label = "<br/>".join(text.translate(_ESCAPES) or " " for text in texts)
    start, end = {"input": ("([", "])"), "constant": ("([", "])"), "output": ("{{", "}}")}.get(
        box.kind, ("(", ")") if box.kind == "op" else ("[", "]")
    )
    return f'{box.id}{start}"{label}"{end}:::{"nonfinite" if box.marked else box.kind}'
