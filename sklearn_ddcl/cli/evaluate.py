"""Estimate by cross-validation how well a classifier does on new rows.

Every row is predicted once per repeat, by a model that has not seen it. Folds keep the
shares of the classes; with --groups, rows of one group are never in two folds.

  accuracy  share of right answers
  balanced  mean over the classes of their accuracy
  log loss  mean of -log(probability of the true class), in nats
  ECE       expected calibration error: rows in 15 bins of equal width by the
            probability of the predicted class, mean over the rows of
            |share of right answers - mean probability| in their bin
  fit s     seconds to fit
"""

import argparse
import time
from typing import TYPE_CHECKING, Any

from sklearn_ddcl.cli.messages import CommandError, blaming_the_input, count
from sklearn_ddcl.cli.options import (
    add_model_options,
    add_table_options,
    make_classifier,
)
from sklearn_ddcl.cli.text_table import table_line

if TYPE_CHECKING:
    import numpy as np

HELP = "cross-validate a classifier on a table"

_HEADER = ("fold", "rows", "accuracy", "balanced", "log loss", "ECE", "fit s")
_WIDTHS = (5, 8, 8, 8, 8, 6, 7)
_FORMATS = (".4f", ".4f", ".4f", ".4f", ".1f")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_table_options(parser)
    parser.add_argument(
        "--groups",
        "--group",
        metavar="NAME",
        help="column that says which rows belong together; left out of the features",
    )
    parser.add_argument(
        "--folds", type=int, default=5, metavar="N", help="number of folds [5]"
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=1,
        metavar="N",
        help="cross-validations, each with other folds [1]",
    )
    add_model_options(parser)


def run(args: argparse.Namespace) -> None:
    """Split, fit, measure and print."""
    if args.folds < 2 or args.repeats < 1:
        raise CommandError("expected at least --folds 2 and --repeats 1")
    import numpy as np

    from sklearn_ddcl.cli.columns import features_of, labels_of
    from sklearn_ddcl.cli.folds import groups_of, make_folds
    from sklearn_ddcl.cli.tables import read_table

    table = read_table(args.table)
    table.require(args.drop, "--drop")
    table.require([args.groups] if args.groups else [], "--groups")
    table, y = labels_of(table, args.target)
    groups = groups_of(table, args)
    left_out = [args.target, *args.drop, *([args.groups] if args.groups else [])]
    X = features_of(table, left_out, args.categorical)
    model = make_classifier(args)
    classes, codes = np.unique(y, return_inverse=True)
    folds = make_folds(codes, classes, groups, args)
    apart = "" if groups is None else f", no group of {args.groups!r} in two"
    print(
        f"{args.table}: {count(len(X), 'row')}, {count(X.shape[1], 'feature')}, "
        f"{count(len(classes), 'class', 'classes')}; {args.folds} stratified folds"
        f"{apart}\n"
    )
    _load_everything(args)
    print(table_line(_HEADER, _WIDTHS))
    scores = []
    for k, (train, test) in enumerate(folds, start=1):
        scores.append(_measure(model, X, y, codes, train, test))
        print(_line(f"{k}", f"{len(test):,}", scores[-1]), flush=True)
    print(_line("mean", "", np.mean(scores, axis=0)))
    print(_line("sd", "", np.std(scores, axis=0, ddof=1)))


def _load_everything(args: argparse.Namespace) -> None:
    """Fit something tiny, so that the first fold is not charged for imports."""
    tiny = make_classifier(args).set_params(max_epochs=1)
    with blaming_the_input():
        tiny.fit([[0.0], [1.0]] * 20, ["a", "b"] * 20)


def _line(name: str, rows: str, scores: Any) -> str:
    cells = [format(score, how) for score, how in zip(scores, _FORMATS, strict=True)]
    return table_line([name, rows, *cells], _WIDTHS)


def _measure(
    model: Any,
    X: Any,
    y: "np.ndarray",
    codes: "np.ndarray",
    train: "np.ndarray",
    test: "np.ndarray",
) -> list[float]:
    from sklearn.base import clone

    from sklearn_ddcl.cli import scores

    start = time.perf_counter()
    with blaming_the_input():
        fitted = clone(model).fit(X.iloc[train], y[train])
    seconds = time.perf_counter() - start
    proba, true = fitted.predict_proba(X.iloc[test]), codes[test]
    measures = (
        scores.accuracy,
        scores.balanced_accuracy,
        scores.log_loss,
        scores.calibration_error,
    )
    return [*(measure(proba, true) for measure in measures), seconds]
