"""Share each batch of the deep network among processes (the book, section 8.3.3).

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

EPOCHS, QUICK = {"digits": 60, "mnist": 2}, {"digits": 3, "mnist": 1}


def main():
    args = common.arguments(__doc__.splitlines()[0], EPOCHS, QUICK)
    minigrad.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))  # the cores are taken
    train, test = common.load(args, flatten=False)
    model = DeepConvNet(train[0].shape[1:])
    trainer = Trainer(model, optim.Adam(model.parameters()), distributed=True)
    loader = DataLoader(*train, batch_size=args.batch_size, shuffle=True)
    folder = args.out / f"mpi_{args.data}"
    history = trainer.fit(loader, test, epochs=args.epochs, checkpoints=folder)
    if distributed.rank() == 0:
        accuracy = f"{history['validation_accuracy'][-1]:.2%}"
        seconds = sum(history["seconds"])
        rate = len(history.epochs) * len(train[0]) / seconds
        row = [distributed.size(), accuracy, f"{seconds:.1f}", f"{rate:,.0f}"]
        print(common.table(["ranks", "test accuracy", "seconds", "images a second"], [row]))
        shows = "processes that share each batch learn what one would, sooner"
        result = f"test accuracy {accuracy} after {args.epochs} epochs on {row[0]} ranks"
        common.save_result(args, shows, result)


if __name__ == "__main__":
    main()
