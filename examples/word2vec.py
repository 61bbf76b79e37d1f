"""Learn what words mean from the words beside them, by word2vec (the book, volume 2, section 4.2).

The vectors of the words around a gap are averaged (CBOW), and tell the word that was there from
five drawn ones (negative sampling). Words that are used alike end up side by side: the picture
shows some words of Python's manual in the plane that separates them most.
"""

import common
import numpy as np
import texts

from minigrad import functional as F
from minigrad import nn, optim
from minigrad.data import DataLoader
from minigrad.training import Trainer

SIZE, WINDOW, DRAWN = 50, 4, 5  # numbers of a vector, words to each side, words drawn beside one
AT_LEAST = 10  # times that a word is found
EPOCHS, QUICK = 15, 3
PAIRS = [pair.split("-") for pair in (
    "list-tuple int-float true-false first-second left-right try-except if-else one-two "
    "bytes-bytearray class-function add-sub key-value and-or was-were can-may keys-values "
    "start-stop returns-return method-methods object-objects positive-negative"
).split()]  # fmt: skip
GROUPS = {
    "types": "list tuple dict set frozenset str bytes bytearray int float complex bool",
    "statements": "if else elif while for try except finally with raise return break continue",
    "numbers": "one two three four first second third last zero",
    "verbs": "is are was were be been has have can may must should will",
}


class Words(nn.Module):
    """Two tables of vectors: one for the words around, one for the word in the middle."""

    def __init__(self, count):
        self.around = nn.Embedding(count, SIZE, init=0.1)
        self.middle = nn.Embedding(count, SIZE, init=0.01)

    def forward(self, around, candidates):
        mean = self.around(around).mean(axis=1, keepdims=True)
        return np.sum(mean * self.middle(candidates), axis=2)


def gaps(codes):
    """The words around each place of a text, and the word in it."""
    pieces = np.lib.stride_tricks.sliding_window_view(codes, 2 * WINDOW + 1)
    return np.delete(pieces, WINDOW, axis=1), pieces[:, WINDOW]


def with_drawn(codes, rng):
    """What adds to each word in a gap those that are drawn, by the power 3/4 of how often."""
    shares = np.cumsum(np.bincount(codes) ** 0.75)

    def add(around, middle):
        drawn = np.searchsorted(shares, rng.random((len(middle), DRAWN)) * shares[-1])
        candidates = np.concatenate([middle[:, None], drawn], axis=1)
        return around, candidates, np.eye(1, 1 + DRAWN, dtype=np.float32).repeat(len(middle), 0)

    return add


def neighbours(vectors, word):
    """All words by the angle between their vectors and that of one of them, itself first."""
    return np.argsort(-(vectors @ vectors[word]))


def draw(path, names, vectors):
    """Words of some groups, where the plane of their two largest components shows them."""
    groups = {
        name: [list(names).index(word) for word in words.split() if word in names]
        for name, words in GROUPS.items()
    }
    some = vectors[np.concatenate(list(groups.values()))]
    plane = np.linalg.svd(some - some.mean(axis=0), full_matrices=False)[2][:2].T
    with common.picture(path, size=(8, 6)) as axes:
        for (group, codes), color in zip(groups.items(), common.COLORS, strict=False):
            axes.plot(*(vectors[codes] @ plane).T, "o", ms=3, color=color, label=group)
            for code in codes:
                axes.annotate(names[code], vectors[code] @ plane, color=color, fontsize=10)
        axes.set(title="Words of Python's manual", xticklabels=[], yticklabels=[])
        axes.legend()


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK, data=None, batch_size=200)
    names, codes = texts.words(texts.manual(), AT_LEAST)
    print(f"{len(codes):,} words, {len(names):,} different ones\n")
    rng = np.random.default_rng(args.seed)
    batches = DataLoader(
        *gaps(codes), batch_size=args.batch_size, shuffle=True, transform=with_drawn(codes, rng)
    )
    model = Words(len(names))
    optimizer = optim.Adam(model.parameters(), lr=0.003)
    trainer = Trainer(model, optimizer, F.binary_cross_entropy_with_logits)
    trainer.fit(batches, epochs=args.epochs)

    vectors = model.around.weight.data / np.linalg.norm(model.around.weight.data, axis=1)[:, None]
    place = {name: code for code, name in enumerate(names)}
    pairs = [pair for pair in PAIRS if place.keys() >= set(pair)]
    rows, ranks = [], []
    for one, other in pairs + [pair[::-1] for pair in pairs]:
        near = neighbours(vectors, place[one])
        ranks.append(int(np.flatnonzero(near == place[other])[0]))
        rows.append([one, ", ".join(names[near[1:4]]), other, ranks[-1]])
    print(common.table(["word", "nearest", "partner", "its rank"], rows[: len(pairs)]))
    draw(args.out / "word2vec.png", names, vectors)
    result = f"{np.median(ranks):.0f} is the median rank of a word among its partner's neighbours"
    shows = "words that are used alike have vectors side by side"
    common.save_result(args, shows, f"{result}, of {len(names) - 1:,}")


if __name__ == "__main__":
    main()
