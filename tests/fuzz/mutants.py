"""Mutants: small faults planted one at a time, to see whether the tests notice each.

`python tests/fuzz/mutants.py --sample 400` draws them, by a seed, from all that can be planted in
the engine, the operations, the functions and the update rules; runs the fast tests that reach its
line, as coverage.py saw them, those of the fault's own folder first; and prints each that survives,
with its line. A survivor is a gap in the tests, or a fault that changes nothing (an equivalent
mutant). A fault in what runs at import is tried with all fast tests.
"""

import argparse
import ast
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {  # of the package -> the tests that come first
    "autograd": ["autograd", "ops/test_operations.py", "test_testing.py"],
    "ops": ["ops", "functional"],
    "functional": ["functional", "nn"],
    "optim": ["optim"],
}
NOT_PLANTED = {"autograd/messages.py", "autograd/refusals.py"}  # words
NO_TESTS = 5  # pytest's exit status where it finds none
# Children are forked from a process that has imported what all need, and nothing of ours.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", "hypothesis", "numpy", "scipy.special", "torch"])
SWAPS = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*",
    ast.Pow: "*", ast.BitAnd: "|", ast.BitOr: "&", ast.And: "or", ast.Or: "and",
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip


class Mutant(NamedTuple):
    """A fault: in `path`, the text between two offsets becomes `new`.

    `lines` are those of the statement; none where it runs at import.
    """

    path: str
    line: int
    start: int
    end: int
    old: str
    new: str
    lines: range

    def __str__(self):
        text = (ROOT / "minigrad" / self.path).read_text("utf-8").splitlines()[self.line - 1]
        return f"{self.path}:{self.line}: `{self.old}` becomes `{self.new}`: {text.strip()}"


class Planter(ast.NodeVisitor):
    """Collects every fault that can be planted in one file."""

    def __init__(self, path, source):
        self.path, self.source, self.found = path, source, []
        self.functions, self.lines = 0, range(0)  # how deep, and those of the statement
        self.starts = [0]
        for line in source.encode().splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.visit(ast.parse(source))

    def offset(self, line, column):
        return self.starts[line - 1] + column

    def add(self, node, new):
        start = self.offset(node.lineno, node.col_offset)
        end = self.offset(node.end_lineno, node.end_col_offset)
        old = self.source.encode()[start:end].decode()
        lines = self.lines if self.functions else range(0)
        self.found.append(Mutant(self.path, node.lineno, start, end, old, new, lines))

    def text(self, node):
        return ast.get_source_segment(self.source, node)

    def visit(self, node):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if body else node.end_lineno
            self.lines = range(node.lineno, max(end, node.lineno) + 1)
        super().visit(node)

    def visit_Raise(self, node):  # words
        pass

    def visit_AnnAssign(self, node):
        if node.value:
            self.visit(node.value)

    def visit_FunctionDef(self, node):
        for child in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
            if child:
                self.visit(child)
        self.functions += 1
        for child in node.body:
            self.visit(child)
        self.functions -= 1

    def visit_Lambda(self, node):
        outer, self.lines = self.lines, range(node.body.lineno, node.body.end_lineno + 1)
        self.functions += 1
        self.visit(node.body)
        self.functions -= 1
        self.lines = outer

    def visit_keyword(self, node):
        if node.arg != "strict":  # of zip, where it says what holds
            self.visit(node.value)

    def visit_If(self, node):
        if "TYPE_CHECKING" in ast.unparse(node.test):
            return
        self.add(node.test, f"not ({self.text(node.test)})")
        self.generic_visit(node)

    def visit_IfExp(self, node):
        self.add(node.test, f"not ({self.text(node.test)})")
        self.generic_visit(node)

    def visit_BinOp(self, node):
        new = SWAPS.get(type(node.op))
        if new and not isinstance(node.left, ast.JoinedStr):
            self.add(node, f"({self.text(node.left)}) {new} ({self.text(node.right)})")
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        self.add(node, f" {SWAPS[type(node.op)]} ".join(f"({self.text(v)})" for v in node.values))
        self.generic_visit(node)

    def visit_Compare(self, node):
        if len(node.ops) == 1:
            new = SWAPS[type(node.ops[0])]
            self.add(node, f"({self.text(node.left)}) {new} ({self.text(node.comparators[0])})")
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.USub | ast.Not):
            self.add(node, f"({self.text(node.operand)})")
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, bool):
            self.add(node, str(not node.value))
        elif isinstance(node.value, int | float):
            self.add(node, f"({node.value!r} + 1)")

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Call):
            self.add(node, "pass")
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_AugAssign(self, node):
        self.add(node, "pass")
        self.generic_visit(node)

    def visit_JoinedStr(self, node):  # words
        pass


def all_mutants():
    package = ROOT / "minigrad"
    for folder in FOLDERS:
        for path in sorted((package / folder).rglob("*.py")):
            name = path.relative_to(package).as_posix()
            if name not in NOT_PLANTED:
                yield from Planter(name, path.read_text("utf-8")).found


def pytest_runtest_call(item):
    """Tell coverage.py, where it runs the tests, which of them follows."""
    if measured := sys.modules.get("coverage") and sys.modules["coverage"].Coverage.current():
        measured.switch_context(item.nodeid)


