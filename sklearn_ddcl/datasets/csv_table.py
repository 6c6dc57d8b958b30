"""Reading a CSV file without guessing: every surprise is an error with its line."""

import csv
import gzip
import io
import math
import os
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_BLANK = {"", "na", "n/a", "nan", "null", "none"}
_GZIP_MAGIC = b"\x1f\x8b"


class CsvTable(NamedTuple):
    """A table of text; column names are lower case and stripped."""

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]  # where in the file each row ends

    def text(self, name: str) -> NDArray:
        """Return a column as stripped strings, blanks as the empty string."""
        values = [value.strip() for value in self.columns[name]]
        blanked = ["" if value.lower() in _BLANK else value for value in values]
        return np.array(blanked, dtype=object)

    def numbers(self, name: str) -> NDArray:
        """Return a column as float64, blanks as NaN.

        Raises
        ------
        ValueError
            If a value is neither blank nor a finite number.
        """
        values = np.empty(len(self.lines))
        for row, text in enumerate(self.columns[name]):
            try:
                values[row] = float(text)
            except ValueError:
                if text.strip().lower() not in _BLANK:
                    self.reject(name, row, "a number or a blank")
                values[row] = math.nan
            if math.isinf(values[row]):
                self.reject(name, row, "a finite number or a blank")
        return values

    def reject(self, name: str, row: int, expected: str) -> None:
        """Raise the error of a bad value."""
        raise ValueError(
            f"{self.path}, line {self.lines[row]}: column {name!r} must hold "
            f"{expected}, got {self.columns[name][row]!r}. Correct or blank it."
        )


def read_csv_table(path: Any) -> CsvTable:
    """Read a CSV file, plain or gzipped, into columns of text.

    Parameters
    ----------
    path : str or path-like
        The file; gzip is recognized by its content.

    Returns
    -------
    table : CsvTable
        At least one row.

    Raises
    ------
    TypeError
        If ``path`` is no path.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, not text, damaged, or ragged.
    """
    path = _check_path(path)
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if not header:
            raise ValueError(f"{path} is empty; expected a header and rows.")
        rows, lines = [], []
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise ValueError(
                    f"{path}, line {reader.line_num}: expected {len(header)} fields "
                    f"as in the header, got {len(row)}. Repair the line, or "
                    "download the file again."
                )
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}.") from error
    if not rows:
        raise ValueError(f"{path} has a header but no rows.")
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise ValueError(f"{path}: columns appear more than once: {doubled}.")
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    return CsvTable(path, columns, lines)


def _check_path(path: Any) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"path must be a string or a path-like object, got {path!r} of type "
            f"{type(path).__name__}."
        )
    path = Path(path)
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "does not exist"
        raise FileNotFoundError(
            f"{path} {kind}; expected a CSV file (plain or gzipped). A catalog can be "
            "downloaded from https://celestrak.org/pub/satcat.csv."
        )
    return path


def _read_text(path: Path) -> str:
    content = path.read_bytes()
    try:
        if content.startswith(_GZIP_MAGIC):
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{path} is a damaged gzip file ({error}); download it again."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not a text file in UTF-8 ({error.reason} at byte "
            f"{error.start}); expected CSV, plain or gzipped."
        ) from error
