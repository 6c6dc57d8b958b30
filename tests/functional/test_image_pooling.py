"""Pooling of images beside a literal loop, and in its limits."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F

HEIGHT, WIDTH = 7, 6


@pytest.fixture
def images(generator):
    return torch.randn(2, 3, HEIGHT, WIDTH, generator=generator, dtype=torch.float64)


@pytest.fixture
def logits(generator):
    return torch.randn(2, HEIGHT, WIDTH, generator=generator, dtype=torch.float64)


def outputs(stride):
    return -(-HEIGHT // stride), -(-WIDTH // stride)


def sizes(value, stride):
    shape = (2, *outputs(stride))
    return torch.linspace(0.8, 1.2, np.prod(shape)).double().reshape(shape) * value


def literal(images, logits, sizes, window, stride):
    """Return the formula, pixel by pixel."""
    n_images, n_channels = images.shape[:2]
    height, width = outputs(stride)
    pooled = np.zeros((n_images, n_channels, height, width))
    for b in range(n_images):
        for i in range(height):
            for j in range(width):
                total = 0.0
                for r in range(HEIGHT):
                    for c in range(WIDTH):
                        down, right = r - stride * i, c - stride * j
                        if max(abs(down), abs(right)) > window:
                            continue
                        far = (down**2 + right**2) / (2 * sizes[b, i, j] ** 2)
                        weight = np.exp(logits[b, r, c]) * np.exp(-far)
                        pooled[b, :, i, j] += weight * images[b, :, r, c]
                        total += weight
                pooled[b, :, i, j] /= total
    return pooled


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (2, 2), (1, 3), (9, 2)])
@pytest.mark.parametrize("size", [0.5, 2.0])
def test_it_is_the_literal_formula(images, logits, window, stride, size):
    own = sizes(size, stride)
    expected = literal(images.numpy(), logits.numpy(), own.numpy(), window, stride)

    distances = F.window_distances(window).double()
    answer = F.pool_image(images, logits, own, distances, stride)

    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_tiny_size_takes_every_pixel_of_the_stride(images, logits, stride):
    own = sizes(0.02, stride)
    answer = F.pool_image(images, logits, own, F.window_distances(2), stride)

    assert torch.equal(answer, images[:, :, ::stride, ::stride])


def test_a_huge_size_and_equal_weights_give_the_mean_of_the_window(images, logits):
    own = sizes(1e8, 2)
    answer = F.pool_image(images, 0 * logits, own, F.window_distances(1), 2)

    inside = images[:, :, 1:4, 3:6].mean((2, 3))
    assert_close(answer[:, :, 1, 2], inside, rtol=0, atol=1e-12)
    corner = images[:, :, :2, :2].mean((2, 3))
    assert_close(answer[:, :, 0, 0], corner, rtol=0, atol=1e-12)


def test_a_window_over_everything_is_what_tokens_on_a_grid_get(images, logits):
    own = sizes(1.5, 1)
    rows, columns = torch.meshgrid(
        torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij"
    )
    places = torch.stack([rows.flatten(), columns.flatten()], 1).double()
    squared = (places[:, None] - places).square().sum(-1)
    weights = F.pooling_weights(logits.flatten(1), own.flatten(1), squared)
    expected = (weights @ images.flatten(2).transpose(1, 2)).transpose(1, 2)

    answer = F.pool_image(images, logits, own, F.window_distances(7).double())

    assert_close(answer.flatten(2), expected, rtol=0, atol=1e-12)


def test_gradients_are_those_of_the_differences(images, logits):
    images = images[:1, :1, :4, :3].clone().requires_grad_()
    logits = logits[:1, :4, :3].clone().requires_grad_()
    own = sizes(0.9, 2)[:1, :2, :2].clone().requires_grad_()

    def pooled(*x):
        return F.pool_image(*x, F.window_distances(1), 2)

    assert torch.autograd.gradcheck(pooled, [images, logits, own])
