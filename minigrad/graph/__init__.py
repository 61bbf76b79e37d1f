"""Drawing the graph that computed a Tensor."""

from minigrad.graph.backends import GraphvizNotFoundError
from minigrad.graph.drawing import draw, draw_module
from minigrad.graph.view import GraphView

__all__ = ["GraphView", "GraphvizNotFoundError", "draw", "draw_module"]
