"""Put the results of the examples into their table: `python docs/results.py FOLDER [page]`.

Every example ends by writing what it found to a file `*.result.json` in its `--out` folder. All of
those in FOLDER and below become the rows of the table in docs/results.md; nothing else changes.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from minigrad.files import write

PAGE = Path(__file__).with_suffix(".md")
DATA = {"mnist": "MNIST: ", "digits": "digits: ", None: ""}
HEADER = "| section | what it shows | the book | here | seconds | command |"
LINE = "| --- | --- | --- | --- | ---: | --- |"
BOOK = {  # what its text or its published weights say, of MNIST where there are images
    "gradient_descent": "1e-9, 2.6e+13 and 5 after 100 steps",
    "gradient_check": "1.2e-10",
    "train_twolayer": "96.9 %",
    "optimizer_paths": "the same points, to the last bit",
    "compare_optimizers": "loss near the end 0.15, 0.05, 0.016, 0.03",
    "activations": "a figure, alike",
    "initial_weights": "a figure: std 0.01 stands still",
    "batch_normalization": "a figure: nearly all with it, few without",
    "dropout": "a figure: the gap closes",
    "weight_decay": "a figure: about 93 % - 72 %",
    "hyperparameter_search": "83 %, random",
    "train_convnet": "98.96 %",
    "visualize_filters": "a figure: edges and blobs",
    "train_deepnet": "99.38 %",
    "half_precision": "no loss",
}
TABLE = re.compile(rf"^{re.escape(HEADER)}(?:\n\|.*)*", re.MULTILINE)


def place(found: dict[str, str]) -> tuple[list[int], str, int]:
    """Return where a run belongs in the table: by section, then script, MNIST before digits."""
    volume, _, section = found["section"].rpartition(", ")
    first = section.partition(" to ")[0].partition(" and ")[0]
    numbers = re.findall(r"\d+", f"{volume or 'volume 1'}, {first}")
    return [int(number) for number in numbers], found["experiment"], list(DATA).index(found["data"])


def row(found: dict[str, str], before: str) -> str:
    """Return the row of a run; one experiment says only once what it is."""
    _, script, *options = found["command"].split()
    link = f"[{script.removeprefix('examples/')}](../{script})"
    cells = ["", ""] if found["experiment"] == before else [found["section"], found["shows"]]
    book = "" if found["data"] == "digits" else BOOK.get(found["experiment"], "")
    cells += [book, DATA[found["data"]] + found["result"], f"{float(found['seconds']):.0f}"]
    cells += [f"{link} `{' '.join(options)}`" if options else link]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def table(folder: Path) -> str:
    """Return the results of a folder."""
    texts = [path.read_text("utf-8") for path in folder.rglob("*.result.json")]
    if not texts:
        sys.exit(f"{folder}: expected files *.result.json, which the examples write, found none")
    runs = sorted(map(json.loads, texts), key=place)
    before = ["", *(found["experiment"] for found in runs)]
    rows = [row(found, name) for found, name in zip(runs, before, strict=False)]
    return "\n".join([HEADER, LINE, *rows])


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("expected the folder of the results: python docs/results.py FOLDER [page]")
    page = Path(sys.argv[2]) if len(sys.argv) == 3 else PAGE
    made = table(Path(sys.argv[1]))
    text, count = TABLE.subn(lambda _: made, page.read_text("utf-8"), count=1)
    if not count:
        sys.exit(f"{page}: expected a table with the header {HEADER}")
    write(page, text)
    sys.stdout.write(f"{page}: {len(made.splitlines()) - 2} rows\n")
