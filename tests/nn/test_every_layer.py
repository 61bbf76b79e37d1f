"""What holds for every layer: it stands in the table of the tests, and it draws."""

import pytest
from layers import LAYERS, VARIANTS, inputs_of

from minigrad import nn


def test_every_layer_is_in_the_table():
    layers = {name for name, value in vars(nn).items() if isinstance(value, type)}
    assert layers - {"Module", "Parameter"} == set(LAYERS)


@pytest.mark.parametrize("name", [*LAYERS, *VARIANTS])
def test_it_draws_itself_and_its_parameters(name):
    model, *given = (LAYERS | VARIANTS)[name]
    text = model.draw(*inputs_of(given)).source
    assert type(model).__name__ in text
    assert all(path.rpartition(".")[2] in text for path, _ in model.named_parameters())


def test_the_work_of_a_recurrent_layer_is_in_the_summary():
    rows = nn.LSTM(6, 4, batch_first=True).summary((5, 6))
    assert rows.multiply_adds == 5 * (6 + 4) * 16
