"""A row through tokens of its columns into a latent, and back through a perceptron."""

from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.even_linear import EvenLinear
from sklearn_ddcl.networks.autoencoders.mlp import perceptron
from sklearn_ddcl.networks.encoders.aot import AoTEncoder
from sklearn_ddcl.networks.encoders.incrt import INCRTEncoder
from sklearn_ddcl.networks.encoders.transformer import TransformerEncoder
from sklearn_ddcl.networks.table import TableSpec


class _TokenParameters:
    """What the parameters of an encoder of tokens need to be an autoencoder's."""

    d_code: int | None
    d_hidden: int

    def check(self) -> None:
        """Raise ValueError unless all fields are usable."""
        super().check()  # type: ignore[misc]
        self.check_at_least(d_hidden=1)  # type: ignore[attr-defined]
        if self.d_code is not None:
            self.check_at_least(d_code=1)  # type: ignore[attr-defined]

    def build(
        self,
        spec: TableSpec,
        *,
        latent_shape: tuple[int, int],
        generator: torch.Generator | None,
    ) -> nn.Module:
        """Return the autoencoder of a table."""
        tokens = super().build(spec, cls_token=False, generator=generator)  # type: ignore[misc]
        return _TokenAutoencoder(self, tokens, spec, latent_shape, generator)


@dataclass
class TransformerAutoencoder(_TokenParameters, TransformerEncoder):  # type: ignore[misc]
    """Parameters of ``encoder="transformer"`` of a quantizer.

    Those of :class:`~sklearn_ddcl.networks.TransformerEncoder`, and two more.

    Parameters
    ----------
    d_code : int or None, default=None
        Width of the prototypes, as for :class:`MLPAutoencoder`.
    d_hidden : int, default=256
        Width of the hidden layer of the way back.

    Examples
    --------
    >>> TransformerAutoencoder(n_layers=1).get_params()["d_hidden"]
    256
    """

    d_code: int | None = None
    d_hidden: int = 256


@dataclass
class AoTAutoencoder(_TokenParameters, AoTEncoder):  # type: ignore[misc]
    """Parameters of ``encoder="aot"`` of a quantizer.

    Those of :class:`~sklearn_ddcl.networks.AoTEncoder`, and two more.

    Parameters
    ----------
    d_code : int or None, default=None
        Width of the prototypes, as for :class:`MLPAutoencoder`.
    d_hidden : int, default=256
        Width of the hidden layer of the way back.
    """

    d_code: int | None = None
    d_hidden: int = 256


@dataclass
class INCRTAutoencoder(_TokenParameters, INCRTEncoder):  # type: ignore[misc]
    """Parameters of ``encoder="incrt"`` of a quantizer.

    Those of :class:`~sklearn_ddcl.networks.INCRTEncoder`, and two more.

    Parameters
    ----------
    d_code : int or None, default=None
        Width of the prototypes of the codebooks, as for :class:`MLPAutoencoder`.
    d_hidden : int, default=256
        Width of the hidden layer of the way back.
    """

    d_code: int | None = None
    d_hidden: int = 256


class _TokenAutoencoder(nn.Module):
    def __init__(
        self,
        params: Any,
        tokens: nn.Module,
        spec: TableSpec,
        latent_shape: tuple[int, int],
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        self.latent_shape = latent_shape
        self.tokens = tokens
        self.norm = nn.LayerNorm(params.d_token)
        d_latent = prod(latent_shape)
        self.squeeze = EvenLinear(
            spec.n_columns * params.d_token, d_latent, generator=generator
        )
        d_out = spec.n_numbers + sum(spec.cardinalities)
        self.decoder = perceptron([d_latent, params.d_hidden, d_out], generator)

    def encode(self, numbers: Tensor, codes: Tensor) -> Tensor:
        tokens = self.norm(self.tokens(numbers, codes))
        return self.squeeze(tokens.flatten(1)).unflatten(1, self.latent_shape)

    def decode(self, latents: Tensor) -> Tensor:
        return self.decoder(latents.flatten(1))
