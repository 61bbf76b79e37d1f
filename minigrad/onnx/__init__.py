"""ONNX: a model's recorded graph as a file that other programs run."""

from minigrad.onnx.export import OPSET, export

__all__ = ["OPSET", "export"]
