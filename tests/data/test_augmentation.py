"""Augmentation: images move and blur, labels stay, the same seed gives the same batches."""

from itertools import product

import numpy as np
import pytest

import minigrad
from minigrad.data import DataLoader, augment, noise, shift


def images(n=64, channels=2, height=5, width=6, dtype=np.float32):
    x = 1 + np.arange(n * channels * height * width).reshape(n, channels, height, width)
    return (x / x.size).astype(dtype)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_each_image_moves_by_its_own_whole_pixels(most):
    x = images(n=400)
    moved = shift(most)(x, np.random.default_rng(0))
    assert (moved.shape, moved.dtype) == (x.shape, x.dtype)
    padded = np.pad(x, [(0, 0), (0, 0), (most, most), (most, most)])
    counts = []
    for steps in product(range(-most, most + 1), repeat=2):
        expected = np.roll(padded, steps, axis=(2, 3))[:, :, most : most + 5, most : most + 6]
        counts.append(np.all(moved == expected, axis=(1, 2, 3)).sum())
    assert sum(counts) == len(x)
    assert min(counts) > 0


def test_noise_has_its_deviation_and_keeps_the_type():
    x = images(n=500)
    added = noise(0.25)(x, np.random.default_rng(0)) - x
    assert added.dtype == np.float32
    assert abs(added.std() - 0.25) < 0.01
    assert abs(added.mean()) < 0.01


def test_in_a_loader_labels_and_data_stay_and_seeds_decide():
    x, t = images(), np.arange(64)

    def epoch(rng):
        transform = augment(shift(1), noise(0.1), rng=rng)
        return list(DataLoader(x, t, batch_size=20, transform=transform))

    first, again, other = epoch(0), epoch(0), epoch(1)
    for (ours, _), (theirs, _) in zip(first, again, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(first[0][0], other[0][0])
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in first]), t)
    np.testing.assert_array_equal(x, images())


def test_two_epochs_differ_and_the_library_seed_counts():
    x = images()
    loader = DataLoader(x, batch_size=64, transform=augment(shift(2)))
    minigrad.manual_seed(3)
    (first,), (second,) = *loader, *loader
    minigrad.manual_seed(3)
    ((again,),) = loader
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: shift(-1), ValueError, "shift: most must be 0 or more, got -1"),
        (lambda: shift(1.5), TypeError, "shift: most must be a whole number of pixels, got 1.5"),
        (lambda: noise(-0.1), ValueError, "noise: std must be a finite number >= 0, got -0.1"),
        (lambda: noise(np.nan), ValueError, "noise: std must be a finite number >= 0, got nan"),
        (lambda: augment(2), TypeError, "augment: expected changes such as shift.2., got 2"),
        (lambda: augment(shift(1))(np.ones((3, 64))), ValueError, "got shape .3, 64.: .*flatten=F"),
        (lambda: augment(shift(5))(images()), ValueError, "shift: .* larger than 5 pixels"),
        (lambda: augment(noise(1))(images(dtype=np.uint8)), TypeError, "uint8: .*normalize=True"),
    ],
)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
