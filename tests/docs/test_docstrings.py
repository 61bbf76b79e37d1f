"""Every public name says what it takes, gives and raises, with an example of a few lines.

`pytest --doctest-modules minigrad` runs the examples.
"""

import ast
import importlib
import inspect
import re
import textwrap
from dataclasses import is_dataclass

import pytest

PACKAGES = "functional nn nn.init nn.models optim data training graph testing debugging".split()
OPTIONAL = [pytest.param(name, marks=pytest.mark.slow) for name in ("onnx", "sklearn", "torch")]


def public(package):
    """Yield the public functions and classes of a package, by name."""
    module = importlib.import_module(f"minigrad.{package}".replace("minigrad.minigrad", "minigrad"))
    is_package = hasattr(module, "__path__")
    own = [
        name
        for name, value in vars(module).items()
        if name[0] != "_"
        and str(getattr(value, "__module__", "")).startswith("minigrad.")
        and not value.__module__.startswith("minigrad.autograd")  # the engine's, imported
    ]
    for name in getattr(module, "__all__", None) or own:
        value = getattr(module, name)
        kind = inspect.isfunction(value) or inspect.isclass(value)
        error = inspect.isclass(value) and issubclass(value, BaseException)
        if kind and not error and (is_package or value.__module__ == module.__name__):
            yield f"{package}.{name}", value


def takes_arguments(value):
    if (inspect.isclass(value) and value.__init__ is object.__init__) or is_dataclass(value):
        return False  # of a dataclass the section Attributes says it
    return bool(inspect.signature(value).parameters)


def tree_of(value):
    return ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(value)))).body[0]


def own_nodes(function):
    """Yield the nodes of a function, without those of functions inside it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def lacking(value):
    """Return which sections the docstring of a name should have and has not."""
    text = inspect.getdoc(value) or ""
    needs = {"Parameters": takes_arguments(value), "Examples": True}
    if inspect.isclass(value):
        init = None if is_dataclass(value) else vars(value).get("__init__")
        functions = [tree_of(init)] if inspect.isfunction(init) else []
    else:
        functions = [tree_of(value)]
        annotated = functions[0].returns
        needs["Returns"] = annotated is not None and ast.unparse(annotated) != "None"
    nodes = [node for function in functions for node in own_nodes(function)]
    needs["Raises"] = any(isinstance(node, ast.Raise) for node in nodes)
    found = {name for name in needs if re.search(rf"^{name}\n-+$", text, re.MULTILINE)}
    if re.search(r"^Yields\n-+$", text, re.MULTILINE):
        found.add("Returns")
    missing = [name for name, needed in needs.items() if needed and name not in found]
    lines = re.findall(r"^ *(?:>>>|\.\.\.) ", text, re.MULTILINE)
    return missing + ([] if not lines or len(lines) <= 14 else [f"{len(lines)} lines of example"])


@pytest.mark.parametrize("package", ["minigrad", *PACKAGES, *OPTIONAL])
def test_docstrings_are_complete(package):
    if package not in ("minigrad", *PACKAGES):
        pytest.importorskip(package)
    found = {name: lacking(value) for name, value in public(package)}
    assert found
    assert {name: missing for name, missing in found.items() if missing} == {}
