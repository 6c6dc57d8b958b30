"""A trained autoencoder with its codebooks, asked about rows and about codes."""

from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.estimators.named_encoder import registered_name
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.estimators.trained_network import (
    restore_weights,
    run_on_rows,
    weights_state,
)
from sklearn_ddcl.networks import AUTOENCODERS, QuantizedAutoencoder
from sklearn_ddcl.networks.table import TableSpec
from sklearn_ddcl.training.autoencoding.loss import row_losses
from sklearn_ddcl.training.data import Inputs


class AutoencoderShape(NamedTuple):
    """What it takes to build an autoencoder of the same shape."""

    encoder: Any
    n_prototypes: int
    n_codebooks: int
    quantization: str
    spec: TableSpec

    def build(self, generator: torch.Generator | None = None) -> QuantizedAutoencoder:
        """Return a new network."""
        return QuantizedAutoencoder(
            self.spec,
            self.encoder,
            n_prototypes=self.n_prototypes,
            n_codebooks=self.n_codebooks,
            quantization=self.quantization,
            generator=generator,
        )

    def get_state(self) -> dict[str, Any]:
        """Return the shape as plain numbers and strings."""
        params = self.encoder.get_params()
        return {
            "encoder": registered_name(self.encoder, "AUTOENCODERS"),
            "encoder_params": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in params.items()
            },
            "n_prototypes": self.n_prototypes,
            "n_codebooks": self.n_codebooks,
            "quantization": self.quantization,
            **self.spec.get_state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the shape that `state` describes."""
        params = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in state["encoder_params"].items()
        }
        return cls(
            AUTOENCODERS[state["encoder"]](**params),
            state["n_prototypes"],
            state["n_codebooks"],
            state["quantization"],
            TableSpec.from_state(state),
        )


class FittedAutoencoder:
    """Turn encoded rows into codes and codes into rows with a trained autoencoder.

    Every row is treated as if it were alone, bit for bit.

    Parameters
    ----------
    shape : AutoencoderShape
        Shape of the network.
    network : QuantizedAutoencoder
        The network, on its device.
    mixed_precision : bool, default=False
        Whether it runs under bfloat16 autocast.
    """

    def __init__(
        self,
        shape: AutoencoderShape,
        network: QuantizedAutoencoder,
        mixed_precision: bool = False,
    ) -> None:
        self.shape = shape
        self.network = network
        self.mixed_precision = mixed_precision

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights."""
        return self.network.codebook.prototypes.dtype

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.network.codebook.prototypes.device

    @property
    def prototypes(self) -> np.ndarray:
        """The prototypes of all books, (M, K, d)."""
        return self.network.codebook.prototypes.detach().cpu().numpy().copy()

    @property
    def temperature(self) -> np.ndarray:
        """The temperature of every book at the end of training, (M,)."""
        return self.network.codebook.temperature.cpu().numpy().copy()

    @property
    def n_parameters(self) -> int:
        """Number of trained weights, the prototypes included."""
        return sum(values.numel() for values in self.network.parameters())

    def encode(self, encoded: EncodedTable) -> np.ndarray:
        """Return the codes of rows, (n, M), int64."""
        (codes,) = self._ask(lambda *x: (self.network.encode(*x),), encoded)
        return codes.numpy()

    def latents(self, encoded: EncodedTable) -> np.ndarray:
        """Return the latents of rows before quantization, (n, S, d)."""
        (latents,) = self._ask(lambda *x: (self.network.latents(*x),), encoded)
        return latents.to(self.dtype).numpy()

    def assign(self, encoded: EncodedTable) -> np.ndarray:
        """Return the soft assignments of rows at the last temperature, (n, M, K)."""

        def assignments(numbers: Tensor, codes: Tensor) -> tuple[Tensor]:
            latents = self.network.latents(numbers, codes)
            return (self.network.codebook(latents).log_assignments.exp(),)

        (values,) = self._ask(assignments, encoded)
        return values.numpy()

    def distances(self, encoded: EncodedTable) -> np.ndarray:
        """Return squared distances of what each book was asked about, (n, M, K)."""

        def to_prototypes(numbers: Tensor, codes: Tensor) -> tuple[Tensor]:
            latents = self.network.latents(numbers, codes)
            return (self.network.codebook.distances(latents),)

        (values,) = self._ask(to_prototypes, encoded)
        return values.numpy()

    def losses(self, encoded: EncodedTable, *, soft: bool = False) -> np.ndarray:
        """Return what is lost of every row by its codes, averaged over columns, (n,).

        Parameters
        ----------
        encoded : EncodedTable
            Rows.
        soft : bool, default=False
            Whether to rebuild rows from soft assignments at the last temperature.

        Returns
        -------
        losses : ndarray of shape (n,)
            Squared errors of numbers and nats of categories.
        """
        cardinalities = self.shape.spec.cardinalities

        def lost(numbers: Tensor, codes: Tensor) -> tuple[Tensor]:
            network = self.network
            rebuilt = (
                network(numbers, codes)
                if soft
                else network.decode(network.encode(numbers, codes))
            )
            return (row_losses(rebuilt, Inputs(numbers, codes), cardinalities),)

        (values,) = self._ask(lost, encoded)
        return values.numpy()

    def decode(self, codes: np.ndarray) -> EncodedTable:
        """Return the rows that codes (n, M) stand for."""
        return self._rebuild(
            lambda own, _: (self.network.decode(own),),
            torch.from_numpy(np.ascontiguousarray(codes, dtype=np.int64)),
        )

    def decode_assignments(self, assignments: np.ndarray) -> EncodedTable:
        """Return the rows that soft assignments (n, M, K) stand for."""
        codebook = self.network.codebook
        shape = codebook.prototypes.shape[:2]

        def rebuild(own: Tensor, _: Tensor) -> tuple[Tensor]:
            latents = codebook.decode_assignments(own.unflatten(1, shape))
            return (self.network.rebuild(latents),)

        values = torch.from_numpy(np.ascontiguousarray(assignments)).to(self.dtype)
        return self._rebuild(rebuild, values.flatten(1))

    def _rebuild(self, function: Any, own: Tensor) -> EncodedTable:
        nothing = torch.empty(len(own), 0)
        (rebuilt,) = self._run(function, own, nothing)
        spec = self.shape.spec
        numbers, logits = rebuilt[:, : spec.n_numbers], rebuilt[:, spec.n_numbers :]
        categories = [
            # "Unknown" is no answer, unless there is no other.
            column[:, 1:].argmax(1) + 1 if column.shape[1] > 1 else column.argmax(1)
            for column in logits.split(spec.cardinalities, dim=1)
            if spec.cardinalities
        ]
        codes = np.empty((len(own), len(spec.cardinalities)), dtype=np.int64)
        for g, column in enumerate(categories):
            codes[:, g] = column.numpy()
        return EncodedTable(numbers.to(self.dtype).numpy(), codes)

    def _ask(self, function: Any, encoded: EncodedTable) -> tuple[Tensor, ...]:
        numbers = torch.from_numpy(encoded.numbers).to(self.dtype)
        return self._run(function, numbers, torch.from_numpy(encoded.codes))

    def _run(self, function: Any, numbers: Tensor, codes: Tensor) -> tuple[Tensor, ...]:
        n_rows = len(numbers)
        if n_rows == 0:
            # One row of zeros tells the shapes of the answers.
            numbers = numbers.new_zeros(1, *numbers.shape[1:])
            codes = codes.new_zeros(1, *codes.shape[1:])
        outputs = run_on_rows(
            self.network,
            function,
            numbers,
            codes,
            mixed_precision=self.mixed_precision,
        )
        return tuple(output[:n_rows] for output in outputs)

    def get_state(self) -> dict[str, Any]:
        """Return everything as plain values and NumPy arrays."""
        return {
            "shape": self.shape.get_state(),
            "mixed_precision": self.mixed_precision,
            **weights_state(self.network),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device) -> Self:
        """Return the autoencoder that `state` describes, on a device."""
        shape = AutoencoderShape.from_state(state["shape"])
        network = shape.build(torch.Generator().manual_seed(0))
        restore_weights(network, state)
        return cls(shape, network.to(device), state["mixed_precision"])
