"""An optimizer goes on when a parameter has changed its shape."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def carry_over(
    optimizer: torch.optim.Optimizer,
    old: nn.Parameter,
    new: nn.Parameter,
    reshape: Callable[[Tensor], Tensor],
) -> None:
    """Put a parameter in the place of another one, with its moments.

    Parameters
    ----------
    optimizer : Optimizer
        Holds `old` in one of its groups.
    old, new : Parameter
        The parameter that was, and that is from now on.
    reshape : callable
        Maps a tensor of the old shape to the new one; what is new should be zero.

    Raises
    ------
    KeyError
        If the optimizer does not hold `old`.
    """
    for group in optimizer.param_groups:
        for place, param in enumerate(group["params"]):
            if param is old:
                group["params"][place] = new
                state = optimizer.state.pop(old, None)
                if state is not None:
                    optimizer.state[new] = {
                        name: reshape(value) if _is_moment(value, old) else value
                        for name, value in state.items()
                    }
                return
    raise KeyError("The optimizer does not hold the parameter that was replaced.")


def _is_moment(value: object, param: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == param.shape