def tests_that_reach(chosen, scratch):
    """Run the fast tests once; return by path and line those that reach the lines of faults."""
    import coverage

    settings = scratch / "coverage.ini"
    settings.write_text(
        "[run]\nsource = minigrad\nparallel = true\npatch = subprocess\n"
        f"concurrency = multiprocessing,thread\ndata_file = {scratch}/lines\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), str(ROOT)])
    run = [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m", "pytest"]
    run += ["-p", "mutants", "-q", "-m", "not slow", "-n", "auto", "--dist", "loadfile"]
    subprocess.run(run, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, check=True)
    combine = [sys.executable, "-m", "coverage", "combine", "-q", f"--rcfile={settings}"]
    subprocess.run(combine, cwd=ROOT, check=True)
    data = coverage.CoverageData(str(scratch / "lines"))
    data.read()
    wanted = {(m.path, line) for m in chosen for line in m.lines}
    found = {}
    for name in {m.path for m in chosen}:
        by_line = data.contexts_by_lineno(str(ROOT / "minigrad" / name))
        found |= {(name, line): {*by_line.get(line, ())} for path, line in wanted if path == name}
    return found


class Chosen:
    """Of the tests collected, those of these names, the ones near the fault first.

    One that takes 20 s of CPU time does not end: the system then ends its process.
    """

    def __init__(self, ids, near):
        self.ids, self.near = ids, near

    def pytest_collection_modifyitems(self, items):
        kept = [item for item in items if self.ids is None or item.nodeid in self.ids]
        items[:] = sorted(kept, key=lambda item: not any(n in item.nodeid for n in self.near))

    def pytest_runtest_logstart(self):
        signal.setitimer(signal.ITIMER_VIRTUAL, 20)


def copy_tree(to):
    """Copy the tree, without what is made in it; return where to."""
    ignored = shutil.ignore_patterns(".git", "__pycache__", ".venv", "out", ".*_cache")
    return Path(shutil.copytree(ROOT, to, ignore=ignored))


def run_in_child(copy, arguments, chosen, seconds):
    """Run pytest in a copy of the tree; end with its exit status."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    os.environ["PYTHONPATH"] = str(copy)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    import pytest

    os._exit(pytest.main(arguments, [chosen]))


def run_tests(copy, paths, seconds, chosen):
    """Run fast tests in a copy of the tree; tell whether one failed."""
    arguments = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist"]
    arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is preloaded
    arguments += ["--tb=no", *paths]
    child = CONTEXT.Process(target=run_in_child, args=(copy, arguments, chosen, seconds))
    child.start()
    child.join(5 * seconds)
    if child.is_alive():  # it waits for ever
        child.kill()
        child.join()
    return child.exitcode not in (0, NO_TESTS)


def names_near(mutant):
    """Say how tests may call what a fault lies in: by its file, its function, `define(np.name`."""
    source = (ROOT / "minigrad" / mutant.path).read_text("utf-8")
    lies_in = [n for n in ast.parse(source).body if n.lineno <= mutant.line <= n.end_lineno]
    text = ast.get_source_segment(source, lies_in[0]) if lies_in else ""
    named = re.findall(r"(?:^|\n) *(?:def|class) _*(\w+)|define\(np\.(?:\w+\.)*(\w+)", text)
    return [Path(mutant.path).stem, *{a or b for a, b in named}]


def try_one(mutant, copies, reach):
    """Plant a fault, run the tests, take it out; return which of them noticed it, or None."""
    copy = copies.get()
    path = copy / "minigrad" / mutant.path
    source = path.read_bytes()
    first = [f"tests/{name}" for name in FOLDERS[mutant.path.partition("/")[0]]]
    ids = {i for line in mutant.lines for i in reach[mutant.path, line]} if mutant.lines else None
    chosen = Chosen(ids, names_near(mutant))
    others = ["tests"] if ids is None else sorted({i.partition("::")[0] for i in ids if i})
    try:
        path.write_bytes(source[: mutant.start] + mutant.new.encode() + source[mutant.end :])
        if run_tests(copy, first, 400, chosen):
            return "those of its folder"
        rest = [*others, *(f"--ignore={name}" for name in [*first, "tests/test_house.py"])]
        return "the others" if others and run_tests(copy, rest, 900, chosen) else None
    finally:
        path.write_bytes(source)
        copies.put(copy)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=400, help="how many (default: 400)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: 0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="at a time")
    options = parser.parse_args()
    everything = list(all_mutants())
    chosen = random.Random(options.seed).sample(everything, min(options.sample, len(everything)))
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    start, killed, survived = time.perf_counter(), Counter(), []
    with tempfile.TemporaryDirectory() as scratch:
        reach = tests_that_reach(chosen, Path(scratch))
        copies = SimpleQueue()
        for i in range(options.processes):
            copies.put(copy_tree(f"{scratch}/{i}"))
        with ThreadPoolExecutor(options.processes) as pool:
            pairs = zip(chosen, pool.map(lambda m: try_one(m, copies, reach), chosen), strict=True)
            for i, (mutant, noticed) in enumerate(pairs, 1):
                if i % 50 == 0:
                    print(f"{i} tried", flush=True)
                if noticed:
                    killed[mutant.path.partition("/")[0]] += 1
                else:
                    survived.append(mutant)
                    print(f"survives: {mutant}", flush=True)
    minutes = (time.perf_counter() - start) / 60
    print(f"{len(chosen)} of {len(everything)} mutants, {minutes:.0f} minutes:", end=" ")
    print(f"{killed.total()} killed ({dict(killed)}), {len(survived)} survive")
    return 0


if __name__ == "__main__":
    sys.exit(main())
