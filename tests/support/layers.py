"""Every layer, with shapes of inputs or the inputs themselves, the batch first."""

import numpy as np

from minigrad import nn

X, IMAGES = (5, 6), (2, 4, 7, 7)
CODES, LABELS, SEQUENCES = np.array([[0, 3], [4, 1]]), np.array([0, 3, 5, 1, 2]), (3, 4, 6)


def values(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def inputs_of(given):
    """Return arrays, of the shapes among what is given."""
    return [one if hasattr(one, "dtype") else values(one, i) for i, one in enumerate(given)]


class Steps(nn.Module):
    """A recurrent layer, of which both outputs are wanted."""

    def __init__(self, layer, lengths=None):
        self.layer, self.lengths = layer, lengths

    def forward(self, x):
        y, last = self.layer(x, lengths=self.lengths and np.full(x.shape[0], self.lengths))
        last = sum(np.sum(s, axis=0) for s in last) if isinstance(last, tuple) else last.sum(axis=0)
        return np.concatenate([y, np.expand_dims(last, 1) * np.ones((1, 4, 1), "f")], axis=-1)


class Attention(nn.Module):
    """Attention to itself, behind a mask that hides every key from the second step."""

    def __init__(self, **how):
        self.layer, self.how = nn.MultiheadAttention(6, 2, batch_first=True, rng=0), how

    def forward(self, x):
        return self.layer(x, **self.how)[0]


def recurrent(kind, **how):
    return kind(6, 5, batch_first=True, rng=0, **how)


LAYERS = {
    "GELU": (nn.Sequential(nn.GELU("tanh"), nn.GELU()), X),
    "AvgPool1d": (nn.AvgPool1d(3, 2, 1), SEQUENCES),
    "Conv1d": (nn.Conv1d(4, 3, 3, 2, 1, rng=0), SEQUENCES),
    "ELU": (nn.ELU(0.5), X),
    "Embedding": (nn.Embedding(5, 3, rng=0), CODES),
    "GRU": (Steps(recurrent(nn.GRU, num_layers=2)), SEQUENCES),
    "GroupNorm": (nn.GroupNorm(2, 4), IMAGES),
    "HingeLoss": (nn.HingeLoss(), X, X),
    "HuberLoss": (nn.HuberLoss(), X, X),
    "KLDivLoss": (nn.KLDivLoss(log_target=True), X, X),
    "L1Loss": (nn.L1Loss(), X, X),
    "LSTM": (Steps(recurrent(nn.LSTM, bidirectional=True)), SEQUENCES),
    "LayerNorm": (nn.LayerNorm((4, 6)), SEQUENCES),
    "MaxPool1d": (nn.MaxPool1d(3, 2, 1), SEQUENCES),
    "MultiheadAttention": (Attention(is_causal=True), SEQUENCES),
    "NLLLoss": (nn.NLLLoss(), X, LABELS),
    "RMSNorm": (nn.RMSNorm(6), X),
    "RNN": (Steps(recurrent(nn.RNN, nonlinearity="relu", bias=False)), SEQUENCES),
    "Residual": (nn.Residual(nn.Linear(6, 6, rng=0), nn.ReLU()), X),
    "SELU": (nn.SELU(), X),
    "SiLU": (nn.SiLU(), X),
    "TransformerEncoderLayer": (
        nn.TransformerEncoderLayer(6, 2, 8, activation="gelu", batch_first=True, rng=0),
        SEQUENCES,
    ),
    "UpsampleNearest": (nn.UpsampleNearest(2), IMAGES),
    "AvgPool2d": (nn.AvgPool2d(3, 2, 1), IMAGES),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), X, X),
    "BatchNorm1d": (nn.BatchNorm1d(6), X),
    "BatchNorm2d": (nn.BatchNorm2d(4), IMAGES),
    "Conv2d": (nn.Conv2d(4, 6, 3, (1, 2), "valid", 2, 2, rng=0), IMAGES),
    "ConvTranspose2d": (nn.ConvTranspose2d(4, 3, 3, 2, 1, 1, rng=0), IMAGES),
    "CrossEntropyLoss": (nn.CrossEntropyLoss(), X, LABELS),
    "Dropout": (nn.Dropout(0.3), X),
    "Dropout2d": (nn.Dropout2d(0.3), IMAGES),
    "Flatten": (nn.Flatten(), IMAGES),
    "GlobalAvgPool2d": (nn.GlobalAvgPool2d(), IMAGES),
    "Identity": (nn.Sequential(nn.Identity(), nn.ReLU()), X),
    "LeakyReLU": (nn.LeakyReLU(0.2), X),
    "Linear": (nn.Linear(6, 3, rng=0), (4, 5, 6)),
    "LocalResponseNorm": (nn.LocalResponseNorm(3), IMAGES),
    "LogSoftmax": (nn.LogSoftmax(), X),
    "MSELoss": (nn.MSELoss(), X, X),
    "MaxPool2d": (nn.MaxPool2d((3, 2), 2, 1), IMAGES),
    "ReLU": (nn.ReLU(), X),
    "Sequential": (nn.Sequential(nn.Linear(6, 3, rng=0), np.tanh), X),
    "Sigmoid": (nn.Sigmoid(), X),
    "Softmax": (nn.Softmax(), X),
    "Softplus": (nn.Softplus(), X),
    "SumSquaredError": (nn.SumSquaredError(), X, X),
    "Tanh": (nn.Tanh(), X),
}

HIDDEN = np.tril(np.ones((4, 4), bool), -1)  # the first step sees nothing
VARIANTS = {
    "lengths": (Steps(recurrent(nn.LSTM, bidirectional=True), 3), SEQUENCES),
    "lengths of a GRU": (Steps(recurrent(nn.GRU, bidirectional=True), 2), SEQUENCES),
    "nobody sees": (Attention(attn_mask=~HIDDEN), SEQUENCES),
    "scores": (Attention(attn_mask=values((4, 4))), SEQUENCES),
    "no weight": (nn.LayerNorm(6, elementwise_affine=False), X),
    "probabilities": (nn.KLDivLoss(), X, np.abs(values(X))),
    "summed": (nn.CrossEntropyLoss(reduction="sum"), X, LABELS),
    "each row": (nn.CrossEntropyLoss(reduction="none"), X, LABELS),
}  # fmt: skip
