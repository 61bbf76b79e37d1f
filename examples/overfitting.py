"""What the examples of overfitting share: few images, two runs, the gap between the curves."""

import common

from minigrad import manual_seed, optim
from minigrad.nn.models import MultiLayerNet
from minigrad.training import Trainer

IMAGES = {"digits": 100, "mnist": 300}
HIDDEN, LR = [100] * 6, 0.01
POINTS = 100  # of a curve


def accuracies(label, data, args, weight_decay=0.0, dropout=0.0):
    """Train with a remedy or none; return rows of epoch, train accuracy and test accuracy."""
    train, _ = data
    manual_seed(args.seed)
    model = MultiLayerNet(train[0].shape[1], HIDDEN, 10, dropout=dropout)
    optimizer = optim.SGD(model.parameters(), lr=LR, weight_decay=weight_decay)
    trainer = Trainer(model, optimizer, progress=False)
    rows, every = [], -(-args.epochs // POINTS)
    for epoch in common.progress(range(0, args.epochs, every), label):
        end = min(epoch + every, args.epochs)
        trainer.fit(train, epochs=end - epoch, batch_size=args.batch_size)
        rows.append([end, *(trainer.evaluate(part)["accuracy"] for part in data)])
    return rows


def run(description, name, remedy, epochs, quick):
    """Train without and with a remedy, `{its label: its arguments}`; show both."""
    args = common.arguments(description, epochs, quick)
    (x, t), test = common.load(args)
    n = IMAGES[args.data]
    data = (x[:n], t[:n]), test
    runs = {
        label: accuracies(label, data, args, **options)
        for label, options in {f"without {name}": {}, **remedy}.items()
    }
    table = []
    for label, ((*_, (_, train, held_out))) in runs.items():
        table.append([label, *(f"{a:.1%}" for a in (train, held_out, train - held_out))])
    print(common.table(["run", "train accuracy", "test accuracy", "gap"], table))

    title = f"{n} training images of {common.TITLES[args.data]}"
    path = args.out / f"{name.replace(' ', '_')}.png"
    with common.picture(path, 1, 2, (9, 4), title, sharey=True) as panels:
        for axes, (label, rows) in zip(panels, runs.items(), strict=True):
            epoch, train, held_out = zip(*rows, strict=True)
            axes.plot(epoch, train, color=common.COLORS[0], lw=2, label="train")
            axes.plot(epoch, held_out, "--", color=common.COLORS[1], lw=2, label="test")
            axes.fill_between(epoch, train, held_out, color="#808080", alpha=0.15, label="gap")
            axes.set(title=label, xlabel="epoch", ylim=(0, 1.02))
        panels[0].set_ylabel("accuracy")
        panels[0].legend(loc="lower right")
    gaps = "; ".join(f"{label}: {train} - {test} = {gap}" for label, train, test, gap in table)
    shows = f"{name} brings training and test accuracy closer together"
    common.save_result(args, shows, f"training accuracy - test accuracy, {gaps}")
