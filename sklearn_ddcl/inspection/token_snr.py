"""Whether the tokens of a trained network lie in the subspaces that it learned."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_ddcl.inspection.fitted import last_step, rows_for_prototype_step


@dataclass(frozen=True)
class SubspaceSNR:
    """Signal-to-noise ratios of the tokens of some rows, layer by layer.

    Made by :func:`subspace_snr`. A ratio of one means that half of the squared length
    of the tokens is in the subspaces that they belong to.
    """

    before: np.ndarray
    """(L,), on the way into each layer."""
    after: np.ndarray
    """(L,), of the same tokens in the same subspaces after the layer."""
    untrained_before: np.ndarray
    """(L,), mean over untrained networks of the same shape."""
    untrained_after: np.ndarray
    """(L,)"""
    random_subspaces: np.ndarray
    """(L,), of the tokens on the way in, mean over random subspaces."""
    token_cosine: np.ndarray
    """(L + 1,), mean cosine between two tokens of a row on the way into each layer, and
    out of the last; near one, tokens have become the same."""
    untrained_token_cosine: np.ndarray
    """(L + 1,)"""
    head_shares: np.ndarray
    """(L, K), share of the tokens that belong to each subspace."""

    @property
    def gain(self) -> np.ndarray:
        """By how much each layer multiplies the ratio, (L,)."""
        return self.after / self.before

    @property
    def untrained_gain(self) -> np.ndarray:
        """By how much each layer of an untrained network does, (L,)."""
        return self.untrained_after / self.untrained_before

    def __str__(self) -> str:
        """Return a table with a line per layer."""
        names = ("before", "after", "untrained", "random", "cosine")
        columns = (
            self.before,
            self.after,
            self.untrained_before,
            self.random_subspaces,
            self.token_cosine[:-1],
        )
        lines = ["layer" + "".join(f"{name:>11}" for name in names)]
        for layer, values in enumerate(zip(*columns, strict=True)):
            lines.append(f"{layer:>5}" + "".join(f"{value:>11.3f}" for value in values))
        return "\n".join(lines)


def subspace_snr(
    estimator: Any, X: Any, *, n_draws: int = 5, random_state: int = 0
) -> SubspaceSNR:
    r"""Measure how much of the tokens of rows lies in the subspaces of their layers.

    Each head of a layer spans a subspace: the rows of its value projection, made
    orthonormal as :math:`U_k`. A token :math:`z_i`, normalized as the layer sees it,
    belongs to the subspace :math:`k(i)` in which it is longest. Over all tokens of all
    rows,

    .. math::
        \mathrm{SNR} = \sqrt{
            \frac{\sum_i \lVert U_{k(i)}^\top z_i \rVert^2}
                 {\sum_i \lVert z_i \rVert^2 - \lVert U_{k(i)}^\top z_i \rVert^2}} .

    The largest of several is large by chance. What a ratio means therefore only shows
    beside that of untrained networks and that of random subspaces.

    Parameters
    ----------
    estimator : estimator
        Fitted :class:`~sklearn_ddcl.DDCLClassifier` with ``encoder="aot"``, a pipeline
        that ends with one, or a search over either.
    X : array-like or frame of shape (n_samples, n_features)
        Rows.
    n_draws : int, default=5
        Untrained networks, and sets of random subspaces, to average over.
    random_state : int, default=0
        Seed of both.

    Returns
    -------
    snr : SubspaceSNR
        Ratios per layer, with what to compare them to.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ValueError
        If its encoder is not attention alone, or has no layers.

    See Also
    --------
    sklearn_ddcl.functional.subspace_snr : The ratio where subspaces are known.

    References
    ----------
    .. [1] P. Wang, Y. Lu, Y. Yu, D. Pai, Q. Qu and Y. Ma, "Attention-Only Transformers
       via Unrolled Subspace Denoising", ICML 2025.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLClassifier
    >>> from sklearn_ddcl.inspection import subspace_snr
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DDCLClassifier(6, encoder="aot", max_epochs=5, random_state=0).fit(X, y)
    >>> subspace_snr(clf, X).before.shape
    (2,)
    """
    import torch

    from sklearn_ddcl.estimators.subspace_probe import (
        attention_blocks,
        probe_subspaces,
        random_bases,
    )

    if n_draws < 1:
        raise ValueError(f"n_draws must be at least 1, got {n_draws}.")
    step = last_step(estimator)
    fitted: Any = getattr(step, "_fitted", None)
    blocks = attention_blocks(getattr(fitted, "network", None))
    if not blocks or not hasattr(fitted, "architecture"):
        raise ValueError(
            'expected a fitted DDCLClassifier with encoder="aot" and at least one '
            f"layer, got {type(step).__name__} with "
            f"encoder={getattr(step, 'encoder', None)!r}; other encoders have no "
            "subspaces to measure."
        )
    encoded = step._encode(rows_for_prototype_step(estimator, X))
    generator = torch.Generator().manual_seed(random_state)
    trained = probe_subspaces(fitted, encoded)
    untrained, scattered = [], []
    for _ in range(n_draws):
        twin = fitted.architecture.build(generator).to(fitted.device, fitted.dtype)
        untrained.append(probe_subspaces(fitted, encoded, network=twin))
        drawn = random_bases(blocks, generator)
        scattered.append(probe_subspaces(fitted, encoded, bases=drawn))
    chosen = trained["chosen"].sum(0)
    return SubspaceSNR(
        before=_ratio(trained),
        after=_ratio(trained, "moved_"),
        untrained_before=np.mean([_ratio(found) for found in untrained], 0),
        untrained_after=np.mean([_ratio(found, "moved_") for found in untrained], 0),
        random_subspaces=np.mean([_ratio(found) for found in scattered], 0),
        token_cosine=trained["cosines"].mean(0),
        untrained_token_cosine=np.mean([u["cosines"].mean(0) for u in untrained], 0),
        head_shares=chosen / chosen.sum(1, keepdims=True),
    )


def _ratio(found: dict[str, np.ndarray], when: str = "") -> np.ndarray:
    inside, outside = (
        found[f"{when}{where}"].sum(0) for where in ("inside", "outside")
    )
    with np.errstate(divide="ignore"):
        return np.sqrt(inside / outside)
