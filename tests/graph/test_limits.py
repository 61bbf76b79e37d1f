"""Large graphs stay small pictures: limits, references, and time."""

import sys
import time

import numpy as np
import pytest
from graph_networks import Block, Cell, Tower, chain, irregular, quiet, recurrent, tensor
from graph_parsing import by_pydot, needs_graphviz

from minigrad import draw, nn


# --------------------------------------------------------------------------------------- limits
@pytest.mark.parametrize(("uses", "limit", "copies"), [(8, 8, 1), (9, 8, 9), (3, 2, 3), (3, 3, 1)])
def test_an_input_read_often_is_drawn_at_each_use(uses, limit, copies):
    x, w = tensor(3, grad=True), tensor(3, name="w", grad=True)
    y = x
    for _ in range(uses):
        y = y + w
    view = draw(y, max_fanout=limit)
    assert sum(b.label == "w" for b in view.nodes) == copies
    readers = [e.head for e in view.edges if e.tail.startswith("input_w")]
    assert len(readers) == len(set(readers)) == uses


def test_an_operation_read_often_gets_references():
    x = tensor(3, name="x", grad=True)
    h = np.tanh(x)
    h.name = "enc"
    view = draw(sum(h * float(i) for i in range(12)), max_fanout=8)
    references = [b for b in view.nodes if b.kind == "reference"]
    assert len(references) == 11
    assert {(b.label, b.target) for b in references} == {("→ enc", "op1_tanh")}
    picture = by_pydot(view.source)
    assert "dashed" in picture.nodes[references[0].id]["style"]
    assert sum(tail == "op1_tanh" for tail, _, _ in picture.edges) == 1


def test_what_is_too_large_is_hidden_with_one_warning():
    y = irregular(3000)
    with pytest.warns(UserWarning, match=r"3,002 nodes, more than max_nodes=150") as caught:
        view = draw(y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert 75 < len(view.nodes) <= 150
    hidden = [b for b in view.nodes if b.kind == "hidden"]
    shown = [b for b in view.nodes if b.kind == "op"]
    assert sum(b.ops for b in hidden) + len(shown) == 3000
    assert any(f"… {b.ops:,} ops hidden …" == b.label for b in hidden)
    assert len(quiet(y, max_nodes=1000).nodes) > 500


def test_first_repeats_then_depth_then_operations_give_way():
    y = Tower([8] * 300)(tensor(3, 8, name="x", grad=True))
    plain = {"collapse_repeats": False, "check_finite": False}
    assert len(quiet(y, max_nodes=100, **plain).nodes) == 6
    layers = [Block(8) if i.bit_count() % 2 else nn.Linear(8, 8) for i in range(40)]
    mixed = nn.Sequential(*layers)(tensor(3, 8, name="x", grad=True))

    assert {b.kind for b in quiet(mixed, max_nodes=50, **plain).nodes} >= {"module"}
    assert "hidden" not in {b.kind for b in quiet(mixed, max_nodes=50, **plain).nodes}
    few = quiet(mixed, max_nodes=20, **plain)
    assert "hidden" in {b.kind for b in few.nodes}
    assert len(few.nodes) <= 20


def test_outputs_parameters_and_bad_sites_are_kept():
    w = tensor(4, grad=True)
    y = irregular(700) * w
    with np.errstate(all="ignore"):
        z = np.log(y - 1e6)
    z = irregular(700, z)
    view = quiet([z, y], params={"w": w}, max_nodes=200)
    kept = [b for b in view.nodes if b.kind == "op"]
    assert [b.label for b in kept if b.rows] == ["multiply"]
    assert [b.label for b in kept if b.bad and b.bad.first] == ["log"]
    assert sum(b.kind == "output" for b in view.nodes) == 2
    ends = {e.tail for e in view.edges if e.head.startswith("output")}
    assert ends == {"op701_multiply", "op1403_" + ("add" if (699).bit_count() % 2 else "subtract")}


def test_a_chain_of_10000_needs_no_recursion():
    assert sys.getrecursionlimit() <= 1000 or sys.getrecursionlimit() < 10_000
    view = quiet(chain(10_000), max_nodes=20_000, collapse_repeats=False)
    assert len(view.nodes) == 10_002
    assert len(view.edges) == 10_001
    for text in (view.source, view.summary(), view.to_mermaid()):
        assert "op10000_add" in text or "add" in text


def test_shared_nodes_are_linear_in_size():
    y = tensor(3, name="x", grad=True) * 1e-3
    for _ in range(15):
        y = y + y * y
    view = draw(y)
    assert len(view.nodes) == 15 * 2 + 3
    assert len(view.edges) == 15 * 4 + 2


def test_deeply_nested_modules_need_no_recursion():
    class Nest(nn.Module):
        def __init__(self, inner):
            self.inner = inner

        def forward(self, x):
            return self.inner(x)

    net = nn.Linear(2, 2)
    for _ in range(150):
        net = Nest(net)
    view = draw(net(tensor(2, 2)), params=net)
    assert len(view.clusters) == 150
    assert view.summary()
    assert view.source
    assert view.to_mermaid()


def fastest(function, times=3):
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.slow
def test_time_grows_with_the_size_and_no_faster():
    small, large, cell = chain(1000), chain(8000), Cell()
    assert fastest(lambda: quiet(large)) < 24 * fastest(lambda: quiet(small)) + 0.05
    few, many = recurrent(cell, 250), recurrent(cell, 2000)
    assert fastest(lambda: quiet(many)) < 24 * fastest(lambda: quiet(few)) + 0.05


@needs_graphviz
@pytest.mark.parametrize("options", [{}, {"collapse_repeats": False}], ids=["folded", "unfolded"])
def test_200_recurrent_steps_render_in_two_seconds(options):
    view = quiet(recurrent(Cell(), 200), **options)
    start = time.perf_counter()
    view.svg()
    assert time.perf_counter() - start < 2
