"""CSV tables, read without guessing: every surprise is an error with its line."""

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from sklearn_ddcl.cli.messages import CommandError, count, listing, note, suggestion

_GZIP_MAGIC = b"\x1f\x8b"
_FOREIGN_SEPARATORS = ";\t|"


class Table(NamedTuple):
    """A table of text, missing where a cell is empty or spells "NA", "nan", ..."""

    path: str
    cells: pd.DataFrame
    lines: list[int]
    """Where in the file each row ends."""

    def require(self, names: Sequence[str], option: str) -> None:
        """Raise `CommandError` unless all columns exist."""
        for name in names:
            if name not in self.cells:
                known = self.cells.columns
                raise CommandError(
                    f"{option}: {self.path} has no column {name!r}, it has "
                    f"{listing(known)}{suggestion(name, known)}"
                )

    def take(self, rows: np.ndarray) -> "Table":
        """Return some of the rows, by position."""
        lines = [self.lines[row] for row in rows]
        return Table(self.path, self.cells.iloc[rows].reset_index(drop=True), lines)


def read_table(path: str) -> Table:
    """Read a CSV file as text.

    Parameters
    ----------
    path : str
        File, plain or gzipped, in UTF-8, with a header.

    Returns
    -------
    table : Table
        At least one row. Columns without a name, such as a row index, are left out.

    Raises
    ------
    CommandError
        If the file is missing, empty, ragged, damaged or no text.
    """
    text = _read_text(path)
    header, lines = _scan(path, text)
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        raise CommandError(f"{path}: these column names are not unique: {doubled}")
    named = [i for i, name in enumerate(header) if name]
    if len(named) < len(header):
        nameless = count(len(header) - len(named), "column")
        note(f"left out {nameless} without a name, such as a row index has")
    cells = pd.read_csv(io.StringIO(text), dtype=str, index_col=False)
    if len(cells) != len(lines):
        raise CommandError(f"{path} has rows of nothing but blanks; remove them")
    cells.columns = pd.Index(header)
    return Table(path, cells.iloc[:, named], lines)


def _read_text(path: str) -> str:
    file = Path(path)
    if not file.is_file():
        kind = "is a folder" if file.is_dir() else "does not exist"
        raise CommandError(f"{path} {kind}; expected a CSV file, plain or gzipped")
    try:
        content = file.read_bytes()
        if content.startswith(_GZIP_MAGIC):
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(
            f"{path} is not text in UTF-8 (byte {error.start}); expected a CSV file"
        ) from error
    except (EOFError, OSError, zlib.error) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def _scan(path: str, text: str) -> tuple[list[str], list[int]]:
    """Return the header and the line of every row, all of the same length."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = ((row, reader.line_num) for row in reader if row)
        header, _ = next(rows, ([], 0))
        _check_header(path, header)
        lines = []
        for row, line in rows:
            if len(row) != len(header):
                raise CommandError(
                    f"{path}, line {line}: expected {len(header)} fields as in the "
                    f"header, got {len(row)}; repair it, or quote text with commas"
                )
            lines.append(line)
    except csv.Error as error:
        raise CommandError(f"{path}, line {reader.line_num}: {error}") from error
    if not lines:
        raise CommandError(f"{path} has a header but no rows")
    return header, lines


def _check_header(path: str, header: list[str]) -> None:
    if not any(header):
        raise CommandError(f"{path} is empty; expected a header and rows")
    if len(header) == 1:
        for separator in _FOREIGN_SEPARATORS:
            if separator in header[0]:
                raise CommandError(
                    f"{path} seems to be separated by {separator!r}; expected commas"
                )
