"""Corruption of rows by the cells of others."""

import torch

from sklearn_ddcl.training.data import Inputs


def swap_cells(inputs: Inputs, share: float, generator: torch.Generator) -> Inputs:
    """Replace some cells by those of other rows of the batch.

    What is put in occurs in the column, missing values included, but does not fit the
    rest of the row.

    Parameters
    ----------
    inputs : Inputs
        A batch; it is not changed.
    share : float
        Probability that a cell is replaced.
    generator : torch.Generator
        Source of the draws, on the device of the batch.

    Returns
    -------
    corrupted : Inputs
    """
    n_rows = len(inputs.numbers)
    device = inputs.numbers.device
    parts = []
    for cells in (inputs.numbers, inputs.codes):
        shape = cells.shape
        chosen = torch.rand(shape, generator=generator, device=device) < share
        donors = torch.randint(n_rows, shape, generator=generator, device=device)
        parts.append(torch.where(chosen, cells.gather(0, donors), cells))
    return Inputs(*parts)
