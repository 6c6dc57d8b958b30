"""One intra-op thread while a small network trains."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_inside = 0
_before = 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside the block and restore the count afterwards.

    Steps of these networks are too small to share: with two threads they take longer,
    with many processes ten times as long. One thread also makes the bits of a fit
    independent of how many there are. The count belongs to the process, so the first
    block in saves it and the last one out restores it.

    Yields
    ------
    None
    """
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = torch.get_num_threads()
        _inside += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            # The setting is kept per thread by OpenMP: each restores its own.
            torch.set_num_threads(_before)
