"""A Module finds what it holds and names it; it is saved, loaded, converted and copied whole."""

import copy
import pickle

import numpy as np
import pytest

from minigrad import Tensor, nn
from minigrad.nn import Linear, Module, Parameter, ReLU, Sequential


class Block(Module):
    def __init__(self, n=2):
        self.fc = Linear(n, n, bias=False)
        self.mean = np.zeros(n, np.float32)

    def forward(self, x):
        return self.fc(x)


class Zoo(Module):
    """Everything that can be walked, in an order that is not the alphabet's."""

    def __init__(self):
        self.scale = Parameter([1.0])
        self.blocks = [Block(), {"left": Block(), 3: (Tensor([2.0], requires_grad=True),)}]
        self.alone = Block()
        self.tied = self.alone.fc.weight
        self.again = self.blocks[0]
        self._private = np.zeros(3)
        self._inner = Block()
        self._several = [Block(), {"p": Parameter([1.0]), "n": np.zeros(1)}, Tensor([0.0])]
        self.counts = np.zeros(2, int)
        self.offset = Tensor([0.0, 0.0])
        self.frozen = Parameter([3.0], requires_grad=False)
        self.rate, self.title, self.nothing = 0.1, "zoo", None

    def forward(self, x):
        return self.blocks[1]["left"](x) * self.scale


PARAMETERS = [
    *["scale", "blocks.0.fc.weight", "blocks.1.left.fc.weight", "blocks.1.3.0"],
    *["alone.fc.weight", "_inner.fc.weight", "_several.0.fc.weight", "_several.1.p", "frozen"],
]
BUFFERS = [
    *["blocks.0.mean", "blocks.1.left.mean", "alone.mean", "_inner.mean", "_several.0.mean"],
    *["counts", "offset"],
]
MODULES = [
    *["", "blocks.0", "blocks.0.fc", "blocks.1.left", "blocks.1.left.fc", "alone", "alone.fc"],
    *["_inner", "_inner.fc", "_several.0", "_several.0.fc"],
]


def names(pairs):
    return [name for name, _ in pairs]


# --------------------------------------------------------------------------------------- walking
def test_everything_is_found_once_in_the_order_of_definition():
    zoo = Zoo()
    assert names(zoo.named_parameters()) == PARAMETERS
    assert names(zoo.named_buffers()) == BUFFERS
    assert names(zoo.named_modules()) == MODULES
    assert [id(p) for p in zoo.parameters()] == [id(p) for _, p in zoo.named_parameters()]
    assert [id(m) for m in zoo.modules()] == [id(m) for _, m in zoo.named_modules()]
    assert dict(zoo.named_parameters())["alone.fc.weight"] is zoo.tied
    assert sorted(zoo.state_dict()) == sorted(PARAMETERS + BUFFERS)


def test_a_parameter_trains_from_the_start():
    p = Parameter(np.ones(2), name="p")
    assert (p.requires_grad, p.is_leaf, p.name, p.dtype) == (True, True, "p", np.float64)
    assert Parameter([1.0]).dtype == np.float32
    with pytest.raises(TypeError, match="only floating point Tensors have gradients"):
        Parameter([1, 2])


def test_cycles_end():
    block = Block()
    block.list = [block]
    block.list.append(block.list)
    block.child = Sequential(ReLU())
    block.child.parent = block
    assert names(block.named_modules()) == ["", "fc", "child", "child.0"]
    assert repr(block) == (
        "Block(\n  (fc): Linear(2, 2, bias=False)\n  (list.0): ...\n"
        "  (child): Sequential(\n    (0): ReLU()\n    (parent): ...\n  )\n)"
    )


def test_results_of_the_graph_are_not_parameters():
    block = Block()
    block.hidden = block(Tensor(np.ones((1, 2), "f4")))
    assert block.hidden.requires_grad
    assert sorted(block.state_dict()) == ["fc.weight", "mean"]
    assert len(list(block.parameters())) == 1


def test_zero_grad_forgets_all():
    zoo = Zoo()
    zoo(Tensor(np.ones((1, 2), "f4"))).sum().backward()
    assert [n for n, p in zoo.named_parameters() if p.grad is not None] == [
        "scale",
        "blocks.1.left.fc.weight",
    ]
    zoo.zero_grad()
    assert all(p.grad is None for p in zoo.parameters())


def test_train_and_eval_reach_every_module():
    zoo = Zoo()
    assert zoo.eval() is zoo
    assert not any(m.training for m in zoo.modules())
    assert zoo.train() is zoo
    assert all(m.training for m in zoo.modules())
    assert Block().training  # others are not touched


def test_repr_shows_the_tree():
    assert repr(Linear(3, 4)) == "Linear(3, 4)"
    assert repr(Sequential(Linear(3, 4), np.tanh, last=nn.Dropout(0.2).eval())) == (
        "Sequential(\n  (0): Linear(3, 4)\n  (last): Dropout(p=0.2)\n)"
    )
    assert repr(nn.GELU("tanh")) == "GELU(approximate='tanh')"
    assert repr(nn.BatchNorm1d(4)) == "BatchNorm1d(4)"
    assert "  (blocks.1.left): Block(\n    (fc): Linear(2, 2, bias=False)\n  )" in repr(Zoo())
    assert repr(Zoo()).startswith("Zoo(rate=0.1, title='zoo'\n  (blocks.0): Block(")


def test_forward_must_be_written():
    with pytest.raises(NotImplementedError, match=r"Module: write forward\(self, x\)"):
        Module()(1)


