"""Training over several processes: every rank has the model, and a part of each batch.

The processes are MPI's, and so is what they say to each other: start them with
`mpiexec -n 4 python train.py`. Without it there is one rank, and nothing here needs mpi4py.
"""

from __future__ import annotations

import copy
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from minigrad.autograd import Array, Tensor, bare, differentiable, note_change
from minigrad.checks import needing
from minigrad.data import DataLoader
from minigrad.functional.layers import _per_channel, _sum_batch
from minigrad.nn import Module
from minigrad.nn.layers import BatchNorm
from minigrad.random import generator, generators, restore

T = TypeVar("T")
LAUNCHED = "PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE"  # what a launcher sets


@cache
def world() -> Any:
    """Return MPI's communicator of all ranks; None in a process that no launcher started.

    From here on an exception that nobody catches ends the whole job, as the other ranks would
    wait for this one for ever.
    """
    if not any(name in os.environ for name in LAUNCHED):
        return None
    with needing("mpi4py", "minigrad.distributed", extra="mpi"):
        from mpi4py import MPI
    if MPI.COMM_WORLD.Get_size() > 1:
        sys.excepthook = _end_the_job
    return MPI.COMM_WORLD


def _end_the_job(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(f"minigrad: rank {rank()} of {size()} ends the job:\n{text}")
    sys.stderr.flush()
    world().Abort(1)


def rank() -> int:
    """Return the number of this process, from 0."""
    return int(world().Get_rank()) if world() else 0


def size() -> int:
    """Return how many processes there are."""
    return int(world().Get_size()) if world() else 1


def from_rank_0(value: T) -> T:
    """Return on every rank what rank 0 passed: plain values and arrays."""
    shared: T = world().bcast(value) if size() > 1 else value
    return shared


def gathered(value: T) -> list[T]:
    """Return on every rank what each rank passed, in their order."""
    return list(world().allgather(value)) if size() > 1 else [value]


def summed(array: Array) -> Array:
    """Return the sum over the ranks of an array; on one rank the array itself."""
    if size() == 1:
        return array
    array = np.array(array, order="C")
    world().Allreduce(_IN_PLACE(), array)
    return array


def _IN_PLACE() -> Any:
    from mpi4py import MPI

    return MPI.IN_PLACE


def broadcast(module: Module) -> None:
    """Write rank 0's parameters and buffers into those of every other rank."""
    if size() == 1:
        return
    for _, value in [*module.named_parameters(), *module.named_buffers()]:
        array = bare(value)
        whole = np.array(array, order="C")
        world().Bcast(whole)
        array[...] = whole
        note_change(array)


def average_gradients(parameters: Iterable[Tensor], *numbers: float) -> list[float]:
    """Replace each gradient by its mean over the ranks, in one message; so with the numbers.

    A parameter that got a gradient on no rank has none afterwards; where only some have one, the
    others count as zeros.

    Parameters
    ----------
    parameters : iterable of Tensors
        The same ones, in the same order, on every rank.
    *numbers : float
        Averaged on the way, such as the loss.

    Returns
    -------
    list of float
        The means of the numbers.
    """
    if size() == 1:
        return list(numbers)
    those = list(parameters)
    dtype = np.result_type(np.float32, *{p.dtype for p in those})
    parts = [
        np.zeros(p.size, dtype) if p._grad is None else np.asarray(p._grad.data).reshape(-1)
        for p in those
    ]
    reached = np.array([p._grad is not None for p in those], dtype)
    flat = np.concatenate([*parts, reached, np.array(numbers, dtype)], dtype=dtype)
    world().Allreduce(_IN_PLACE(), flat)
    flat /= size()
    start, told = 0, flat.size - len(numbers) - len(those)
    for i, p in enumerate(those):
        if flat[told + i]:
            mean = flat[start : start + p.size].reshape(p.shape).astype(p.dtype, copy=False)
            p._grad = Tensor._wrap(mean)
        start += p.size
    return [float(v) for v in flat[flat.size - len(numbers) :]]


def share_of(n: int) -> float:
    """Return what a mean over `n` examples of this rank weighs, if ranks have 1 on average."""
    return n * size() / float(summed(np.array([n], np.float64))[0]) if size() > 1 else 1.0


def shard(loader: Any) -> DataLoader:
    """Return a loader of this rank's part of each batch, in the order that rank 0 draws.

    With batches of 100, four ranks get 25 rows each of the same 100: so a step of all ranks is
    that of one process. The last batch of an epoch is left out if it has fewer rows than there are
    ranks.
    """
    if not isinstance(loader, DataLoader):
        raise TypeError(
            f"shard: expected a DataLoader, which can cut its batches, got {type(loader).__name__}"
        )
    if loader.batch_size < size():
        raise ValueError(
            f"shard: batches of {loader.batch_size} can't be cut into {size()} parts: use a larger "
            "batch_size or fewer ranks"
        )
    part = copy.copy(loader)
    part.part, part.agreed = (rank(), size()), from_rank_0
    return part


def every_other(batches: Iterable[T]) -> Iterator[T]:
    """Yield the batches that this rank evaluates: each is one rank's."""
    return islice(batches, rank(), None, size())


def diverge(module: Module) -> None:
    """Let the generators of the ranks above 0, the library's and the module's, draw other numbers.

    Else all ranks would drop the same values of different examples.
    """
    for rng in {id(g): g for g in [generator(), *generators(module).values()]}.values():
        if rank():
            seed = np.random.SeedSequence([rank(), int(rng.integers(2**62))])
            restore(rng, dict(type(rng.bit_generator)(seed).state))


# ------------------------------------------------------------------------- batch normalisation
def synchronise_batch_norm(module: Module) -> Module:
    """Let every batch normalisation inside take its mean and variance over all ranks.

    Without it each rank normalises with its own part of the batch. Gradients of gradients are not
    to be had through it.
    """
    for one in module.modules():
        if isinstance(one, BatchNorm) and not isinstance(one, _Synchronised):
            one.__class__ = type(type(one).__name__, (_Synchronised, type(one)), {})
    return module


class _Synchronised(BatchNorm):
    def forward(self, x: Tensor) -> Tensor:
        """Normalise with the statistics of the whole batch in training."""
        if not self.training or size() == 1:
            return super().forward(x)
        how: dict[str, Any] = {"momentum": self.momentum, "eps": self.eps}
        how["running"] = self.running_mean, self.running_var
        y: Tensor = _batch_norm(x, self.weight, self.bias, **how)
        return y


def _pullback(
    needs: Any,
    g: Any,
    _y: Any,
    x: Any,
    weight: Any,
    _bias: Any,
    *,
    residual: Any,
    eps: float,
    running: Any,
    momentum: float,
) -> tuple[Any, Any, Any]:
    """As for one rank, with the sums over the batch taken over all ranks in the input's."""
    if residual is None:
        raise TypeError(
            "synchronise_batch_norm: gradients of gradients would need messages in the second "
            "sweep: differentiate twice on one rank"
        )
    mean, inverse_std, n = residual
    centred = x - _per_channel(mean, x)
    sum_g, sum_gx = _sum_batch(g), _sum_batch(g * centred) * inverse_std
    dx = None
    if needs[0]:
        of_all, scale = summed(np.stack([sum_g, sum_gx])), weight * inverse_std
        dx = g * _per_channel(scale, x)
        dx = dx - centred * _per_channel(scale * inverse_std * of_all[1] / n, x)
        dx = dx - _per_channel(scale * of_all[0] / n, x)
    return dx, sum_gx, sum_g


@differentiable(joint=_pullback, residual=True)
def _batch_norm(
    x: Any, weight: Any, bias: Any, *, eps: float, running: Any, momentum: float
) -> Any:
    count = np.array([x.size // x.shape[1]], x.dtype)
    *total, n = summed(np.concatenate([_sum_batch(x), count]))
    mean = np.array(total, x.dtype) / n
    centred = x - _per_channel(mean, x)
    var = summed(_sum_batch(centred * centred)) / n
    for average, new in zip(running, (mean, var), strict=True):
        average *= 1 - momentum
        average += momentum * new
    inverse_std = (var + eps) ** -0.5
    centred *= _per_channel(weight * inverse_std, x)
    centred += _per_channel(bias, x)
    return centred, (mean, inverse_std, n)
