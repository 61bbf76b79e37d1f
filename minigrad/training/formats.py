"""The files of a history: JSON, and CSV with a line for each step."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from minigrad.files import write

if TYPE_CHECKING:
    from minigrad.training.history import History

HELD_OUT = "validation_"  # begins the name of what was measured on the validation data
STEP, STEP_LOSS = "step", "step_loss"
WHOLE = frozenset({"epoch", STEP})


def save(history: History, path: str | os.PathLike[str]) -> None:
    """Write everything to a `.json` or `.csv` file, which appears only when it is complete.

    The CSV has a line for each step; the line of an epoch's last step has the epoch's columns too.

    Raises
    ------
    ValueError
        If the name ends otherwise.
    """
    write(path, (_as_csv if _is_csv("save", path) else _as_json)(history))


def load(kind: type[History], path: str | os.PathLike[str]) -> History:
    """Read what `save` wrote.

    Raises
    ------
    ValueError
        If the name does not end with .json or .csv, or the file holds something else.
    """
    read = _of_csv if _is_csv("load", path) else _of_json
    wrong = ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error
    try:
        return kind(*read(Path(path).read_text("utf-8")))
    except wrong as error:
        raise ValueError(
            f"load: {path} is no complete history of a Trainer ({error!r:.80})"
        ) from error


def _is_csv(caller: str, path: str | os.PathLike[str]) -> bool:
    name = Path(path).name
    if not name.lower().endswith((".json", ".csv")):
        raise ValueError(f"{caller}: expected a name that ends with .json or .csv, got {name}")
    return name.lower().endswith(".csv")


def _as_json(history: History) -> str:
    return json.dumps({"losses": history.losses, "epochs": history.epochs}, indent=1) + "\n"


def _of_json(text: str) -> tuple[list[float], list[dict[str, float]]]:
    held = json.loads(text)
    return [float(loss) for loss in held["losses"]], [_row(row) for row in held["epochs"]]


def _of_csv(text: str) -> tuple[list[float], list[dict[str, float]]]:
    losses, epochs = list[float](), list[dict[str, float]]()
    for line in csv.DictReader(io.StringIO(text), strict=True):
        if None in line or None in line.values() or line[STEP] != str(len(losses) + 1):
            raise ValueError(f"after step {len(losses)}: {line}")
        losses.append(float(line.pop(STEP_LOSS)))
        if line.get("epoch"):
            row = _row({key: value for key, value in line.items() if value})
            epochs.append({"epoch": row.pop("epoch"), **row})
    if not text.startswith(f"{STEP},{STEP_LOSS}"):
        raise ValueError(f"it begins with {text[:20]!r}")
    return losses, epochs


def _as_csv(history: History) -> str:
    columns = dict.fromkeys(key for row in history.epochs for key in row if key != STEP)
    at = {row[STEP]: row for row in history.epochs}
    out = io.StringIO()
    writer = csv.DictWriter(out, [STEP, STEP_LOSS, *columns], lineterminator="\n")
    writer.writeheader()
    for step, loss in enumerate(history.losses, 1):
        writer.writerow({STEP_LOSS: loss, **at.get(step, {STEP: step})})
    return out.getvalue()


def _row(values: dict[str, str | float]) -> dict[str, float]:
    return {key: int(value) if key in WHOLE else float(value) for key, value in values.items()}
