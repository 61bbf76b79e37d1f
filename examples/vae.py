"""Draw digits from a plane, by a variational autoencoder (the book, volume 5, section 7).

An encoder says where on the plane an image lies, and how sure that is; a decoder draws an image
for each place. The loss is what a drawing lacks, and how far the places are from a normal
distribution: so that any place, not only those of images, gives a digit.
"""

from statistics import NormalDist

import common
import numpy as np

from minigrad import functional as F
from minigrad import nn, no_grad, optim
from minigrad.training import Trainer

EPOCHS, QUICK = {"digits": 150, "mnist": 30}, {"digits": 20, "mnist": 1}
HIDDEN, PLANE = 256, 2
EACH_WAY, COMPARED = 15, 2000  # drawings, and test images of which the nearest is sought


class VAE(nn.Module):
    def __init__(self, pixels, rng):
        self.encoder = nn.Sequential(
            nn.Linear(pixels, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * PLANE, init="xavier")
        )
        self.decoder = nn.Sequential(
            nn.Linear(PLANE, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(),
            nn.Linear(HIDDEN, pixels, init="xavier"),
        )  # fmt: skip
        self.rng = rng

    def forward(self, x):
        """The mean and the logarithm of the variance of each image's place."""
        y = self.encoder(x)
        return y[:, :PLANE], y[:, PLANE:]

    def loss(self, x, pixels):
        """Minus the bound of the log-probability of an image, in nats, the mean over a batch."""
        mean, log_var = self(x)
        noise = self.rng.standard_normal(mean.shape, np.float32)
        logits = self.decoder(mean + np.exp(0.5 * log_var) * noise)
        lacks = F.binary_cross_entropy_with_logits(logits, pixels, reduction="sum")
        far = 0.5 * np.sum(np.square(mean) + np.exp(log_var) - 1 - log_var)
        return (lacks + far) / len(pixels)


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK)
    (x, _), (x_test, t_test) = common.load(args)
    side = round(x.shape[1] ** 0.5)
    model = VAE(x.shape[1], np.random.default_rng(args.seed))
    trainer = Trainer(model, optim.Adam(model.parameters(), lr=0.002))
    test, options = (x_test, x_test), {"epochs": args.epochs, "batch_size": args.batch_size}
    before = trainer.evaluate(test)["loss"]
    trainer.fit((x, x), test, **options)
    after = trainer.evaluate(test)["loss"]
    places, t_test = trainer.predict(x_test[:COMPARED])[0], t_test[:COMPARED]
    away = np.sum(np.square(places[:, None] - places), axis=2)
    np.fill_diagonal(away, np.inf)
    alike = np.mean(t_test[away.argmin(axis=1)] == t_test)
    rows = [["before training", f"{before:.1f}"], ["after", f"{after:.1f}"]]
    print(common.table(["test images", "loss in nats"], rows))
    same = f"the nearest on the plane is the same digit for {alike:.2%}"
    print(f"\n{same}")

    with common.picture(args.out / "vae.png", 1, 2, (11, 5)) as (left, right):
        for digit in range(10):
            left.plot(*places[t_test == digit].T, ".", ms=4, alpha=0.6, label=digit)
        left.set(title="Where test images lie", xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
        left.legend(ncols=2, markerscale=2, fontsize=9)
        lines = [NormalDist().inv_cdf((i + 0.5) / EACH_WAY) for i in range(EACH_WAY)]
        points = np.array([(a, b) for b in lines[::-1] for a in lines], np.float32)
        with no_grad():
            drawn = F.sigmoid(model.decoder(points)).numpy()
        drawn = np.pad(drawn.reshape(-1, side, side), ((0, 0), (1, 1), (1, 1)))
        grid = drawn.reshape(EACH_WAY, EACH_WAY, *drawn.shape[1:]).swapaxes(1, 2)
        whole = grid.reshape(EACH_WAY * len(drawn[0]), -1)
        common.show_image(right, whole, "What is drawn from the plane")
    shows = "digits become places on a plane, and each place a digit"
    common.save_result(args, shows, f"{after:.1f} nats a test image, {before:.1f} before; {same}")


if __name__ == "__main__":
    main()
