"""What may hold documents: anything that can be visited, but no table."""

from collections.abc import Iterable
from typing import Any

WHAT = (
    "Expected documents of embedded tokens, each an array of shape (n_tokens, d) or "
    "sentences that are"
)


def check_sequence(documents: Any) -> Any:
    """Return documents that can be counted, indexed and visited more than once.

    Parameters
    ----------
    documents : sequence
        Lists, tuples, arrays of objects, 3-d arrays, or anything with a length and
        items.

    Returns
    -------
    documents : sequence
        The same, or their values if they are a pandas Series.

    Raises
    ------
    ValueError
        If they are no sequence, or a 2-d table, or there is none.
    """
    documents = check_iterable(documents)
    if not (hasattr(documents, "__len__") and hasattr(documents, "__getitem__")):
        raise ValueError(
            "fit visits documents several times and needs a sequence, such as a list; "
            f"got a {type(documents).__name__}. Only transform takes a stream."
        )
    if len(documents) == 0:
        raise ValueError("Got no documents; at least one is needed.")
    return documents


def check_iterable(documents: Any) -> Any:
    """Return documents that can be visited at least once, or say what is wrong.

    Parameters
    ----------
    documents : iterable
        Anything but a table.

    Returns
    -------
    documents : iterable
    """
    if hasattr(documents, "iloc"):
        documents = documents.to_numpy()
    # Of what has no shape it is longer than that of a table.
    shape = tuple(getattr(documents, "shape", (0, 0, 0)))
    is_table = len(shape) < 3 and is_numeric(documents)
    if is_table or isinstance(documents, str) or not is_iterable(documents):
        got = f"an array of shape {shape}" if is_table else kind_of(documents)
        raise ValueError(
            f"{WHAT}; got {got}. If every row is a document of one token, give "
            "X[:, None]; a single document goes into a list."
        )
    return documents


def is_numeric(values: Any) -> bool:
    """Tell whether something is an array, a tensor or a frame of plain values."""
    if hasattr(values, "iloc"):
        return True
    dtype = getattr(values, "dtype", None)
    return dtype is not None and getattr(dtype, "kind", "f") != "O"


def is_iterable(value: Any) -> bool:
    """Tell whether something has parts that can be visited."""
    return isinstance(value, Iterable)


def kind_of(value: Any) -> str:
    """Return what to call something in a message."""
    return "text" if isinstance(value, str | bytes) else f"a {type(value).__name__}"
