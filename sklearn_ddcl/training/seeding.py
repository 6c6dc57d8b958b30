"""From scikit-learn's ``random_state`` to private torch generators."""

from typing import Any

import torch
from sklearn.utils import check_random_state


def draw_seed(random_state: Any) -> int:
    """Draw one seed from a scikit-learn random state.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        As everywhere in scikit-learn.

    Returns
    -------
    seed : int
        For :func:`make_generator`; an int always gives the same.
    """
    return int(check_random_state(random_state).randint(2**31 - 1))


def make_generator(seed: int, device: str | torch.device = "cpu") -> torch.Generator:
    """Return a generator of one's own, so that torch's global one stays untouched.

    Parameters
    ----------
    seed : int
        Seed.
    device : str or torch.device, default="cpu"
        Where the numbers are drawn.

    Returns
    -------
    generator : torch.Generator
        Freshly seeded.
    """
    return torch.Generator(device=device).manual_seed(seed)
