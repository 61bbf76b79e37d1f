"""The state of a run: what a Trainer needs to go on, in this process or another."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import distributed as ranks
from minigrad import saving
from minigrad.data import DataLoader
from minigrad.random import generators, get_rng_state, restore, set_rng_state, state_of
from minigrad.training.batches import Means

if TYPE_CHECKING:
    from minigrad.training.trainer import Trainer

VERSION = 1


def state_dict(trainer: Trainer) -> dict[str, Any]:
    """Return all that training goes on from: to be saved, and given to `load_state_dict`.

    That is the weights, the optimizer, the schedule, the history, the place within the epoch, the
    callbacks that have a `state_dict`, and where every generator is that draws: the library's,
    those of modules, those of the loaders. When ranks train together, all of them must call this.
    """
    run = trainer
    draws = {
        "library": get_rng_state(),
        "modules": {path: state_of(rng) for path, rng in generators(run.model).items()},
        "loaders": places(run),
        "means": {"n": run._means.n, "totals": run._means.totals},
    }
    return {
        "version": VERSION,
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "schedule": run.schedule.state_dict() if run.schedule else None,
        "history": {"losses": np.array(run.history.losses), "epochs": run.history.epochs},
        "epoch": run.epoch,
        "batch": run._batch,
        "seconds": run._seconds + time.perf_counter() - run._since,
        "stop": run.stop,
        "callbacks": [
            one.state_dict() if hasattr(one, "state_dict") else None for one in run.callbacks
        ],
        "draws": ranks.gathered(draws) if run.distributed else [draws],
    }


def places(run: Trainer) -> dict[str, Any]:
    """Return where the loaders are that a fit goes through, or where the last one left them."""
    found = dict(run._places)
    for name, loader in run._loaders.items():
        if isinstance(loader, DataLoader):
            found[name] = loader.state_dict()
    return found


def load_state_dict(trainer: Trainer, state: dict[str, Any]) -> None:
    """Go on from what `state_dict` returned, for a trainer made in the same way.

    Raises
    ------
    ValueError
        If it is the state of another model, optimizer or trainer; then nothing has changed.
    """
    if not isinstance(state, dict) or not state.keys() >= {"model", "optimizer", "draws"}:
        raise ValueError("load_state_dict: this is no state of a Trainer")
    if state["version"] > VERSION:
        raise ValueError(f"load_state_dict: the state is of a later version, {state['version']}")
    before = state_dict(trainer)
    try:
        _load(trainer, state)
    except Exception:
        _load(trainer, before)
        raise


def _load(run: Trainer, state: dict[str, Any]) -> None:
    run.model.load_state_dict(state["model"])
    run.optimizer.load_state_dict(state["optimizer"])
    if (run.schedule is None) != (state["schedule"] is None):
        raise ValueError("load_state_dict: only one of the state and the trainer has a schedule")
    if run.schedule:
        run.schedule.load_state_dict(state["schedule"])
    if len(state["callbacks"]) != len(run.callbacks):
        raise ValueError(
            f"load_state_dict: the state has {len(state['callbacks'])} callbacks, the trainer "
            f"{len(run.callbacks)}"
        )
    for one, held in zip(run.callbacks, state["callbacks"], strict=True):
        if held is not None:
            one.load_state_dict(held)
    draws = state["draws"][ranks.rank() % len(state["draws"])]
    own = generators(run.model)
    if own.keys() != draws["modules"].keys():
        raise ValueError(
            f"load_state_dict: the model draws by {sorted(own)}, that of the state by "
            f"{sorted(draws['modules'])}"
        )
    for path, rng in own.items():
        restore(rng, draws["modules"][path])
    set_rng_state(draws["library"])
    run._places, run._loaders, run._goes_on = draws["loaders"], {}, True
    run._means = Means(**draws["means"])
    run.history.losses = state["history"]["losses"].tolist()
    run.history.epochs = [dict(row) for row in state["history"]["epochs"]]
    run.epoch, run._batch, run.stop = state["epoch"], state["batch"], state["stop"]
    run._seconds, run._since = state["seconds"], time.perf_counter()


def save(trainer: Trainer, path: str | os.PathLike[str]) -> None:
    """Write `state_dict()` to a file, `.npz` or `.safetensors`: see `minigrad.save`."""
    state = state_dict(trainer)
    if ranks.rank() == 0 or not trainer.distributed:
        saving.save(path, state)


def load(trainer: Trainer, path: str | os.PathLike[str]) -> None:
    """Go on from what `save` wrote.

    Raises
    ------
    ValueError
        If the file is damaged, or the state that of another model; it is named.
    """
    state = saving.load(path)
    try:
        load_state_dict(trainer, state)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"load: {path} does not fit this trainer: {error}") from error
