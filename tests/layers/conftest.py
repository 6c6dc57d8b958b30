"""A generator of the test's own."""

import pytest
import torch


@pytest.fixture
def generator():
    """Return a seeded generator."""
    return torch.Generator().manual_seed(0)
