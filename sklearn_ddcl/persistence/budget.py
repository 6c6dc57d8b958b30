"""A bound on the memory that rebuilding a network may take."""

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from sklearn_ddcl.persistence.errors import ModelFileError

_MAKERS = {
    *(torch.empty, torch.zeros, torch.ones, torch.full, torch.eye),
    *(torch.arange, torch.linspace, torch.rand, torch.randn),
    *(torch.Tensor.new_empty, torch.Tensor.new_zeros),
    *(torch.Tensor.new_ones, torch.Tensor.new_full),
}
_SPARE_BYTES = 2**24
_SPARE_CALLS = 1000


class MemoryBudget(TorchFunctionMode):
    """Refuse to make tensors that the numbers in a file do not account for.

    The sizes of a network stand in its file as integers, which cost nothing to write
    large. Every tensor that is made inside the ``with`` block is measured first.

    Parameters
    ----------
    n_bytes : int
        Size of the arrays in the file.
    n_arrays : int
        Number of these arrays.

    Examples
    --------
    >>> with MemoryBudget(n_bytes=4000, n_arrays=1):
    ...     weight = torch.empty(10, 100)
    >>> with MemoryBudget(n_bytes=4000, n_arrays=1):
    ...     torch.empty(10**6, 10**6)
    Traceback (most recent call last):
        ...
    sklearn_ddcl.persistence.errors.ModelFileError: describes a network of more ...
    """

    def __init__(self, n_bytes: int, n_arrays: int) -> None:
        super().__init__()
        # Building takes a few arrays for each that stays.
        self.bytes_left = 4 * n_bytes + _SPARE_BYTES
        self.calls_left = 20 * n_arrays + _SPARE_CALLS

    def __torch_function__(
        self,
        func: Callable,
        types: Any,
        args: tuple = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Measure what `func` would make, then call it."""
        kwargs = kwargs or {}
        if func in _MAKERS:
            without_memory = kwargs | {"device": "meta"}
            without_memory.pop("generator", None)
            self.bytes_left -= func(*args, **without_memory).nbytes
            self.calls_left -= 1
            if self.bytes_left < 0 or self.calls_left < 0:
                raise ModelFileError(
                    "describes a network of more numbers than it holds. It was changed."
                )
        return func(*args, **kwargs)
