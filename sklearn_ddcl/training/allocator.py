"""Memory that a step frees is kept for the next one."""

import torch

_BLOCK_BYTES = 31 * 2**20


def keep_freed_memory() -> None:
    """Let the allocator of the C library keep what is freed, up to some 60 MB.

    Intermediate results of a step are some megabytes each. GNU's library returns blocks
    of that size to the system as soon as they are free, and the next step gets them
    back page by page, which took up to a fifth of a fit. It stops to do so below the
    size of the largest block that was ever freed, if that was less than 32 MB. Other
    libraries do not mind.
    """
    torch.empty(_BLOCK_BYTES, dtype=torch.uint8)
