"""Files of a state: what is saved comes back, and a file that was changed is refused."""

import pickle
import random
import zipfile

import numpy as np
import pytest
from states import same

import minigrad
from minigrad import nn
from minigrad.saving import HEADER, DamagedFileError

ENDINGS = [".npz", ".safetensors"]


def state():
    rng = np.random.default_rng(0)
    weights = {"conv.weight": rng.random((2, 3, 1), "f"), "n": np.array(7), "no": np.ones((0, 2))}
    moments = {0: {"m": np.ones(4, np.float16), "t": 3}, 1.5: (1, None, [2.5, float("inf")])}
    return {
        "model": weights,
        "model.n": np.arange(70, dtype=np.int16),
        "optimizer": moments,
        "generators": [rng.bit_generator.state, np.random.MT19937(3).state],
        "text": "é",
        "$odd": True,
    }


@pytest.fixture(params=ENDINGS)
def path(request, tmp_path):
    if request.param == ".safetensors":
        pytest.importorskip("safetensors")
    return tmp_path / f"state{request.param}"


def test_what_is_saved_comes_back(path):
    minigrad.save(path, state())
    assert same(minigrad.load(path), state())
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("value", [None, 3, [], np.arange(3), {"a": (np.ones(1),)}])
def test_states_of_one_value(value, path):
    minigrad.save(path, value)
    assert same(minigrad.load(path), value)


def test_tensors_and_scalars_become_arrays_and_numbers(path):
    minigrad.save(path, [minigrad.Tensor([1.0]), np.float32(0.5), np.int64(3)])
    assert same(minigrad.load(path), [np.ones(1, np.float32), 0.5, 3])


def by_name(weights):
    return dict(sorted(weights.items()))


def test_other_programs_find_arrays_under_their_paths(tmp_path):
    weights = nn.Linear(3, 2).state_dict()
    minigrad.save(tmp_path / "w.npz", weights)
    with np.load(tmp_path / "w.npz") as held:
        assert np.array_equal(held["weight"], weights["weight"])
    numpy = pytest.importorskip("safetensors.numpy")
    minigrad.save(tmp_path / "w.safetensors", weights)
    assert same(by_name(numpy.load_file(tmp_path / "w.safetensors")), by_name(weights))
    numpy.save_file(weights, tmp_path / "theirs.safetensors")
    assert same(by_name(minigrad.load(tmp_path / "theirs.safetensors")), by_name(weights))


def test_of_500_damaged_files_each_is_refused_or_gives_the_same(path):
    minigrad.save(path, state())
    whole, chance = path.read_bytes(), random.Random(0)
    for i in range(500):
        content = bytearray(whole)
        at = chance.randrange(len(content))
        if i % 2:
            content[at] ^= 1 << chance.randrange(8)
        path.write_bytes(content if i % 2 else content[:at])
        try:
            found = minigrad.load(path)
        except DamagedFileError as error:
            found = state() if str(path) in str(error) else error
        assert same(found, state())


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle was read",)


def with_pickle(path, kind):
    if kind == "a pickle":
        path.write_bytes(pickle.dumps(Trap()))
    elif kind == "an array of objects":
        np.savez(path, a=np.array([Trap()], object), allow_pickle=True)
    else:
        minigrad.save(path, {"a": np.ones(2)})
        with zipfile.ZipFile(path, "a") as archive:
            if kind == "data.pkl":
                archive.writestr("archive/data.pkl", pickle.dumps(Trap()))
            else:
                with archive.open("b.npy", "w") as member:
                    np.lib.format.write_array(member, np.array([Trap()], object))


@pytest.mark.parametrize(
    "kind", ["a pickle", "an array of objects", "data.pkl", "an object beside"]
)
@pytest.mark.filterwarnings("ignore:.*pickle:UserWarning")
def test_a_pickle_is_never_read(kind, tmp_path):
    path = tmp_path / "state.npz"
    with_pickle(path, kind)
    with pytest.raises(DamagedFileError, match="state.npz can't be used"):
        minigrad.load(path)


def test_a_small_file_that_would_be_a_large_array_is_not_unpacked(tmp_path):
    path = tmp_path / "state.npz"
    minigrad.save(path, {"a": np.ones(2)})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b.npy", bytes(10**7))
    assert path.stat().st_size < 20_000
    with pytest.raises(DamagedFileError, match="it is compressed"):
        minigrad.load(path)


def test_a_later_version_is_refused(tmp_path):
    path = tmp_path / "state.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(HEADER, '{"version": 2}')
    with pytest.raises(DamagedFileError, match="written by a later version, 2"):
        minigrad.load(path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [object()]}, "a.0 is a object: expected arrays, None"),
        ({"a": np.array([None])}, "a is an array of object: expected numbers"),
        (lambda: 3, "the state is a function"),
    ],
)
def test_what_can_not_be_saved_is_named(value, message, path):
    with pytest.raises(TypeError, match=f"save: {message}"):
        minigrad.save(path, value)
    assert not path.exists()


@pytest.mark.parametrize("call", [lambda p: minigrad.save(p, 1), minigrad.load])
def test_other_names_are_refused(call, tmp_path):
    with pytest.raises(ValueError, match=r"ends with .npz or .safetensors: state.pkl"):
        call(tmp_path / "state.pkl")


def test_the_librarys_generator_goes_on_where_it_was(path):
    minigrad.manual_seed(1)
    nn.Linear(2, 2)
    minigrad.save(path, minigrad.get_rng_state())
    first = nn.Linear(3, 3).weight.data
    minigrad.set_rng_state(minigrad.load(path))
    assert np.array_equal(nn.Linear(3, 3).weight.data, first)
    with pytest.raises(ValueError, match="no state of a PCG64"):
        minigrad.set_rng_state({"bit_generator": "MT19937"})
