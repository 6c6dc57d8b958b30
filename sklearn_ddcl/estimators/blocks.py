"""Run a network over any number of rows, each as if it were alone."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

BLOCK_ROWS = 256


def run_in_blocks(
    function: Callable[[Tensor, Tensor], tuple[Tensor, ...]],
    numbers: Tensor,
    codes: Tensor,
    device: torch.device,
) -> tuple[Tensor, ...]:
    """Apply a function of rows to all rows, block by block.

    Every block has the same number of rows, the last one padded with zeros. Matrix
    products then run the same kernels whatever stands beside a row, so that its result
    is the same bit for bit.

    Parameters
    ----------
    function : callable
        Maps numbers (B, F) and codes (B, G) to tensors with B rows.
    numbers : Tensor of shape (n, F)
        Numbers.
    codes : Tensor of shape (n, G)
        Category codes.
    device : torch.device
        Where `function` runs.

    Returns
    -------
    outputs : tuple of Tensor
        On the CPU, n rows each.
    """
    pieces: list[list[Tensor]] = []
    for part_numbers, part_codes in _padded(numbers, codes):
        outputs = function(part_numbers.to(device), part_codes.to(device))
        pieces.append([output.cpu() for output in outputs])
    n_rows = len(numbers)
    return tuple(torch.cat(column)[:n_rows] for column in zip(*pieces, strict=True))


def _padded(numbers: Tensor, codes: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, len(numbers), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        lacking = BLOCK_ROWS - len(numbers[part])
        if not lacking:
            yield numbers[part], codes[part]
            continue
        padding = (0, 0, 0, lacking)
        yield (
            torch.nn.functional.pad(numbers[part], padding),
            torch.nn.functional.pad(codes[part], padding),
        )
