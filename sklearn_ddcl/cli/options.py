"""Options that fit and evaluate share: what to learn from, and how."""

import argparse
import ast
from typing import Any

from sklearn_ddcl.cli.messages import CommandError, blaming_the_input

_WORDS = {"none": None, "true": True, "false": False}


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """Add the table and the roles of its columns."""
    parser.add_argument("table", metavar="TABLE", help="CSV file, plain or gzipped")
    parser.add_argument(
        "--target", required=True, metavar="NAME", help="column to predict"
    )
    parser.add_argument(
        "--drop",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="columns to leave out, such as identifiers",
    )
    parser.add_argument(
        "--categorical",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="columns of numbers that are categories, such as codes; text always is",
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the parameters of the model."""
    group = parser.add_argument_group("model")
    group.add_argument("--encoder", metavar="NAME", help="mlp (default) or transformer")
    group.add_argument(
        "--n-prototypes", type=int, metavar="N", help="number of prototypes"
    )
    group.add_argument(
        "--max-epochs", type=_number_or_word, metavar="N", help="passes over the table"
    )
    group.add_argument(
        "--device", metavar="NAME", help="auto (default), cpu, cuda, ..."
    )
    group.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of all that is random [0]"
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="PARAM=VALUE",
        help="any parameter of DDCLClassifier, for example lr=0.001 or "
        "encoder__n_layers=3; may be repeated, and wins over the options above",
    )


def make_classifier(args: argparse.Namespace, **params: Any) -> Any:
    """Return an unfitted classifier with the parameters of the command line.

    Parameters
    ----------
    args : Namespace
        From :func:`add_model_options`.
    **params : dict
        Parameters that the command sets itself.

    Returns
    -------
    classifier : DDCLClassifier

    Raises
    ------
    CommandError
        If there is no such parameter.
    """
    from sklearn_ddcl import DDCLClassifier

    named = ("encoder", "n_prototypes", "max_epochs", "device")
    given = {name: getattr(args, name) for name in named}
    params |= {name: value for name, value in given.items() if value is not None}
    params |= {"random_state": args.seed} | dict(args.set)
    if "categorical_features" in params:
        raise CommandError("set categories with --categorical NAME ..., not with --set")
    with blaming_the_input():
        return DDCLClassifier().set_params(**params)


def _assignment(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"expected PARAM=VALUE, got {text!r}")
    return name.strip(), _value(value.strip())


def _value(text: str) -> Any:
    """Return 3, 0.5, True, None, [1, 2] or {"a": 2} for such text, else the text."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _number_or_word(text: str) -> Any:
    return int(text) if text.lstrip("-").isdigit() else text
