"""Write the map of what is differentiable: `python docs/coverage.py` makes numpy_coverage.md.

What minigrad does is read from its table, what there is from NumPy's and SciPy's own name spaces.
What others offer is in coverage_peers.json: `python docs/coverage.py --peers` asks them again.
"""

import functools
import importlib
import json
import sys
import types
from pathlib import Path

import numpy as np
import scipy
import scipy.special

import minigrad
from minigrad.autograd import rules
from minigrad.ops import special  # noqa: F401  # enters the functions of SciPy

HERE = Path(__file__).parent
PAGE, PEERS = HERE / "numpy_coverage.md", HERE / "coverage_peers.json"
SPACES = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}
NAMES = {"autograd": "HIPS autograd", "mygrad": "MyGrad", "jax": "JAX"}

Peers = dict[str, dict[str, list[str]]]  # names by library and module

WRITES = "A Tensor can't be written to: `np.where(mask, new, t)`."
DATES = "Dates are no numbers: on arrays."
BITS = "Bits have no derivative: `t.detach().numpy()`."
WHOLE = "Whole numbers have no derivative: `t.detach().numpy()`."
FILES = "`np.save(file, t.detach().numpy())`, or a module's `state_dict`."
REFUSED = {
    **dict.fromkeys("copyto fill_diagonal place put put_along_axis putmask".split(), WRITES),
    **dict.fromkeys("busday_count busday_offset datetime_as_string is_busday isnat".split(), DATES),
    **dict.fromkeys(
        "bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or "
        "bitwise_right_shift bitwise_xor invert left_shift right_shift packbits unpackbits".split(),
        BITS,
    ),
    **dict.fromkeys("gcd lcm ravel_multi_index".split(), WHOLE),
    **dict.fromkeys("save savetxt savez savez_compressed".split(), FILES),
    **dict.fromkeys(
        "histogram2d histogramdd".split(),
        "Counts are steps: on `t.detach().numpy()`; weighted sums by `np.bincount(i, weights=t)`.",
    ),
    "sort_complex": "Complex numbers have no order: sort by `np.abs(t)`, `t.real` or `t.imag`.",
}

TIES = """\
## Where there is no one derivative

- A tie: `maximum` and `minimum` share by halves, `max`, `min` and their kin in equal parts; `sort`,
  `partition`, `median`, `quantile` and `percentile` give each value the place where a stable sort
  puts it; `unique` and `maximum.accumulate` give all to the first.
- Equal eigenvalues or singular values: their sums have a derivative, their vectors none, and what
  would be divided by 0 is left out. Matrix norms of order 2 and nuc take one side there. The phase
  of complex vectors is arbitrary: a function that depends on it has no gradient.
- `pinv`, `lstsq`: at a constant rank. `det` of a singular matrix has its minors; `slogdet`, `inv`
  and `solve` have none there, and NumPy refuses them itself.
- `cholesky`, `eigh`, `eigvalsh`: the gradient is Hermitian, that of f((A + A^H) / 2).
- Complex numbers: for a real loss of x + iy the gradient is dL/dx - i dL/dy, as in JAX and HIPS
  autograd (PyTorch has its conjugate). To step downhill, go along its conjugate.
"""


def functions(space: types.ModuleType) -> dict[str, object]:
    """Return the public functions of a module of NumPy by name."""
    found = {name: getattr(space, name) for name in sorted(set(space.__all__))}
    return {
        name: f
        for name, f in found.items()
        if callable(f) and not isinstance(f, type | types.ModuleType)
    }


def sorted_out(space: types.ModuleType) -> dict[str, list[str]]:
    """Say of every function of a module which list it is in."""
    lists: dict[str, list[str]] = {"yes": [], "plain": [], "refused": [], "never": []}
    for name, f in functions(space).items():
        if f in rules:
            kind = "plain" if isinstance(rules[f], functools.partial) else "yes"
        else:
            asks = isinstance(f, np.ufunc) or hasattr(f, "_implementation")
            kind = "refused" if asks else "never"
        lists[kind].append(name)
    return lists


def special_functions() -> tuple[list[str], list[str]]:
    """Return the ufuncs of scipy.special that are differentiable, and the others."""
    names = [n for n in scipy.special.__all__ if isinstance(getattr(scipy.special, n), np.ufunc)]
    yes = [n for n in names if getattr(scipy.special, n) in rules]
    return yes, sorted(set(names) - set(yes))


