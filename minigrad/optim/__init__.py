"""The update rules, in order of complexity, and what goes with them: schedules and clipping."""

from minigrad.optim.clipping import clip_grad_norm as clip_grad_norm
from minigrad.optim.clipping import clip_grad_value as clip_grad_value
from minigrad.optim.optimizer import Optimizer as Optimizer
from minigrad.optim.rules import SGD as SGD
from minigrad.optim.rules import AdaGrad as AdaGrad
from minigrad.optim.rules import Adam as Adam
from minigrad.optim.rules import AdamW as AdamW
from minigrad.optim.rules import Momentum as Momentum
from minigrad.optim.rules import Nesterov as Nesterov
from minigrad.optim.rules import RMSprop as RMSprop
from minigrad.optim.schedules import CosineDecay as CosineDecay
from minigrad.optim.schedules import ExponentialDecay as ExponentialDecay
from minigrad.optim.schedules import InverseTimeDecay as InverseTimeDecay
from minigrad.optim.schedules import Schedule as Schedule
from minigrad.optim.schedules import StepDecay as StepDecay
from minigrad.optim.schedules import WarmUp as WarmUp
