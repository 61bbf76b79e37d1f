"""Fast NumPy code on plain arrays, without derivatives: convolution, pooling, threads."""
