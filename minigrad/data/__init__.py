"""Data sets of handwritten digits, batches, augmentation, and a split: plain NumPy arrays."""

from minigrad.data.augmentation import augment, noise, shift
from minigrad.data.datasets import load_digits, load_mnist
from minigrad.data.loader import DataLoader, train_validation_split

__all__ = [
    "DataLoader",
    "augment",
    "load_digits",
    "load_mnist",
    "noise",
    "shift",
    "train_validation_split",
]
