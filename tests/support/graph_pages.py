"""Graphs for the tests of the explorable page, and what is in a page."""

import json
from html.parser import HTMLParser

import numpy as np

import minigrad
from minigrad import Tensor, nn
from minigrad import functional as F

# Of every box that is seen: its left, top, right, bottom; of every edge: where its line ends.
BOXES = """return picture.seen.map((item) => ({
  id: item.data.id, open: !!(item.folds && item.open), home: home(item).data.id,
  at: [item.left, item.top, item.left + item.size.width, item.top + item.size.height]}))"""
ENDS = """return picture.edges.map((edge) => {
  const path = edge.element.querySelector(".line"), length = path.getTotalLength();
  const at = (n) => { const {x, y} = path.getPointAtLength(n); return [x, y]; };
  return [edge.tail.data.id, edge.head.data.id, at(0), at(length)]; })"""
HOSTILE = '</script><script>document.title="owned"</script><b>"\\ \'&amp; 層 \x07\ud800\n<!--'


class Parts(HTMLParser):
    """The tags and attributes of a page, and the text of its scripts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.scripts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] += data


class Block(nn.Module):
    """A residual block of ten operations."""

    def __init__(self, width):
        self.norm, self.linear = nn.BatchNorm1d(width), nn.Linear(width, width)

    def forward(self, x):
        y = F.relu(self.linear(self.norm(x)))
        return x + np.tanh(y * 0.5) * np.exp(-y) / (1 + np.abs(y))


class Stack(nn.Module):
    """Such blocks in a row."""

    def __init__(self, blocks, width=4):
        self.blocks = [Block(width) for _ in range(blocks)]

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def stack(blocks, **options):
    minigrad.manual_seed(0)
    x = Tensor(np.linspace(-1, 1, 24, dtype="f4").reshape(6, 4), name="x")
    loss = Stack(blocks)(x).sum()
    loss.name = "loss"
    return loss.draw(**options)


def chain(length, nan_at=None):
    y = Tensor(np.ones(3, "f4"), requires_grad=True, name="x")
    with np.errstate(all="ignore"):
        for i in range(length):
            y = np.log(y - 9) if i == nan_at else y * 1.001
    return y


def shared():
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    return x * x + x.sum()


def page_of(view, folder):
    view.to_html(folder / "graph.html")
    return (folder / "graph.html").read_text("utf-8")


def data_of(page):
    return json.loads(Parts(page).scripts[0])


def residual(x):
    for _ in range(3):
        x = x + np.tanh(x) * np.exp(x)
    return x


def beside(x):
    for i in range(4):
        x = np.tanh(x - Tensor(np.full((20, 3), i, "f4"), name=f"constant {i}"))
    return x


VIEWS = {
    "beside": lambda: beside(Tensor([1.0], requires_grad=True, name="x")).draw(),
    "shared": lambda: shared().draw(),
    "residual": lambda: residual(Tensor([1.0], requires_grad=True, name="x")).draw(),
    "blocks": lambda: stack(4, collapse_repeats=False, gradients=True),
    "fan-out": lambda: sum(shared() * i for i in range(1, 30)).draw(max_nodes=500),
    "chain": lambda: chain(300).draw(max_nodes=400, collapse_repeats=False),
    "loop": lambda: chain(300).draw(),
    "backward": lambda: stack(2, view="backward"),
}
