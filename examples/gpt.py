"""Train a small GPT on a chapter of Python's manual (the book, volume 2, section 8.5.2).

Letters become vectors, their places are added, and in each layer every place looks at those before
it. The chapter is short: the network learns it by heart, and the loss of its last tenth, which is
held out, shows from when on. At the end it writes.
"""

from functools import partial

import common
import numpy as np
import texts

from minigrad import nn, no_grad, optim
from minigrad.data import DataLoader
from minigrad.training import Trainer

CHAPTER, STEPS = "compound", 64  # on compound statements; letters that are seen at once
WIDTH, HEADS, LAYERS = 128, 4, 2
EPOCHS, QUICK = 50, 2
WRITTEN, ROWS = 400, 20  # letters of the sample, and points of the curves


class GPT(nn.Module):
    def __init__(self, letters):
        self.letters = nn.Embedding(letters, WIDTH, init=0.02)
        self.places = nn.Embedding(STEPS, WIDTH, init=0.02)
        options = {"dropout": 0.0, "activation": "gelu", "batch_first": True, "norm_first": True}
        layer = partial(nn.TransformerEncoderLayer, WIDTH, HEADS, 4 * WIDTH, **options)
        self.layers = [layer() for _ in range(LAYERS)]
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, letters, init=0.02)

    def forward(self, codes):
        x = self.letters(codes) + self.places.weight[: codes.shape[1]]
        for layer in self.layers:
            x = layer(x, is_causal=True)
        return self.head(self.norm(x))


def written(model, codes, rng):
    """What the network writes after some letters."""
    model.eval()
    with no_grad():
        for _ in range(WRITTEN):
            logits = model(codes[None, -STEPS:]).numpy()[0, -1]
            codes = np.append(codes, texts.drawn(logits, rng))
    return codes


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK, data=None, batch_size=16)
    letters, codes = texts.numbered(texts.manual(CHAPTER))
    train, held_out = texts.split(codes)
    parts = {"training": train, "held out": held_out}
    data = {name: texts.windows(part, STEPS, STEPS) for name, part in parts.items()}
    anywhere = texts.windows(train, STEPS, 1)
    batches = DataLoader(*anywhere, batch_size=args.batch_size, shuffle=True)
    model = GPT(len(letters))
    count = sum(parameter.size for parameter in model.parameters())
    print(f"{len(codes):,} letters, {len(letters)} different ones; {count:,} parameters\n")

    steps = -(-args.epochs * len(train) // (args.batch_size * STEPS))
    optimizer = optim.AdamW(model.parameters(), lr=0.003, beta2=0.99)
    schedule = optim.WarmUp(optimizer, 1 + steps // 20, optim.CosineDecay(optimizer, steps))
    options = {"schedule": schedule, "max_grad_norm": 1.0, "metrics": {}}
    trainer = Trainer(model, optimizer, **options)
    often = {"steps": steps, "validate_every": steps // ROWS}
    history = trainer.fit(batches, data["held out"], **often)
    loss = {name: f"{trainer.evaluate(part)['loss']:.3f}" for name, part in data.items()}
    rows = [[name, f"{len(part):,}", loss[name]] for name, part in parts.items()]
    print(common.table(["part", "letters", "loss"], rows))
    sample = written(model, held_out[:STEPS], np.random.default_rng(args.seed))
    print("\n" + "".join(letters[sample[STEPS:]]))

    with common.picture(args.out / "gpt.png") as axes:
        for name, color in (("loss", common.COLORS[0]), ("validation_loss", common.COLORS[1])):
            values = [row[name] for row in history.epochs]
            label = "training" if name == "loss" else "held out"
            axes.plot([row["step"] for row in history.epochs], values, color=color, label=label)
        axes.set(title=f"A small GPT, {len(codes):,} letters", xlabel="step", ylabel="loss")
        axes.set_ylim(bottom=0)
        axes.legend()
    shows = "attention to the letters before learns a chapter by heart"
    least = f"{min(history['validation_loss']):.3f}"
    result = f"loss after {steps} steps: training {loss['training']}, held out {loss['held out']}"
    common.save_result(args, shows, f"{result} ({least} at its lowest)")


if __name__ == "__main__":
    main()
