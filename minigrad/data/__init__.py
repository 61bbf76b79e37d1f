"""Data sets of handwritten digits, batches, and a train/validation split: plain NumPy arrays."""

from minigrad.data.datasets import load_digits, load_mnist
from minigrad.data.loader import DataLoader, train_validation_split

__all__ = ["DataLoader", "load_digits", "load_mnist", "train_validation_split"]
