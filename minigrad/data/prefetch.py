"""Fetching ahead: a thread makes the next items while the caller works on this one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

T = TypeVar("T")
WAIT = 0.1  # seconds, after which the thread looks whether it is still wanted


def ahead(source: Iterator[T], depth: int) -> Iterator[T]:
    """Yield what `source` yields; a thread runs it, up to `depth` items ahead.

    An exception there is raised here, in its place. When this iterator is closed, the thread ends.
    """
    items: queue.Queue[tuple[str, Any]] = queue.Queue(depth)
    closed = threading.Event()

    def put(kind: str, item: Any) -> None:
        while not closed.is_set():
            try:
                return items.put((kind, item), timeout=WAIT)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in source:
                put("item", item)
                if closed.is_set():
                    return
            put("end", None)
        except BaseException as error:
            put("error", error)

    thread = threading.Thread(target=work, name="minigrad-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            kind, item = items.get()
            if kind == "error":
                raise item
            if kind == "end":
                return
            yield item
    finally:
        closed.set()
        thread.join()
