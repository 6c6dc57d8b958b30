"""A trained network and the table encoder in front of it."""

from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.estimators.named_encoder import registered_name
from sklearn_ddcl.estimators.table_encoder import EncodedTable, TableEncoder
from sklearn_ddcl.estimators.trained_network import (
    restore_weights,
    run_on_rows,
    weights_state,
)
from sklearn_ddcl.networks import ENCODERS, TableClassifier
from sklearn_ddcl.networks.table import TableSpec


class Architecture(NamedTuple):
    """What it takes to build a network of the same shape."""

    encoder: Any
    readout: str
    n_prototypes: int
    n_classes: int
    spec: TableSpec

    def build(self, generator: torch.Generator | None = None) -> TableClassifier:
        """Return a new network."""
        return TableClassifier(
            self.spec,
            self.n_classes,
            self.encoder,
            readout=self.readout,
            n_prototypes=self.n_prototypes,
            generator=generator,
        )

    def get_state(self) -> dict[str, Any]:
        """Return the shape as plain numbers and strings."""
        return {
            "encoder": registered_name(self.encoder, "ENCODERS"),
            "encoder_params": self.encoder.get_params(),
            "readout": self.readout,
            "n_prototypes": self.n_prototypes,
            "n_classes": self.n_classes,
            **self.spec.get_state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the architecture that `state` describes."""
        spec = TableSpec.from_state(state)
        encoder = ENCODERS[state["encoder"]](**state["encoder_params"])
        return cls(
            encoder, state["readout"], state["n_prototypes"], state["n_classes"], spec
        )


class FittedNetwork:
    """Answer questions about rows with a trained network.

    Parameters
    ----------
    table : TableEncoder
        Encodes tables as in training.
    architecture : Architecture
        Shape of the network.
    network : TableClassifier
        The network, on its device.
    mixed_precision : bool, default=False
        Whether it runs under bfloat16 autocast.
    """

    def __init__(
        self,
        table: TableEncoder,
        architecture: Architecture,
        network: TableClassifier,
        mixed_precision: bool = False,
    ) -> None:
        self.table = table
        self.architecture = architecture
        self.network = network
        self.mixed_precision = mixed_precision

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights."""
        return next(self.network.parameters()).dtype

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.network.parameters()).device

    def to_tensors(self, encoded: EncodedTable) -> tuple[Tensor, Tensor]:
        """Return numbers and codes as the network takes them, on the CPU."""
        numbers = torch.from_numpy(encoded.numbers).to(self.dtype)
        return numbers, torch.from_numpy(encoded.codes)

    def predict_proba(self, encoded: EncodedTable) -> np.ndarray:
        """Return class probabilities (n, C), float64, rows summing to one."""

        def probabilities(numbers: Tensor, codes: Tensor) -> tuple[Tensor]:
            log_proba, _, _ = self.network(numbers, codes)
            return (log_proba.exp().mean(1),)

        (averaged,) = self._run(probabilities, encoded)
        proba = averaged.double().numpy()
        return proba / proba.sum(1, keepdims=True)

    def assign(self, encoded: EncodedTable) -> np.ndarray:
        """Return the mean assignment of every row's tokens, (n, K)."""

        def assignments(numbers: Tensor, codes: Tensor) -> tuple[Tensor]:
            tokens = self.network.tokens(numbers, codes)
            return (self._bank.log_assign(tokens).exp().mean(1),)

        (values,) = self._run(assignments, encoded)
        return values.numpy()

    def decompose(self, encoded: EncodedTable) -> F.Decomposition:
        """Return loss, reconstruction and diversity of every row, (n,) each."""

        def parts(numbers: Tensor, codes: Tensor) -> tuple[Tensor, ...]:
            tokens = self.network.tokens(numbers, codes)
            q = self._bank.log_assign(tokens).exp()
            per_token = F.decompose(tokens, self._bank.prototypes, q, reduction="none")
            return tuple(part.mean(1) for part in per_token)

        return F.Decomposition(*self._run(parts, encoded))

    @property
    def votes(self) -> np.ndarray:
        """Class distribution of every prototype, (K, C), float64."""
        votes: Any = self.network.readout.votes
        return votes.log_distributions().detach().double().exp().cpu().numpy()

    @property
    def prototypes(self) -> np.ndarray:
        """The prototypes, (K, d)."""
        return self._bank.prototypes.detach().cpu().numpy().copy()

    @property
    def temperature(self) -> float:
        """The temperature at the end of training."""
        return float(self._bank.temperature)

    @property
    def _bank(self) -> Any:
        return self.network.bank

    def _run(self, function: Any, encoded: EncodedTable) -> tuple[Tensor, ...]:
        numbers, codes = self.to_tensors(encoded)
        outputs = run_on_rows(
            self.network,
            function,
            numbers,
            codes,
            mixed_precision=self.mixed_precision,
        )
        return tuple(output.to(self.dtype) for output in outputs)

    def get_state(self) -> dict[str, Any]:
        """Return everything as plain values and NumPy arrays."""
        return {
            "table": self.table.get_state(),
            "architecture": self.architecture.get_state(),
            "mixed_precision": self.mixed_precision,
            **weights_state(self.network),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device) -> Self:
        """Return the network that `state` describes, on a device."""
        architecture = Architecture.from_state(state["architecture"])
        network = architecture.build(torch.Generator().manual_seed(0))
        restore_weights(network, state)
        table = TableEncoder.from_state(state["table"])
        return cls(table, architecture, network.to(device), state["mixed_precision"])
