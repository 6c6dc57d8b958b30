"""Numbers and tables as Markdown."""

from collections.abc import Sequence
from typing import Any

import pandas as pd


def table(header: Sequence[Any], rows: Sequence[Sequence[Any]], n_left: int = 1) -> str:
    """Return a table with its first columns to the left and others to the right."""
    marks = ["---"] * n_left + ["---:"] * (len(header) - n_left)
    lines = [" | ".join(map(_cell, line)) for line in (header, marks, *rows)]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def number(value: float, digits: int) -> str:
    """Return a number with so many decimals, nothing for a missing one."""
    return "" if pd.isna(value) else f"{value:.{digits}f}"


def short(value: float) -> str:
    """Return a number with three significant digits, nothing for a missing one."""
    if pd.isna(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def mean_and_error(values: Sequence[float] | pd.Series, digits: int) -> str:
    """Return a mean of differences ± its standard error, nothing if there are none."""
    if not len(values):
        return ""
    error = pd.Series(values).sem()
    spread = "" if pd.isna(error) else f" ± {error:.{digits}f}"
    return f"{sum(values) / len(values):+.{digits}f}{spread}"


def image(caption: str, name: str) -> str:
    """Return a picture that lies beside the report."""
    return f"![{caption}]({name})"
