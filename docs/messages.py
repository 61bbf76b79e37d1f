"""List what the package can say when it refuses: `python docs/messages.py`, to be read aloud."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "minigrad"


def template(node):
    """Write a string as it stands in the source, with what will be filled in between braces."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(map(template, node.values))
    if isinstance(node, ast.FormattedValue):
        return "{" + ast.unparse(node.value) + "}"
    if isinstance(node, ast.BinOp):
        return template(node.left) + template(node.right)
    return "{" + ast.unparse(node) + "}"


def messages(source):
    """Yield the line and the words of everything that is raised, warned of or kept as a message."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            kind, words = ast.unparse(node.exc.func), node.exc.args[:1]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("warnings.warn", "warn"):
            kind, words = "warning", node.args[:1]
        else:
            continue
        for text in map(template, words):
            if not text.startswith(("{messages.", "{refusals.")):  # listed where they are written
                yield node.lineno, f"{kind}: {text}"


def written(source):
    """Yield the messages of more than a line, which have files of their own."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            for part in ast.walk(node):
                if isinstance(part, ast.Return) and part.value is not None:
                    yield part.lineno, f"{node.name}: {template(part.value)}"
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.BinOp):
            yield node.lineno, f"{ast.unparse(node.targets[0])}: {template(node.value)}"


def main():
    """Print them all, by file and line."""
    for path in sorted(PACKAGE.rglob("*.py")):
        source, name = path.read_text("utf-8"), path.relative_to(PACKAGE).as_posix()
        own = name in ("autograd/messages.py", "autograd/refusals.py")
        for line, text in sorted([*messages(source), *(written(source) if own else ())]):
            print(f"{name}:{line}: {text}")


if __name__ == "__main__":
    main()
