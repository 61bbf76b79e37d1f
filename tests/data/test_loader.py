"""Batches keep their promise, a split keeps every row."""

import numpy as np
import pytest

from minigrad import Tensor
from minigrad.data import DataLoader, train_validation_split

# ---------------------------------------------------------------------------------------- batches
X = np.arange(20, dtype=np.float32).reshape(10, 2)
T = np.arange(10)


def labels(loader):
    return [t.tolist() for _, t in loader]


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ({"batch_size": 5}, [5, 5]),
        ({"batch_size": 4}, [4, 4, 2]),
        ({"batch_size": np.int64(4), "drop_last": True}, [4, 4]),
        ({"batch_size": 10, "drop_last": True}, [10]),
        ({"batch_size": 100}, [10]),
        ({"batch_size": 1}, [1] * 10),
    ],
)
@pytest.mark.parametrize("order", [{}, {"shuffle": True}, {"replacement": True}], ids=str)
def test_batches_have_the_right_sizes_and_rows_stay_together(options, sizes, order):
    loader = DataLoader(X, T, **options, **order)
    assert len(loader) == len(sizes)
    batches = list(loader)
    assert [len(t) for _, t in batches] == sizes
    for x, t in batches:
        np.testing.assert_array_equal(x, X[t])
        assert (x.dtype, t.dtype) == (X.dtype, T.dtype)


class Pairs:
    """A data set that answers any index, as a generated one may."""

    def __init__(self, example, n=7):
        self.example, self.n = example, n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return self.example(i)


def test_a_data_set_of_examples_is_read_batch_by_batch():
    pairs = Pairs(lambda i: (X[i % 10], Tensor([i * 0.5]), i))
    batches = list(DataLoader(pairs, batch_size=4))
    assert [t.tolist() for _, _, t in batches] == [[0, 1, 2, 3], [4, 5, 6]]
    np.testing.assert_array_equal(batches[1][0], X[4:7], strict=True)
    assert batches[1][1].tolist() == [[2.0], [2.5], [3.0]]
    ((numbers,),) = DataLoader(Pairs(lambda i: i), batch_size=7)  # or examples of one part
    assert numbers.tolist() == [*range(7)]
    with pytest.raises(ValueError, match="of Pairs differ in length"):
        next(iter(DataLoader(Pairs(lambda i: (0,) * i), batch_size=3)))
    (x, t), (x_held, t_held) = train_validation_split(Pairs(lambda i: (X[i], i)), fraction=0.3)
    assert (x.shape, t.shape, x_held.shape, t_held.shape) == ((5, 2), (5,), (2, 2), (2,))


