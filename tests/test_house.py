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

# A room imports only from those to the left of it, and from itself.
CORE = ["lines", "autograd", "kernels", "random", "ops", "functional"]
ORDER = [
    *CORE,
    *["checks", "files", "html", "saving", "trees", "tracing", "transforms", "recompute", "nn"],
    *["optim", "data", "distributed", "training", "graph", "testing", "debugging", "onnx"],
    *["sklearn", "torch"],
]
NEEDS_NOT = {
    "autograd": {"lines"},
    "kernels": {"autograd"},
    "optim": {"nn"},
    "graph": {"nn"},
    "testing": {"nn"},
}
# The engine's files in reading order: each imports only from those before it, and from messages,
# which is read last but imports none of them.
ENGINE = [
    *["messages", "refusals", "mode", "graph", "clock", "dtypes", "table", "recording", "sweep"],
    *["methods", "tensor", "__init__"],
]
# What a function imports of this package only when it is called, against the order or beside it.
LATE = {
    ("__init__", "*"): "the rest is imported on first use, so that `import minigrad` is quick",
    ("autograd.tensor", "graph"): "Tensor.draw: a picture of a Tensor is asked of the Tensor",
    ("ops", "ops.special"): "the functions of SciPy, if that is imported and a Tensor meets them",
    ("autograd.tensor", "html"): "Tensor._repr_html_, likewise of notebooks",
    ("nn.module", "graph"): "Module.draw, likewise",
    ("nn.module", "nn.summary"): "Module.summary, whose table is built on modules",
}
OUTSIDE = {
    "ops.special": {"scipy"},
    "data": {"sklearn"},
    "distributed": {"mpi4py"},
    "training": {"matplotlib", "tensorboardX", "tqdm"},
    "graph": {"graphviz", "matplotlib", "pydot", "pygraphviz"},
    "onnx": {"onnx"},
    "saving": {"safetensors"},
    "sklearn": {"sklearn"},
}
OPTIONAL = set().union(*OUTSIDE.values())
FILES = {"csv", "io", "json", "pathlib", "shutil", "subprocess", "tempfile"}
NO_FILE = "autograd.mode", "io"  # a block that is left by the C code that files have for it

PACKAGES = ["minigrad", *(f"minigrad.{room}" for room in ORDER)]
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


BY_NAME = ("import_module", "__import__")


def imports(tree):
    """Yield the dotted names that run-time imports ask for, and whether a function asks late."""
    pending = [(tree, False)]
    while pending:
        node, late = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend((child, late) for child in node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield "." * node.level + (node.module or ""), late
        elif isinstance(node, ast.ImportFrom) and node.module in PACKAGES:
            yield from ((f"{node.module}.{alias.name}", late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module, late
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(BY_NAME):
            name = node.args[0] if node.args else None  # import_module("minigrad.graph")
            yield (name.value if isinstance(name, ast.Constant) else "minigrad.*"), True
        late = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        pending.extend((child, late) for child in ast.iter_child_nodes(node))


def violations(module, source):
    """Return what a module, named from within the package, imports and must not."""
    wrong = []
    room = module.partition(".")[0]
    for name, late in imports(ast.parse(source)):
        package, _, rest = name.partition(".")
        other = rest.partition(".")[0]
        if package != "minigrad":
            theirs = OUTSIDE.get(module, OUTSIDE.get(room, ()))
            allowed = package == "numpy" or package in theirs
            allowed |= package in sys.stdlib_module_names and not (
                package in FILES and room in CORE and (module, package) != NO_FILE
            )
        elif late:
            allowed = (module, rest) in LATE or any(
                (module, rest.rsplit(".", n)[0]) in LATE for n in (1, 2)
            )
        elif other not in ORDER or other in NEEDS_NOT.get(room, ()):
            allowed = False
        elif other == room == "autograd":
            allowed = ENGINE.index(rest.split(".")[1]) < ENGINE.index(file_in_room(module))
        else:
            allowed = other == room or ORDER.index(other) < ORDER.index(room)
        if not allowed:
            wrong.append(name)
    return wrong


def file_in_room(module):
    return module.partition(".")[2] or "__init__"


def module_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "__init__"


def test_every_room_has_its_place_and_every_place_its_room():
    rooms = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    }
    assert rooms - {"__init__"} == set(ORDER), "ORDER has each room that exists, and no other"


def test_every_file_of_the_engine_has_its_place_in_the_reading_order():
    assert {path.stem for path in (PACKAGE / "autograd").glob("*.py")} == set(ENGINE)


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if PACKAGE in path.parents and path != PACKAGE / "__init__.py"],
    ids=name_of,
)
def test_imports_only_from_above(path):
    assert violations(module_of(path), path.read_text("utf-8")) == []


