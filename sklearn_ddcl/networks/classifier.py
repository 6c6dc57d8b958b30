"""The whole classifier in one place: tokenize, encode, normalize, read out."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import PrototypeReadout
from sklearn_ddcl.networks.random_module import RandomModule
from sklearn_ddcl.networks.readouts import READOUTS
from sklearn_ddcl.networks.table import TableSpec


class Prediction(NamedTuple):
    """What the classifier answers for a batch of rows."""

    log_proba: Tensor
    """Log class probabilities of every view, (B, V, C)."""
    tokens: Tensor
    """Normalized tokens that were read out, (B, T, d)."""
    log_assignments: Tensor | None
    """Log assignments of every token, (B, T, K); None without prototypes."""


class TableClassifier(RandomModule):
    """Read the class of a row out of prototypes.

    Parameters
    ----------
    spec : TableSpec
        Shape of the table.
    n_classes : int
        Number of classes.
    encoder : parameter object
        Such as `MLPEncoder`; ``encoder.build`` makes the encoder.
    readout : {"ddcl", "mean", "cls"}, default="ddcl"
        How tokens become a decision.
    n_prototypes : int, default=32
        Number of prototypes.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Examples
    --------
    >>> from sklearn_ddcl.networks import MLPEncoder
    >>> encoder = MLPEncoder(numerical="linear")
    >>> network = TableClassifier(TableSpec(2, (4,)), n_classes=3, encoder=encoder)
    >>> network(torch.zeros(5, 2), torch.zeros(5, 1, dtype=torch.int64))[0].shape
    torch.Size([5, 8, 3])
    """

    def __init__(
        self,
        spec: TableSpec,
        n_classes: int,
        encoder: Any,
        *,
        readout: str = "ddcl",
        n_prototypes: int = 32,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        readout_class = READOUTS[readout]
        self.encoder = encoder.build(
            spec, cls_token=readout_class.needs_cls_token, generator=generator
        )
        self.offset = nn.Parameter(torch.zeros(encoder.d_token))
        # Without learned scales: prototypes then live on a known scale, and the
        # encoder cannot shrink the loss by shrinking its tokens.
        # The tokens of a deep untrained encoder are small, hence the smaller eps.
        self.norm = nn.LayerNorm(encoder.d_token, eps=1e-8, elementwise_affine=False)
        self.readout = readout_class(
            encoder.d_token,
            n_classes,
            n_prototypes,
            n_views=self.encoder.n_views,
            generator=generator,
        )

    @property
    def bank(self) -> PrototypeReadout | None:
        """The prototypes, or None when the readout has none."""
        return getattr(self.readout, "bank", None)

    @property
    def n_decisions(self) -> int:
        """Number of views that decide by themselves, before they are averaged."""
        return self.readout.n_decisions

    def tokens(
        self, numbers: Tensor, codes: Tensor, rows: Tensor | None = None
    ) -> Tensor:
        """Return the normalized tokens (B, T, d) that are read out.

        With `rows` (R, V) every view encodes only these rows of the batch, (R, V, d).
        """
        encoded = (
            self.encoder(numbers, codes)
            if rows is None
            else self.encoder(numbers, codes, rows)
        )
        return self.norm(encoded + self.offset)

    def forward(
        self, numbers: Tensor, codes: Tensor, rows: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return the fields of a `Prediction` for numbers (B, F) and codes (B, G).

        A plain tuple: skorch rebuilds outputs in a way that a named tuple refuses.
        """
        tokens = self.tokens(numbers, codes, rows)
        log_proba, log_assignments = self.readout(tokens)
        return log_proba, tokens, log_assignments

    def predict(self, numbers: Tensor, codes: Tensor) -> Prediction:
        """Return the answer by name."""
        return Prediction(*self(numbers, codes))
