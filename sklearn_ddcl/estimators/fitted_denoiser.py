"""A trained denoiser with its prototypes, asked about rows."""

from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.estimators.named_encoder import registered_name
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.estimators.table_space import TableSpace
from sklearn_ddcl.estimators.trained_network import (
    restore_weights,
    run_on_rows,
    weights_state,
)
from sklearn_ddcl.layers.full_vectors import full_vectors
from sklearn_ddcl.networks import ROW_ENCODERS, RowDenoiser
from sklearn_ddcl.networks.table import TableSpec
from sklearn_ddcl.training.denoising.embedding import Embedding
from sklearn_ddcl.training.denoising.neighborhoods import STEPS, Frame


class DenoiserShape(NamedTuple):
    """What it takes to build a denoiser of the same shape."""

    encoder: Any
    d_latent: int
    spec: TableSpec

    def build(self, generator: torch.Generator | None = None) -> RowDenoiser:
        """Return a new network."""
        return RowDenoiser(
            self.spec,
            self.encoder,
            d_latent=self.d_latent,
            n_smoothed=len(STEPS),
            generator=generator,
        )

    def get_state(self) -> dict[str, Any]:
        """Return the shape as plain numbers and strings."""
        return {
            "encoder": registered_name(self.encoder, "ROW_ENCODERS"),
            "encoder_params": self.encoder.get_params(),
            "d_latent": self.d_latent,
            **self.spec.get_state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the shape that `state` describes."""
        encoder = ROW_ENCODERS[state["encoder"]](**state["encoder_params"])
        return cls(encoder, state["d_latent"], TableSpec.from_state(state))


class Bank(NamedTuple):
    """Prototypes of the largest neighborhoods, and how they compete."""

    prototypes: Tensor
    """(K, R), in the coordinates of the metric."""
    temperature: float
    """In the unit of a squared distance there."""
    mass: Tensor
    """(K,), weight of the training rows that fell to each."""
    clusters: Tensor
    """(K,), int64, cluster of every prototype."""
    centers: Tensor
    """(S, D), of all sizes of neighborhoods, the largest last."""
    scales: Tensor
    """(S,), what each was divided by."""
    forth: Tensor
    """(D, R), from standardized neighborhoods to the coordinates of the metric."""
    back: Tensor
    """(R, D)."""

    @property
    def center(self) -> Tensor:
        """Mean of the largest neighborhoods, (D,)."""
        return self.centers[-1]

    @property
    def scale(self) -> float:
        """What they were divided by."""
        return float(self.scales[-1])

    @property
    def frame(self) -> Frame:
        """What neighborhoods of other rows are standardized by."""
        parts = (self.centers, self.scales)
        return Frame(*(part.double().cpu().numpy() for part in parts))

    def to(self, device: torch.device) -> Self:
        """Return the same on a device."""
        moved: dict[str, Any] = {
            name: part.to(device)
            for name, part in self._asdict().items()
            if isinstance(part, Tensor)
        }
        return self._replace(**moved)

    @property
    def rows(self) -> Tensor:
        """The prototypes as rows, (K, D)."""
        return self.prototypes @ self.back * self.scale + self.center


class FittedDenoiser:
    """Answer questions about encoded rows.

    Every row is treated as if it were alone, bit for bit.

    Parameters
    ----------
    space : TableSpace
        Turns tables into what the network sees, and back.
    shape : DenoiserShape
        Shape of the network.
    network : RowDenoiser
        The network, on its device.
    bank : Bank
        The prototypes, on the device.
    embedding : Embedding
        What :meth:`embed` returns.
    mixed_precision : bool, default=False
        Whether the network runs under bfloat16 autocast.
    """

    def __init__(
        self,
        space: TableSpace,
        shape: DenoiserShape,
        network: RowDenoiser,
        bank: Bank,
        embedding: Embedding,
        mixed_precision: bool = False,
    ) -> None:
        self.space = space
        self.shape = shape
        self.network = network
        self.bank = bank
        self.embedding = embedding
        self.mixed_precision = mixed_precision

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights."""
        return next(self.network.parameters()).dtype

    @property
    def n_parameters(self) -> int:
        """Number of trained weights, the prototypes included."""
        n_weights = sum(values.numel() for values in self.network.parameters())
        return n_weights + self.bank.prototypes.numel()

    def embed(self, encoded: EncodedTable) -> np.ndarray:
        """Return the embedding of rows, (n, m), float64."""

        def embedded(numbers: Tensor, codes: Tensor) -> tuple[Tensor]:
            columns = library(self.network, self.bank, numbers, codes)
            return (self.embedding.apply(torch.cat(columns, 1).double()),)

        (values,) = self._ask(embedded, encoded)
        return values.numpy()

    def squared_distances(self, encoded: EncodedTable) -> np.ndarray:
        """Return squared distances of rows to the prototypes, (n, K), float64.

        In the coordinates of the metric, which has the total variance of the
        standardized columns.
        """
        (distances,) = self._ask(
            lambda *x: (_to_bank(tokens(self.network, self.bank, *x), self.bank),),
            encoded,
        )
        return distances.double().numpy() * self.bank.scale**2

    def assign(self, encoded: EncodedTable) -> np.ndarray:
        """Return the soft assignments of rows, (n, K), float64; rows sum to one."""
        (q,) = self._ask(
            lambda *x: (self._assign(tokens(self.network, self.bank, *x)),), encoded
        )
        shares = q.double().numpy()
        return shares / shares.sum(1, keepdims=True)

    def decompose(self, encoded: EncodedTable) -> F.Decomposition:
        """Return loss, reconstruction and diversity of every row, (n,) each."""

        def parts(numbers: Tensor, codes: Tensor) -> tuple[Tensor, ...]:
            z = tokens(self.network, self.bank, numbers, codes)
            q = self._assign(z)
            return tuple(F.decompose(z, self.bank.prototypes, q, reduction="none"))

        found = self._ask(parts, encoded)
        return F.Decomposition(*(part * self.bank.scale**2 for part in found))

    def to_table(self, rows: np.ndarray) -> Any:
        """Return the table that rows (n, D) as vectors stand for."""
        spec = self.shape.spec
        numbers = rows[:, : spec.n_numbers]
        codes = np.empty((len(rows), len(spec.cardinalities)), dtype=np.int64)
        start = spec.n_numbers + len(spec.flagged)
        for column, n_codes in enumerate(spec.cardinalities):
            likely = rows[:, start : start + n_codes]
            # "Unknown" is no answer, unless there is no other.
            first = min(1, n_codes - 1)
            codes[:, column] = likely[:, first:].argmax(1) + first
            start += n_codes
        return self.space.inverse(EncodedTable(numbers, codes))

    def mix(self, assignments: np.ndarray) -> Any:
        """Return the table that soft assignments (n, K) stand for."""
        return self.to_table(assignments @ self.bank.rows.double().cpu().numpy())

    def unembed(self, values: np.ndarray) -> Any:
        """Return the table that embeddings (n, m) stand for."""
        embedding = self.embedding.to(torch.device("cpu"))
        columns = embedding.revert(torch.from_numpy(values).double())
        return self.to_table(columns[:, : self.network.width].numpy())

    def _assign(self, z: Tensor) -> Tensor:
        return F.soft_assign(z, self.bank.prototypes, self.bank.temperature)

    def _ask(self, function: Any, encoded: EncodedTable) -> tuple[Tensor, ...]:
        numbers = torch.from_numpy(encoded.numbers).to(self.dtype)
        return run_on_rows(
            self.network,
            function,
            numbers,
            torch.from_numpy(encoded.codes),
            mixed_precision=self.mixed_precision,
        )

    def get_state(self) -> dict[str, Any]:
        """Return everything as plain values and NumPy arrays."""
        bank = self.bank._asdict()
        return {
            "space": self.space.get_state(),
            "shape": self.shape.get_state(),
            "bank": {
                name: part.cpu().numpy() if isinstance(part, Tensor) else part
                for name, part in bank.items()
            },
            "embedding": self.embedding.get_state(),
            "mixed_precision": self.mixed_precision,
            **weights_state(self.network),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device) -> Self:
        """Return the denoiser that `state` describes, on a device."""
        shape = DenoiserShape.from_state(state["shape"])
        network = shape.build(torch.Generator().manual_seed(0))
        restore_weights(network, state)
        parts: dict[str, Any] = {
            name: torch.from_numpy(np.array(part)) if name != "temperature" else part
            for name, part in state["bank"].items()
        }
        return cls(
            TableSpace.from_state(state["space"]),
            shape,
            network.to(device),
            Bank(**parts).to(device),
            Embedding.from_state(state["embedding"]).to(device),
            state["mixed_precision"],
        )


def tokens(network: RowDenoiser, bank: Bank, numbers: Tensor, codes: Tensor) -> Tensor:
    """Return rows as they are compared with prototypes, (B, R)."""
    return _coordinates(network(numbers, codes)[2], bank)


def library(
    network: RowDenoiser, bank: Bank, numbers: Tensor, codes: Tensor
) -> tuple[Tensor, ...]:
    """Return the blocks of columns that an embedding is made of.

    Parameters
    ----------
    network : RowDenoiser
        In evaluation.
    bank : Bank
        On the device of the network.
    numbers : Tensor of shape (B, F)
    codes : Tensor of shape (B, G)

    Returns
    -------
    blocks : tuple of Tensor
        The rows as vectors (B, D), the hidden layer (B, H), the distances of the rows
        to the prototypes (B, K), and those of their neighborhoods (B, K).
    """
    hidden, _, smoothed = network(numbers, codes)
    rows = network.dense(numbers, codes)
    alone = F.squared_distances(rows, bank.rows)
    among = _to_bank(_coordinates(smoothed, bank), bank)
    return rows, hidden, alone.sqrt(), among.sqrt()


def _coordinates(smoothed: Tensor, bank: Bank) -> Tensor:
    """Return the largest neighborhoods in the coordinates of the metric."""
    largest = smoothed[:, -1].to(bank.forth.dtype)
    # Also under autocast: prototypes are told apart by small differences.
    with torch.autocast(largest.device.type, enabled=False):
        return (largest @ full_vectors(bank.forth))[:, : bank.forth.shape[1]]


def _to_bank(z: Tensor, bank: Bank) -> Tensor:
    return F.squared_distances(z, bank.prototypes)
