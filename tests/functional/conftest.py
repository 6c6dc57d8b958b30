"""Small worlds of tokens and prototypes."""

import pytest
import torch


@pytest.fixture
def generator():
    """Return a generator of the test's own."""
    return torch.Generator().manual_seed(0)


@pytest.fixture
def z(generator):
    """Return 40 tokens in 5 dimensions, float64."""
    return torch.randn(40, 5, generator=generator, dtype=torch.float64)


@pytest.fixture
def prototypes(generator):
    """Return 6 prototypes in 5 dimensions, float64."""
    return torch.randn(6, 5, generator=generator, dtype=torch.float64)


@pytest.fixture
def blobs(generator):
    """Return 180 tokens in three far, elongated groups of the plane, float64."""
    centers = torch.tensor([[0.0, 0.0], [6.0, 0.0], [0.0, 8.0]], dtype=torch.float64)
    noise = torch.randn(3, 60, 2, generator=generator, dtype=torch.float64)
    return (centers[:, None] + noise * noise.new_tensor([1.0, 0.5])).reshape(-1, 2)


@pytest.fixture
def near_mean(generator):
    """Return six prototypes a hair away from the mean of given tokens."""

    def place(tokens, scale=1e-3):
        noise = torch.randn(6, tokens.shape[1], generator=generator, dtype=tokens.dtype)
        return tokens.mean(0) + scale * noise

    return place
