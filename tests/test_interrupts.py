"""Ctrl-C at any moment leaves modes, parameters and files whole.

Each test interrupts its work at a few random moments; the last, marked slow, at many:
`python -m pytest -m slow tests/test_interrupts.py`.
"""

import random

import pytest
from interrupts import interrupted

from minigrad import enable_grad, is_grad_enabled, no_grad

FEW, MANY = 10, 50


def moments(count, longest):
    """Waiting times, the same in every run; where they end is up to the machine."""
    draws = random.Random(count)
    return [draws.uniform(1e-4, longest) for _ in range(count)]


def grad_mode(count):
    """Enter and leave."""
    again = no_grad()

    @enable_grad()
    def recorded():
        assert is_grad_enabled()

    def work():
        with no_grad():
            recorded()
        with again, enable_grad(), again:
            pass

    for seconds in moments(20 * count, 1e-3):  # as both are over in a moment
        interrupted(work, seconds)
        assert is_grad_enabled()


PLACES = [grad_mode]
each_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)


@each_place
def test_an_interrupt_leaves_everything_whole(place):
    place(FEW)


@pytest.mark.slow
@each_place
def test_many_interrupts_leave_everything_whole(place):
    place(MANY)
