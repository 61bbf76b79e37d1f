"""A step is taken by all parameters or by none; a state that was copied or was JSON goes on."""

import copy
import json
import pickle

import numpy as np
import pytest
from updates import RULES, assert_same, each_rule, run, starts

from minigrad.optim import SGD, AdamW, blocks

SHAPES = [(4, 3), (3,), (200, 180), (), (190, 200)]  # two are large enough to stand alone


def everything(opt, params):
    """Return copies of all that a step changes."""
    return copy.deepcopy(([p.data for p in params], opt.state_dict()))


def same(one, other):
    np.testing.assert_equal(one, other)
    return True


def halves(rule, params, **options):
    """Make an optimizer of two groups."""
    return rule([{"params": params[:2]}, {"params": params[2:]}], **options)


class Stop(BaseException):
    """What no `except Exception` catches, as KeyboardInterrupt."""


def failing(rule, calls):
    """Return the rule so that it raises in the middle of its last call of so many."""
    left, own = iter(range(calls - 1)), rule.rule

    def fails(p, g, t, *state, **options):
        if next(left, None) is None:
            for array in (p, *state):
                array[:1] = 7
            raise Stop
        own(p, g, t, *state, **options)

    return staticmethod(fails)


@each_rule
@pytest.mark.parametrize("calls", [1, 2, 3, 5])
@pytest.mark.parametrize("steps", [0, 2], ids=["first step", "later"])
def test_a_step_that_raises_changes_nothing(rule, calls, steps, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 2**18)  # several blocks to a large parameter
    params, others = starts(SHAPES), starts(SHAPES)
    options = {**RULES[rule], "weight_decay": 0.1}
    opt, other = halves(rule, params, **options), halves(rule, others, **options)
    run(opt, params, steps)
    run(other, others, steps)
    before = everything(opt, params)
    with monkeypatch.context() as patch:
        patch.setattr(rule, "rule", failing(rule, calls))
        with pytest.raises(Stop):
            run(opt, params, 1, first=steps)
    assert same(everything(opt, params), before)
    run(opt, params, 2, first=steps)  # and the next steps are those that it would have taken
    run(other, others, 2, first=steps)
    assert_same(params, others)
    assert same(opt.state_dict(), other.state_dict())


def test_an_overflow_that_is_an_error_changes_nothing():
    params = starts(SHAPES)
    opt = AdamW(params, weight_decay=0.5)
    run(opt, params, 1)
    before = everything(opt, params)
    for p in params:
        p.grad = np.ones(p.shape)
    params[-1].grad.data[-1, -1] = 1e200
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        opt.step()
    assert same(everything(opt, params), before)


@each_rule
def test_a_state_that_was_json_goes_on(rule):
    def listed(value):
        return value.tolist() if isinstance(value, np.ndarray) else value

    params, others = starts(dtype=np.float32), starts(dtype=np.float32)
    opt, other = rule(params, **RULES[rule]), rule(others, lr=0.5)
    run(opt, params, 3)
    run(other, others, 3)
    other.load_state_dict(json.loads(json.dumps(opt.state_dict(), default=listed)))
    for p, q in zip(params, others, strict=True):
        q.data[...] = p.data
    run(opt, params, 2, first=3)
    run(other, others, 2, first=3)
    assert_same(params, others)
    assert opt.state_dict()["state"].keys() == other.state_dict()["state"].keys()


@each_rule
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copy_goes_on_with_a_state_of_its_own(rule, copied):
    params = starts()
    opt = rule(params, **RULES[rule])
    run(opt, params, 3)
    other = copied(opt)
    others = other.param_groups[0]["params"]
    run(opt, params, 2, first=3)
    run(other, others, 2, first=3)
    assert_same(params, others)
    assert same(opt.state_dict(), other.state_dict())


@pytest.mark.parametrize("rule", [SGD, AdamW])
def test_weight_decay_of_a_group_is_for_all_its_parameters(rule):
    def decayed(**group):
        w, b = params = starts([(4, 3), (3,)])
        opt = rule(
            [{"params": params, **group}], lr=0.1, weight_decay=group.get("weight_decay", 0.2)
        )
        for p in params:
            p.grad = np.zeros(p.shape)
        opt.step()
        w0, b0 = starts([(4, 3), (3,)])
        return (w.data / w0.data).mean(), (b.data / b0.data).mean()

    assert decayed() == pytest.approx((0.98, 1.0))  # the optimizer's own is for weights
    assert decayed(weight_decay=0.5) == pytest.approx((0.95, 0.95))
    assert decayed(weight_decay=0.5, decay_all=False) == pytest.approx((0.95, 1.0))
    assert decayed(decay_all=True) == pytest.approx((0.98, 0.98))


def test_which_parameters_decay_is_saved():
    params = starts([(4, 3), (3,)])
    saved = SGD([{"params": params, "weight_decay": 0.5}]).state_dict()
    opt = SGD(params)
    opt.load_state_dict(saved)
    assert opt.param_groups[0]["decay_all"] is True
    assert opt.state_dict() == saved
