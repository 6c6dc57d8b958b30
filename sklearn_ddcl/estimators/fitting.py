"""From validated training data to a trained network."""

import hashlib
import warnings
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from sklearn_ddcl.estimators.auto import given, weight_dtype
from sklearn_ddcl.estimators.fitted_network import Architecture, FittedNetwork
from sklearn_ddcl.estimators.named_encoder import resolve_encoder
from sklearn_ddcl.estimators.plan import make_plan
from sklearn_ddcl.estimators.progress import PrintProgress, printers
from sklearn_ddcl.estimators.table_encoder import EncodedTable, TableEncoder
from sklearn_ddcl.networks import ENCODERS
from sklearn_ddcl.networks.table import choose_bins, choose_width, describe_table
from sklearn_ddcl.training import (
    DDCLNet,
    EncodedRows,
    assign_folds,
    make_generator,
    make_net,
    one_thread,
    resolve_device,
)
from sklearn_ddcl.training.callbacks.recall import Recall
from sklearn_ddcl.training.callbacks.validate import Validate
from sklearn_ddcl.training.dropping import shrink_bank
from sklearn_ddcl.training.folds import N_FOLDS

# To judge costs a third of a step per row, so not all of them and not always.
JUDGING_ROWS, JUDGING_EPOCHS = 4096, 3
# Of a bank from which unneeded ones will be dropped.
_MOST_PROTOTYPES = 128


class LabeledRows(NamedTuple):
    """Encoded rows with what is to be predicted of them."""

    encoded: EncodedTable
    classes: np.ndarray
    """(n,), class indices."""
    weights: np.ndarray
    """(n,), positive or zero."""

    def take(self, rows: np.ndarray) -> "LabeledRows":
        """Return some of the rows."""
        encoded = EncodedTable(*(part[rows] for part in self.encoded))
        return LabeledRows(encoded, self.classes[rows], self.weights[rows])

    def used(self) -> "LabeledRows":
        """Return the rows of positive weight; the others count as absent."""
        if self.weights.all():
            return self
        return self.take(np.flatnonzero(self.weights))


def to_rows(
    fitted: FittedNetwork, labeled: LabeledRows, folds: np.ndarray | None = None
) -> EncodedRows:
    """Return labeled rows as tensors, on the network's device if they fit.

    Parameters
    ----------
    fitted : FittedNetwork
        Network that they are for.
    labeled : LabeledRows
        Rows.
    folds : ndarray of shape (n,), optional
        The fold of every row that some views leave out.

    Returns
    -------
    rows : EncodedRows
        Weights are scaled to a mean of one.
    """
    numbers, codes = fitted.to_tensors(labeled.encoded)
    weights = labeled.weights / labeled.weights.mean()
    rows = EncodedRows(
        numbers,
        codes,
        torch.from_numpy(labeled.classes),
        torch.from_numpy(weights).to(fitted.dtype),
        None if folds is None else torch.from_numpy(folds),
    )
    return rows.to(fitted.device)


class Deal(NamedTuple):
    """Which rows were dealt to folds, and how; enough to deal them again."""

    seed: int
    digest: bytes

    @classmethod
    def of(cls, labeled: LabeledRows, seed: int) -> Self:
        """Return the deal of some rows."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (*labeled.encoded, labeled.classes):
            digest.update(np.ascontiguousarray(part).tobytes())
        return cls(seed, digest.digest())


def choose_folds(
    fitted: FittedNetwork, labeled: LabeledRows, seed: int
) -> np.ndarray | None:
    """Return the folds that the views of a network leave out.

    Parameters
    ----------
    fitted : FittedNetwork
        Network to train.
    labeled : LabeledRows
        Training rows.
    seed : int
        Seed of the draw.

    Returns
    -------
    folds : ndarray of shape (n,), or None
        None if there are not enough views or too few rows.
    """
    if fitted.network.n_decisions < N_FOLDS:
        return None
    return assign_folds(labeled.classes, seed)


def hold_out(
    classes: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into training and validation, stratified where that is possible.

    Parameters
    ----------
    classes : ndarray of shape (n,)
        Class indices.
    fraction : float
        Share of the validation rows.
    seed : int
        Seed of the split.

    Returns
    -------
    train, validation : ndarray
        Row positions. Classes with a single row stay in training.
    """
    rows = np.arange(len(classes))
    single = np.bincount(classes)[classes] < 2
    n_validation = round(fraction * (~single).sum())
    n_classes = len(np.unique(classes[~single]))
    stratify = classes[~single] if n_validation >= n_classes else None
    if n_validation < 1 or (~single).sum() - n_validation < n_classes:
        raise ValueError(
            f"early_stopping holds out {fraction:.0%} of the rows, which is not "
            f"possible with {len(classes)} rows and {len(np.unique(classes))} classes. "
            "Give X_val and y_val, or set early_stopping=False."
        )
    train, validation = train_test_split(
        rows[~single], test_size=n_validation, stratify=stratify, random_state=seed
    )
    return np.sort(np.concatenate([train, rows[single]])), np.sort(validation)


