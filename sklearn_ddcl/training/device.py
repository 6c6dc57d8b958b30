"""Where the network runs."""

import torch


def resolve_device(device: str) -> torch.device:
    """Return the device that a name stands for.

    Parameters
    ----------
    device : str
        "auto" takes the current CUDA device when there is one and the CPU otherwise;
        anything else is a name that torch knows.

    Returns
    -------
    device : torch.device
        A device that can be used.

    Raises
    ------
    ValueError
        If the name is unknown or the device is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f'device={device!r} cannot be used here ({reason}). Use "auto" or "cpu", '
            "or install a torch build for it."
        ) from error
    return resolved
