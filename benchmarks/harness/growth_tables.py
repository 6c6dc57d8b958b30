"""A growing encoder on tables, beside fixed ones."""

import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from sklearn_ddcl import DDCLClassifier

from .protocol import Table, score

TRANSFORMERS: dict[str, dict[str, Any]] = {
    "transformer": {"encoder__n_heads": 8},
    # As many weights as one head and a dictionary: of the blocks, 4,448 and 4,292, or,
    # with 13 columns, of the whole encoder, 12,144 and 12,716.
    "transformer, width 16": {"encoder__n_heads": 2, "encoder__d_token": 16},
    "transformer, width 20": {"encoder__n_heads": 2, "encoder__d_token": 20},
}
NARROW = (1, 2)
# What is compared are shapes: trained alike to the end, on the plainest numbers that
# bend.
ALIKE: dict[str, Any] = {
    "early_stopping": False,
    "encoder__numerical": "piecewise_linear",
    "encoder__n_bins": 48,
}
BLOCKS: dict[str, dict[str, Any]] = {
    "dictionary": {},
    "dictionary without values": {"encoder__prototype_values": False},
    "feed-forward": {"encoder__feed_forward": "mlp"},
    "nothing": {"encoder__feed_forward": "none"},
}


class Case(NamedTuple):
    """A split of a table, what is known of it by model, and models to leave out."""

    table: Table
    train: np.ndarray
    test: np.ndarray
    seed: int
    known: Mapping[str, dict[str, Any]] = {}
    wanted: Collection[str] | None = None

    def wants(self, model: str) -> bool:
        """Return whether a model is to be measured; without a choice all are."""
        return self.wanted is None or model in self.wanted

    def measure(self, model: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the result of a model, which is not fitted again if it is known."""
        if model in self.known:
            return self.known[model]
        return fit(params, self.table, self.train, self.test, self.seed)


def compare_sizes(case: Case) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield transformers, some that grow, and one of the final size."""
    for model, params in TRANSFORMERS.items():
        if case.wants(model):
            yield model, case.measure(model, {"encoder": "transformer"} | params)
    if case.wants("incrt") or case.wants("fixed"):
        yield from _grown_and_fixed({}, "", case)
    for name in ("dictionary without values", "nothing"):
        model = f"incrt, {name}"
        if case.wants(model):
            yield model, case.measure(model, {"encoder": "incrt"} | BLOCKS[name])


def compare_narrow(case: Case) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield models that grow narrow heads, and others of their final size."""
    for width in NARROW:
        params = {"encoder__d_head": width, **ALIKE}
        params |= BLOCKS["dictionary without values"]
        yield from _grown_and_fixed(params, f", width {width}", case)


def _grown_and_fixed(
    params: dict[str, Any], name: str, case: Case
) -> Iterator[tuple[str, dict[str, Any]]]:
    params = {"encoder": "incrt"} | params
    grown = case.measure(f"incrt{name}", params)
    yield f"incrt{name}", grown
    if not grown["actions"]:
        # Nothing grew: from scratch it is the same model, weight by weight.
        yield f"fixed{name}", grown | {"same": True}
        return
    heads = {"encoder__n_heads": tuple(grown["n_heads"]), "encoder__grow": False}
    yield f"fixed{name}", case.measure(f"fixed{name}", params | heads)


def compare_blocks(case: Case) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield growing encoders with different parts behind attention."""
    for name, params in BLOCKS.items():
        yield name, case.measure(name, {"encoder": "incrt"} | ALIKE | params)


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
