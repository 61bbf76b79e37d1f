"""Drawing the graph that computed a Tensor."""

from minigrad.graph.backends import GraphvizNotFoundError
from minigrad.graph.view import GraphView, draw, draw_module

__all__ = ["GraphView", "GraphvizNotFoundError", "draw", "draw_module"]
