"""What a Tensor says when it refuses to leave the graph or to be changed; to be read last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.autograd.messages import describe

if TYPE_CHECKING:
    from minigrad.autograd.graph import Constant, Node

_LEAVING = (
    "this Tensor requires a gradient, and as a bare array it would silently leave the graph: use "
    "t.detach().numpy(); to collect Tensors use np.stack or np.concatenate, not np.array; to "
    "convert one, t.astype(np.float64)"
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
    "scipy.sparse": "dense arrays", "scipy.special": "one of its ufuncs, such as gammaln",
    "scipy": "NumPy's own functions, such as those of np.linalg and np.fft,",
    "numpy.r_": "np.concatenate", "numpy.c_": "np.stack([t, u], axis=1)",
    "numpy.mgrid": "np.linspace", "numpy.select": "np.where(condition, array, t)",
    "numpy.full": "np.broadcast_to(t, shape)", "numpy.matrix": "np.stack",
    "numpy.vectorize": "functions of NumPy on whole arrays",
    "matplotlib": "t.detach()", "pandas": "t.detach().numpy()",
}  # fmt: skip


_OF_CLASS = {"RClass": "r_", "CClass": "c_", "MGridClass": "mgrid"}


def leaving(frame: Any) -> str:
    """For a Tensor that is to become a bare array, by whoever called in `frame`."""
    asked = None
    while frame is not None:  # the outermost call of a known package says what the user wrote
        module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        module = "numpy" if module.startswith("numpy.") else module
        if module == "numpy" and name in ("__getitem__", "__call__", "__new__"):
            own = frame.f_locals.get("self", frame.f_locals.get("subtype"))
            kind = own.__name__ if isinstance(own, type) else type(own).__name__
            name = _OF_CLASS.get(kind, kind)
        package = ".".join(p for p in module.split(".")[:2] if not p.startswith("_"))
        found = [k for k in (f"{package}.{name}", package, package.split(".")[0]) if k in _HERE]
        if found:
            asked = package if name == "wrapper" else f"{package}.{name}", found[0]
        frame = frame.f_back
    if asked is None:
        return _LEAVING
    return f"{asked[0]} can't record a Tensor that requires a gradient: use {_HERE[asked[1]]} here"


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
