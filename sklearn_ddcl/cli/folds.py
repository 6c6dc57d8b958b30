"""Folds of a cross-validation."""

import argparse

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from sklearn_ddcl.cli.messages import CommandError, blaming_the_input, count
from sklearn_ddcl.cli.tables import Table

Fold = tuple[np.ndarray, np.ndarray]


def groups_of(table: Table, args: argparse.Namespace) -> np.ndarray | None:
    """Return the group of every row, None without ``--groups``.

    Parameters
    ----------
    table : Table
        Rows.
    args : Namespace
        With `groups` and `folds`.

    Returns
    -------
    groups : ndarray of shape (n_rows,) or None
        Names of the groups.

    Raises
    ------
    CommandError
        If a row has no group, or there are fewer groups than folds.
    """
    if not args.groups:
        return None
    groups = table.cells[args.groups]
    missing = groups.isna().to_numpy()
    if missing.any():
        raise CommandError(
            f"--groups {args.groups}: expected a group for every row, got "
            f"{count(int(missing.sum()), 'row')} without one, first in line "
            f"{table.lines[int(missing.argmax())]}"
        )
    if groups.nunique() < args.folds:
        raise CommandError(
            f"--groups {args.groups}: expected a group for each of the {args.folds} "
            f"folds at least, got {count(groups.nunique(), 'group')}; lower --folds"
        )
    return groups.to_numpy(dtype=object).astype(str)


def make_folds(
    codes: np.ndarray,
    classes: np.ndarray,
    groups: np.ndarray | None,
    args: argparse.Namespace,
) -> list[Fold]:
    """Return training and test rows of every fold of every repeat.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Class index of every row.
    classes : ndarray of shape (n_classes,)
        Class labels.
    groups : ndarray of shape (n_rows,) or None
        Groups that stay together.
    args : Namespace
        With `folds`, `repeats` and `seed`.

    Returns
    -------
    folds : list of (train, test)
        Row positions; every class is in every training part.

    Raises
    ------
    CommandError
        If that is not possible.
    """
    sizes = np.bincount(codes)
    if groups is None and sizes.min() < args.folds:
        raise CommandError(
            f"expected a row of every class for each of the {args.folds} folds, but "
            f"class {classes[sizes.argmin()]} has {count(int(sizes.min()), 'row')}; "
            "lower --folds, or leave that class out of the table"
        )
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds: list[Fold] = []
    for repeat in range(args.repeats):
        splitter = kind(args.folds, shuffle=True, random_state=args.seed + repeat)
        with blaming_the_input():
            folds += splitter.split(codes, codes, groups)
    for train, test in folds:
        _check_fold(codes[train], test, classes, args.folds)
    return folds


def _check_fold(
    train_codes: np.ndarray, test: np.ndarray, classes: np.ndarray, n_folds: int
) -> None:
    if not len(test):
        raise CommandError(f"--folds {n_folds} leaves a fold empty; lower it")
    lacking = np.setdiff1d(np.arange(len(classes)), train_codes)
    if len(lacking):
        raise CommandError(
            f"expected every class in every training part, but class "
            f"{classes[lacking[0]]} is in too few groups; lower --folds, or leave that "
            "class out of the table"
        )
