"""Text that every Python has, its own manual, as numbers: one for each character, or each word."""

import re
from pydoc_data import topics

import numpy as np

HELD_OUT = 0.1  # of a text, its end


def manual(*chapters):
    """Chapters of Python's manual by their names in help(), or all of them, in one text."""
    return "\n\n".join(topics.topics[name] for name in chapters or sorted(topics.topics))


def numbered(text):
    """The different letters of a text, and for each place the number of its letter."""
    letters, codes = np.unique(list(text), return_inverse=True)
    return letters, codes.astype(np.int32)


def words(text, at_least):
    """The different words of a text, and the number of each, without those that are rare."""
    found = np.array(re.findall(r"[a-z_]+", text.lower()))
    _, codes, counts = np.unique(found, return_inverse=True, return_counts=True)
    found = found[counts[codes] >= at_least]
    return np.unique(found, return_inverse=True)


def split(codes):
    """A text's beginning, to learn from, and its end, to be measured by."""
    end = round(len(codes) * (1 - HELD_OUT))
    return codes[:end], codes[end:]


def streams(codes, n):
    """A text cut into `n` columns of equal length, which are read side by side."""
    return codes[: len(codes) // n * n].reshape(n, -1).T


def windows(codes, steps, every):
    """Pieces of a text, and the same pieces moved on by one: what comes next at each place."""
    pieces = np.lib.stride_tricks.sliding_window_view(codes, steps + 1)[::every]
    return pieces[:, :-1], pieces[:, 1:]


def drawn(logits, rng, temperature=0.8):
    """A number by the probabilities of a network; a low temperature prefers the likely ones."""
    p = np.exp((logits - logits.max()) / temperature, dtype=np.float64)
    return rng.choice(len(p), p=p / p.sum())
