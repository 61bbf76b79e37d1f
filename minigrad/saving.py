"""Files of a state: nested dicts, lists and tuples of arrays and plain values; never a pickle.

The arrays go into `.npz` (NumPy's own zip of arrays) or `.safetensors`, the rest beside them as
JSON, in which `{"$array": name}` stands for an array. A digest over all of it tells whether the
file is what was written.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.autograd import Array, Tensor, bare
from minigrad.checks import needing
from minigrad.files import write

VERSION = 1  # of the format; a file of a later one is refused
HEADER = "minigrad.json"
KINDS = "biufc"  # of arrays: numbers, no objects
ENDINGS = ".npz", ".safetensors"

Arrays = dict[str, Array]


class DamagedFileError(ValueError):
    """A file is not what was written: truncated, changed, or of another format."""


def save(path: str | os.PathLike[str], state: Any) -> None:
    """Write nested dicts, lists and tuples of arrays and plain values to a file.

    The file appears only when it is complete.

    Parameters
    ----------
    path
        Ends with `.npz`, or with `.safetensors` (needs the extra `safetensors`).
    state
        Arrays, Tensors (which become arrays), None, booleans, numbers (NumPy's become Python's) and
        strings, in dicts with keys of these kinds, lists and tuples. Other programs find an array
        under its path, such as `conv1.weight`.

    Raises
    ------
    TypeError
        If something in `state` is of another kind; its path is named.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "state.npz"
    >>> save(path, {"weight": np.arange(3.0), "step": 7})
    >>> load(path)
    {'weight': array([0., 1., 2.]), 'step': 7}
    """
    arrays: Arrays = {}
    tree = _flattened(state, "", arrays)
    header = json.dumps(
        {"version": VERSION, "digest": _digest(tree, arrays), "state": tree}, separators=(",", ":")
    )
    write(path, (_as_safetensors if _ending("save", path) else _as_npz)(arrays, header))


def load(path: str | os.PathLike[str]) -> Any:
    """Read what `save` wrote, or any file of safetensors, which gives a dict of arrays.

    Parameters
    ----------
    path
        Ends with `.npz` or `.safetensors`.

    Returns
    -------
    dict, list, tuple or array
        What was saved; Tensors come back as arrays.

    Raises
    ------
    DamagedFileError
        If the file is not what was written, or was written by a later version, or holds a pickle:
        a ValueError that names it.
    FileNotFoundError
        If there is none.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "weights.npz"
    >>> save(path, {"conv1": {"weight": np.zeros((2, 3))}})
    >>> load(path)["conv1"]["weight"].shape
    (2, 3)
    """
    read = _of_safetensors if _ending("load", path) else _of_npz
    content = Path(path).read_bytes()
    try:
        arrays, header = read(content)
        if header is None:
            return arrays
        held = json.loads(header)
        if held["version"] > VERSION:
            raise ValueError(f"it was written by a later version, {held['version']}")
        if _digest(held["state"], arrays) != held["digest"]:
            raise ValueError("its content was changed")
        return _restored(held["state"], arrays)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # what the parsers raise has no end
        raise DamagedFileError(f"load: {path} can't be used: {error!s:.200}") from error


def _ending(caller: str, path: str | os.PathLike[str]) -> int:
    name = Path(path).name
    if not name.endswith(ENDINGS):
        raise ValueError(f"{caller}: expected a name that ends with {' or '.join(ENDINGS)}: {name}")
    return int(name.endswith(ENDINGS[1]))


# ---------------------------------------------------------------------------------------- the tree
def _flattened(value: Any, path: str, arrays: Arrays) -> Any:
    """Return `value` as JSON has it, and move its arrays, under their paths, to `arrays`."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor | np.ndarray):
        return {"$array": _keep(np.asarray(bare(value)), path, arrays)}
    dot = f"{path}." if path else ""
    if isinstance(value, list | tuple):
        parts = [_flattened(v, f"{dot}{i}", arrays) for i, v in enumerate(value)]
        return parts if isinstance(value, list) else {"$tuple": parts}
    if isinstance(value, Mapping):
        if all(isinstance(k, str) and not k.startswith("$") for k in value):
            return {k: _flattened(v, f"{dot}{k}", arrays) for k, v in value.items()}
        pairs = [
            [_flattened(k, dot, {}), _flattened(v, f"{dot}{k}", arrays)] for k, v in value.items()
        ]
        return {"$items": pairs}
    raise TypeError(
        f"save: {path or 'the state'} is a {type(value).__name__}: expected arrays, None, numbers "
        "and strings, in dicts, lists and tuples"
    )


def _keep(array: Array, path: str, arrays: Arrays) -> str:
    if array.dtype.kind not in KINDS:
        raise TypeError(f"save: {path} is an array of {array.dtype}: expected numbers")
    name = path or "array"
    while name in arrays:  # {"a.b": ..., "a": {"b": ...}}
        name += "_"
    arrays[name] = array
    return name


def _restored(tree: Any, arrays: Arrays) -> Any:
    if isinstance(tree, list):
        return [_restored(v, arrays) for v in tree]
    if not isinstance(tree, dict):
        return tree
    if "$array" in tree:
        return arrays[tree["$array"]]
    if "$tuple" in tree:
        return tuple(_restored(tree["$tuple"], arrays))
    if "$items" in tree:
        return {k: _restored(v, arrays) for k, v in tree["$items"]}
    return {k: _restored(v, arrays) for k, v in tree.items()}


def _digest(tree: Any, arrays: Arrays) -> str:
    """Return the SHA-256 of the tree and of every array with its name, type and shape."""
    digest = hashlib.sha256(json.dumps(tree).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


# ----------------------------------------------------------------------------------------- formats
def _as_npz(arrays: Arrays, header: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # stored, not compressed: weights hardly shrink
        archive.writestr(HEADER, header)
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return out.getvalue()


def _of_npz(content: bytes) -> tuple[Arrays, str | None]:
    if content[:1] == b"\x80":
        raise ValueError("it is a pickle, which could run any program")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("it is compressed, and could be many times as large: save stores")
        if any(name.endswith(".pkl") for name in names):
            raise ValueError("there is a pickle in it, which could run any program")
        if HEADER not in names:
            raise ValueError(f"there is no {HEADER} in it: minigrad.save did not write it")
        arrays = {}
        for name in names:
            if name != HEADER:
                with archive.open(name) as member:
                    array = np.lib.format.read_array(member, allow_pickle=False)
                    if member.read(1):  # and the sum over all of it was right
                        raise ValueError(f"{name} is longer than its array")
                    arrays[name.removesuffix(".npy")] = array
        return arrays, archive.read(HEADER).decode()


def _as_safetensors(arrays: Arrays, header: str) -> bytes:
    with needing("safetensors", "save", extra="safetensors"):
        from safetensors.numpy import save
    whole = {name: np.ascontiguousarray(a).reshape(a.shape) for name, a in arrays.items()}
    content: bytes = save(whole, metadata={"format": "minigrad", HEADER: header})
    return content


def _of_safetensors(content: bytes) -> tuple[Arrays, str | None]:
    with needing("safetensors", "load", extra="safetensors"):
        from safetensors.numpy import load
    arrays: Arrays = load(content)
    size = int.from_bytes(content[:8], "little")
    about = json.loads(content[8 : 8 + size]).get("__metadata__", {})
    if (about.get("format") == "minigrad") != (HEADER in about):
        raise ValueError("its description was changed")
    return arrays, about.get(HEADER)
