"""Turning DOT into a picture: the program `dot`, else the package pygraphviz."""

from __future__ import annotations

import html
import importlib.util
import math
import re
import shutil
import subprocess
import sys

TIMEOUT = 30.0  # seconds
PIXELS, SIDE = 12e6, 32_000  # the most of a PNG in all, and on a side
_BEGINS = {"svg": (b"<?xml", b"<svg"), "png": (b"\x89PNG\r\n",), "pdf": (b"%PDF",)}
FORMATS = tuple(_BEGINS)
# In a process of its own, so that it can be stopped, and a crash there is an error here.
_PYGRAPHVIZ = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""
INSTALL = """\
install one of:
  apt install graphviz          (Debian, Ubuntu)
  brew install graphviz         (macOS)
  conda install graphviz        (conda)
  pip install pygraphviz        (no system package needed; it brings Graphviz with it)"""


class GraphvizNotFoundError(RuntimeError):
    """Neither the program `dot` nor the package pygraphviz is there."""

    def __init__(self, what: str):
        super().__init__(
            f"{what}: drawing needs Graphviz, and neither the program `dot` nor the package "
            f"pygraphviz was found: {INSTALL}\nWithout it, .to_html(path), a page to explore, "
            "still works, and so do .source, .save(path), .summary() and .to_mermaid()."
        )


def command(format: str) -> list[str] | None:
    """Return the command that reads DOT and writes `format`, None if there is no Graphviz."""
    dot = shutil.which("dot")
    if dot:
        return [dot, f"-T{format}"]
    if _has_pygraphviz():
        return [sys.executable, "-c", _PYGRAPHVIZ, format]
    return None


def _has_pygraphviz() -> bool:
    try:
        return importlib.util.find_spec("pygraphviz") is not None
    except ValueError:  # a program has put None in its place
        return False


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
        raise GraphvizNotFoundError("render")
    name = "dot" if len(run) == 2 else "pygraphviz"
    try:
        done = subprocess.run(run, input=source.encode(), capture_output=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise TimeoutError(
            f"render: {name} took longer than {TIMEOUT:g} s: draw less, for example with depth=1 "
            "or a smaller max_nodes"
        ) from None
    except OSError as error:
        raise RuntimeError(f"render: {name} could not be run: {error}") from None
    errors = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        raise RuntimeError(f"render: {name} failed with status {done.returncode}: {errors}")
    if not done.stdout.startswith(_BEGINS[format]):
        raise RuntimeError(
            f"render: {name} returned something that is no {format}: {done.stdout[:60]!r} {errors}"
        )
    return done.stdout


def scale_to_fit(svg: str) -> float:
    """Return the resolution, in dots an inch, that keeps a picture below the limits for pixels."""
    wide, high = (float(n) / 72 for n in re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2])
    return min(96.0, math.sqrt(PIXELS / (wide * high)), SIDE / max(wide, high))


def crossed_titles(svg: str) -> set[str]:
    """Return the ids of the frames whose titles an edge runs across."""
    points = []
    for path in re.findall(r'<path fill="none" [^>]*d="M([^"]+)"', svg):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", path)]
        ends = list(zip(numbers[::2], numbers[1::2], strict=True))
        for curve in zip(ends[::3], ends[1::3], ends[2::3], ends[3::3], strict=False):
            for t in (n / 16 for n in range(17)):
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                points.append(
                    tuple(
                        sum(w * p[i] for w, p in zip(weights, curve, strict=True)) for i in (0, 1)
                    )
                )
    found = set()
    for key, frame in re.findall(
        r'<g id="(cluster[^"]*)" class="cluster(.*?)</g>\n(?=<!--|<g)', svg, re.DOTALL
    ):
        for x, y, text in re.findall(
            r'<text [^>]*x="([-\d.]+)" y="([-\d.]+)"[^>]*>(.*?)</text>', frame
        ):
            left, low = float(x), float(y)
            wide = 4.7 * len(html.unescape(text))
            if any(left - 2 < a < left + wide and low - 9 < b < low + 3 for a, b in points):
                found.add(key)
    return found
