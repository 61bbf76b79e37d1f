"""Which line is meant: the one outside this package that led to a call or to NumPy's warning."""

from __future__ import annotations

import os
import sys
import warnings
from types import FrameType
from typing import Any

import numpy as np

_INSIDE = tuple(os.path.dirname(path) for path in (__file__, np.__file__))  # noqa: PTH120


def users_frame(frame: FrameType) -> tuple[FrameType, bool]:
    """Return the innermost frame from here outwards that is neither this package's nor NumPy's.

    And whether there was one of this package's before it.
    """
    ours = False
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INSIDE):
        ours = ours or frame.f_code.co_filename.startswith(_INSIDE[0])
        frame = frame.f_back
    return frame, ours


def source() -> tuple[str, int, str]:
    """Return file, line and function of the call by a user that led here."""
    frame, _ = users_frame(sys._getframe(1))
    return _cell(frame.f_code.co_filename), frame.f_lineno, frame.f_code.co_name


def _cell(name: str) -> str:
    """Return `cell [2]` for the name of the file in which a notebook hides a cell."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    numbers = getattr(getattr(shell, "compile", None), "_filename_map", {})
    return f"cell [{numbers[name]}]" if name in numbers else name


def warn(text: str, category: type[Warning]) -> None:
    """Warn at the user's line."""
    _warn_at(users_frame(sys._getframe(1))[0], text, category)


def _warn_at(frame: FrameType, message: str | Warning, category: type[Warning]) -> None:
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    place = frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__")
    warnings.warn_explicit(message, category, *place, registry)


_show: Any = getattr(warnings, "_showwarnmsg", None)


def _show_at_the_users_line(message: Any) -> None:
    """Show a warning of NumPy in a recorded call as one of the user's line.

    NumPy names the line of Python that called it, which is one of ours. The filters, and once for
    each line, then apply as if the user's line had called NumPy.
    """
    inner = sys._getframe(1)
    frame, ours = users_frame(inner)
    inside = message.category is RuntimeWarning and message.filename.startswith(_INSIDE)
    if not (inside and ours):
        _show(message)
        return
    inner.f_globals.get("__warningregistry__", {}).clear()  # so that the next line is shown too
    _warn_at(frame, message.message, message.category)


def show_warnings_there() -> None:
    """Let NumPy's warnings in recorded calls name the user's line, from now on."""
    if _show is not None:
        warnings._showwarnmsg = _show_at_the_users_line  # type: ignore[attr-defined]
