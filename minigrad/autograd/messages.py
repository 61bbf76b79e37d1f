"""What the engine says when it refuses: the messages of more than a line, to be read last."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minigrad.autograd.graph import Constant, Node
    from minigrad.autograd.table import Primitive


def describe(place: Constant) -> str:
    """Name a node for a message: `'h' = multiply (shape (3, 4), float32) in block1.fc`."""
    function = getattr(place, "function", None)
    kind = function.name if function else f"a {type(place).__name__.lower()}"
    what = f"'{place.name}'" if place.name else kind
    if function and place.name:
        what += f" = {kind}"
    what += f" (shape {place.shape}, {place.dtype})"
    if function:
        module, source = getattr(place, "module", None), getattr(place, "source", None)
        what += f" in {module}" if module else ""
        what += " at {}:{} in {}".format(*source) if source else ""
    return what


# ----------------------------------------------------------------------------- calling a function
INSTEAD = {  # by the name of a function that can't be recorded
    "add.at": "use np.bincount(i, weights=t), or gather by t[i] and sum",
    **dict.fromkeys(("copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"),
                    "a Tensor can't be written to: use np.where(mask, new, t)"),
}  # fmt: skip


def no_derivative(function: Callable[..., Any]) -> str:
    """For a function that can't be recorded; `np.add.reduce` belongs to `np.add`."""
    owner = getattr(getattr(function, "__self__", None), "__name__", "")
    name = f"{owner}.{function.__name__}".lstrip(".")
    return f"{name}: has no derivative in minigrad, so the graph would lose it: " + INSTEAD.get(
        name, "call it on t.detach().numpy(), or give it a pullback with minigrad.define"
    )


def misfit(
    error: TypeError, name: str, rule: Callable[..., Any], arguments: Any, keywords: Any
) -> TypeError:
    """Return the error of a composed function, or what it takes if other arguments were given."""
    signature = inspect.signature(rule)
    try:
        signature.bind(*arguments, **keywords)
    except TypeError as wrong:
        takes = ", ".join(signature.parameters)
        return TypeError(f"{name}: {wrong}: here it takes {takes} alone")
    return error


def no_out(name: str) -> str:
    """For `out=`, and for `ndarray += tensor`."""
    return (
        f"{name}: can't write a Tensor's result into out= (or with += into an "
        "ndarray), the graph would miss it: write a = a + t, or use t.detach().numpy()"
    )


def no_pullback(entry: Primitive, needs: Sequence[bool]) -> str:
    """For a gradient that is wanted where the table has None."""
    pairs = zip(entry.pullbacks, needs, strict=False)
    argument = next(i for i, (pullback, need) in enumerate(pairs) if need and pullback is None)
    return (
        f"{entry.name}: argument {argument} has no derivative but requires a gradient: "
        "pass it as argument.detach()"
    )


def keyword_not_accepted(entry: Primitive, keyword: str, value: object) -> str:
    """For a keyword that no pullback knows."""
    accepted = ", ".join(sorted(entry.accepts)) or "none"
    return (
        f"{entry.name}: the keyword {keyword}={value!r:.40} has no derivative here "
        f"(accepted: {accepted}): leave it out"
    )


def not_numbers(name: str, dtype: object, value: object) -> str:
    """For text, objects, dates and the like."""
    return f"{name}: expected numbers, got {dtype}: {value!r:.60}"


def no_order(name: str) -> str:
    """For comparisons of complex numbers, and what sorts or chooses by them."""
    return f"{name}: complex numbers have no order: compare np.abs(t), t.real or t.imag"


def explained(
    error: Exception, entry: Primitive, arrays: Sequence[Any], keywords: dict[str, Any]
) -> Exception:
    """Return NumPy's error again, with the operation and the shapes that it met."""
    kind = TypeError if isinstance(error, TypeError) else type(error)
    product = getattr(entry.function, "signature", None)
    if str(error).startswith(f"{entry.name}:") and not product:
        return error
    shapes = ", ".join(f"{a.shape} {a.dtype}" if hasattr(a, "shape") else repr(a) for a in arrays)
    also = "".join(f", {k}={v!r:.60}" for k, v in keywords.items())
    if product and kind is ValueError:
        hint = (
            "expected shapes (..., n, k) and (..., k, m), or (k,) for a vector, with leading axes "
            "that broadcast; a scalar multiplies with *"
        )
    elif "could not be broadcast together" in str(error):
        hint = "align them from the last axis: each pair of lengths must be equal, or one of them 1"
    else:
        hint = str(error)
    return kind(f"{entry.name}: can't be computed for {shapes}{also}: {hint}")


def generator(mode: str, name: str) -> str:
    """For `@no_grad()` above a generator."""
    return (
        f"{mode}: {name} is a generator, which runs after "
        f"its call: write `with {mode}():` inside it"
    )


# ------------------------------------------------------------------------- asking for gradients
def released(node: Node) -> str:
    """For a second sweep through a graph."""
    return (
        f"backward: the arrays kept by {describe(node)} were released by an earlier "
        "backward: to sweep a graph twice, call the first with retain_graph=True"
    )


def changed(origin: Constant, node: Node) -> str:
    """For a value that is no longer the one that was recorded."""
    return (
        f"backward: {describe(origin)}, which {describe(node)} kept for its gradient, "
        "was changed in place after it was recorded (an optimizer step, "
        "load_state_dict, or `t.data -= ...`): call backward() before the change, or "
        "compute the loss again after it"
    )


