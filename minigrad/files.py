"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write a file, text as UTF-8, under a temporary name beside it, then move it into place.

    Folders that are missing are made. If anything fails, the old file is still there. A file keeps
    its mode, a link leads to where it led, and the content is on the disk before the file is moved.
    """
    data = content.encode() if isinstance(content, str) else content
    path = Path(os.path.realpath(path))  # where a link leads, that it is not replaced itself
    if path.exists() and not path.is_file():  # a device or a pipe; a folder refuses
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.urandom(8).hex()}.part")  # of this call alone
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
