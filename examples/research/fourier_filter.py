"""A low-pass filter whose edge is learnt: gradients through the Fourier transform and back."""

import numpy as np
import plots
from scipy.special import expit

from minigrad import value_and_grad


def filtered(p, signal, frequency):
    """Let through what is below an edge, with a slope."""
    return np.fft.irfft(np.fft.rfft(signal) * expit((p[0] - frequency) * np.exp(p[1])), len(signal))


def main():
    rng = np.random.default_rng(0)
    time = np.arange(512) / 512
    clean = np.sin(2 * np.pi * 3 * time) + 0.5 * np.cos(2 * np.pi * 8 * time)
    noisy = clean + 0.6 * rng.normal(size=512)
    frequency = np.fft.rfftfreq(512, 1 / 512)
    loss = value_and_grad(lambda p: np.mean((filtered(p, noisy, frequency) - clean) ** 2))
    p, losses = np.array([60.0, -2.0]), []
    for _ in range(400):
        value, g = loss(p)
        p = p - np.array([2e3, 2.0]) * g
        losses.append(value)
    with plots.picture(__doc__, "fourier_filter.png") as axes:
        axes.plot(time, noisy, color="0.8", label="measured")
        axes.plot(time, clean, lw=4, alpha=0.3, label="true")
        axes.plot(time, filtered(p, noisy, frequency), label=f"filtered above {p[0]:.0f}")
        axes.set(xlabel="time", title="the edge of the filter is learnt")
        axes.legend()
    print(f"error {losses[0]:.4f}, then {losses[-1]:.4f}; the edge went from 60 to {p[0]:.1f}")


if __name__ == "__main__":
    main()
