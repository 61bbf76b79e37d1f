"""The words in a picture, the same for every format, and the formats that are text alone."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width

from minigrad.autograd.messages import where
from minigrad.graph.model import Box, Edge, Frame, Graph, count, human
from minigrad.graph.theme import LOOKS, palette
from minigrad.graph.tree import plant

SHOW = ("shape", "dtype", "bytes")
LONGEST = 40  # letters of a name
SHAPES = {"op": "( )", "input": "([ ])", "constant": "([ ])", "output": "{{ }}"}  # in Mermaid
# What Mermaid and the HTML in its labels would read as markup is written by number.
_ESCAPES: dict[int, str | None] = dict.fromkeys(range(32)) | {ord("\n"): "<br/>"}
_ESCAPES |= {ord(c): f"#{ord(c)};" for c in '"#&<>;\\`*'}


def width(text: str) -> int:
    """Return how many letters wide a text is: 層 takes two."""
    return sum(1 + (east_asian_width(letter) in "WF") for letter in text)


def short(text: str) -> str:
    """Leave out the middle of what is too long for a box; tooltips have all of it."""
    half = len(text) // 2
    while width(text[:half] + text[-half:]) >= LONGEST:
        half -= 1
    return text if width(text) <= LONGEST else f"{text[:half]}…{text[-half:]}"


def heading(box: Box) -> str:
    """Return the first line: `h = relu`, `power(·, 2)`, `loss = 2.3026`, `x`."""
    if box.kind == "output":
        return box.label if box.value is None else f"{box.label} = {box.value:.5g}"
    if box.kind != "op":
        return box.label
    text = box.does if box.label == "getitem" else f"{box.label} {box.does}".rstrip()
    text = f"∂ {text}{box.call}" if box.recorded else f"{text}{box.call}"
    return f"{box.name} = {text}" if box.name else text


def facts(item: Box, show: Sequence[str]) -> str:
    """Return shape and dtype, or what `show` asks for, and the value of a scalar."""
    if item.shape is None:
        return ""
    parts = {"shape": str(item.shape), "dtype": item.dtype, "bytes": human(item.nbytes)}
    text = " ".join(parts[what] for what in SHOW if what in show)
    if item.kind in ("op", "input") and item.value is not None:
        text += f" = {item.value:.5g}"
    return text


def lines(box: Box, show: Sequence[str]) -> list[str]:
    """Return what stands in a box under its heading, without the rows."""
    hidden = box.kind == "output" and (box.value is not None or not show)
    result = ["" if hidden else facts(box, show)]
    if box.kind == "module":
        parameters = f" · {box.parameters:,} params" if box.parameters else ""
        through = f"{', '.join(box.inputs[:3]) or '()'} → {facts(box, show)}"
        result = [count(box.ops, "op") + parameters, through]
    measured = box.gradient and box.kind not in ("output", "reference")
    result.append(box.gradient.text if box.gradient and measured else "")
    result.append(f"⚠ {box.bad.text}" if box.bad and box.bad.origin else "")
    result.append(box.health)
    result.append(f"⚠ {box.bad_gradient.text} in its gradient" if box.bad_gradient else "")
    return [line for line in result if line]


def row_text(row: Box, show: Sequence[str]) -> str:
    """Return the text of a parameter's row."""
    parts = [short(row.label), facts(row, show)]
    parts.append(f"used {row.uses}×" if row.uses > 1 else "")
    parts.append(row.gradient.text if row.gradient else "")
    parts.append(f"⚠ {row.bad.text}" if row.bad and row.bad.origin else "")
    return "  ".join(part for part in parts if part)


def tooltip(box: Box) -> str:
    """Return what a pointer over the box brings up."""
    size = f": {box.shape} {box.dtype}, {human(box.nbytes)}" if box.shape is not None else ""
    parts = [heading(box) + size, box.keywords]
    parts.append(f"holds {human(box.saved)} for backward" if box.saved else "")
    for row in box.rows:
        about = [f"{row.name}: {row.shape} {row.dtype}", human(row.nbytes)]
        parts.append(", ".join([*about, row.stats.text] if row.stats else about))
    parts.append(f"values: {box.stats.text}" if box.stats else "")
    slopes = f": {box.slopes.text}" if box.slopes else ""
    parts.append(box.gradient.text + slopes if box.gradient else "")
    parts.append(box.bad.text if box.bad else "")
    parts.append(where(box.source) if box.source else "")
    parts.append(f"the same as {box.target}" if box.target else "")
    return "\n".join(part for part in parts if part)


def edge_tooltip(edge: Edge, tail: Box, head: Box, view: str) -> str:
    """Return what a pointer over the edge brings up."""
    text = f"{heading(tail)} → {heading(head)}, argument {edge.argument}"
    made = head if view == "backward" else tail  # by this box forward, and its gradient is alike
    text += f": {made.shape} {made.dtype}, {human(made.nbytes)}"
    return text + (f", {edge.uses} times" if edge.uses > 1 else "")


# -------------------------------------------------------------------------- formats that are text
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
    result = [f"flowchart {graph.direction}"]
    for depth, item in plant(graph).walk():
        indent = "  " * (depth + 1)
        if isinstance(item, Frame):
            label = item.label.translate(_ESCAPES)
            result.append(f'{indent}subgraph {item.id}["{label}"]')
        else:
            result.append(indent + (_node(item, graph.show) if item else "end"))
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
    paint = f"stroke:{colours['bad_border']},stroke-width:3px"
    result += [f"  linkStyle {','.join(bad)} {paint}"] * bool(bad)
    return "\n".join(result) + "\n"


def _node(box: Box, show: Sequence[str]) -> str:
    texts = [heading(box), *lines(box, show), *(row_text(row, show) for row in box.rows)]
    label = "<br/>".join(text.translate(_ESCAPES) or " " for text in texts)
    start, end = SHAPES.get(box.kind, "[ ]").split()
    return f'{box.id}{start}"{label}"{end}:::{"nonfinite" if box.marked else box.kind}'
