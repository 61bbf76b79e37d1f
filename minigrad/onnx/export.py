"""Export: from the calls that a model records to a file of ONNX."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad.autograd import Tensor, bare
from minigrad.checks import needing
from minigrad.files import write
from minigrad.onnx.trace import (
    Call,
    Dim,
    FollowsBatch,
    FollowsValues,
    Run,
    batches,
    evaluated,
    merged,
    run,
)

with needing("onnx", "minigrad.onnx", extra="onnx"):
    import onnx
from minigrad.onnx import arithmetic, movement, networks  # noqa: F401  they fill the table
from minigrad.onnx.builder import Builder, Merged, emits

OPSET = 18  # the version of ONNX's operators that files are written in
IR_VERSION = 8  # the version of the file format that came with it
BATCH = "batch"


def export(
    model: Callable[..., Any],
    inputs: ArrayLike | Tensor | Sequence[ArrayLike | Tensor],
    path: str | os.PathLike[str],
    *,
    dynamic: bool = True,
) -> onnx.ModelProto:
    """Write a model, as it computes in evaluation, to an ONNX file.

    The model is called on batches of several sizes and values, and what it records is written.
    So no layer needs a description for ONNX, and an operation of your own is exported if it is
    composed of NumPy functions that have a counterpart. What a `forward` decides by looking at
    values is not in the graph: it is refused where the runs show it.

    Parameters
    ----------
    model : Module or callable
        A network, or a function of Tensors.
    inputs : array_like, or list or tuple of them
        A batch of examples for each input, the batch axis first. Integers must not all be equal.
    path
        The file, which appears only when it is complete and `onnx.checker` has passed it.
    dynamic : bool
        Whether batches of any size may be passed to the file's network; else of this size alone.

    Returns
    -------
    onnx.ModelProto
        What was written: opset 18. Parameters and buffers have their names in `state_dict`, inputs
        those of the arguments of `forward`; the output is called `output`, several `output_0`,
        `output_1`, or by their keys.

    Raises
    ------
    NotImplementedError
        An operation has no counterpart; it and its module are named.
    ValueError
        What the model computes depends on values of the inputs beside the graph, or on the size of
        the batch in a way that can't be written.
    ModuleNotFoundError
        onnx is missing.

    Examples
    --------
    >>> import tempfile
    >>> from minigrad import nn
    >>> x = np.random.default_rng(0).random((5, 3), np.float32)
    >>> model = export(nn.Linear(3, 2), x, tempfile.mkdtemp() + "/model.onnx")
    >>> [node.op_type for node in model.graph.node]
    ['Gemm', 'Identity']
    """
    arrays = _arrays(inputs)
    names = _input_names(model, len(arrays))
    with evaluated(model):
        runs = [run(model, batch) for batch in batches(arrays, dynamic)]
    _same_path(runs)
    build = Builder(names)
    outputs = _write(build, model, runs)
    own = [_info(name, array, dynamic) for name, array in zip(names, arrays, strict=True)]
    made = [
        onnx.helper.make_tensor_value_info(name, _type(dtype), [_axis(n) for n in shape])
        for name, dtype, shape in outputs
    ]
    graph = onnx.helper.make_graph(build.nodes, type(model).__name__, own, made, build.initializers)
    opset = [onnx.helper.make_opsetid("", OPSET)]
    proto = onnx.helper.make_model(
        graph, producer_name="minigrad", opset_imports=opset, ir_version=IR_VERSION
    )
    onnx.checker.check_model(proto, full_check=True)
    write(path, proto.SerializeToString())
    return proto


# -------------------------------------------------------------------------------------- the inputs
def _arrays(inputs: Any) -> list[np.ndarray[Any, Any]]:
    several = inputs if isinstance(inputs, list | tuple) else [inputs]
    arrays = [np.asarray(bare(one)) for one in several]
    for i, array in enumerate(arrays):
        if array.ndim == 0 or not array.size or array.dtype.kind not in "fiu":
            raise ValueError(
                f"export: input {i} must be numbers with a batch axis, got {array.dtype} of shape "
                f"{array.shape}: pass a batch of examples"
            )
        if array.dtype.kind != "f" and array.min() == array.max():
            raise ValueError(
                f"export: input {i} holds the integer {array.min()} alone, which can't show what "
                "depends on it: pass a batch of different ones"
            )
    return arrays


def _input_names(model: Any, n: int) -> list[str]:
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.signature(getattr(model, "forward", model))
    names = [p.name for p in signature.parameters.values() if p.kind in kinds][:n]
    return names if len(names) == n else [f"input_{i}" for i in range(n)]


def _same_path(runs: list[Run]) -> None:
    """Refuse a model whose runs called different functions."""
    first, *others = [[call.entry for call in one.calls] for one in runs]
    for i, entries in enumerate(others, 1):
        if entries != first:
            why = "values of the inputs" if i == 1 else "size of the batch"
            at = next(
                (f": after {a.name}" for a, b in zip(first, entries, strict=False) if a is not b),
                "",
            )
            raise ValueError(
                f"export: the model takes another way with the {why}{at} it calls different "
                "functions: only one way through it can be exported"
            )


# --------------------------------------------------------------------------------------- the graph
Output = tuple[str, np.dtype[Any], tuple[Any, ...]]


def _write(build: Builder, model: Any, runs: list[Run]) -> list[Output]:
    """Write the calls that the outputs need, and return the outputs."""
    first = runs[0]
    names = dict[int, str]()  # of places in the graph and of arrays, by id
    for tensor, name in zip(first.inputs, build.inputs, strict=True):
        names |= {id(tensor._node): name, id(tensor._array): name}
    lazily = dict[int, tuple[str, Any]]()  # parameters and buffers, written on first use
    for kind in ("named_parameters", "named_buffers"):
        for path, value in getattr(model, kind, tuple)():
            lazily |= {
                id(key): (path, bare(value))
                for key in (getattr(value, "_node", value), bare(value))
            }
    ends = [*zip(*[_outputs(one.outputs) for one in runs], strict=True)]
    needed = {id(end[0][1]._node) for end in ends}
    for call in reversed(first.calls):
        if id(call.node) in needed:
            needed |= {id(place) for place in call.places} | {id(a) for a in call.arrays}
            needed.add(id(call.y))
        elif id(call.y) in needed:
            needed |= {id(place) for place in call.places} | {id(a) for a in call.arrays}
    given = [[t._array for t in one.inputs] for one in runs]
    for calls in zip(*[one.calls for one in runs], strict=True):
        call = calls[0]
        if id(call.node) in needed or id(call.y) in needed:
            name = _written(build, calls, names, lazily, given)
            names |= {id(call.node): name, id(call.y): name}
    build.place = ""
    return [_output(build, names, end) for end in ends]


def _written(
    build: Builder,
    calls: Sequence[Call],
    names: dict[int, str],
    lazily: dict[int, tuple[str, Any]],
    given: Any,
) -> str:
    """Write one call, and return the name of its output."""
    call = calls[0]
    module = call.node.module
    where = f" in {module}" if module else ""
    emit = emits.get(call.entry.function)
    build.place = str(module or "").partition(":")[0].replace(".", "/")
    if emit is None:
        raise NotImplementedError(
            f"export: {call.entry.name}{where} has no counterpart in ONNX here: write it as other "
            "NumPy functions"
        )
    what = f"{call.entry.name}{where}"
    try:
        shapes = [merged([np.shape(c.arrays[i]) for c in calls]) for i in range(len(call.arrays))]
        shape = merged([c.y.shape for c in calls])
        keywords = merged([c.keywords for c in calls], given)
        about = Merged(call.entry.function, shape, call.y.dtype, shapes, keywords)
        inputs = []
        for i in range(len(call.arrays)):
            what = f"argument {i} of {call.entry.name}{where}"
            weak = call.entry.joint or call.entry.pullbacks[i]
            dtype = call.y.dtype if weak else None
            inputs.append(
                _input(build, [(c.places[i], c.arrays[i]) for c in calls], names, lazily, dtype)
            )
        while inputs and inputs[-1] is None:
            inputs.pop()
        return emit(build, about, *inputs)
    except NotImplementedError as error:
        raise NotImplementedError(f"export: {call.entry.name}{where}: {error}") from None
    except FollowsValues as error:
        raise ValueError(
            f"export: {what}: {error} was computed from the inputs outside the recorded graph (a "
            "comparison, an argmax, item()): this can't be exported"
        ) from None
    except FollowsBatch as error:
        raise ValueError(
            f"export: {what}: {error} changes with the size of the batch in a way that ONNX can't "
            "be told: export with dynamic=False"
        ) from None


def _input(
    build: Builder,
    pairs: Sequence[tuple[Any, Any]],
    names: dict[int, str],
    lazily: dict[int, tuple[str, Any]],
    dtype: Any,
) -> str | None:
    """Return the name of an argument: of a value, a parameter, or a constant made for it."""
    place, array = pairs[0]
    if array is None:
        return None
    for key in (id(place), id(array)):
        if key in lazily and key not in names:
            path, value = lazily[key]
            names[key] = names[id(value)] = build.parameter(path, value)
        if key in names:
            held = getattr(place, "dtype", dtype) if key == id(place) else array.dtype
            same = dtype is None or dtype == held  # None is float64 to NumPy
            return names[key] if same else build.cast(names[key], dtype)
    value = merged(
        [a if isinstance(a, np.ndarray) else getattr(a, "item", lambda a=a: a)() for _, a in pairs]
    )
    return build.constant(value, dtype)


def _outputs(y: Any) -> list[tuple[str, Tensor]]:
    """Return the names and Tensors of what a model gave."""
    if isinstance(y, Tensor):
        return [("output", y)]
    named = (
        y.items() if isinstance(y, dict) else enumerate(y) if isinstance(y, list | tuple) else []
    )
    found = [(name if isinstance(name, str) else f"output_{name}", t) for name, t in named]
    if not found or not all(isinstance(t, Tensor) for _, t in found):
        raise TypeError(f"export: the model must return Tensors, got {y!r:.60}")
    return found


def _output(build: Builder, names: dict[int, str], ends: Sequence[tuple[str, Tensor]]) -> Output:
    name, tensor = ends[0]
    held = names.get(id(tensor._node)) or names.get(id(tensor._array))
    if held is None:
        raise ValueError(
            f"export: {name} does not depend on the inputs by any operation that was recorded"
        )
    name = build.unique(name)
    build.nodes.append(onnx.helper.make_node("Identity", [held], [name]))
    return name, tensor.dtype, merged([t.shape for _, t in ends])


# ----------------------------------------------------------------------------------------- details
def _type(dtype: Any) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def _axis(n: Any) -> int | str | None:
    return n if isinstance(n, int) else BATCH if n == Dim(1, 0) else None


def _info(name: str, array: Any, dynamic: bool) -> onnx.ValueInfoProto:
    shape = [BATCH if dynamic else len(array), *array.shape[1:]]
    return onnx.helper.make_tensor_value_info(name, _type(array.dtype), shape)
