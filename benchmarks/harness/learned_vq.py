"""Hard vector quantizers in the same autoencoder, trained by straight-through."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.training import EncodedRows, make_generator, one_thread
from sklearn_ddcl.training.autoencoding.loss import row_losses, weighted_mean
from sklearn_ddcl.training.autoencoding.plan import AutoencoderPlan
from sklearn_ddcl.training.data import Batches

_ROWS_FOR_KMEANS = 2048
_CPU = torch.device("cpu")


class HardAutoencoder:
    """An autoencoder around `VectorQuantize`, with the network of ours.

    Weights start as ours do, batches come in the same order, optimizer and learning
    rates are the same, and so are the first epochs without any codebook. Where ours
    places its codebooks, k-means on 2,048 latents initializes these.

    Parameters
    ----------
    network : QuantizedAutoencoder
        Its encoder and decoder are trained; its codebook is not used.
    seed : int
        As of ours.
    **kwargs
        For ``vector_quantize_pytorch.VectorQuantize``.
    """

    def __init__(self, network: Any, seed: int, **kwargs: Any) -> None:
        from vector_quantize_pytorch import VectorQuantize

        n_books, n_codes, d_code = network.codebook.prototypes.shape
        self.network = network
        self.seed = seed
        self.quantizer = VectorQuantize(
            dim=n_books * d_code,
            codebook_dim=d_code,
            heads=n_books,
            separate_codebook_per_head=n_books > 1,
            codebook_size=n_codes,
            kmeans_init=True,
            **kwargs,
        )

    def fit(self, rows: np.ndarray, plan: AutoencoderPlan) -> "HardAutoencoder":
        """Train on rows (n, F)."""
        # The library draws k-means starts and expired codes from the global generator.
        with one_thread(), torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self._fit(_encoded(rows), plan)
        return self

    def _fit(self, rows: EncodedRows, plan: AutoencoderPlan) -> None:
        batches = Batches(rows, plan.batch_size, _CPU, make_generator(self.seed))
        n_steps, step = plan.max_epochs * len(batches), 0
        modules = (self.network.autoencoder, self.quantizer)
        params = [p for module in modules for p in module.parameters()]
        optimizer = torch.optim.AdamW(
            params, lr=plan.lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True
        )
        for epoch in range(plan.max_epochs):
            free = plan.phase(epoch) == "free"
            if epoch == plan.n_free:
                inputs, _ = rows[: min(_ROWS_FOR_KMEANS, len(rows))]
                with torch.no_grad():
                    self._quantize(self.network.latents(*inputs[:2]))
            for inputs, targets in batches:
                for group in optimizer.param_groups:
                    group["lr"] = plan.lr * plan.lr_factor(step, n_steps)
                latents = self.network.latents(*inputs[:2])
                penalty = latents.new_zeros(())
                if not free:
                    latents, _, penalty = self._quantize(latents)
                rebuilt = self.network.rebuild(latents)
                losses = row_losses(rebuilt, inputs, ())
                loss = weighted_mean(losses, targets.weights) + penalty.sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
        self.network.eval()
        self.quantizer.eval()

    def _quantize(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        quantized, codes, penalty = self.quantizer(latents.flatten(1)[:, None])
        shape = latents.shape
        return quantized.reshape(shape), codes.reshape(shape[:2]), penalty

    def rebuild(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return rows rebuilt from their codes, and the codes (n, M)."""
        rebuilt, codes = [], []
        with one_thread(), torch.no_grad():
            for inputs, _ in Batches(_encoded(rows), 1024, _CPU):
                quantized, own, _ = self._quantize(self.network.latents(*inputs[:2]))
                rebuilt.append(self.network.rebuild(quantized))
                codes.append(own)
        return torch.cat(rebuilt).numpy(), torch.cat(codes).numpy()


def _encoded(rows: np.ndarray) -> EncodedRows:
    n_rows = len(rows)
    return EncodedRows(
        torch.from_numpy(rows),
        torch.empty(n_rows, 0, dtype=torch.int64),
        torch.zeros(n_rows, dtype=torch.int64),
        torch.ones(n_rows),
    )


COMPETITORS: dict[str, dict[str, Any]] = {
    "hard VQ, EMA": {
        "decay": 0.9,
        "commitment_weight": 0.25,
        "threshold_ema_dead_code": 2,
        "rotation_trick": False,
    },
    "hard VQ, EMA, rotation trick": {
        "decay": 0.9,
        "commitment_weight": 0.25,
        "threshold_ema_dead_code": 2,
        "rotation_trick": True,
    },
    "hard VQ, gradient": {
        "learnable_codebook": True,
        "ema_update": False,
        "commitment_weight": 0.25,
        "rotation_trick": False,
    },
}
"""Names of hard quantizers and their options; k-means initializes all of them."""
