"""Fit a classifier to a table and save it.

Columns hold numbers where every cell does, and categories otherwise. Rows without a
value in the target column are left out.
"""

import argparse
from typing import TYPE_CHECKING, Any

from sklearn_ddcl.cli.messages import blaming_the_input, count, listing
from sklearn_ddcl.cli.options import (
    add_model_options,
    add_table_options,
    make_classifier,
)
from sklearn_ddcl.cli.output import check_output
from sklearn_ddcl.cli.text_table import text_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

HELP = "fit a classifier to a table and save it"

_MOST_CLASSES = 20
_MOST_PROTOTYPES = 8
_CLASSES_PER_PROTOTYPE = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_table_options(parser)
    parser.add_argument(
        "--out", required=True, metavar="MODEL", help="file for the model"
    )
    parser.add_argument(
        "--groups",
        "--group",
        metavar="NAME",
        help="column that says which rows belong together; left out of the features",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="do not print a line per epoch"
    )
    add_model_options(parser)


def run(args: argparse.Namespace) -> None:
    """Fit, save and report."""
    check_output(args.out, args.table)
    from sklearn_ddcl.cli.columns import features_of, labels_of
    from sklearn_ddcl.cli.tables import read_table

    table = read_table(args.table)
    left_out = [*args.drop, *([args.groups] if args.groups else [])]
    table.require(args.drop, "--drop")
    table.require([args.groups] if args.groups else [], "--groups")
    table, y = labels_of(table, args.target)
    X = features_of(table, [args.target, *left_out], args.categorical)
    model = make_classifier(args, verbose=0 if args.quiet else 2)
    with blaming_the_input():
        model.fit(X, y)
    model.save(args.out)
    print(_describe_data(args, X, y, left_out), end="\n\n")
    print(_describe_training(model, X, y), end="\n\n")
    if hasattr(model, "assign"):
        print(_describe_prototypes(model, X), end="\n\n")
    print(f"saved to {args.out}")


def _describe_data(
    args: argparse.Namespace, X: "pd.DataFrame", y: "np.ndarray", left_out: list[str]
) -> str:
    import numpy as np

    numbers = [str(name) for name in X if X[name].dtype == np.float64]
    text = [
        f"{name} ({X[name].nunique(dropna=False)})" for name in X if name not in numbers
    ]
    lines = [
        ("table", f"{args.table}, {count(len(X), 'row')}"),
        ("numbers", _column_list(numbers)),
        ("categories", _column_list(text)),
    ]
    if left_out:
        lines.append(("left out", listing(left_out)))
    classes, sizes = np.unique(y, return_counts=True)
    lines.append(
        ("target", f"{args.target}, {count(len(classes), 'class', 'classes')}")
    )
    order = np.argsort(-sizes, kind="stable")[:_MOST_CLASSES]
    rows = [
        [str(classes[c]), f"{sizes[c]:,}", f"{sizes[c] / len(y):.1%}"] for c in order
    ]
    tables = [_pairs(lines), text_table(["class", "rows", "share"], rows)]
    if len(classes) > len(order):
        tables[-1] += f"\nand {len(classes) - len(order)} smaller classes"
    return "\n\n".join(tables)


def _column_list(names: list[str]) -> str:
    return f"{len(names)}: {listing(names)}" if names else "0"


def _describe_training(model: Any, X: "pd.DataFrame", y: "np.ndarray") -> str:
    accuracy = model.score(X, y)
    epochs = f"{model.n_iter_}"
    if model.best_epoch_:
        epochs += f", went back to {model.best_epoch_}, the best on held-out rows"
    return _pairs(
        [
            ("weights", f"{model.n_parameters_:,}"),
            ("epochs", epochs),
            ("seconds", f"{model.history_[-1]['seconds']:.1f}"),
            (
                "training accuracy",
                f"{accuracy:.1%}, on the rows it was fitted to; for new ones, evaluate",
            ),
        ]
    )


def _describe_prototypes(model: Any, X: "pd.DataFrame") -> str:
    share = model.assign(X).mean(axis=0)
    biggest = (-share).argsort(kind="stable")[:_MOST_PROTOTYPES]
    rows = []
    for k in biggest:
        votes = model.prototype_votes_[k]
        favored = (-votes).argsort(kind="stable")[:_CLASSES_PER_PROTOTYPE]
        classes = ", ".join(f"{model.classes_[c]} {votes[c]:.1%}" for c in favored)
        rows.append([str(k), f"{share[k]:.1%}", classes])
    table = text_table(["prototype", "share of rows", "classes"], rows, left=[2])
    return f"{table}\nthe biggest {len(rows)} of {len(share)} prototypes"


def _pairs(pairs: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in pairs)