def in_lines(names: list[str]) -> str:
    """Return names as a paragraph of code."""
    return " ".join(f"`{name}`" for name in names) or "none"


def page(peers: Peers) -> str:
    """Return the page."""
    yes, no = special_functions()
    parts = [
        "# What of NumPy is differentiable",
        "",
        f"For NumPy {np.__version__} and SciPy {scipy.__version__}; this page is made by",
        "`python docs/coverage.py` from the table of derivatives and the name spaces of both.",
        "",
        "A function of these lists is called as ever, `np.fft.fft(t)`, and what it gives for a",
        "Tensor is a Tensor, or is refused with a `TypeError` that names what to do.",
    ]
    for label, space in SPACES.items():
        lists = sorted_out(space)
        total = sum(len(lists[k]) for k in ("yes", "plain", "refused"))
        parts += ["", f"## {label}", ""]
        parts += [f"Of {total} functions that a Tensor can be handed to:", ""]
        parts += ["| | differentiable |", "|---|---|", f"| minigrad | {len(lists['yes'])} |"]
        for key, name in NAMES.items():
            have = set(peers[key][label])
            parts.append(f"| {name} | {len(have & set(lists['yes']))} of these |")
        parts += ["", f"**Differentiable**, of any order: {in_lines(lists['yes'])}"]
        parts += ["", "**Not differentiable in**"]
        for key, name in NAMES.items():
            missing = [n for n in lists["yes"] if n not in peers[key][label]]
            parts.append(f"- {name}: {in_lines(missing)}")
        parts += ["", "**Passes through**, to plain arrays without derivative: "]
        parts[-1] += in_lines(lists["plain"])
        if lists["refused"]:
            parts += ["", "**Refused**", "", "| function | instead |", "|---|---|"]
            by_advice: dict[str, list[str]] = {}
            for name in lists["refused"]:
                by_advice.setdefault(REFUSED[name], []).append(name)
            parts += [f"| {in_lines(names)} | {advice} |" for advice, names in by_advice.items()]
        parts += ["", f"**Takes no Tensor** or never asks: {in_lines(lists['never'])}"]
    parts += ["", "## scipy.special", ""]
    parts += [f"**Differentiable** ufuncs: {in_lines(yes)}", ""]
    parts += [f"**Refused** ufuncs, for want of a derivative in SciPy: {in_lines(no)}", ""]
    last = (
        "An order or a shape parameter (`jv`, `gammainc`, `betainc`) has no derivative. "
        "`logsumexp`, `softmax`, `log_softmax` are no ufuncs and never ask: "
        "`minigrad.functional` has them. `polygamma` is "
        "`minigrad.elementwise_grad(scipy.special.psi)`, once for each order; `multigammaln` is a "
        "sum of `gammaln`."
    )
    parts += [last, "", TIES]
    return "\n".join(parts)


def ask_peers(known: Peers) -> Peers:
    """Ask the libraries that are installed what they differentiate; the rest stays as known."""
    for key, module in (("autograd", "autograd.numpy"), ("jax", "jax.numpy"), ("mygrad", "mygrad")):
        try:
            root = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        known[key] = {}
        for label, space in SPACES.items():
            there = functools.reduce(lambda m, n: getattr(m, n, None), label.split(".")[1:], root)
            have = [n for n in sorted_out(space)["yes"] if callable(getattr(there, n, None))]
            if key == "autograd":  # which wraps functions that it does not differentiate, too
                vjps = importlib.import_module("autograd.core").primitive_vjps
                wrapped = {n: getattr(there, n) for n in have}
                have = [n for n, f in wrapped.items() if f in vjps or not hasattr(f, "fun")]
            known[key][label] = have
    return known


if __name__ == "__main__":
    if "--peers" in sys.argv:
        asked = ask_peers(json.loads(PEERS.read_text("utf-8")))
        PEERS.write_text(json.dumps(asked) + "\n", "utf-8")
    PAGE.write_text(page(json.loads(PEERS.read_text("utf-8"))), "utf-8")
    print(f"wrote {PAGE.name} of minigrad {minigrad.__version__}")
