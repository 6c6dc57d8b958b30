"""Run a function in a forked process, whose CPU time and peak memory are its own."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any


def in_fork(function: Callable[..., Any], *args: Any) -> Any:
    """Return what a function returns in a copy of this process.

    Libraries need not be imported again, and arguments are there without being sent.

    Raises
    ------
    RuntimeError
        If the process ends without a result, because of an error, which it prints, or
        because it was killed.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, function, args))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise RuntimeError(
            f"{function.__name__} ended without a result in a forked process; see "
            "above."
        ) from None
    finally:
        process.join()


def _send(
    sender: Connection, function: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    sender.send(function(*args))