@pytest.mark.slow
def test_what_could_run_a_program_or_reach_a_network_is_where_security_says():
    """SECURITY.md promises: no pickle, no shell, no eval, one program, one data set."""
    alone = {"subprocess": "graph.backends", "http": "data.datasets"}
    never = {"marshal", "pickle", "shelve", "socket", "ssl", "urllib"}
    for path in (path for path in SOURCES if PACKAGE in path.parents):
        tree, module = ast.parse(path.read_text("utf-8")), module_of(path)
        asked = {name.partition(".")[0] for name, _ in imports(tree)}
        assert not asked & never, module
        assert all(alone[name] == module for name in asked & alone.keys()), module
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            assert ast.unparse(call.func) not in {"eval", "exec", "os.system", "os.popen"}, module
            assert "shell" not in {keyword.arg for keyword in call.keywords}, module


def test_every_late_import_is_still_there():
    found = set()
    for path in (path for path in SOURCES if PACKAGE in path.parents):
        late = {name for name, late in imports(ast.parse(path.read_text("utf-8"))) if late}
        names = {name.removeprefix("minigrad.") for name in late if name.startswith("minigrad.")}
        found |= {
            (m, n)
            for m, n in LATE
            if m == module_of(path) and any(name == n or name.startswith(f"{n}.") for name in names)
        }
    assert found == set(LATE)


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("ops.shape", "import minigrad.functional as F", ["minigrad.functional"]),
        ("ops.shape", "from minigrad.nn.module import Module", ["minigrad.nn.module"]),
        ("ops.shape", "from minigrad import Tensor", ["minigrad.Tensor"]),
        ("ops.shape", "import minigrad", ["minigrad"]),
        ("ops.shape", "from .linalg import Node", [".linalg"]),
        ("ops.shape", "import scipy.special, pathlib", ["scipy.special", "pathlib"]),
        ("ops.shape", "from minigrad.autograd import Tensor", []),
        ("ops.shape", "def f():\n    from minigrad import graph", ["minigrad.graph"]),
        ("ops.shape", "f = lambda: importlib.import_module('minigrad.nn')", ["minigrad.nn"]),
        ("ops.shape", "__import__(name)", ["minigrad.*"]),
        ("autograd.tensor", "def f():\n    from minigrad import graph", []),
        ("autograd.tensor", "from minigrad import graph", ["minigrad.graph"]),
        ("autograd.graph", "import minigrad.autograd.sweep", ["minigrad.autograd.sweep"]),
        ("autograd.sweep", "from minigrad.autograd import clock, messages", []),
        ("autograd.clock", "from minigrad.autograd import table", ["minigrad.autograd.table"]),
        ("kernels.columns", "import minigrad.autograd.graph", ["minigrad.autograd.graph"]),
        ("nn.layers", "import matplotlib", ["matplotlib"]),
        ("nn.layers", "def f():\n    from minigrad.nn import init", ["minigrad.nn.init"]),
        ("optim.rules", "from minigrad.nn import Module", ["minigrad.nn.Module"]),
        ("graph.dot", "try:\n    import minigrad.nn\nexcept ImportError: pass", ["minigrad.nn"]),
        ("graph.dot", "import graphviz, pathlib\nfrom minigrad.graph.text import text", []),
        ("nn.losses", "from minigrad import functional as F\nfrom minigrad.nn.module import M", []),
        ("ops.shape", "if TYPE_CHECKING:\n    from minigrad.nn import Linear\nimport numpy", []),
    ],
)  # fmt: skip
def test_a_planted_import_is_seen(module, source, wrong):
    assert violations(module, source) == wrong


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
