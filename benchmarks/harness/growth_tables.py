"""A growing encoder on tables, beside fixed ones."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from sklearn_ddcl import DDCLClassifier

from .protocol import Table, score

EIGHT_HEADS = {"encoder": "transformer", "encoder__n_heads": 8}
NARROW = (1, 2)
BLOCKS: dict[str, dict[str, Any]] = {
    "dictionary": {},
    "dictionary without values": {"encoder__prototype_values": False},
    "feed-forward": {"encoder__feed_forward": "mlp"},
    "nothing": {"encoder__feed_forward": "none"},
}


def compare_sizes(
    table: Table, train: np.ndarray, test: np.ndarray, seed: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a transformer of eight heads, some that grow, and one of the final size."""
    yield "transformer", fit(EIGHT_HEADS, table, train, test, seed)
    yield from _grown_and_fixed({}, "", table, train, test, seed)
    for name in ("dictionary without values", "nothing"):
        params = {"encoder": "incrt"} | BLOCKS[name]
        yield f"incrt, {name}", fit(params, table, train, test, seed)


def compare_narrow(
    table: Table, train: np.ndarray, test: np.ndarray, seed: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield models that grow narrow heads, and others of their final size."""
    for width in NARROW:
        params = {"encoder__d_head": width, **BLOCKS["dictionary without values"]}
        yield from _grown_and_fixed(
            params, f", width {width}", table, train, test, seed
        )


def _grown_and_fixed(
    params: dict[str, Any],
    name: str,
    table: Table,
    train: np.ndarray,
    test: np.ndarray,
    seed: int,
) -> Iterator[tuple[str, dict[str, Any]]]:
    params = {"encoder": "incrt"} | params
    grown = fit(params, table, train, test, seed)
    yield f"incrt{name}", grown
    if not grown["actions"]:
        # Nothing grew: from scratch it is the same model, weight by weight.
        yield f"fixed{name}", grown | {"same": True}
        return
    heads = {"encoder__n_heads": tuple(grown["n_heads"]), "encoder__grow": False}
    yield f"fixed{name}", fit(params | heads, table, train, test, seed)


def compare_blocks(
    table: Table, train: np.ndarray, test: np.ndarray, seed: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield growing encoders with different parts behind attention."""
    for name, params in BLOCKS.items():
        yield name, fit({"encoder": "incrt"} | params, table, train, test, seed)


def fit(
    params: dict[str, Any],
    table: Table,
    train: np.ndarray,
    test: np.ndarray,
    seed: int,
) -> dict[str, Any]:
    """Return scores, costs and sizes of a classifier."""
    X, y, _ = table
    params = dict(params)
    clf = DDCLClassifier(encoder=params.pop("encoder"), random_state=seed)
    clf.set_params(**params)
    began = time.process_time()
    clf.fit(X.iloc[train], y[train])
    fit_cpu = time.process_time() - began
    blocks: Any = clf.net_.module_.encoder
    history = getattr(clf, "growth_history_", [])
    # One that does not grow has as many as it was told.
    n_heads = getattr(clf, "n_heads_", None)
    told = clf._fitted.architecture.encoder
    heads = [told.n_heads] * told.n_layers if n_heads is None else n_heads.tolist()
    return {
        **score(y[test], clf.predict_proba(X.iloc[test])),
        "fit_cpu": fit_cpu,
        "block_parameters": sum(w.numel() for w in blocks.blocks.parameters()),
        "n_heads": heads,
        "actions": [
            (row["epoch"], row["layer"], row["action"])
            for row in history
            if row["action"] != "none"
        ],
    }
