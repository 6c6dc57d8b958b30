"""What is said to the user beside the results: errors, notes, suggestions."""

import difflib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class CommandError(Exception):
    """The command cannot be carried out with what it was given."""


@contextmanager
def blaming_the_input() -> Iterator[None]:
    """Turn what the library says about its input into a `CommandError`."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise CommandError(one_line(error)) from error


def one_line(text: Any) -> str:
    """Return the text of anything, line breaks and runs of spaces made one space."""
    return " ".join(str(text).split())


def note(text: str) -> None:
    """Print a remark where it does not mix with the results."""
    print(f"note: {text}", file=sys.stderr)


def count(n: int, noun: str, plural: str = "") -> str:
    """Return "1 row" or "1,234 rows"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listing(names: Iterable[Any], most: int = 12) -> str:
    """Return names with commas between them, and how many were left out."""
    names = [str(name) for name in names]
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def suggestion(name: str, known: Iterable[Any]) -> str:
    """Return "; did you mean 'age'?" when a known name is near, else nothing."""
    near = difflib.get_close_matches(name, [str(other) for other in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
