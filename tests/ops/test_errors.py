"""What operations say when they can't be computed: the operation, what came, what to do."""

import numpy as np
import pytest

import minigrad.functional as F
from minigrad import Tensor, nn, optim


def leaf(*shape):
    return Tensor(np.ones(shape, np.float32), requires_grad=True)


ALIGN = "align them from the last axis: each pair of lengths must be equal, or one of them 1$"
PRODUCT = (
    r"expected shapes \(\.\.\., n, k\) and \(\.\.\., k, m\), or \(k,\) for a vector, with leading "
    r"axes that broadcast; a scalar multiplies with \*$"
)
AXIS = r"axis 2 is out of bounds for array of dimension 2$"
CASES = {
    "add": (lambda: leaf(3) + np.ones(4), ValueError,
            rf"^add: can't be computed for \(3,\) float32, \(4,\) float64: {ALIGN}"),
    "subtract, reversed": (lambda: [1.0, 2.0] - leaf(3), ValueError,
                           rf"^subtract: can't be computed for \(2,\) .*, \(3,\) float32: {ALIGN}"),
    "two Tensors": (lambda: leaf(2, 3) * leaf(2), ValueError,
                    rf"^multiply: .* \(2, 3\) float32, \(2,\) float32: {ALIGN}"),
    "ufunc": (lambda: np.arctan2(leaf(2), leaf(3)), ValueError, rf"^arctan2: can't .*: {ALIGN}"),
    "where": (lambda: np.where(np.ones(2) > 0, leaf(3), 0), ValueError, rf"^where: .*: {ALIGN}"),
    "clip": (lambda: np.clip(leaf(3), leaf(2), 9), ValueError, rf"^clip: .*: {ALIGN}"),
    "matmul": (lambda: leaf(2, 3) @ leaf(2, 3), ValueError,
               rf"^matmul: can't be computed for \(2, 3\) float32, \(2, 3\) float32: {PRODUCT}"),
    "matmul of a scalar": (lambda: leaf() @ leaf(2, 3), ValueError, f"^matmul: .*: {PRODUCT}"),
    "matmul by a number": (lambda: leaf(2, 3) @ 2, ValueError, f"^matmul: .* 2: {PRODUCT}"),
    "matmul of batches": (lambda: leaf(2, 3, 4) @ leaf(3, 4, 5), ValueError,
                          rf"^matmul: .* \(2, 3, 4\) float32, \(3, 4, 5\) float32: {PRODUCT}"),
    "np.matmul": (lambda: np.matmul(np.ones((2, 3)), leaf(4)), ValueError, f"^matmul: .*{PRODUCT}"),
    "np.dot": (lambda: np.dot(leaf(3), leaf(4)), ValueError, f"^matmul: .*: {PRODUCT}"),
    "tensordot": (lambda: np.tensordot(leaf(2, 3), leaf(2, 3), 1), ValueError,
                  r"^tensordot: axes \[1\] of shape \(2, 3\) have lengths \[3\], but axes \[0\] o"),
    "tensordot axes": (lambda: np.tensordot(leaf(2, 3), leaf(2, 3), ([2], [0])), ValueError,
                       f"^tensordot: {AXIS}"),
    "einsum lengths": (lambda: np.einsum("ij,jk->ik", leaf(2, 3), leaf(2, 3)), ValueError,
                       r"^einsum: 'j' of 'ij,jk->ik' is both 3 and 2 long in arrays of shape \(2,"),
    "einsum diagonal": (lambda: np.einsum("ii", leaf(1, 3)), ValueError,
                        r"^einsum: 'i' of 'ii' is both 1 and 3 long in an array of shape \(1, 3\)"),
    "einsum operands": (lambda: np.einsum("ij,jk", leaf(2, 3)), ValueError,
                        "^einsum: 'ij,jk' names 2 operands, got 1$"),
    "einsum axes": (lambda: np.einsum("ijk->i", leaf(2, 3)), ValueError,
                    "^einsum: 'ijk' of 'ijk->i' does not fit an array of 2 axes$"),
    "einsum output": (lambda: np.einsum("ij->iz", leaf(2, 3)), ValueError,
                      "^einsum: can't be computed for .* output subscript 'z' which never appeare"),
    "sum": (lambda: leaf(2, 3).sum(axis=2), ValueError,
            rf"^sum: can't be computed for \(2, 3\) float32, axis=2, keepdims=False: {AXIS}"),
    "take": (lambda: np.take(leaf(2, 3), [0], axis=2), ValueError, f"^take: {AXIS}"),
    "diff": (lambda: np.diff(leaf(2, 3), axis=2), ValueError, f"^diff: {AXIS}"),
    "diff order": (lambda: np.diff(leaf(3), -1), ValueError, "^diff: n must be 0 or more, got -1$"),
    "repeat": (lambda: np.repeat(leaf(2, 3), 2, axis=2), ValueError, f"^repeat: {AXIS}"),
    "split axis": (lambda: np.split(leaf(2, 3), 1, axis=2), ValueError, f"^split: {AXIS}"),
    "split": (lambda: np.split(leaf(2, 5), 2, axis=1), ValueError,
              "^split: axis 1 of length 5 can't be cut into 2 equal parts: use np.array_split$"),
    "split in no parts": (lambda: np.split(leaf(4), 0), ValueError,
                          "^split: expected 1 part or more, got 0$"),
    "reshape": (lambda: leaf(2, 3).reshape(4, 4), ValueError,
                r"^reshape: can't be computed for \(2, 3\) float32, shape=\(4, 4\): cannot reshap"),
    "squeeze": (lambda: leaf(2, 3).squeeze(0), ValueError,
                r"^squeeze: can't be computed for \(2, 3\) float32, axis=0: cannot select an axis"),
    "broadcast_to": (lambda: np.broadcast_to(leaf(3), (2, 4)), ValueError,
                     r"^broadcast_to: can't be computed for \(3,\) float32, shape=\(2, 4\): "),
    "transpose": (lambda: leaf(2, 3).transpose(0, 0), ValueError, "^transpose: .*: repeated axis"),
    "norm": (lambda: np.linalg.norm(leaf(2, 3, 4), axis=()), ValueError,
             r"^norm: expected one axis or two, got axis=\(\)$"),
    "concatenate": (lambda: np.concatenate([leaf(2, 3), leaf(3)]), ValueError,
                    r"^concatenate: can't be computed for \(2, 3\) float32, \(3,\) float32, axis="),
    "stack": (lambda: np.stack([leaf(2), leaf(3)]), ValueError,
              r"^stack: .*: all input arrays must have the same shape"),
    "pad": (lambda: np.pad(leaf(3), -1), ValueError,
            "^pad: widths must be 0 or more, got -1: to cut, use slices$"),
    "diag": (lambda: np.diag(leaf(1, 1, 1)), ValueError,
             r"^diag: expected a vector or a matrix, got shape \(1, 1, 1\)$"),
    "bincount": (lambda: np.bincount([0, 1], leaf(3)), ValueError,
                 r"^bincount: x has shape \(2,\), but weights has \(3,\)$"),
    "index": (lambda: leaf(3)[7], IndexError,
              r"^getitem: can't be computed for \(3,\) float32, key=7: index 7 is out of bounds f"),
    "float index": (lambda: leaf(3)[1.5], IndexError, "^getitem: .* key=1.5: only integers, slice"),
    "indices": (lambda: leaf(3)[1, 2], IndexError, r"^getitem: .* key=\(1, 2\): too many indices"),
    "mask": (lambda: leaf(3)[[True, False]], IndexError, "^getitem: .*: boolean index did not mat"),
    "take too far": (lambda: np.take(leaf(3), [3]), IndexError, "^getitem: .*: index 3 is out of"),
    "text": (lambda: np.add(leaf(1), ["a"]), TypeError, r"^add: expected numbers, got <U1:"),
    "dates": (lambda: leaf(1) * np.array(["2020-01-01"], "M8[D]"), TypeError,
              r"^multiply: expected numbers, got datetime64\[D\]: array\("),
    "order": (lambda: leaf(1) < np.array([1j]), TypeError, "^lt: complex numbers have no order: "),
    "largest": (lambda: np.max(Tensor([1j])), TypeError, "^max: complex numbers have no order"),
    "maximum": (lambda: np.maximum(leaf(1), 1j), TypeError, "^maximum: complex numbers have no o"),
    "sorted": (lambda: np.sort(Tensor([1j])), TypeError, "^argsort: complex numbers have no orde"),
    "less": (lambda: np.less(Tensor([1j]), 2), TypeError, "^less: complex numbers have no order"),
    "median": (lambda: np.median(Tensor([1j])), TypeError, "^quantile: complex numbers have no o"),
    "interp": (lambda: np.interp(Tensor([1j]), [0.0], [1.0]), TypeError, "^interp: complex numb"),
    "running": (lambda: np.maximum.accumulate(Tensor([1j])), TypeError, "complex numbers have no"),
    **{f.__name__: (lambda f=f: f(Tensor([1j])), TypeError, f"^{f.__name__}: complex numbers have")
       for f in (F.relu, F.sigmoid, F.softplus, F.softmax, F.log_softmax, F.logsumexp)},
    "loss": (lambda: F.mse_loss(Tensor([1j]), [1.0]), TypeError, "^mse_loss: complex numbers hav"),
    "classes": (lambda: F.cross_entropy(Tensor([[1j, 1]]), [0]), TypeError, "^cross_entropy: comp"),
    "functional_call": (
        lambda: nn.functional_call(nn.Linear(1, 1), {"bias": np.array([1j])}, leaf(1, 1)),
        ValueError, "^functional_call: Linear: bias is complex, expected real numbers$"),
    "complex loss": (lambda: (leaf() * 1j).backward(), TypeError,
                     r"^backward: the output .* is complex: take its abs, real or imag part, or "),
    "complex gradient": (lambda: leaf().backward(1j), TypeError,
                         "^backward: the gradient 1j is complex, but the output .* is real$"),
    "complex to real": (lambda: Tensor([1j]).astype(np.float32), TypeError,
                        r"^astype: float32 has no imaginary part: write t\.real\.astype\(float32"),
    "parameter": (lambda: nn.Parameter([1j]), TypeError, "^Parameter: expected real numbers"),
    "optimizer": (lambda: optim.SGD([Tensor([1j], True)]), TypeError,
                  "^SGD: parameters must be real floating point Tensors"),
    "objects": (lambda: leaf(1) + np.array([None]), TypeError, "^add: expected numbers, got"),
    "whole numbers": (lambda: Tensor([1, 2]) ** -1, ValueError,
                      r"^power: can't be computed for \(2,\) int64, -1: Integers to negative"),
}  # fmt: skip


@pytest.mark.parametrize(("f", "error", "message"), CASES.values(), ids=CASES)
def test_message(f, error, message):
    with pytest.raises(error, match=message) as caught:
        f()
    assert "gufunc" not in str(caught.value)
