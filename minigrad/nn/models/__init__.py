"""Networks ready to train: those of *Deep Learning from Scratch*, LeNet-5 and AlexNet."""

from minigrad.nn.models.book import DeepConvNet, MultiLayerNet, SimpleConvNet, TwoLayerNet
from minigrad.nn.models.classic import AlexNet, LeNet5
from minigrad.nn.models.network import Network

__all__ = [
    "AlexNet",
    "DeepConvNet",
    "LeNet5",
    "MultiLayerNet",
    "Network",
    "SimpleConvNet",
    "TwoLayerNet",
]
