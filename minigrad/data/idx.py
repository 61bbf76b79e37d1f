"""IDX files, the format of MNIST: a magic number, the sizes, then the bytes of the array."""

from __future__ import annotations

import gzip
import math
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UINT8 = 8  # the third byte of the magic number says what the elements are
PIECE = 2**20


def read_idx(path: Path, ndim: int) -> NDArray[np.uint8]:
    """Read an array of unsigned bytes with `ndim` dimensions from an IDX file, plain or gzipped.

    Its first bytes say whether it is gzipped, not its name: browsers unpack a download without
    renaming it.

    Raises
    ------
    ValueError
        The file is damaged, has another magic number, or is shorter or longer than its sizes say.
    """
    with path.open("rb") as plain:
        zipped = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        with gzip.open(plain) if zipped else plain as file:
            try:
                return _read(path, file, ndim)
            except (OSError, EOFError, zlib.error) as error:
                if not zipped:
                    raise
                found = f"a damaged or truncated one ({error})"
                raise refused(path, "a whole gzip file", found) from error


def _read(path: Path, file: BufferedIOBase, ndim: int) -> NDArray[np.uint8]:
    """Read header and array, and no more than the header promises: a small archive may be huge."""
    magic, length = bytes((0, 0, UINT8, ndim)), 4 + 4 * ndim
    header = file.read(length)
    if header[:4] != magic:
        expected = f"the magic number 0x{magic.hex()} (unsigned bytes, ndim {ndim})"
        raise refused(path, expected, f"0x{header[:4].hex()}" if header else "an empty file")
    shape = tuple(int.from_bytes(header[at : at + 4], "big") for at in range(4, length, 4))
    size = math.prod(shape)
    raw = _up_to(file, size + 1)
    if len(header) < length or len(raw) != size:
        found = f"{len(header) + len(raw)} bytes{' or more' if len(raw) > size else ''}"
        raise refused(path, f"{length} + {size} bytes for the shape {shape}", found)
    return np.frombuffer(raw, np.uint8).reshape(shape)


def _up_to(file: BufferedIOBase, size: int) -> bytearray:
    """Read so many bytes, or to the end, in pieces: room is taken for what is there alone."""
    raw = bytearray()
    while len(raw) < size and (piece := file.read(min(size - len(raw), PIECE))):
        raw += piece
    return raw


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Write an array of unsigned bytes as a plain IDX file."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.write_bytes(bytes((0, 0, UINT8, array.ndim)) + sizes + array.tobytes())


def refused(path: Path, expected: str, found: str) -> ValueError:
    """Return the error that names a file which is not what it should be."""
    return ValueError(
        f"{path}: expected {expected}, found {found}; this file cannot be used: "
        "delete it and put an intact copy in its place"
    )
