"""The whole quantizer in one place: encode, assign to codebooks, decode."""

from typing import Any

import torch
from torch import Tensor

from sklearn_ddcl.layers import Codebook
from sklearn_ddcl.networks.random_module import RandomModule
from sklearn_ddcl.networks.table import TableSpec


class QuantizedAutoencoder(RandomModule):
    """Describe a row by codes from which it can be rebuilt.

    Parameters
    ----------
    spec : TableSpec
        Shape of the table.
    encoder : parameter object
        Such as `MLPAutoencoder`; ``encoder.build`` makes encoder and decoder.
    n_prototypes : int, default=64
        Number of prototypes of each codebook.
    n_codebooks : int, default=1
        Number of codebooks, hence of codes per row.
    quantization : {"product", "residual"}, default="product"
        How the codebooks share a latent.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Examples
    --------
    >>> from sklearn_ddcl.networks import MLPAutoencoder
    >>> encoder = MLPAutoencoder(d_hidden=16)
    >>> network = QuantizedAutoencoder(TableSpec(2, (3,)), encoder, n_codebooks=4)
    >>> numbers, categories = torch.zeros(5, 2), torch.zeros(5, 1, dtype=torch.int64)
    >>> codes = network.encode(numbers, categories)
    >>> codes.shape, network.decode(codes).shape
    (torch.Size([5, 4]), torch.Size([5, 5]))
    """

    def __init__(
        self,
        spec: TableSpec,
        encoder: Any,
        *,
        n_prototypes: int = 64,
        n_codebooks: int = 1,
        quantization: str = "product",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.spec = spec
        d_code = encoder.d_code or choose_d_code(n_codebooks, quantization)
        self.codebook = Codebook(
            n_codebooks,
            n_prototypes,
            d_code,
            quantization=quantization,
            generator=generator,
        )
        self.autoencoder = encoder.build(
            spec, latent_shape=(self.codebook.n_slots, d_code), generator=generator
        )

    def latents(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return the latents (B, S, d) of numbers (B, F) and categories (B, G)."""
        return self.autoencoder.encode(numbers, codes)

    def encode(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return the codes (B, M), int64, of rows."""
        return self.codebook.encode(self.latents(numbers, codes))

    def decode(self, codes: Tensor) -> Tensor:
        """Return what codes (B, M) stand for, as `rebuild` does."""
        return self.rebuild(self.codebook.decode(codes))

    def rebuild(self, latents: Tensor) -> Tensor:
        """Return a number per numerical column and a logit per category, (B, F + C)."""
        return self.autoencoder.decode(latents)

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return rows rebuilt from their softly quantized latents, (B, F + C)."""
        return self.rebuild(self.codebook(self.latents(numbers, codes)).latents)


def choose_d_code(n_codebooks: int, quantization: str) -> int:
    """Return how wide prototypes should be.

    Quantization costs more the more dimensions a codebook has to fill, a narrow latent
    costs more the fewer there are; about sixteen in all are a good compromise.

    Parameters
    ----------
    n_codebooks : int
        Number of codebooks.
    quantization : {"product", "residual"}
        With "product" each codebook has dimensions of its own.

    Returns
    -------
    d_code : int
        2 to 6 per codebook.
    """
    d_code = min(6, max(2, round(16 / n_codebooks)))
    return d_code if quantization == "product" else d_code * n_codebooks
