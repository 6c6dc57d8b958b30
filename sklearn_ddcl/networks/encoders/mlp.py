"""A row through a multi-layer perceptron, in several views."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import CategoryTokenizer, Views, WithPlainNumbers
from sklearn_ddcl.networks.parameters import Parameters
from sklearn_ddcl.networks.table import (
    FEWEST_BINS,
    FEWEST_UNITS,
    NUMERICAL,
    TableSpec,
    make_number_tokenizer,
)

_WIDE, _NARROW = 8, 4
_MANY_COLUMNS = 32


@dataclass
class MLPEncoder(Parameters):
    """Parameters of ``encoder="mlp"``: each token of the readout is a view of the row.

    Parameters
    ----------
    n_layers : int, default=2
        Number of hidden layers.
    d_hidden : "auto" or int, default="auto"
        Width of the hidden layers. "auto" is 128, and 256 where there are more than
        3,000 distinct rows.
    n_views : int, default=8
        Number of views of a row, each with hidden layers of its own. Every view decides
        by itself and their probabilities are averaged.
    d_token : int, default=32
        Width of a view and of the prototypes.
    dropout : float, default=0.25
        Probability that a hidden unit is silenced for a training step.
    numerical : {"mixed", "piecewise_linear", "periodic", "linear"}, default="mixed"
        How numbers enter. With "mixed" they enter half of the views through piecewise
        linear curves, which follow thresholds as trees do, and the other half through
        periodic features, which are smooth; a single view gets the curves. Half of
        the waves run over the number, half over its position among the knots.
    n_bins : "auto" or int, default="auto"
        How finely numbers are seen: intervals of the piecewise linear curves, at most,
        and twice the number of waves of a periodic column. "auto" takes as
        many as there are distinct rows per numerical column, from 16 to 48; a network
        that is built without rows gets 16.
    plain_numbers : bool, default=True
        Whether every number also enters as it is, but for a soft limit, beside its
        curve or waves. Views can then weigh sums and differences of columns at once,
        which curves can only approach.
    d_column : "auto" or int, default="auto"
        Width in which each column enters a view; a plain number takes one of it. "auto"
        is 8, and 4 where there are more than 32 columns.

    Examples
    --------
    >>> MLPEncoder(n_layers=3).get_params()["n_layers"]
    3
    """

    n_layers: int = 2
    d_hidden: int | str = "auto"
    n_views: int = 8
    d_token: int = 32
    dropout: float = 0.25
    numerical: str = "mixed"
    n_bins: int | str = "auto"
    plain_numbers: bool = True
    d_column: int | str = "auto"

    @property
    def needs_knots(self) -> bool:
        """Whether numbers enter through curves, or waves over positions among knots."""
        return self.numerical != "linear"

    def check(self) -> None:
        """Raise ValueError unless all fields are usable."""
        self.check_at_least(n_layers=0, n_views=1, d_token=2)
        for name in ("d_hidden", "d_column", "n_bins"):
            if getattr(self, name) != "auto":
                self.check_at_least(**{name: 1})
        self.check_probability("dropout")
        self.check_choices(numerical=("mixed", *NUMERICAL), plain_numbers=(True, False))
        if self.plain_numbers and self.d_column == 1:
            raise ValueError(
                "MLPEncoder.d_column must be at least 2 with plain_numbers=True, as a "
                f"number takes one of them, got {self.d_column!r}."
            )

    def build(
        self, spec: TableSpec, *, cls_token: bool, generator: torch.Generator | None
    ) -> nn.Module:
        """Return the encoder of a table; its first view serves as class token."""
        return _MLP(self, spec, generator)


class _MLP(nn.Module):
    kind_of_view: Tensor

    def __init__(
        self,
        params: MLPEncoder,
        spec: TableSpec,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        kinds = [params.numerical]
        if params.numerical == "mixed":
            kinds = ["piecewise_linear", "periodic"][: params.n_views]
        d, n_views = _width_of_column(params, spec), params.n_views
        n_bins = FEWEST_BINS if params.n_bins == "auto" else int(params.n_bins)
        d_hidden = FEWEST_UNITS if params.d_hidden == "auto" else int(params.d_hidden)
        self.n_views = n_views
        kind_of_view = torch.arange(n_views) % len(kinds)
        self.register_buffer(
            "kind_of_view", kind_of_view.sort().values, persistent=False
        )
        self.number_tokenizers = nn.ModuleList()
        for kind in kinds if spec.n_numbers else []:
            tokenizer = make_number_tokenizer(
                spec,
                kind,
                d - params.plain_numbers,
                generator,
                n_frequencies=max(1, n_bins // 2),
            )
            if params.plain_numbers:
                tokenizer = WithPlainNumbers(tokenizer)
            self.number_tokenizers.append(tokenizer)
        # Embeddings side by side, of each view its own: a shared one of a rare category
        # would tell a view the labels of the rows that it leaves out.
        self.category_tokenizer = None
        if spec.cardinalities:
            self.category_tokenizer = CategoryTokenizer(
                list(spec.cardinalities), n_views * d, generator=generator
            )
        self.views = Views(
            spec.n_columns * d,
            d_hidden=d_hidden,
            n_layers=params.n_layers,
            n_views=params.n_views,
            d_token=params.d_token,
            dropout=params.dropout,
            generator=generator,
        )

    def forward(
        self, numbers: Tensor, codes: Tensor, rows: Tensor | None = None
    ) -> Tensor:
        parts = []
        if self.number_tokenizers:
            kinds = [tokenize(numbers) for tokenize in self.number_tokenizers]
            tokens = torch.stack(kinds).flatten(2)
            parts.append(_for_views(tokens, self.kind_of_view, rows))
        if self.category_tokenizer is not None:
            tokens = self.category_tokenizer(codes).unflatten(2, (self.n_views, -1))
            tokens = tokens.permute(2, 0, 1, 3).flatten(2)
            if rows is not None:
                views = torch.arange(self.n_views, device=rows.device)
                tokens = _for_views(tokens, views, rows)
            parts.append(tokens)
        return self.views(torch.cat(parts, 2).transpose(0, 1))


def _width_of_column(params: MLPEncoder, spec: TableSpec) -> int:
    if params.d_column != "auto":
        return int(params.d_column)
    return _WIDE if spec.n_columns <= _MANY_COLUMNS else _NARROW


def _for_views(tokens: Tensor, form: Tensor, rows: Tensor | None) -> Tensor:
    """Return what every view sees, (V, B or R, n).

    The batch is there in several forms (S, B, n), of which view v sees ``form[v]``, and
    of that its own rows (R, V).
    """
    n_rows = tokens.shape[1]
    own = torch.arange(n_rows, device=form.device) if rows is None else rows.T
    places = own + n_rows * form[:, None]
    return (
        tokens.flatten(0, 1)
        .index_select(0, places.flatten())
        .unflatten(0, places.shape)
    )