# ---------------------------------------------------------------------------------------- saving
def test_state_goes_from_one_model_to_another():
    one, other = Zoo(), Zoo()
    one.blocks[0].mean[:] = 7
    one.counts[:] = 5
    state = one.state_dict()
    arrays = {name: p.data for name, p in other.named_parameters()}
    other.load_state_dict(state)
    for name, value in other.state_dict().items():
        np.testing.assert_array_equal(value, state[name], strict=True)
    assert all(p.data is arrays[name] for name, p in other.named_parameters())  # in place
    state["scale"][:] = 99  # a copy: the models do not share it
    assert (one.scale.item(), other.scale.item()) == (1, 1)


def test_state_may_be_tensors_of_another_type():
    block = Block()
    state = {"fc.weight": Parameter(np.full((2, 2), 3.0)), "mean": np.array([1, 2], np.uint8)}
    block.load_state_dict(state)
    np.testing.assert_array_equal(block.fc.weight.data, np.full((2, 2), 3, "f4"), strict=True)
    np.testing.assert_array_equal(block.mean, np.array([1, 2], "f4"), strict=True)


def test_all_problems_are_told_at_once_and_nothing_is_written():
    zoo = Zoo()
    before = zoo.state_dict()
    state = {name: value + 1 for name, value in before.items()}
    del state["alone.mean"], state["blocks.0.mean"]
    state |= {"extra": np.ones(1), "offset": np.ones(3), "counts": np.array([0.5, 1.5])}
    state["frozen"] = np.array(["a"])
    with pytest.raises(ValueError, match="load_state_dict: Zoo: ") as caught:
        zoo.load_state_dict(state)
    assert str(caught.value).split(": ", 2)[2].split("; ") == [
        "missing blocks.0.mean",
        "missing alone.mean",
        "unexpected extra",
        "counts is float64 (2,), expected int64 (2,)",
        "offset is float64 (3,), expected float32 (2,)",
        "frozen is <U1 (1,), expected float32 (1,)",
    ]
    for name, value in zoo.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_loading_a_part():
    block = Block()
    block.load_state_dict({"mean": np.ones(2), "other": np.ones(9)}, strict=False)
    assert block.mean.tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"mean is float64 \(9,\)"):
        block.load_state_dict({"mean": np.ones(9)}, strict=False)
    with pytest.raises(
        TypeError, match="load_state_dict: expected arrays by name, got 'model.npz'"
    ):
        block.load_state_dict("model.npz")


def test_a_read_only_buffer_is_told_before_anything_is_written():
    block = Block()
    before = block.state_dict()
    block.mean.flags.writeable = False
    with pytest.raises(ValueError, match="load_state_dict: Block: mean is read-only"):
        block.load_state_dict({name: array + 1 for name, array in before.items()})
    np.testing.assert_array_equal(block.fc.weight.data, before["fc.weight"])


def test_an_old_graph_refuses_loaded_values():
    block = Block()
    y = block(Tensor(np.ones((1, 2), "f4"), requires_grad=True)).sum()
    block.load_state_dict(block.state_dict())
    with pytest.raises(RuntimeError, match=r"weight.*was changed in place.*load_state_dict"):
        y.backward()


def test_two_arrays_of_one_name_are_refused():
    block = Block()
    block.both = {1: np.zeros(1), "1": np.ones(1)}
    with pytest.raises(ValueError, match="state_dict: two arrays are called 'both.1'"):
        block.state_dict()


# ------------------------------------------------------------------------------------ other types
def test_astype_converts_parameters_and_floating_buffers():
    zoo = Zoo()
    zoo.shared = [zoo.blocks[0].mean]
    zoo(Tensor(np.ones((1, 2), "f4"))).sum().backward()
    assert zoo.astype(np.float64) is zoo
    types = {name: value.dtype for name, value in zoo.state_dict().items()}
    assert types.pop("counts") == np.int64
    assert set(types.values()) == {np.dtype("f8")}
    assert zoo.tied is zoo.alone.fc.weight
    assert zoo.shared[0] is zoo.blocks[0].mean
    assert zoo.scale.grad is None  # it had the old type
    assert zoo.scale.requires_grad
    assert not zoo.frozen.requires_grad
    assert zoo(Tensor(np.ones((1, 2)))).dtype == np.float64


def test_astype_refuses_before_it_converts():
    block = Block()
    with pytest.raises(TypeError, match="astype: a module computes in floating point, got int64"):
        block.astype(np.int64)
    block.pair = (np.zeros(2),)
    with pytest.raises(TypeError, match="astype: can't replace array 0 of a tuple: use a list"):
        block.astype(np.float64)
    assert block.fc.weight.dtype == block.mean.dtype == np.float32


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_copies_are_equal_and_independent(duplicate):
    zoo = Zoo()
    zoo(Tensor(np.ones((1, 2), "f4"))).sum().backward()
    twin = duplicate(zoo.eval())
    assert names(twin.named_parameters()) == PARAMETERS
    assert (twin.training, twin.alone.training) == (False, False)
    assert twin.tied is twin.alone.fc.weight
    assert isinstance(twin.scale, Parameter)
    assert (twin.scale.name, twin.scale.grad.tolist()) == (None, zoo.scale.grad.tolist())
    assert not twin.frozen.requires_grad
    for name, value in twin.state_dict().items():
        np.testing.assert_array_equal(value, zoo.state_dict()[name], strict=True)
    twin.scale.data[:] = 9
    twin.blocks[0].mean[:] = 9
    assert zoo.scale.item() == 1
    assert not zoo.blocks[0].mean.any()
