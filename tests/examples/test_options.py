"""Options of the examples: a mistake is named in a line, at once, and nothing is written."""

import importlib.util

import pytest
from scripts import EXAMPLES, run

for package in ("matplotlib", "sklearn", "tqdm"):
    pytest.importorskip(package)


@pytest.mark.parametrize(
    ("name", "arguments", "status", "message"),
    [
        ("compare_optimizers.py", ["--epochs", "0"], 2,
         "--epochs: expected a whole number of 1 or more, got '0'"),
        ("overfitting.py", [], 1, "is what examples share"),
        ("compare_optimizers.py", ["--data", "cats"], 2, "invalid choice: 'cats'"),
        ("compare_optimizers.py", ["--data-dir", "."], 1, "add --data mnist"),
        ("compare_optimizers.py", ["--data", "mnist", "--data-dir", "."], 1,
         "load_mnist: expected train-images-idx3-ubyte"),
        ("train_deepnet.py", ["--data", "mnist", "--data-dir", "."], 1,
         "load_mnist: expected train-images-idx3-ubyte"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_in_a_line(name, arguments, status, message, tmp_path):
    done = run(name, *arguments, cwd=tmp_path)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


MISTAKEN = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
names, sys.argv[1:] = sys.argv[2:], ["--seed", "x"]
for name in names:
    sys.argv[0] = name
    try:
        runpy.run_path(name, run_name="__main__")
    except SystemExit as end:
        heavy = {"matplotlib", "optuna", "scipy", "sklearn", "tqdm"}
        print(name, end.code, sorted(heavy & set(sys.modules)))
"""


def test_a_mistake_is_named_before_anything_slow_is_imported(tmp_path):
    optuna = importlib.util.find_spec("optuna")
    names = [
        path
        for path in sorted(EXAMPLES.glob("*.py"))
        if "__main__" in path.read_text("utf-8") and (optuna or "hyper" not in path.name)
    ]
    done = run("", EXAMPLES, *names, cwd=tmp_path, code=MISTAKEN)
    assert done.stdout.splitlines() == [f"{name} 2 []" for name in names]
    assert done.stderr.count("argument --seed: invalid int value: 'x'") == len(names) > 15


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path):
    path = str(EXAMPLES)
    code = f"import sys; sys.path.insert(0, {path!r}); sys.modules['tqdm'] = None; import common"
    done = run("common.py", cwd=tmp_path, code=code)
    assert done.returncode == 1
    assert "tqdm" in done.stderr
    assert 'run python -m pip install -e ".[examples]" in the clone first' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_optuna_is_named_with_the_command_that_installs_it(tmp_path):
    path = str(EXAMPLES)
    code = f"import sys; sys.path.insert(0, {path!r}); sys.modules['optuna'] = None\n"
    done = run("", cwd=tmp_path, code=code + "import hyperparameter_search")
    assert done.returncode == 1
    assert 'run python -m pip install -e ".[search]" in the clone first' in done.stderr
    assert "Traceback" not in done.stderr
