"""Saved models, and tables for them."""

import argparse
from typing import Any

from sklearn_ddcl.cli.messages import CommandError, blaming_the_input


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the table and the device."""
    parser.add_argument("model", metavar="MODEL", help="file written by fit or save")
    parser.add_argument("table", metavar="TABLE", help="CSV file, plain or gzipped")
    parser.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="auto (default), cpu, cuda, ...",
    )


def read_model_and_rows(args: argparse.Namespace) -> tuple[Any, Any]:
    """Return the model, and the table in the columns that it knows.

    Parameters
    ----------
    args : Namespace
        From :func:`add_input_arguments`.

    Returns
    -------
    model : estimator
        Fitted.
    X : DataFrame or ndarray
        Rows in the order of the table.

    Raises
    ------
    CommandError
        If either cannot be used.
    """
    import sklearn_ddcl
    from sklearn_ddcl.cli.columns import rows_for_model
    from sklearn_ddcl.cli.tables import read_table

    table = read_table(args.table)
    try:
        with blaming_the_input():
            model = sklearn_ddcl.load(args.model, device=args.device)
    except OSError as error:
        raise CommandError(str(error)) from error
    return model, rows_for_model(table, model)
