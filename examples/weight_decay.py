"""Overfit a few images, then hold back by weight decay (the book, sections 6.4.1 and 6.4.2).

Six hidden layers of 100 units learn 300 images of MNIST, or 100 small digits, by heart: the
training accuracy reaches 100 %, the test accuracy does not follow. With the penalty
0.5 * 0.1 * sum(W**2) the two lie closer together.
"""

import overfitting

REMEDY = {"weight decay 0.1": {"weight_decay": 0.1}}

if __name__ == "__main__":
    overfitting.run(__doc__.splitlines()[0], "weight decay", REMEDY, epochs=201, quick=201)
