"""PyTorch, eager, with its fused optimizers."""

from functools import partial

import peer_torch

use_threads = peer_torch.use_threads
network = partial(peer_torch.network, fused=True)
