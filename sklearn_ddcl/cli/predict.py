"""Predict the class of every row of a table.

The table needs the columns that the model was fitted on, in any order. Further columns,
the target among them, are not used.
"""

import argparse
import sys

from sklearn_ddcl.cli.messages import CommandError, blaming_the_input, count
from sklearn_ddcl.cli.models import add_input_arguments, read_model_and_rows
from sklearn_ddcl.cli.output import check_output
from sklearn_ddcl.cli.text_table import text_table

HELP = "predict the class of every row of a table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_input_arguments(parser)
    parser.add_argument(
        "--out", metavar="FILE", help="CSV file to write; without it, to the screen"
    )
    parser.add_argument(
        "--proba", action="store_true", help="add the probability of every class"
    )


def run(args: argparse.Namespace) -> None:
    """Predict and write."""
    if args.out:
        check_output(args.out, args.table, args.model)
    import pandas as pd

    model, X = read_model_and_rows(args)
    if not hasattr(model, "predict_proba"):
        raise CommandError(
            f"{args.model} holds a {type(model).__name__}, no classifier"
        )
    with blaming_the_input():
        proba = model.predict_proba(X)
    predicted = model.classes_[proba.argmax(axis=1)]
    answers = pd.DataFrame({"row": range(len(predicted)), "prediction": predicted})
    if args.proba:
        for label, column in zip(model.classes_, proba.T, strict=True):
            answers[f"probability_{label}"] = column
    if not args.out:
        answers.to_csv(sys.stdout, index=False)
        return
    answers.to_csv(args.out, index=False)
    sizes = answers["prediction"].value_counts()
    rows = [
        [str(label), f"{n:,}", f"{n / len(answers):.1%}"] for label, n in sizes.items()
    ]
    print(text_table(["prediction", "rows", "share"], rows), end="\n\n")
    print(f"wrote {count(len(answers), 'row')} to {args.out}")
