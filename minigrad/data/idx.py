"""IDX files, the format of MNIST: a magic number, the sizes, then the bytes of the array."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UINT8 = 8  # the third byte of the magic number says what the elements are


def read_idx(path: Path, ndim: int) -> NDArray[np.uint8]:
    """Read an array of unsigned bytes with `ndim` dimensions from an IDX file, plain or gzipped.

    Its first bytes say whether it is gzipped, not its name: browsers unpack a download without
    renaming it.

    Raises
    ------
    ValueError
        The file is damaged, has another magic number, or is shorter or longer than its sizes say.
    """
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise refused(
                path, "a whole gzip file", f"a damaged or truncated one ({error})"
            ) from error
    magic = bytes((0, 0, UINT8, ndim))
    if raw[:4] != magic:
        expected = f"the magic number 0x{magic.hex()} (unsigned bytes, ndim {ndim})"
        raise refused(path, expected, f"0x{raw[:4].hex()}" if raw else "an empty file")
    header = 4 + 4 * ndim
    shape = tuple(int.from_bytes(raw[at : at + 4], "big") for at in range(4, header, 4))
    if len(raw) != header + math.prod(shape):
        expected = f"{header} + {math.prod(shape)} bytes for the shape {shape}"
        raise refused(path, expected, f"{len(raw)} bytes")
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)


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
