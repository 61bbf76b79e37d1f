"""A DataLoader takes what gives examples, fetches ahead, and goes on within an epoch."""

import threading

import numpy as np
import pytest

import minigrad
from minigrad.data import DataLoader, augment, noise
from minigrad.random import generator

X, T = np.arange(46.0).reshape(23, 2), np.arange(23)


class Numbered:
    def __len__(self):
        return 23

    def __getitem__(self, i):
        return X[i], int(T[i])


class Streamed:
    def __iter__(self):
        return ((X[i], int(T[i])) for i in range(23))


def batches(loader):
    return [tuple(array.tolist() for array in batch) for batch in loader]


@pytest.mark.parametrize("prefetch", [0, 1, 30])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("given", [(Numbered(),), (Streamed(),)], ids=["numbered", "streamed"])
def test_data_sets_of_examples_give_the_batches_of_arrays(given, drop_last, prefetch):
    options = {"batch_size": 5, "drop_last": drop_last}
    expected = batches(DataLoader(X, T, **options))
    loader = DataLoader(*given, **options, prefetch=prefetch)
    assert batches(loader) == batches(loader) == expected


def test_numbered_examples_are_shuffled_as_arrays_are():
    options = {"batch_size": 5, "shuffle": True, "rng": 3}
    assert batches(DataLoader(Numbered(), **options)) == batches(DataLoader(X, T, **options))


@pytest.mark.parametrize("kind", ["Dataset", "IterableDataset"])
def test_pytorch_s_data_sets(kind):
    torch = pytest.importorskip("torch")

    class Theirs(getattr(torch.utils.data, kind)):
        if kind == "Dataset":
            __len__, __getitem__ = Numbered.__len__, lambda self, i: (torch.tensor(X[i]), T[i])
        else:
            __iter__ = Streamed.__iter__

    assert batches(DataLoader(Theirs(), batch_size=5)) == batches(DataLoader(X, T, batch_size=5))


def test_python_s_floats_become_single():
    ((x,),) = DataLoader([[0.5], [1.5]], batch_size=2)
    (t,) = next(iter(DataLoader(iter([0.5, 1.5]), batch_size=2)))
    assert (x.dtype, t.dtype) == (np.float64, np.float32)


def test_mapped_arrays_stay_in_their_file(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    loader = DataLoader(mapped, T, batch_size=5, shuffle=True, rng=0)
    assert not loader.source.resident
    assert np.shares_memory(loader.arrays[0], mapped)
    assert batches(loader) == batches(DataLoader(X, T, batch_size=5, shuffle=True, rng=0))
    (x, _), *_ = loader
    x[...] = 0


def wave(x, t):
    return x + generator().random(x.shape), t


LOADERS = {
    "in order": {},
    "shuffled": {"shuffle": True, "rng": 1},
    "by the library": {"shuffle": True},
    "replacement": {"replacement": True, "rng": 1},
    "augmented": {"shuffle": True, "rng": 1, "transform": lambda: augment(noise(1.0), rng=2)},
    "augmented by the library": {"shuffle": True, "transform": lambda: augment(noise(1.0))},
    "of one generator": {"shuffle": True, "transform": lambda: wave},
}
GIVEN = {"arrays": (X, T), "numbered": (Numbered(),), "streamed": (Streamed(),)}


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("name", LOADERS)
def test_another_process_goes_on_within_an_epoch(name, prefetch, given, tmp_path):
    options = {"batch_size": 4, "prefetch": prefetch, **LOADERS[name]}
    if given == "streamed" and {"shuffle", "replacement"} & options.keys():
        options.pop("shuffle", 0), options.pop("replacement", 0)

    def loader():
        made = {k: v() if k == "transform" else v for k, v in options.items()}
        return DataLoader(*GIVEN[given], **made)

    for stop in (1, 3, 6, 9):
        minigrad.manual_seed(5)
        first, seen = loader(), []
        for _ in range(3):
            for batch in first:
                if len(seen) == stop:
                    minigrad.save(
                        tmp_path / "s.npz", [first.state_dict(), minigrad.get_rng_state()]
                    )
                    expected = len(seen)
                seen.append([a.tolist() for a in batch])
        second = loader()
        state, rng = minigrad.load(tmp_path / "s.npz")
        second.load_state_dict(state)
        minigrad.set_rng_state(rng)
        rest = [[a.tolist() for a in batch] for _ in range(3) for batch in second]
        assert rest[: len(seen) - expected - 1] == seen[expected + 1 :]


def test_a_state_of_another_loader_is_refused():
    state = DataLoader(X, batch_size=5, rng=0).state_dict()
    with pytest.raises(ValueError, match="that of a loader with an rng of its own for its order"):
        DataLoader(X, batch_size=5).load_state_dict(state)


def test_an_error_ahead_is_raised_in_its_place_and_the_thread_ends():
    def broken():
        yield X[0]
        raise OSError("disk")

    loader = DataLoader(broken(), batch_size=1, prefetch=3)
    seen = iter(loader)
    assert next(seen)[0].tolist() == [X[0].tolist()]
    with pytest.raises(OSError, match="disk"):
        next(seen)
    left = iter(DataLoader(X, batch_size=1, prefetch=1))
    next(left)
    left.close()
    assert not [t for t in threading.enumerate() if t.name == "minigrad-prefetch"]


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (Streamed(), {"shuffle": True}, "come in its own order: shuffle them there"),
        (Streamed(), {"prefetch": -1}, "prefetch must be 0 or more"),
        (type("Empty", (Numbered,), {"__len__": lambda self: 0})(), {}, "the data set is empty"),
    ],
)
def test_mistakes_are_named(given, options, message):
    with pytest.raises(ValueError, match=message):
        DataLoader(given, batch_size=5, **options)


def test_a_stream_has_no_length():
    with pytest.raises(TypeError, match="does not say how many"):
        len(DataLoader(Streamed(), batch_size=5))
