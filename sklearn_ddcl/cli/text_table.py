"""Plain text in aligned columns."""

from collections.abc import Iterable, Sequence

Row = Sequence[str]


def text_table(header: Row, rows: Iterable[Row], left: Iterable[int] = (0,)) -> str:
    """Return rows under a header, columns aligned.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of sequence of str
        Cells.
    left : iterable of int, default=(0,)
        Columns that are aligned to the left; the others hold numbers.

    Returns
    -------
    table : str
        Several lines.

    Examples
    --------
    >>> print(text_table(["class", "rows"], [["a", "10"], ["longer", "5"]]))
    class   rows
    a         10
    longer     5
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(table_line(line, widths, left) for line in lines)


def table_line(cells: Row, widths: Sequence[int], left: Iterable[int] = (0,)) -> str:
    """Return one line of a table whose widths are known beforehand.

    Parameters
    ----------
    cells : sequence of str
        Contents.
    widths : sequence of int
        Characters of each column.
    left : iterable of int, default=(0,)
        Columns that are aligned to the left.

    Returns
    -------
    line : str
        Without trailing spaces.
    """
    left = set(left)
    aligned = [
        cell.ljust(width) if i in left else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(aligned).rstrip()
