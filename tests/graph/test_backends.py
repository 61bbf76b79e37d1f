"""Who draws: `dot`, pygraphviz or nobody, and what happens when one of them misbehaves."""

import html
import os
import re
import sys

import numpy as np
import pytest
from graph_parsing import needs_graphviz

from minigrad import Tensor, draw, nn
from minigrad import functional as F
from minigrad.graph import GraphvizNotFoundError, backends


def view_of():
    x = Tensor(np.ones((5, 6), "f4"), name="x")
    loss = F.cross_entropy(nn.Linear(6, 4)(x), np.arange(5) % 4)
    loss.name = "loss"
    return draw(loss)


@needs_graphviz
@pytest.mark.parametrize(
    ("format", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_render_writes_what_the_suffix_says(tmp_path, format, start):
    path = view_of().render(tmp_path / "new" / f"net.{format.upper()}")
    assert path.read_bytes().startswith(start)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["net", "net.jpg", "net.dot"])
def test_render_refuses_other_names(tmp_path, name):
    with pytest.raises(ValueError, match="must end in .svg, .png or .pdf"):
        view_of().render(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_save_writes_dot(tmp_path):
    view = view_of()
    assert view.save(tmp_path / "net.dot").read_text("utf-8") == view.source
    with pytest.raises(ValueError, match=r"use .render\("):
        view.save(tmp_path / "net.png")
    assert view.to_graphviz().source == view.source


@pytest.fixture
def without_graphviz(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


@pytest.mark.usefixtures("without_graphviz")
def test_without_a_backend_the_error_says_what_to_install(tmp_path):
    view = view_of()
    for draws in (lambda: view.render(tmp_path / "net.svg"), view.pipe, view.svg):
        with pytest.raises(GraphvizNotFoundError) as caught:
            draws()
        for line in ("apt install", "brew install", "conda install", "pip install pygraphviz"):
            assert line in str(caught.value)
    assert isinstance(caught.value, RuntimeError)
    assert list(tmp_path.iterdir()) == []
    assert view.save(tmp_path / "net.dot").exists()
    assert view.summary()
    bundle = view._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "text/html"}
    (frame,) = re.findall(r'<iframe [^>]*srcdoc="([^"]*)"', bundle["text/html"])
    assert html.unescape(frame) == view.html()
    assert "apt install graphviz, or pip install pygraphviz" in bundle["text/html"]
    assert view.to_html(tmp_path / "net.html").read_text("utf-8") == view.html()
    assert ".to_html(path)" in str(caught.value)


def program(folder, body):
    path = folder / "dot"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="a script with a first line")
@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ("time.sleep(60)", TimeoutError, "took longer than 0.5 s: .* depth=1"),
        ("sys.exit('no such font')", RuntimeError, "status 1: no such font"),
        ("print('hello')", RuntimeError, r"is no svg: b'hello\\n'"),
        ("", RuntimeError, "is no svg: b''"),
    ],
    ids=["sleeps", "fails", "rubbish", "nothing"],
)  # fmt: skip
def test_a_dot_that_misbehaves(tmp_path, monkeypatch, body, error, message):
    program(tmp_path, body)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(backends, "TIMEOUT", 0.5)
    view = view_of()
    with pytest.raises(error, match=message):
        view.render(tmp_path / "net.svg")
    assert [p.name for p in tmp_path.iterdir()] == ["dot"]
    assert view._repr_mimebundle_().keys() == {"text/plain", "text/html"}


def test_a_dot_that_can_not_run(tmp_path, monkeypatch):
    (tmp_path / "dot").write_text("#!/does/not/exist\n")
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="dot could not be run"):
        view_of().svg()


def test_pygraphviz_is_used_where_there_is_no_dot(tmp_path, monkeypatch):
    (tmp_path / "pygraphviz.py").write_text(
        "class AGraph:\n"
        "    def __init__(self, string): self.string = string\n"
        "    def draw(self, format, prog):\n"
        "        return f'<svg>{prog} {format} {len(self.string)}</svg>'.encode()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    view = view_of()
    assert f"dot svg {len(view.source)}</svg>" in view.svg()


@needs_graphviz
def test_notebooks_get_svg_and_text():
    bundle = view_of()._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "image/svg+xml"}
    assert repr(view_of()).startswith("GraphView('loss = ")
