"""Starting an example as a reader does, in a process of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
DRAWING = str(Path(shutil.which("dot") or "dot").parent)  # the PATH on which Graphviz is found


def command(name, *arguments, cwd, path="", code=None):
    """Return how to start an example (or code that stands for it) in a folder, PATH as given."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("MINIGRAD_")}
    given = ["-c", code] if code else [EXAMPLES / name]
    return {
        "args": [sys.executable, "-W", "error", *given, *arguments],
        "cwd": cwd,
        "env": own
        | {"PATH": str(path), "MINIGRAD_CACHE": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }


def run(name, *arguments, cwd, path="", code=None):
    """Run an example to its end."""
    return subprocess.run(**command(name, *arguments, cwd=cwd, path=path, code=code))


def undrawn(name):
    """Return code that runs an example as if there were no pygraphviz."""
    return f"""
import runpy, sys
sys.modules["pygraphviz"] = None
sys.path.insert(0, {str(EXAMPLES)!r})
runpy.run_path({str(EXAMPLES / name)!r}, run_name="__main__")
"""
