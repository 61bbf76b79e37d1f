"""Turning DOT into a picture: the program `dot`, else the package pygraphviz."""

from __future__ import annotations

import html
import importlib.util
import math
import re
import shutil
import subprocess
import sys

import numpy as np

from minigrad.graph.text import width
from minigrad.graph.theme import static

TIMEOUT = 30.0  # seconds
PIXELS, SIDE = 12e6, 32_000  # the most of a PNG in all, and on a side
_BEGINS = {"svg": (b"<?xml", b"<svg"), "png": (b"\x89PNG\r\n",), "pdf": (b"%PDF",)}
FORMATS = tuple(_BEGINS)
_CURVE = re.compile(r'<path fill="none" [^>]*d="M([^"]+)"')
_FRAME = re.compile(r'<g id="(cluster[^"]*)" class="cluster(.*?)</g>\n(?=<!--|<g)', re.DOTALL)
_TEXT = re.compile(r'<text [^>]*x="([-\d.]+)" y="([-\d.]+)"[^>]*>(.*?)</text>')
# In a process of its own, so that it can be stopped, and a crash there is an error here.
_PYGRAPHVIZ = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""


class GraphvizNotFoundError(RuntimeError):
    """Neither the program `dot` nor the package pygraphviz is there."""


def command(format: str) -> list[str] | None:
    """Return the command that reads DOT and writes `format`, None if there is no Graphviz."""
    if dot := shutil.which("dot"):
        return [dot, f"-T{format}"]
    blocked = sys.modules.get("pygraphviz", "") is None  # a program has put None in its place
    found = not blocked and importlib.util.find_spec("pygraphviz")
    return [sys.executable, "-c", _PYGRAPHVIZ, format] if found else None


def render(source: str, format: str, dpi: float = 96) -> bytes:
    """Draw DOT.

    Parameters
    ----------
    source : str
        DOT.
    format : {"svg", "png", "pdf"}
        What to return.

    Raises
    ------
    ValueError
        If the format is another one.
    GraphvizNotFoundError
        If there is no Graphviz.
    TimeoutError
        If it takes longer than 30 s.
    RuntimeError
        If Graphviz fails, with its own words.
    """
    if format not in FORMATS:
        raise ValueError(f"render: the format must be svg, png or pdf, got {format!r}")
    run = command(format)
    if dpi != 96:
        source = source.replace("graph [", f'graph [dpi="{dpi:.4g}" ', 1)
    if run is None:
        raise GraphvizNotFoundError(static("no_graphviz.txt").rstrip())
    name = "dot" if len(run) == 2 else "pygraphviz"
    try:
        done = subprocess.run(run, input=source.encode(), capture_output=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        what = f"render: {name} took longer than {TIMEOUT:g} s"
        raise TimeoutError(f"{what}: draw less, with depth=1 or a smaller max_nodes") from None
    except OSError as error:
        raise RuntimeError(f"render: {name} could not be run: {error}") from None
    errors = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        raise RuntimeError(f"render: {name} failed with status {done.returncode}: {errors}")
    if not done.stdout.startswith(_BEGINS[format]):
        start = done.stdout[:60]
        raise RuntimeError(f"render: what {name} returned is no {format}: {start!r} {errors}")
    return done.stdout


def scale_to_fit(svg: str) -> float:
    """Return the resolution, in dots an inch, that keeps a picture below the limits for pixels."""
    wide, high = (float(n) / 72 for n in re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2])
    return min(96.0, math.sqrt(PIXELS / (wide * high)), SIDE / max(wide, high))


def crossed_titles(svg: str) -> set[str]:
    """Return the ids of the frames whose titles an edge runs across."""
    t = np.linspace(0, 1, 17)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3])
    points = [np.empty((0, 2))]
    for path in _CURVE.findall(svg):
        ends = np.array(re.findall(r"-?[\d.]+", path), float).reshape(-1, 2)
        points += [weights @ ends[i : i + 4] for i in range(0, len(ends) - 3, 3)]
    x, y = np.concatenate(points).T
    found = set()
    for key, frame in _FRAME.findall(svg):
        for left, low, text in _TEXT.findall(frame):
            right = float(left) + 4.7 * width(html.unescape(text))
            beside = (float(left) - 2 < x) & (x < right)
            if (beside & (float(low) - 9 < y) & (y < float(low) + 3)).any():
                found.add(key)
    return found
