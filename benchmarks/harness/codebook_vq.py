"""VectorQuantize of vector-quantize-pytorch, trained on rows."""

from typing import Any

import numpy as np
import torch

BATCH_ROWS = 1024
# The settings of its documentation come first: the default decay, with k-means to
# start and codes that expire. A threshold counts rows of a batch, so that 2 is much
# for a thousand codes; the last gives it a better chance.
SETTINGS: dict[str, dict[str, Any]] = {
    "VQ:decay=0.8,expire=2": {"decay": 0.8, "threshold_ema_dead_code": 2},
    "VQ:decay=0.99,expire=2": {"decay": 0.99, "threshold_ema_dead_code": 2},
    "VQ:decay=0.99,expire=0.1": {"decay": 0.99, "threshold_ema_dead_code": 0.1},
}


def train_codebook(
    X: np.ndarray, n_codes: int, n_epochs: int, seed: int, **settings: Any
) -> np.ndarray:
    """Return the codebook after some epochs of shuffled batches.

    Parameters
    ----------
    X : ndarray of shape (n_rows, d)
    n_codes : int
    n_epochs : int
        Every row is seen so many times. The first batch also makes the start, with ten
        iterations of k-means.
    seed : int
        Of the library's draws and of the order of the rows.
    **settings
        Go to ``VectorQuantize``.
    """
    from vector_quantize_pytorch import VectorQuantize

    rows = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32))
    # The library draws from the global generator.
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        layer = VectorQuantize(
            dim=rows.shape[1],
            codebook_size=n_codes,
            kmeans_init=True,
            kmeans_iters=10,
            **settings,
        )
        layer.train()
        for _ in range(n_epochs):
            for batch in rows[torch.randperm(len(rows))].split(BATCH_ROWS):
                layer(batch[None])
        return layer.codebook.numpy().astype(np.float64)
