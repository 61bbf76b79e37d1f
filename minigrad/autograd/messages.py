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
def no_derivative(name: str) -> str:
    """For a function that can't be recorded."""
    return (
        f"{name}: has no derivative in minigrad, so the graph would lose it: call it on "
        "t.detach().numpy(), or give it a pullback with minigrad.define"
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
    if keyword in entry.parameters:
        default = inspect.signature(entry.function).parameters[keyword].default
    else:
        default = None
    if default is inspect.Parameter.empty:
        return (
            f"{entry.name}: its argument {keyword} is an array, but there are pullbacks for "
            f"{entry.inputs} alone: give one for each array, or None if it has no derivative"
        )
    accepted = ", ".join(sorted(entry.accepts)) or "none"
    return (
        f"{entry.name}: the keyword {keyword}={value!r:.40} has no derivative here "
        f"(accepted: {accepted}): leave it out"
    )


def tensor_as_keyword(entry: Primitive, keywords: dict[str, Any], tensor: object) -> str:
    """For a Tensor among the keywords that requires a gradient."""
    keyword = next(name for name, value in keywords.items() if _holds(value, tensor))
    return (
        f"{entry.name}: the keyword {keyword} is a Tensor that requires a gradient, and would "
        "get none: pass it as t.detach(), or make it an input that has a pullback"
    )


def foreign_rules(name: str, value: object) -> str:
    """For np.matrix, masked arrays, and arrays with units."""
    kind = type(value).__name__
    return (
        f"{name}: a {kind} computes by rules of its own, which would be lost here: pass "
        + ("x.filled(value), or " if kind == "MaskedArray" else "")
        + "np.asarray(x)"
    )


def no_array(entry: Primitive, y: object) -> str:
    """For a function that returns a tuple, a list, a Python number or None."""
    return (
        f"{entry.name}: a recorded function returns one array, this one returned {y!r:.40}: "
        "return np.asarray(y), and write a function for each of several arrays"
    )


def pullback_failed(error: Exception) -> Exception:
    """Return an error in a sweep, with the node where it happened if that explains it."""
    trace, frames = error.__traceback__, []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    at = next((frame for frame in frames if frame.f_code.co_name == "sweep"), None)
    if at is None or "node" not in at.f_locals:
        return error
    begin = f"backward: the pullback of {describe(at.f_locals['node'])}"
    if frames[-1].f_code.co_name in ("sweep", "unbroadcast") and "d" in at.f_locals:
        return TypeError(f"{begin} returned {at.f_locals['d']!r:.40}: expected an array")
    if any(kind in str(error) for kind in ("Leaf", "Constant", "Node", "NoneType")):
        return TypeError(
            f"{begin} failed: {error}. An argument whose name starts with an underscore has shape "
            "and dtype alone: to read its value call it x, not _x"
        )
    return error


def not_real(name: str, dtype: object, value: object) -> str:
    """For text, objects, dates and the like."""
    return f"{name}: expected real numbers, got {dtype}: {value!r:.60}"


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


def generator(mode: str, function: Callable[..., Any]) -> str:
    """For `@no_grad()` above a generator, or above what is async."""
    kind = "a generator" if inspect.isgeneratorfunction(function) else "async"
    return (
        f"{mode}: {function.__qualname__} is {kind}, which runs after "
        f"its call: write `with {mode}():` inside it"
        + (", around what does not await" if kind == "async" else "")
    )


# ------------------------------------------------------------------------- asking for gradients
def released(node: Node) -> str:
    """For a second sweep through a graph."""
    return (
        f"backward: the arrays kept by {describe(node)} were released by an earlier "
        "backward: to sweep a graph twice, call the first with retain_graph=True"
    )


def changed(array: Any, node: Node) -> str:
    """For an array, of an input or among the keywords, that is no longer what was recorded."""
    places = zip((node, *node.inputs), node.saved, strict=True)
    found = [describe(place) for place, value in places if value is array]
    named = {**node.keywords, "residual": node.residual if node.function.residual else None}
    found += [
        f"'{name}' (shape {array.shape}, {array.dtype})"
        for name, value in named.items()
        if _holds(value, array)
    ]
    return (
        f"backward: {found[0]}, which {describe(node)} kept for its gradient, "
        "was changed in place after it was recorded (an optimizer step, "
        "load_state_dict, or `t.data -= ...`): call backward() before the change, or "
        "compute the loss again after it"
    )


def _holds(value: Any, array: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value
    nested = isinstance(value, dict | list | tuple)
    return value is array or (nested and any(_holds(part, array) for part in parts))


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


def no_gradient(place: Constant, g: object) -> str:
    """For a pullback that returned None or a Python number."""
    return (
        f"backward: the gradient for {describe(place)} is {g!r:.40} and no array: a pullback is "
        "wrong, it returns an array of its input's shape"
    )


def gradient_of_wrong_shape(place: Constant, shape: tuple[int, ...]) -> str:
    """For a gradient that does not fit what it belongs to."""
    return (
        f"backward: the gradient for {describe(place)} came with shape {shape}: a "
        "pullback is wrong, or the data was replaced by some of another shape"
    )


# ------------------------------------------------------------------------------- being a Tensor
LEAVING = (
    "this Tensor requires a gradient, and as a bare array it would silently leave the graph: use "
    "t.detach().numpy(); to collect Tensors use np.stack or np.concatenate, not np.array"
)
LEAVING_AS_NUMBER = (
    "this Tensor requires a gradient, and as a Python number (float, int, math.exp, array[i] = t) "
    "it would silently leave the graph: write t.item() if that is meant, or use NumPy's function, "
    "such as np.exp(t)"
)
NO_LENGTH = (
    "len() of unsized object: a Tensor of shape () has no axis; to give a Tensor to a library "
    "that asks for its length, pass t.detach().numpy()"
)
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