def new_network(
    estimator: Any, table: TableEncoder, labeled: LabeledRows, n_classes: int, seed: int
) -> FittedNetwork:
    """Return an untrained network for a table.

    Parameters
    ----------
    estimator : DDCLClassifier
        Where the parameters come from.
    table : TableEncoder
        Fitted on the table.
    labeled : LabeledRows
        Training rows, from which the knots of the numerical columns are taken.
    n_classes : int
        Number of classes.
    seed : int
        Seed of the initial weights.

    Returns
    -------
    fitted : FittedNetwork
        On the estimator's device, in its precision.
    """
    encoder = resolve_encoder(estimator.encoder, ENCODERS)
    encoder.check()
    device = resolve_device(estimator.device)
    dtype = weight_dtype(estimator.precision)
    numbers = torch.from_numpy(labeled.encoded.numbers).to(dtype)
    codes = torch.from_numpy(labeled.encoded.codes)
    weights = torch.from_numpy(labeled.weights)
    if getattr(encoder, "n_bins", None) == "auto":
        encoder.n_bins = choose_bins(numbers, weights)
    if getattr(encoder, "d_hidden", None) == "auto":
        encoder.d_hidden = choose_width(numbers, codes, weights)
    spec = describe_table(
        encoder,
        numbers,
        codes,
        tuple(len(known) + 1 for known in table.categories),
        weights,
    )
    architecture = Architecture(
        encoder=encoder,
        readout=estimator.readout,
        n_prototypes=max(given(estimator.n_prototypes, _MOST_PROTOTYPES), n_classes),
        n_classes=n_classes,
        spec=spec,
    )
    network = architecture.build(make_generator(seed)).to(device=device, dtype=dtype)
    return FittedNetwork(table, architecture, network, estimator.precision == "bf16")


def drop_unneeded(
    fitted: FittedNetwork, net: DDCLNet, rows: EncodedRows, judging: EncodedRows
) -> None:
    """Drop the prototypes that the decisions of a trained network can do without.

    Parameters
    ----------
    fitted : FittedNetwork
        Its bank becomes smaller.
    net : DDCLNet
        What has trained its network.
    rows : EncodedRows
        What it has learned from.
    judging : EncodedRows
        Rows that say what is needed.
    """
    bank: Any = fitted.network.bank
    if bank is None:
        return
    shrink_bank(net, rows, judging, fitted.architecture.n_classes)
    fitted.architecture = fitted.architecture._replace(
        n_prototypes=len(bank.prototypes)
    )


def choose_judge(
    rows: EncodedRows,
    held_out: EncodedRows | None,
    judgments: list[dict[str, float]] | None,
) -> Validate | Recall | None:
    """Return what chooses the best epoch.

    Parameters
    ----------
    rows : EncodedRows
        Training rows; they judge, if they have folds and nobody else does.
    held_out : EncodedRows or None
        Rows that only judge.
    judgments : list of dict or None
        What a rehearsal says of every epoch.

    Returns
    -------
    judge : Callback or None
        None if nobody can tell.
    """
    if judgments is not None:
        return Recall(judgments)
    if held_out is not None:
        return Validate(held_out)
    if rows.has_folds:
        return Validate(rows.sample(JUDGING_ROWS), JUDGING_EPOCHS)
    return None


def prepare_net(
    estimator: Any,
    fitted: FittedNetwork,
    rows: EncodedRows,
    *,
    seed: int,
    judge: Validate | Recall | None = None,
    rehearsing: int | None = None,
    streaming: bool = False,
) -> DDCLNet:
    """Return an initialized skorch net around a network.

    Parameters
    ----------
    estimator : DDCLClassifier
        Where the parameters come from.
    fitted : FittedNetwork
        Network to train.
    rows : EncodedRows
        Training rows, by whose number the plan is made.
    seed : int
        Seed of everything random in training.
    judge : Callback, optional
        Chooses the best epoch; without one training has a fixed length.
    rehearsing : int, optional
        Rows of the training that this is the rehearsal of.
    streaming : bool, default=False
        Whether rows will go on coming without a known end.

    Returns
    -------
    net : DDCLNet
        Ready for ``partial_fit``.
    """
    plan = make_plan(
        estimator,
        len(rows) if rehearsing is None else rehearsing,
        judged=judge is not None,
        streaming=streaming,
    )
    net = make_net(
        fitted.network,
        plan,
        seed=seed,
        device=fitted.device,
        mixed_precision=fitted.mixed_precision,
        judge=judge,
        patience=estimator.n_iter_no_change,
        rehearsal=rehearsing is not None,
        extra_callbacks=printers(PrintProgress, estimator.verbose),
    )
    if estimator.compile:
        compile_network(fitted, rows)
    with one_thread():
        return net.initialize()


def compile_network(fitted: FittedNetwork, rows: EncodedRows) -> None:
    """Compile the network, or warn and go on without where that fails.

    Parameters
    ----------
    fitted : FittedNetwork
        Holds the network.
    rows : EncodedRows
        Some of them are tried.
    """
    network = fitted.network
    numbers, codes = (column[:2].to(fitted.device) for column in rows.tensors[:2])
    try:
        network.compile()
        with torch.no_grad():
            network.eval()(numbers, codes)
    except Exception as error:
        network._compiled_call_impl = None
        warnings.warn(
            f"torch.compile failed ({type(error).__name__}), going on without it. Set "
            "compile=False to silence this.",
            stacklevel=2,
        )
