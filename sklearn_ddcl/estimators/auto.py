"""What parameters of estimators stand for."""

from typing import Any

import torch


def given(value: Any, usual: Any) -> Any:
    """Return a parameter, or what "auto" stands for.

    Parameters
    ----------
    value : object
        As given to the estimator.
    usual : object
        What "auto" stands for.

    Returns
    -------
    value : object
    """
    return usual if isinstance(value, str) and value == "auto" else value


def weight_dtype(precision: str) -> torch.dtype:
    """Return the type of the weights of a network.

    Parameters
    ----------
    precision : {"float32", "float64", "bf16"}
        As given to the estimator; "bf16" keeps weights in float32.

    Returns
    -------
    dtype : torch.dtype
    """
    return torch.float64 if precision == "float64" else torch.float32
