"""The losses of `minigrad.functional` as modules."""

from minigrad import functional as F
from minigrad.nn.module import Module


class CrossEntropyLoss(Module):
    """The mean of -log softmax(logits) at the target, a label or a one-hot row."""

    forward = staticmethod(F.cross_entropy)


class BCEWithLogitsLoss(Module):
    """The mean binary cross entropy of sigmoid(logits)."""

    forward = staticmethod(F.binary_cross_entropy_with_logits)


class MSELoss(Module):
    """The mean of (prediction - target)**2."""

    forward = staticmethod(F.mse_loss)


class SumSquaredError(Module):
    """The book's 0.5 * sum((prediction - target)**2)."""

    forward = staticmethod(F.sum_squared_error)
