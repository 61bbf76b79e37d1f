"""Train the book's deep convolutional network on handwritten digits (the book, section 8.1).

Six convolutions of 3x3, dropout, Adam. On MNIST 99.3 % of the test
images are read right.
"""

import convnets

from minigrad.nn.models import DeepConvNet

EPOCHS = {"digits": 60, "mnist": 20}

if __name__ == "__main__":
    shows = "depth and dropout read more still"
    convnets.run(DeepConvNet, __doc__.splitlines()[0], shows, EPOCHS)