def test_order_and_random_order():
    assert labels(DataLoader(X, T, batch_size=4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    loader = DataLoader(X, T, batch_size=4, shuffle=True, rng=0)
    first, second = labels(loader), labels(loader)
    assert first != second  # a new order in each epoch
    for epoch in (first, second):
        assert sorted(label for batch in epoch for label in batch) == T.tolist()
    again = DataLoader(X, T, batch_size=4, shuffle=True, rng=np.random.default_rng(0))
    assert [labels(again), labels(again)] == [first, second]
    assert labels(DataLoader(X, T, batch_size=4, shuffle=True, rng=1)) != first


def test_replacement_draws_from_all_examples():
    loader = DataLoader(X, T, batch_size=10, replacement=True, rng=0)
    drawn = np.array([labels(loader)[0] for _ in range(300)])
    assert any(len(set(epoch)) < 10 for epoch in drawn)
    assert np.bincount(drawn.ravel(), minlength=10).min() > 230  # 300 expected, deviation 16
    again = DataLoader(X, T, batch_size=10, replacement=True, rng=0)
    np.testing.assert_array_equal(drawn[:3], [labels(again)[0] for _ in range(3)])


@pytest.mark.parametrize("options", [{}, {"shuffle": True}], ids=str)
def test_changing_a_batch_leaves_the_data_alone(options):
    x = X.copy()
    for (batch,) in DataLoader(x, batch_size=5, **options):
        batch *= 0
    np.testing.assert_array_equal(x, X)


def test_loader_takes_any_number_and_layout_of_arrays():
    strange = np.asfortranarray(np.arange(60.0).reshape(10, 3, 2))[:, ::-1]
    loader = DataLoader(strange, T, list("abcdefghij"), batch_size=3, shuffle=True, rng=0)
    for x, t, letters in loader:
        np.testing.assert_array_equal(x, strange[t])
        assert letters.tolist() == ["abcdefghij"[i] for i in t]
    assert [len(batch) for batch in DataLoader(X, batch_size=5)] == [1, 1]  # always tuples


def test_transform_sees_the_batch():
    loader = DataLoader(X, T, batch_size=4, transform=lambda x, t: (x - 1, t * 2, "extra"))
    (x, t, extra), *_ = loader
    np.testing.assert_array_equal(x, X[:4] - 1)
    assert (t.tolist(), extra) == ([0, 2, 4, 6], "extra")
    forgetful = DataLoader(X, T, batch_size=4, transform=lambda x, t: x)
    with pytest.raises(
        TypeError, match=r"tuple of arrays, like the 2 that .*ndarray: return \(x, t\)"
    ):
        next(iter(forgetful))


SPLIT = train_validation_split
REFUSED = [
    ("nothing", DataLoader, (), {}, ValueError, "DataLoader: .* got none"),
    ("a number", DataLoader, (X, 3), {}, ValueError, r"got shapes \(10, 2\), \(\): pass images"),
    ("lengths", DataLoader, (X, T[:9]), {}, ValueError, r"equal length, got .*\(10, 2\), \(9,\)"),
    ("no rows", DataLoader, (X[:0], T[:0]), {}, ValueError, r"empty \(shapes \(0, 2\), \(0,\)\)"),
    ("zero", DataLoader, (X,), {"batch_size": 0}, ValueError, "must be 1 or more, got 0"),
    ("minus", DataLoader, (X,), {"batch_size": -5}, ValueError, "must be 1 or more, got -5"),
    (
        "float",
        DataLoader,
        (X,),
        {"batch_size": 2.0},
        TypeError,
        r"integer, got 2\.0: use batch_size",
    ),
    ("bool", DataLoader, (X,), {"batch_size": True}, TypeError, "integer, got True"),
    ("none left", DataLoader, (X,), {"batch_size": 11, "drop_last": True}, ValueError, "no batch"),
    ("ragged", SPLIT, (Pairs(lambda i: (0,) * i),), {}, ValueError, "of Pairs differ in len"),
    ("empty set", DataLoader, (Pairs(lambda i: (i,), 0),), {}, ValueError, "got none"),
    ("unknown", DataLoader, (X,), {"batchsize": 3}, TypeError, "batchsize"),
    ("split nothing", SPLIT, (), {}, ValueError, "train_validation_split: .* got none"),
    ("split lengths", SPLIT, (X, T[1:]), {}, ValueError, "equal length"),
    ("split no rows", SPLIT, (X[:0],), {}, ValueError, "empty"),
    ("split one row", SPLIT, (X[:1],), {}, ValueError, "of 1 examples leaves one part empty"),
    ("split all", SPLIT, (X,), {"fraction": 1}, ValueError, "fraction=1 of 10 examples"),
    ("split none", SPLIT, (X,), {"fraction": 0.01}, ValueError, r"fraction=0\.01 of 10"),
    ("split minus", SPLIT, (X,), {"fraction": -0.5}, ValueError, "between 0 and 1"),
    ("split NaN", SPLIT, (X,), {"fraction": float("nan")}, ValueError, "fraction=nan"),
]


@pytest.mark.parametrize(
    ("call", "given", "options", "error", "message"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_bad_input_is_refused(call, given, options, error, message):
    if call is DataLoader:
        options = {"batch_size": 5} | options
    with pytest.raises(error, match=message):
        call(*given, **options)


# ------------------------------------------------------------------------------------------ split
@pytest.mark.parametrize(("fraction", "held_out"), [(0.2, 2), (0.25, 2), (0.5, 5), (0.9, 9)])
def test_split_keeps_each_row_once(fraction, held_out):
    (x, t), (x_held, t_held) = train_validation_split(X, T, fraction=fraction)
    assert (len(t), len(t_held)) == (10 - held_out, held_out)
    assert sorted([*t, *t_held]) == T.tolist()
    np.testing.assert_array_equal(x, X[t])
    np.testing.assert_array_equal(x_held, X[t_held])


def test_split_follows_its_seed():
    def held_out(rng):
        return train_validation_split(T, fraction=0.5, rng=rng)[1][0].tolist()

    assert held_out(0) == held_out(np.random.default_rng(0)) == held_out(0)
    assert held_out(0) == train_validation_split(T, fraction=0.5)[1][0].tolist()
    assert len({tuple(held_out(seed)) for seed in range(20)}) > 15
