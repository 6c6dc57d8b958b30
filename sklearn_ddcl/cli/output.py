"""Where results go."""

import os
import tempfile
from pathlib import Path

from sklearn_ddcl.cli.messages import CommandError


def check_output(path: str, *inputs: str) -> None:
    """Raise unless a file can be written, before the work that it is for.

    Parameters
    ----------
    path : str
        File to be written.
    *inputs : str
        Files that are read and must not be overwritten.

    Raises
    ------
    CommandError
        If the folder is missing or closed, or the path is a folder or an input.
    """
    target = Path(path)
    if target.is_dir():
        raise CommandError(f"--out {path} is a folder; add a file name to it")
    if not target.parent.is_dir():
        raise CommandError(
            f"--out {path}: there is no folder {target.parent}; create it first"
        )
    for other in inputs:
        if target.exists() and os.path.exists(other) and target.samefile(other):
            raise CommandError(f"--out {path} is also read; choose another name")
    try:
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        raise CommandError(
            f"--out {path}: cannot write to the folder {target.parent} "
            f"({error.strerror}); choose another"
        ) from error
