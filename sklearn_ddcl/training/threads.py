"""One intra-op thread while a small network trains."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_here = threading.local()
_inside = 0
_before = 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside the block and restore the count afterwards.

    Steps of these networks are too small to share: with two threads they take longer,
    with many processes ten times as long. One thread also makes the bits of a fit
    independent of how many there are. Blocks may be nested and run in several threads
    at once; the first one in saves the count, and every thread restores it.

    Yields
    ------
    None
    """
    global _inside, _before
    if getattr(_here, "inside", False):
        yield
        return
    with _lock:
        # Asked in any case: the first question makes torch set up this thread, which
        # would undo the setting later.
        count = torch.get_num_threads()
        if _inside == 0:
            _before = count
        _inside += 1
        torch.set_num_threads(1)
    _here.inside = True
    try:
        yield
    finally:
        _here.inside = False
        with _lock:
            _inside -= 1
            # The setting is kept per thread by OpenMP: each restores its own.
            torch.set_num_threads(_before)
