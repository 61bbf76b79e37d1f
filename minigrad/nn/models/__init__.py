"""Networks ready to train: those of *Deep Learning from Scratch*, LeNet-5 and AlexNet."""

from minigrad.nn.models.book import DeepConvNet as DeepConvNet
from minigrad.nn.models.book import MultiLayerNet as MultiLayerNet
from minigrad.nn.models.book import SimpleConvNet as SimpleConvNet
from minigrad.nn.models.book import TwoLayerNet as TwoLayerNet
from minigrad.nn.models.classic import AlexNet as AlexNet
from minigrad.nn.models.classic import LeNet5 as LeNet5
from minigrad.nn.models.network import Network as Network
