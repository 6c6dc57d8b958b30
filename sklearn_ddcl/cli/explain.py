"""Show which prototypes decided rows of a table, and the training rows they are.

Without --rows the first three rows are shown, and --out writes all of them.
"""

import argparse
from typing import Any

from sklearn_ddcl.cli.messages import CommandError, blaming_the_input, count
from sklearn_ddcl.cli.models import add_input_arguments, read_model_and_rows
from sklearn_ddcl.cli.output import check_output

HELP = "show which prototypes decided rows of a table"

_SHOWN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_input_arguments(parser)
    parser.add_argument(
        "--rows",
        type=_row_numbers,
        metavar="0,5,7",
        help="rows to explain, counted from 0 below the header",
    )
    parser.add_argument(
        "--top", type=_positive, default=3, metavar="N", help="prototypes per row [3]"
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="CSV file to write, one line per row and prototype: weight, evidence for "
        "each class, training row",
    )


def run(args: argparse.Namespace) -> None:
    """Explain, print and write."""
    if args.out:
        check_output(args.out, args.table, args.model)
    model, X = read_model_and_rows(args)
    if not hasattr(model, "explain"):
        raise CommandError(
            f"{args.model} has no prototypes, so it explains nothing; fit it with "
            "readout=ddcl"
        )
    rows = _choose(args, len(X))
    with blaming_the_input():
        explanation = model.explain(_take(X, rows))
    for position in range(len(rows) if args.rows else min(_SHOWN, len(rows))):
        print(f"row {rows[position]}: {explanation.describe(position, args.top)}\n")
    if args.out:
        frame = explanation.to_frame(args.top)
        frame["row"] = [rows[position] for position in frame["row"]]
        frame.to_csv(args.out, index=False)
        print(f"wrote {count(len(rows), 'row')} to {args.out}")


def _choose(args: argparse.Namespace, n_rows: int) -> list[int]:
    if args.rows is None:
        return list(range(n_rows if args.out else min(_SHOWN, n_rows)))
    beyond = [row for row in args.rows if row >= n_rows]
    if beyond:
        raise CommandError(
            f"--rows: {args.table} has rows 0 to {n_rows - 1}, got {beyond[0]}"
        )
    return args.rows


def _take(X: Any, rows: list[int]) -> Any:
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def _row_numbers(text: str) -> list[int]:
    numbers = [part.strip() for part in text.split(",")]
    if not all(number.isdecimal() for number in numbers):
        raise argparse.ArgumentTypeError(
            f"expected row numbers such as 0,5,7, got {text!r}"
        )
    return [int(number) for number in numbers]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {text!r}")
    return int(text)
