"""Learn Python's manual letter by letter, by RNN, LSTM and GRU (the book, volume 2, section 6.1).

Thirty-two streams of text go through each network, 35 letters at a time: its state is carried on,
its gradient is cut off there. Multiplied by the same weights at every step, a gradient vanishes or
explodes on its way back in time: the gates of LSTM and GRU keep more of it.
"""

import common
import numpy as np
import texts

from minigrad import Tensor, manual_seed, nn, no_grad, optim
from minigrad import functional as F
from minigrad.training import smooth

CHAPTER, STEPS, WIDTH, HIDDEN = "compound", 35, 32, 128  # on compound statements
EPOCHS, QUICK = 40, 2
BACK, FAR = 60, 50  # steps that a gradient is followed back, and those of the table
SCALES = 0.5, 1, 2, 4  # of the recurrent weights
KINDS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}


class Writer(nn.Module):
    def __init__(self, kind, letters):
        self.letters = nn.Embedding(letters, WIDTH)
        self.layer, self.head = kind(WIDTH, HIDDEN), nn.Linear(HIDDEN, letters, init="xavier")

    def forward(self, codes, state=None):
        y, state = self.layer(self.letters(codes), state)
        return self.head(y), state


def detached(state):
    """A state without what it was computed from: here backpropagation is truncated."""
    return tuple(map(detached, state)) if isinstance(state, tuple) else state.detach()


def train(model, codes, args, name):
    columns, losses = texts.streams(codes, args.batch_size), []
    optimizer = optim.Adam(model.parameters(), lr=0.003)
    starts = range(0, len(columns) - STEPS, STEPS)
    schedule = optim.CosineDecay(optimizer, args.epochs * len(starts))
    for _ in common.progress(range(args.epochs), f"{name:4}"):
        state = None
        for i in starts:
            logits, state = model(columns[i : i + STEPS], state)
            loss = F.cross_entropy(logits, columns[i + 1 : i + STEPS + 1])
            optimizer.zero_grad()
            loss.backward()
            optim.clip_grad_norm(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            state = detached(state)
            losses.append(loss.item())
    return losses


def measured(model, codes):
    """The loss of a text that is read from its beginning to its end."""
    columns = texts.streams(codes, 4)
    with no_grad():
        return F.cross_entropy(model(columns[:-1])[0], columns[1:]).item()


def heard(model, codes):
    """The gradient of the last letter's loss by each letter before it, beside the nearest one."""
    columns = texts.windows(codes, BACK, BACK)[0].T
    x = Tensor(model.letters.weight.data[columns], requires_grad=True)
    y, _ = model.layer(x)
    F.cross_entropy(model.head(y[-2]), columns[-1]).backward()
    sizes = np.sqrt(np.sum(np.square(x.grad.numpy()), axis=(1, 2)))[-2::-1]
    return sizes / sizes[0]


def at_first(letters, codes, seed):
    """The same of an RNN before training, by the largest eigenvalue of its recurrent weights."""
    curves = {}
    for scale in SCALES:
        manual_seed(seed)
        model = Writer(nn.RNN, letters)
        model.layer.weight_hh_l0.data[...] *= scale
        largest = np.abs(np.linalg.eigvals(model.layer.weight_hh_l0.data)).max()
        curves[f"eigenvalue {largest:.1f}"] = heard(model, codes)
    return curves


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK, data=None, batch_size=32)
    letters, codes = texts.numbered(texts.manual(CHAPTER))
    train_codes, held_out = texts.split(codes)
    rows, losses, after = [], {}, {}
    for name, kind in KINDS.items():
        manual_seed(args.seed)
        model = Writer(kind, len(letters))
        losses[name], after[name] = train(model, train_codes, args, name), heard(model, held_out)
        ends = [f"{measured(model, part):.2f}" for part in (train_codes, held_out)]
        rows.append([name, *ends, f"{after[name][FAR]:.1e}"])
    print(common.table(["network", "loss", "held out", f"gradient {FAR} steps back"], rows))

    before = at_first(len(letters), held_out, args.seed)
    with common.picture(args.out / "characters.png", 1, 3, (13, 4)) as (left, middle, right):
        for (name, values), color in zip(losses.items(), common.COLORS, strict=False):
            left.plot(smooth(values), color=color, label=name)
        left.set(title="Loss of the next letters", xlabel="step", ylabel="loss")
        for axes, curves in ((middle, before), (right, after)):
            for (name, values), color in zip(curves.items(), common.COLORS, strict=False):
                axes.semilogy(values, color=color, label=name)
            axes.set(xlabel="steps back in time", ylabel="gradient, of that at the end")
        middle.set(title="RNN before training, by weights", ylim=(1e-12, 1e12))
        right.set(title="After training", ylim=(1e-6, 2))
        for axes, place in ((left, "best"), (middle, "upper left"), (right, "best")):
            axes.legend(loc=place)
    kept = ", ".join(f"{name} {loss} ({far})" for name, _, loss, far in rows)
    shows = "gradients vanish or explode on their way back in time; gates keep more of them"
    common.save_result(args, shows, f"held-out loss (gradient left {FAR} steps back): {kept}")


if __name__ == "__main__":
    main()
