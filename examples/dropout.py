"""Overfit a few images, then hold back by dropout (the book, sections 6.4.1 and 6.4.3).

Six hidden layers of 100 units learn 300 images of MNIST, or 100 small digits, by heart. If each
step drops a fifth of their outputs at random, it takes longer, and train and test accuracy lie
closer together.
"""

import overfitting

REMEDY = {"dropout 0.2": {"dropout": 0.2}}
EPOCHS = {"digits": 1000, "mnist": 301}

if __name__ == "__main__":
    overfitting.run(__doc__.splitlines()[0], "dropout", REMEDY, EPOCHS, quick=500)
