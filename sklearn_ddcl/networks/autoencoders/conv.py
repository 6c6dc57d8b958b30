"""A small image through strided convolutions into a latent, and back."""

from dataclasses import dataclass
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from sklearn_ddcl.networks.autoencoders.mlp import PlainNumbers, perceptron
from sklearn_ddcl.networks.parameters import Parameters
from sklearn_ddcl.networks.table import TableSpec


@dataclass
class ConvAutoencoder(Parameters):
    """Parameters of ``encoder="conv"`` of a quantizer, for rows that are images.

    Parameters
    ----------
    image_shape : tuple of int, default=(28, 28)
        Height and width, and the number of channels if there are several. The pixels
        of a row are in this order, channels last.
    channels : tuple of int, default=(16, 32)
        Channels of the convolutions; each halves height and width.
    d_hidden : int, default=128
        Width of the layer between convolutions and latent.
    d_code : int or None, default=None
        Width of the prototypes, as of `MLPAutoencoder`.

    Examples
    --------
    >>> ConvAutoencoder(image_shape=(8, 8, 3)).get_params()["channels"]
    (16, 32)
    """

    image_shape: tuple[int, ...] = (28, 28)
    channels: tuple[int, ...] = (16, 32)
    d_hidden: int = 128
    d_code: int | None = None

    needs_knots = False
    n_bins = 1

    def check(self) -> None:
        """Raise ValueError unless all fields are usable."""
        self.check_at_least(d_hidden=1)
        if self.d_code is not None:
            self.check_at_least(d_code=1)
        self._check_sizes("image_shape", self.image_shape, (2, 3))
        self._check_sizes("channels", self.channels, range(1, 9))

    def _check_sizes(self, name: str, sizes: object, lengths: object) -> None:
        whole = isinstance(sizes, tuple | list) and all(
            isinstance(size, int) and size >= 1 for size in sizes
        )
        if not whole or len(sizes) not in lengths:  # type: ignore[arg-type,operator]
            wanted = "2 or 3" if name == "image_shape" else "1 to 8"
            raise ValueError(
                f"ConvAutoencoder.{name} must hold {wanted} positive integers, got "
                f"{sizes!r}."
            )

    def build(
        self,
        spec: TableSpec,
        *,
        latent_shape: tuple[int, int],
        generator: torch.Generator | None,
    ) -> nn.Module:
        """Return the autoencoder of a table of images."""
        if spec.n_numbers != prod(self.image_shape) or spec.cardinalities:
            raise ValueError(
                f"Images of shape {tuple(self.image_shape)} have "
                f"{prod(self.image_shape)} numbers per row, but the table has "
                f"{spec.n_numbers} numerical and {len(spec.cardinalities)} categorical "
                "columns. Set image_shape=(height, width) or (height, width, channels)."
            )
        return _ConvAutoencoder(self, latent_shape, generator)


class _ConvAutoencoder(nn.Module):
    def __init__(
        self,
        params: ConvAutoencoder,
        latent_shape: tuple[int, int],
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        height, width, *colors = params.image_shape
        self.image_shape = (height, width, *(colors or [1]))
        self.latent_shape = latent_shape
        self.missing = PlainNumbers(prod(self.image_shape))
        # Sizes after every halving; odd ones are rounded up.
        self.sizes = [(height, width)]
        for _ in params.channels:
            height, width = -(-height // 2), -(-width // 2)
            self.sizes.append((height, width))
        channels = [self.image_shape[2], *params.channels]
        self.down = nn.ModuleList(
            _conv(nn.Conv2d, before, after, generator)
            for before, after in pairwise(channels)
        )
        self.up = nn.ModuleList(
            _conv(nn.ConvTranspose2d, after, before, generator)
            for before, after in reversed(list(pairwise(channels)))
        )
        self.map_shape = (channels[-1], *self.sizes[-1])
        d_map, d_latent = prod(self.map_shape), prod(latent_shape)
        self.narrow = perceptron([d_map, params.d_hidden, d_latent], generator)
        self.widen = perceptron([d_latent, params.d_hidden, d_map], generator)

    def encode(self, numbers: Tensor, codes: Tensor) -> Tensor:
        x = self.missing(numbers).unflatten(1, self.image_shape).permute(0, 3, 1, 2)
        for conv in self.down:
            x = conv(x).relu()
        return self.narrow(x.flatten(1)).unflatten(1, self.latent_shape)

    def decode(self, latents: Tensor) -> Tensor:
        x = self.widen(latents.flatten(1)).unflatten(1, self.map_shape)
        for conv, size in zip(self.up, reversed(self.sizes[:-1]), strict=True):
            x = conv(x.relu(), output_size=size)
        return x.permute(0, 2, 3, 1).flatten(1)


def _conv(
    kind: type[nn.Module], n_in: int, n_out: int, generator: torch.Generator | None
) -> nn.Module:
    conv = nn.utils.skip_init(kind, n_in, n_out, 3, stride=2, padding=1)
    bound = (n_in * 9) ** -0.5
    with torch.no_grad():
        conv.weight.uniform_(-bound, bound, generator=generator)
        conv.bias.zero_()
    return conv
