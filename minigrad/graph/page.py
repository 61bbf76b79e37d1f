"""The graph as a page to explore: one file that holds the graph, its layout and its drawing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

from minigrad.autograd.messages import where
from minigrad.graph.fold import drawn, grow, open_within, stretch, turned
from minigrad.graph.model import Bad, Box, Gradient, Graph, Stats, human
from minigrad.graph.text import facts, heading, lines, row_text
from minigrad.graph.theme import STEP_NAMES, legend, palette, static, step
from minigrad.graph.tree import around, folders

BUDGET = 60  # boxes that a page shows when it opens
LIMIT = 2_000_000  # bytes of a page: above it, the page holds the folded graph
SCRIPTS = "dagre.min arrange layout draw page export panel controls".split()
AS_THEY_ARE = (
    "id dtype dotted gradient stats slopes bad bad_gradient keywords health recorded ordered target"
).split()
FOLDED = ("text", "lines", "rows", "step", "gradient", "stats", "slopes")  # differ in a fold


def page(whole: Graph, picture: Graph) -> str:
    """Return a page that needs no network: the whole graph, with frames to open and close.

    The page opens with the modules open that stand open in the picture, as far as that is
    readable. A graph that makes a larger page than 2 MB is replaced by that picture.
    """
    text = _page(whole, picture)
    return text if len(text) <= LIMIT else _page(picture, picture)


def _page(graph: Graph, picture: Graph) -> str:
    style = _variables(graph.theme) + static("page.css")
    code = [static(f"{name}.js") for name in SCRIPTS]
    script = "\n".join([f"/* {static('dagre.LICENSE.txt')}*/", *code])
    # `<` could end the element that holds the data, whatever the names in it.
    data = json.dumps(model(graph, picture), separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        # Nothing but these very bytes may run, and nothing may be fetched.
        "policy": f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:",  # of its own drawing, on the way to a PNG
        # What is no character, such as half of one, stays harmless in ASCII.
        "title": html.escape(graph.title).encode("ascii", "xmlcharrefreplace").decode(),
        "style": style,
        "data": data,
        "script": script,
    }
    return Template(static("page.html")).substitute(parts)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _variables(theme: str) -> str:
    """Return the colours of the pictures as CSS variables."""
    light, dark = (
        "".join(f"--{role.replace('_', '-')}:{colour};" for role, colour in palette(of).items())
        for of in ("light", "dark")
    )
    scheme = "light dark" if theme == "auto" else theme
    style = f":root{{color-scheme:{scheme};{dark if theme == 'dark' else light}}}"
    turning = f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}" * (theme == "auto")
    return f"{style}{turning}\n"


def model(whole: Graph, picture: Graph) -> dict[str, Any]:
    """Return what the page draws, as JSON has it.

    Parameters
    ----------
    whole : Graph
        All that was read.
    picture : Graph
        What is drawn of it, which says what stands open.

    Returns
    -------
    dict
        `nodes` and `clusters`, parents first, with the index of the cluster around each; `edges`
        as [tail, head, argument] with the indices of nodes, and "bad"; what is None, False or
        empty is left out.
    """
    show, turn = whole.show, whole.view == "backward" and whole is not picture
    root = grow(whole, whole.repeats and whole is not picture)
    stretch(root)
    frames = [frame for frame in root.frames() if not frame.slim]
    homes = around(root)
    closed = folders(root, homes, whole.edges, frames)
    for frame in frames:
        frame.open = True
    folds = {box.id: box for box in drawn(root, whole).boxes}  # what equal ones have in common
    opened = {f for f in frames if f.id in picture.clusters or f.sort in ("stretch", "step")}
    open_within(root, whole, BUDGET, opened)
    whole = turned(whole) if turn else whole
    places = {frame: i for i, frame in enumerate(frames)}
    numbers = {box.id: i for i, box in enumerate(whole.boxes)}
    nodes, clusters = [], []
    for box in whole.boxes:
        *beyond, home = homes[box.id]
        prefix = f"{home.path}: " if home.slim and home.path else ""
        record = _record(box, prefix, show)
        if box.id in folds and any(frame.loop for frame in beyond):
            fold = _record(folds[box.id], prefix, show)
            record["fold"] = {key: fold.get(key) for key in FOLDED}
        nodes.append(record | _filled({"in": places.get(beyond[-1] if home.slim else home)}))
    for frame in frames:
        record = _record(closed[frame], "", show) | {"text": frame.title(), "label": frame.label}
        record |= {"id": f"loop_{frame.key}" if frame.loop else frame.id}
        record |= {"title": frame.title(relative=True), "sums": frame.sums}
        record |= {"kind": "stretch"} if frame.sort == "stretch" else {}
        outer = places.get(homes[frame][-1])
        clusters.append(record | _filled({"loop": frame.loop, "open": frame.open, "in": outer}))
    return {
        "title": whole.title,
        "facts": f"{whole.view} · {whole.facts}",
        "notes": whole.notes,
        "legend": legend(whole),
        "steps": STEP_NAMES,
        "clusters": clusters,
        "nodes": nodes,
        "edges": [
            [numbers[e.tail], numbers[e.head], e.argument, *["bad"] * e.bad, *["repeat"] * e.repeat]
            for e in whole.edges
        ],
    }


def _record(box: Box, prefix: str, show: Sequence[str]) -> dict[str, Any]:
    """Return a box as JSON has it: the words of the picture, and the facts for the panel."""
    texts, known, marked = lines(box, show), box.shape is not None, box.marked
    return _filled(
        {name: _plain(getattr(box, name)) for name in AS_THEY_ARE}
        | {
            "kind": box.kind.removeprefix("op"),
            "text": prefix + heading(box),
            "shape": str(box.shape) if known else None,
            "bytes": human(box.nbytes) if known else None,
            "lines": texts if texts != [f"{box.shape} {box.dtype}"] else None,
            "saved": human(box.saved) if box.saved else None,
            "step": step(box),
            "mark": ("first" if marked.first else "origin") if marked else None,
            "number": box.number or None,
            "source": where(box.source) if box.source else None,
            "rows": [_row(row, show) for row in box.rows],
        }
    )


def _row(row: Box, show: Sequence[str]) -> dict[str, Any]:
    parts = [facts(row, ("shape", "dtype")), human(row.nbytes)]
    parts += [item.text for item in (row.gradient, row.bad) if item]
    record = _record(row, "", show)
    same = {key: record[key] for key in ("id", "stats", "step", "mark", "dotted") if key in record}
    return same | {"name": row.name, "text": row_text(row, show), "facts": ", ".join(parts)}


def _plain(value: Any) -> Any:
    """Return what is said of something measured, with its histogram, and anything else as it is."""
    if isinstance(value, Stats):
        return [value.text, value.bars]
    return value.text if isinstance(value, Bad | Gradient) else value


def _filled(record: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not there; 0 is something."""
    return {k: v for k, v in record.items() if v not in (None, "", []) and v is not False}
