"""Turn dates into ISO form by seq2seq with attention (the book, volume 2, section 8.3).

One GRU reads the date, letter by letter in both directions; another writes it as 1994-09-27, and
at each letter looks at those that were read. The picture shows where it looks: the month is found
by its name, whatever comes before it.
"""

import datetime

import common
import numpy as np

from minigrad import functional as F
from minigrad import nn, no_grad, optim
from minigrad.training import Trainer

FORMS = ("%B %d, %Y", "%A, %B %d, %Y", "%d %b %Y", "%b %d, %Y", "%d.%m.%Y", "%m/%d/%y", "%Y%m%d")
FIRST, LAST = datetime.date(1970, 1, 1).toordinal(), datetime.date(2069, 1, 1).toordinal()
DATES, HELD_OUT = 20_000, 2_000
LONGEST, WRITTEN = 29, 10  # letters: "wednesday, september 30, 1998", "1998-09-30"
SHOWN = range(24, 30), [11], [8]  # lengths of the dates in the picture
WIDTH, HIDDEN = 16, 128
EPOCHS, QUICK = 8, 2
LETTERS = sorted(set(" ,./-0123456789abcdefghijklmnopqrstuvwxyz"))
START = LETTERS.index(" ")


def numbered(texts, length):
    """The number of each letter, with spaces after them up to a length."""
    return np.array([[LETTERS.index(c) for c in text.ljust(length)] for text in texts])


def dates(rng):
    """Different dates, each in some form, and in ISO form, as numbers of letters."""
    days = FIRST + rng.permutation(LAST - FIRST)[: DATES + HELD_OUT]
    forms = [FORMS[i] for i in rng.integers(len(FORMS), size=len(days))]
    days = [datetime.date.fromordinal(day) for day in days.tolist()]
    given = [day.strftime(form).lower() for day, form in zip(days, forms, strict=True)]
    return numbered(given, LONGEST), numbered([day.isoformat() for day in days], WRITTEN)


class Translator(nn.Module):
    """An encoder that reads, a decoder that writes, and attention of the second to the first."""

    def __init__(self):
        self.letters = nn.Embedding(len(LETTERS), WIDTH)
        self.encoder = nn.GRU(WIDTH, HIDDEN // 2, batch_first=True, bidirectional=True)
        self.decoder = nn.GRU(WIDTH, HIDDEN, batch_first=True)
        self.head = nn.Linear(2 * HIDDEN, len(LETTERS), init="xavier")

    def read(self, given):
        """What was read at each letter, and the state to begin to write with."""
        y, last = self.encoder(self.letters(given))
        return y, np.concatenate(list(last), axis=-1)[None]

    def write(self, before, read, state):
        """The next letter after each of those before it, where it looks, and the last state."""
        y, state = self.decoder(self.letters(before), state)
        looks = F.softmax(y @ np.swapaxes(read, 1, 2) / np.sqrt(HIDDEN), axis=-1)
        return self.head(np.concatenate([looks @ read, y], axis=-1)), looks, state

    def forward(self, given, before):
        """Learn to write each letter after the right ones before it."""
        return self.write(before, *self.read(given))[0]


def translated(model, given):
    """What the network writes, each letter after its own, and where it looked meanwhile."""
    letters, maps = [np.full((len(given), 1), START)], []
    with no_grad():
        read, state = model.read(given)
        for _ in range(WRITTEN):
            logits, looks, state = model.write(letters[-1], read, state)
            letters.append(logits.numpy().argmax(axis=-1))
            maps.append(looks.numpy())
    return np.concatenate(letters[1:], axis=1), np.concatenate(maps, axis=1)


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK, data=None)
    given, iso = dates(np.random.default_rng(args.seed))
    before = np.concatenate([np.full((len(iso), 1), START), iso[:, :-1]], axis=1)
    test, train = ([part[some] for part in (given, before, iso)]
                   for some in (slice(HELD_OUT), slice(HELD_OUT, None)))  # fmt: skip
    model = Translator()
    steps = args.epochs * -(-len(train[0]) // args.batch_size)
    optimizer = optim.Adam(model.parameters(), lr=0.004)
    schedule = optim.CosineDecay(optimizer, steps)
    trainer = Trainer(model, optimizer, schedule=schedule, max_grad_norm=5.0)
    trainer.fit(tuple(train), tuple(test), epochs=args.epochs, batch_size=args.batch_size)
    model.eval()
    found, maps = translated(model, given[:HELD_OUT])
    right = (found == iso[:HELD_OUT]).all(axis=1)

    texts = ["".join(LETTERS[i] for i in row) for row in given[:HELD_OUT]]
    texts = [text.strip() for text in texts]
    shown = [next(i for i, text in enumerate(texts) if len(text) in sizes) for sizes in SHOWN]
    rows = [[texts[i], "".join(LETTERS[c] for c in found[i]), right[i]] for i in shown]
    print(common.table(["date", "written", "right"], rows))
    print(f"\n{right.mean():.2%} of {HELD_OUT:,} held-out dates are right")
    with common.picture(args.out / "dates.png", 1, 3, (12, 5)) as panels:
        for axes, i, row in zip(panels, shown, rows, strict=False):
            length = len(row[0])
            common.show_image(axes, maps[i, :, :length].T, row[0], vmax=1, aspect="auto")
            axes.grid(visible=False)
            axes.set_yticks(range(length), row[0])
            axes.set_xticks(range(WRITTEN), row[1])
    shows = "attention finds day, month and year wherever they stand"
    common.save_result(args, shows, f"{right.mean():.2%} of {HELD_OUT:,} held-out dates are right")


if __name__ == "__main__":
    main()
