"""A small image classifier, and what can shrink its images."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers import ContextPool2d

WIDTHS = (8, 16, 32)


class FixedPool2d(nn.Module):
    """ContextPool2d without adaptivity: one learned size, and pixels weigh alike."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.stride = 2
        self.raw = nn.Parameter(torch.zeros(()))
        self.register_buffer("distances", F.window_distances(self.stride))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to half the size."""
        small = images[:, 0, :: self.stride, :: self.stride]
        sizes = (0.3 + 2.0 * self.raw.sigmoid()).expand_as(small)
        logits = torch.zeros_like(images[:, 0])
        return F.pool_image(images, logits, sizes, self.distances, self.stride)


def shuffled_pool(n_channels: int) -> ContextPool2d:
    """Return a ContextPool2d whose neighbors are not neighbors.

    The pixels of a window other than its center trade places, always in the same way:
    a small size takes in pixels from anywhere in the window.
    """
    pool = ContextPool2d(n_channels)
    places = pool.distances.flatten()
    others = torch.arange(len(places))
    others = others[others != len(places) // 2]
    generator = torch.Generator().manual_seed(n_channels)
    drawn = others[torch.randperm(len(others), generator=generator)]
    places = places.clone()
    places[others] = pool.distances.flatten()[drawn]
    pool.distances = places.reshape_as(pool.distances)
    return pool


def _strided(n_channels: int) -> nn.Module:
    return nn.Conv2d(n_channels, n_channels, 3, stride=2, padding=1)


POOLS: dict[str, Callable[[int], nn.Module]] = {
    "max": lambda n_channels: nn.MaxPool2d(2, ceil_mode=True),
    "average": lambda n_channels: nn.AvgPool2d(2, ceil_mode=True),
    "strided convolution": _strided,
    "ContextPool2d": ContextPool2d,
    "one size": FixedPool2d,
    "shuffled": shuffled_pool,
}


def make_network(pool: str, n_channels: int, n_classes: int) -> nn.Sequential:
    """Return three convolutions, with a pooling after the first two."""
    layers: list[nn.Module] = []
    for block, width in enumerate(WIDTHS):
        layers += [
            nn.Conv2d(n_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        if block < len(WIDTHS) - 1:
            layers.append(POOLS[pool](width))
        n_channels = width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n_channels, n_classes)]
    return nn.Sequential(*layers)
