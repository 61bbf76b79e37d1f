"""Modules: layers with parameters, containers, losses, and how weights begin."""

from minigrad.nn import init
from minigrad.nn.activations import (
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
)
from minigrad.nn.containers import Sequential
from minigrad.nn.layers import BatchNorm1d, Dropout, Flatten, Identity, Linear
from minigrad.nn.losses import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss, SumSquaredError
from minigrad.nn.module import Module, Parameter

__all__ = [
    "GELU",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Identity",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SumSquaredError",
    "Tanh",
    "init",
]
