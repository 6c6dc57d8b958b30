"""Tasks whose number of directions is known, and a network that can grow."""

import pytest
import torch
from torch import nn

from sklearn_ddcl.layers import GrowingAttention

D_TOKEN, N_TOKENS = 12, 6


@pytest.fixture
def generator():
    """Return a seeded generator."""
    return torch.Generator().manual_seed(1)


@pytest.fixture
def teacher(generator):
    """Return a function that makes a task of as many heads as wanted."""

    def make(n_heads, n_rows, noise=0.3):
        frames = [
            torch.linalg.qr(torch.randn(D_TOKEN, D_TOKEN, generator=generator)).Q
            for _ in range(4)
        ]
        query, key, value, out = (frame[:, :n_heads] for frame in frames)
        x = torch.randn(n_rows, N_TOKENS, D_TOKEN, generator=generator)
        logits = 3 * torch.einsum("bih,bjh->bhij", x @ query, x @ key)
        mixed = torch.einsum("bhij,bjh->bih", logits.softmax(-1), x @ value)
        y = mixed @ out.T
        y = y / y.std()
        return x, y + noise * torch.randn(y.shape, generator=generator)

    return make


class Student(nn.Module):
    """Attention that grows, beside a linear map."""

    def __init__(self, generator, n_heads=1):
        super().__init__()
        self.attention = GrowingAttention(
            D_TOKEN, n_heads=n_heads, d_head=6, generator=generator
        )
        self.linear = nn.Linear(D_TOKEN, D_TOKEN)
        with torch.no_grad():
            self.linear.weight.zero_()
            self.linear.bias.zero_()

    def forward(self, x):
        """Map tokens to tokens."""
        return self.attention(x) - x + self.linear(x)


@pytest.fixture
def student(generator, torch_seed):
    """Return a network with a single head."""
    return Student(generator)
