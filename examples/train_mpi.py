"""Train the book's deep network on several processes, each with its part of every batch.

    mpiexec -n 4 python examples/train_mpi.py

The processes may be on several machines. A run that was stopped goes on when it is started again.
"""

import os

import common

import minigrad
from minigrad import distributed, optim
from minigrad.data import DataLoader
from minigrad.nn.models import DeepConvNet
from minigrad.training import Trainer

EPOCHS, QUICK = {"digits": 60, "mnist": 20}, {"digits": 3, "mnist": 1}

if __name__ == "__main__":
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK)
    minigrad.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))  # the cores are taken
    train, test = common.load(args, flatten=False)
    model = DeepConvNet(train[0].shape[1:])
    trainer = Trainer(model, optim.Adam(model.parameters(), lr=0.001), distributed=True)
    loader = DataLoader(*train, batch_size=args.batch_size, shuffle=True)
    history = trainer.fit(loader, test, epochs=args.epochs, checkpoints=args.out / "mpi")
    if distributed.rank() == 0:
        accuracy = history["validation_accuracy"][-1]
        seconds = sum(history["seconds"])
        rate = len(history.epochs) * len(train[0]) / seconds
        print(
            f"{distributed.size()} ranks: test accuracy {accuracy:.2%} after {args.epochs} epochs, "
            f"{seconds:.0f} seconds, {rate:,.0f} images a second"
        )
