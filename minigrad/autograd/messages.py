"""What the engine says when it refuses: the messages of more than a line, to be read last."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minigrad.autograd.graph import Constant, Node
    from minigrad.autograd.table import Primitive


RECORDED = "a recorded gradient"  # stands for the module of what a sweep records


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
        what += f" at {where(source)}" if source else ""
    return what


def where(source: tuple[str, int, str]) -> str:
    """Write the place of a call: `net.py:12 in forward`, or `cell [2], line 3` of a notebook."""
    file, line, function = source
    if not file.startswith("cell ["):
        return f"{file}:{line} in {function}"
    return f"{file}, line {line}" + (f" in {function}" if function != "<module>" else "")


# ----------------------------------------------------------------------------- calling a function
INSTEAD = {  # by the name of a function that can't be recorded
    "add.at": "use np.bincount(i, weights=t), or gather by t[i] and sum",
    **dict.fromkeys(("copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"),
                    "a Tensor can't be written to, nor into an array: use np.where(mask, new, t), "
                    "or np.broadcast_to(t, shape) for np.full"),
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
