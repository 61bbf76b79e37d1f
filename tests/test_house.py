"""The house keeps its order: who may import whom, how long a file is, what no file says."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "minigrad"
LONGEST = 330

# A file imports only from those to the left of it, and from its own folder.
CORE = [
    *["random", "mode", "kernels", "table", "autograd", "backward", "methods"],
    *["recording", "tensor", "ops", "functional"],
]
ORDER = [
    *CORE,
    *["checks", "files", "transforms", "nn", "optim", "data", "training", "graph"],
    *["testing", "debugging", "distributed"],
]
NEEDS_NOT = {"optim": {"nn"}, "graph": {"nn"}, "testing": {"nn"}}
OUTSIDE = {
    "data": {"sklearn"},
    "training": {"matplotlib", "tqdm"},
    "graph": {"graphviz", "matplotlib", "pydot", "pygraphviz"},
    "distributed": {"mpi4py"},
}
OPTIONAL = set().union(*OUTSIDE.values())
FILES = {"csv", "io", "json", "pathlib", "shutil", "subprocess", "tempfile"}

SOURCES = sorted(
    path
    for folder in ("minigrad", "examples", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
TEXTS = SOURCES + [
    path
    for pattern in (
        "*.md",
        "*.toml",
        ".ci/run",
        ".github/**/*.yml",
        "docs/**/*.md",
        "tests/**/*.md",
    )
    for path in sorted(ROOT.glob(pattern))
]
FORBIDDEN = [
    ("a path of one machine", r"""(?<![\w.~])/(?:work|home|root|Users)/\w"""),
    ("somebody else's package", r"""pip3? install (?:-U )?["']?minigrad"""),
]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def imports(tree):
    """Yield the dotted names that run-time imports ask for, wherever they stand in the file."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield "." * node.level + (node.module or "")
        elif isinstance(node, ast.ImportFrom) and node.module == "minigrad":
            yield from (f"minigrad.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
        pending.extend(ast.iter_child_nodes(node))


def violations(room, source):
    """Return what a file of a room imports and must not."""
    wrong = []
    for name in imports(ast.parse(source)):
        package, _, rest = name.partition(".")
        other = rest.partition(".")[0]
        if package != "minigrad":
            allowed = package == "numpy" or package in OUTSIDE.get(room, ())
            allowed |= package in sys.stdlib_module_names and not (
                package in FILES and room in CORE
            )
        elif other not in ORDER or other in NEEDS_NOT.get(room, ()):
            allowed = False
        else:
            allowed = other == room or ORDER.index(other) < ORDER.index(room)
        if not allowed:
            wrong.append(name)
    return wrong


def test_every_room_has_its_place():
    rooms = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    }
    assert rooms - {"__init__"} <= set(ORDER), "give the new room its place in ORDER"


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if PACKAGE in path.parents and path != PACKAGE / "__init__.py"],
    ids=name_of,
)
def test_imports_only_from_above(path):
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    assert violations(room, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("room", "source", "wrong"),
    [
        ("tensor", "import minigrad.functional as F", ["minigrad.functional"]),
        ("tensor", "from minigrad.nn.module import Module", ["minigrad.nn.module"]),
        ("tensor", "def f():\n    from minigrad import graph", ["minigrad.graph"]),
        ("tensor", "from minigrad import Tensor", ["minigrad.Tensor"]),
        ("tensor", "import minigrad", ["minigrad"]),
        ("tensor", "from .autograd import Node", [".autograd"]),
        ("tensor", "import scipy.special, pathlib", ["scipy.special", "pathlib"]),
        ("nn", "import matplotlib", ["matplotlib"]),
        ("optim", "from minigrad.nn import Module", ["minigrad.nn"]),
        ("graph", "try:\n    import minigrad.nn\nexcept ImportError: pass", ["minigrad.nn"]),
        ("graph", "import graphviz, pathlib\nfrom minigrad.graph.dot import text", []),
        ("nn", "from minigrad import functional as F\nfrom minigrad.nn.module import Module", []),
        ("mode", "if TYPE_CHECKING:\n    from minigrad.tensor import Tensor\nimport numpy", []),
    ],
)
def test_a_planted_import_is_seen(room, source, wrong):
    assert violations(room, source) == wrong


def test_importing_minigrad_loads_numpy_and_nothing_else_that_is_installed():
    code = f"import sys, minigrad; print(sorted({OPTIONAL} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_file_has_one_subject_and_is_short(path):
    source = path.read_text("utf-8")
    subject = ast.get_docstring(ast.parse(source))
    assert subject, "the first line says what the file is about"
    assert source.startswith('"""'), "the docstring stands on the first line"
    assert subject.splitlines()[0].endswith((".", "?")), "its first line is a sentence"
    assert len(source.splitlines()) <= LONGEST, "split the file by subject"


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_file_says_nothing_forbidden(path):
    text = path.read_text("utf-8")
    found = {why: re.findall(pattern, text) for why, pattern in FORBIDDEN}
    assert not any(found.values()), found


@pytest.mark.parametrize(
    "text",
    ["see /home" + "/me/data", "`pip install" + " minigrad`", "pip install" + " 'minigrad-np'"],
)
def test_a_planted_word_is_seen(text):
    assert any(re.search(pattern, text) for _, pattern in FORBIDDEN)