def requires_no_gradient(output: object) -> str:
    """For a loss that nothing was recorded for."""
    return (
        f"backward: {output!r:.60} requires no gradient: none of what it was computed from "
        "does, or it was computed under no_grad() or from detached Tensors. Setting its "
        "requires_grad afterwards would train nothing"
    )


def no_upstream(size: int, shape: tuple[int, ...]) -> str:
    """For an output of several values without an upstream gradient."""
    return (
        f"backward: the output has {size} values (shape {shape}): "
        "reduce it to one, for example with .sum(), or pass the upstream gradient"
    )


def complex_gradient(output: object, given: object) -> str:
    """For a complex output without upstream gradient, or a complex one of a real output."""
    if given is None:
        return (
            f"backward: the output {output!r:.60} is complex: take its abs, real or imag part, or "
            "pass the upstream gradient, which for a loss of x + iy is dL/dx - i dL/dy"
        )
    return f"backward: the gradient {given!r:.60} is complex, but the output {output!r:.60} is real"


def imaginary_part_lost(dtype: object) -> str:
    """For a complex Tensor that is to become real."""
    return f"astype: {dtype} has no imaginary part: write t.real.astype({dtype})"


def gradient_of_wrong_shape(place: Constant, shape: tuple[int, ...]) -> str:
    """For a gradient that does not fit what it belongs to."""
    return (
        f"backward: the gradient for {describe(place)} came with shape {shape}: a "
        "pullback is wrong, or the data was replaced by some of another shape"
    )


# ------------------------------------------------------------------------------- being a Tensor
_LEAVING = (
    "this Tensor requires a gradient, and as a bare array it would silently leave the graph: use "
    "t.detach().numpy(); to collect Tensors use np.stack or np.concatenate, not np.array"
)
_HERE = {  # by a function that asks for a bare array
    **{f"scipy.special.{f}": f"minigrad.functional.{f}(t)"
       for f in ("logsumexp", "softmax", "log_softmax")},
    "scipy.special.polygamma": "minigrad.elementwise_grad(scipy.special.psi)(t), once per order",
    "scipy.special.multigammaln": "sums of scipy.special.gammaln(t)",
    "scipy.linalg": "np.linalg", "scipy.fft": "np.fft", "scipy.fftpack": "np.fft",
    "scipy.stats": "the formula of the density, in np and scipy.special",
    "scipy.integrate": "a loop of steps, with minigrad.checkpoint",
    "scipy.optimize": "minigrad.value_and_grad(f), with jac=True",
    "scipy.interpolate": "np.interp", "scipy.signal": "np.convolve, or np.fft",
    "scipy.sparse": "dense arrays", "numpy.r_": "np.concatenate",
    "matplotlib": "t.detach()", "pandas": "t.detach().numpy()",
}  # fmt: skip


def leaving(frame: Any) -> str:
    """For a Tensor that is to become a bare array, by whoever called in `frame`."""
    asked = None
    while frame is not None:  # the outermost call of a known package says what the user wrote
        module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if name == "__getitem__" and "index_tricks" in module:
            module, name = "numpy", "r_"
        package = ".".join(p for p in module.split(".")[:2] if not p.startswith("_"))
        found = [k for k in (f"{package}.{name}", package, package.split(".")[0]) if k in _HERE]
        asked = (f"{package}.{name}", found[0]) if found else asked
        frame = frame.f_back
    if asked is None:
        return _LEAVING
    return f"{asked[0]} can't record a Tensor that requires a gradient: use {_HERE[asked[1]]} here"


NO_ASSIGNMENT = (
    "Tensor: values can't be set in place, the graph would miss it: use "
    "np.where(mask, new, t), or set t.data[...] before anything is recorded"
)


def not_a_leaf(node: Node) -> str:
    """For `grad` of a result that does not retain it."""
    return (
        f"grad: {describe(node)} is not a leaf, and only leaves keep their gradient: "
        "call t.retain_grad() before backward()"
    )


def part_of_a_graph(node: Node) -> str:
    """For `requires_grad = False` of a result."""
    return f"requires_grad: {describe(node)} is part of a graph: use t.detach()"


def not_floating(dtype: object) -> str:
    """For `requires_grad = True` of integers."""
    return (
        f"requires_grad: only floating point Tensors have gradients, this one is "
        f"{dtype}: write 1.0 instead of 1, or pass dtype=np.float32"
    )


def recorded_in_place(symbol: str, place: Constant) -> str:
    """For `parameter += ...` while recording."""
    return (
        f"{symbol}: {describe(place)} requires a gradient and can't be changed in "
        f"place while recording: write `t.data {symbol} ...`, or do it under no_grad()"
    )


def data_of_node(node: Node) -> str:
    """For `result.data = ...`."""
    return (
        f"data: {describe(node)} was computed by the graph, its data can't be replaced: "
        "make a new Tensor"
    )


def data_not_floating(place: Constant, dtype: object) -> str:
    """For `parameter.data = integers`."""
    return (
        f"data: {describe(place)} requires a gradient, so it takes floating point arrays, "
        f"got {dtype}: write data.astype({place.dtype})"
    )


def not_copied(node: Node) -> str:
    """For pickle and deepcopy of a result."""
    return (
        f"pickle and deepcopy: {describe(node)} is part of a graph, and only leaves "
        "can be copied: use t.detach()"
    )
