"""A fitted compressor of documents: its network and how documents reach it."""

from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.estimators.document_encoder import make_token_encoder
from sklearn_ddcl.estimators.document_input import DocumentReader
from sklearn_ddcl.estimators.document_reading import DocumentSlots
from sklearn_ddcl.estimators.named_encoder import registered_name
from sklearn_ddcl.estimators.trained_network import restore_weights, weights_state
from sklearn_ddcl.layers.document_slots import SlotPooling
from sklearn_ddcl.layers.document_tokens import DocumentTokens
from sklearn_ddcl.networks import DOCUMENT_ENCODERS
from sklearn_ddcl.networks.document import DocumentNetwork, pool_slots
from sklearn_ddcl.training import one_thread


class FittedDocuments:
    """Answer questions about documents with a network.

    Parameters
    ----------
    network : DocumentNetwork
        The network, on its device.
    segment_length : int
        Tokens of a segment where documents have no sentences.
    params : parameter object, optional
        Those of the encoder of the network, if it has one.
    """

    def __init__(
        self, network: DocumentNetwork, segment_length: int, params: Any = None
    ) -> None:
        self.network = network.eval()
        self.segment_length = segment_length
        self.params = params

    @property
    def dtype(self) -> Any:
        """Type of the weights, and of what is answered."""
        return self.network.center.cpu().numpy().dtype

    @property
    def reader(self) -> DocumentReader:
        """What lays documents out as in training."""
        return DocumentReader(
            len(self.network.levels),
            self.segment_length,
            self.dtype,
            len(self.network.center),
        )

    @property
    def prototypes(self) -> tuple[np.ndarray, ...]:
        """Those of every level, in the units of the tokens if these pass no map."""
        center = 0 if self.network.map is not None else self.network.center
        return tuple(
            (level.prototypes + center).detach().cpu().numpy() for level in self._levels
        )

    @property
    def temperatures(self) -> np.ndarray:
        """The temperature of every level."""
        return np.array([float(level.temperature) for level in self._levels])

    @property
    def _levels(self) -> list[Any]:
        return list(self.network.levels)

    def vectors(self, documents: Iterable[Any]) -> Iterator[np.ndarray]:
        """Yield the vectors of documents, block by block."""
        for block in self.reader.blocks(documents):
            with one_thread(), torch.inference_mode():
                vectors = self.network.vectors(block.to(self.network.center.device))
            yield vectors.cpu().numpy()

    def slots(self, document: Any, number: int) -> DocumentSlots:
        """Return the slots of one document."""
        reader = self.reader
        groups = reader.lay_out(document, number)
        taken = reader.read([document], [0])
        with one_thread(), torch.inference_mode():
            weights, shares = self._trace(taken.to(self.network.center.device))
        tokens = taken.tokens.to(shares)
        lengths = [_n_tokens(group) for group in groups]
        if len(taken.bounds) == 1:
            lengths = [1] * len(tokens)
        return DocumentSlots(
            vectors=(shares @ tokens).cpu().numpy(),
            weights=weights.cpu().numpy(),
            token_shares=shares.cpu().numpy(),
            sentence_shares=_sums(shares.cpu().numpy(), lengths),
        )

    def _trace(self, document: DocumentTokens) -> tuple[Tensor, Tensor]:
        """Return weights (K,) of the slots, and what tokens give to them, (K, N)."""
        first, *others = self._levels
        bounds = document.bounds[0]
        tokens = self.network.embed(document.tokens, bounds)
        slots = first(tokens, bounds)
        parts = [first.shares(own) for own in tokens.split(bounds.diff().tolist())]
        for level, bounds in zip(others, document.bounds[1:], strict=True):
            items, mass = slots.vectors.flatten(0, 1), slots.log_mass.flatten()
            lengths = bounds.diff().tolist()
            inner = [torch.block_diag(*own) for own in _runs(parts, lengths)]
            n_slots = slots.log_mass.shape[1]
            sizes = [n_slots * length for length in lengths]
            given = zip(items.split(sizes), mass.split(sizes), strict=True)
            outer = [level.shares(*own) for own in given]
            parts = [o @ i for o, i in zip(outer, inner, strict=True)]
            slots = pool_slots(level, slots, bounds)
        return slots.log_mass[0].softmax(0), parts[0]

    def get_state(self) -> dict[str, Any]:
        """Return everything as plain values and NumPy arrays."""
        head = self.network.head
        encoder = {}
        if self.params is not None:
            encoder = {
                "encoder": registered_name(self.params, "DOCUMENT_ENCODERS"),
                "encoder_params": self.params.get_params(),
            }
        return {
            **encoder,
            "n_prototypes": [len(level.prototypes) for level in self._levels],
            "n_classes": None if head is None else len(head.weight),
            "d_token": len(self.network.center),
            "segment_length": self.segment_length,
            **weights_state(self.network),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device) -> Self:
        """Return the compressor that `state` describes, on a device."""
        d_token = state["d_token"]
        levels = [
            SlotPooling(torch.zeros(size, d_token), 1.0)
            for size in state["n_prototypes"]
        ]
        params = encoder = None
        # There was none at first.
        if state.get("encoder") is not None:
            params = DOCUMENT_ENCODERS[state["encoder"]](**state["encoder_params"])
            shape = d_token, state["segment_length"]
            encoder = make_token_encoder(params, *shape, 1.0, 0)
        network = DocumentNetwork(
            torch.zeros(d_token),
            levels,
            n_classes=state["n_classes"],
            encoder=encoder,
        )
        restore_weights(network, state)
        return cls(network.to(device), state["segment_length"], params)


def _n_tokens(group: Any) -> int:
    if isinstance(group, np.ndarray):
        return len(group)
    return sum(map(_n_tokens, group))


def _runs(parts: list, lengths: list[int]) -> Iterator[list]:
    """Yield the parts of every group."""
    start = 0
    for length in lengths:
        yield parts[start : start + length]
        start += length


def _sums(shares: np.ndarray, lengths: list[int]) -> np.ndarray:
    """Return sums of consecutive columns, of as many as every length says."""
    ends = np.cumsum(lengths)
    total = np.pad(shares.cumsum(1), ((0, 0), (1, 0)))
    return total[:, ends] - total[:, ends - lengths]
