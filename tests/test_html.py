"""What notebooks show is well-formed HTML that says what there is."""

from html.parser import HTMLParser

import numpy as np
import pytest

from minigrad import Tensor, nn
from minigrad.training import History

MODEL = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
X = Tensor(np.ones((2, 3)), requires_grad=True, name="<x>")
SHOWN = {
    "a small matrix": (X, ["Tensor: <x>, shape (2, 3), float64, requires a gradient", "1"]),
    "a result": (X * 2, ["Tensor: shape (2, 3), float64, from multiply", "2"]),
    "a number": (Tensor(1.5), ["Tensor: shape (), float32", "1.5"]),
    "a large array": (Tensor(np.arange(1e4)), ["Tensor: shape (10000,), float64"]),
    "a module": (MODEL, ["Sequential: 12 parameters", "0.weight", "(3, 2)", "1.running_var"]),
    "a summary": (MODEL.summary(3), ["layer", "Linear", "total"]),
    "a history": (
        History([1.0, 0.5], [{"epoch": 1, "loss": 0.75}, {"epoch": 2, "lr": 0.1}]),
        ["History of 2 steps", "loss", "0.75", "0.1"],
    ),
    "an empty history": (History(), ["History of 0 steps"]),
}


class Reader(HTMLParser):
    """Note the texts, and that every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("name", SHOWN)
def test_shown(name):
    value, texts = SHOWN[name]
    reader = Reader(value._repr_html_())
    assert not reader.open
    for text in texts:
        assert any(text in found for found in reader.texts)
