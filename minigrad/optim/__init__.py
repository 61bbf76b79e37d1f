"""The update rules, in order of complexity, and what goes with them: schedules and clipping."""

from minigrad.optim.clipping import clip_grad_norm, clip_grad_value
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.rules import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSprop
from minigrad.optim.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    Schedule,
    StepDecay,
    WarmUp,
)

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "CosineDecay",
    "ExponentialDecay",
    "InverseTimeDecay",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSprop",
    "Schedule",
    "StepDecay",
    "WarmUp",
    "clip_grad_norm",
    "clip_grad_value",
]
