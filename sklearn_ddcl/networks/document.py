"""Documents to vectors, level by level, and from there to classes."""

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import Linear
from sklearn_ddcl.layers.document_slots import SlotPooling, Slots, document_vectors
from sklearn_ddcl.layers.document_tokens import DocumentTokens
from sklearn_ddcl.networks.random_module import RandomModule
from sklearn_ddcl.networks.token_encoder import TokenEncoder


def pool_slots(level: SlotPooling, slots: Slots, bounds: Tensor) -> Slots:
    """Return the slots of groups whose tokens are the slots of the level below.

    Parameters
    ----------
    level : SlotPooling
        What pools them.
    slots : Slots
        Those of the level below, (G, K, d) and (G, K).
    bounds : Tensor of shape (n_groups + 1,)
        Where groups begin and end among the G.

    Returns
    -------
    slots : Slots
        (n_groups, K', d) and (n_groups, K').
    """
    n_slots = slots.log_mass.shape[1]
    return level(
        slots.vectors.flatten(0, 1), bounds * n_slots, slots.log_mass.flatten()
    )


class DocumentNetwork(RandomModule):
    """Compress documents by slots of slots.

    On the first level the tokens of every sentence or segment become slots; on every
    further level the slots of a group, with their masses, are its tokens.

    Parameters
    ----------
    center : Tensor of shape (d,)
        What tokens are relative to.
    levels : list of SlotPooling
        From the tokens up, for tokens relative to `center`.
    n_classes : int, optional
        Number of classes to be told from the vectors. Tokens then pass through a
        linear map first, at the start the identity. By default there is neither.
    encoder : TokenEncoder, optional
        What the tokens of a sentence or segment then pass through, together.
    token_dropout : float, default=0
        Share of its tokens that a document is spared of, at random, in training.

    Attributes
    ----------
    d_vector : int
        Width of the vectors.

    Examples
    --------
    >>> level = SlotPooling(torch.eye(4, 3), temperature=0.5)
    >>> network = DocumentNetwork(torch.zeros(3), [level], n_classes=2)
    >>> network(DocumentTokens(torch.randn(9, 3), (torch.tensor([0, 5, 9]),))).shape
    torch.Size([2, 2])
    """

    center: Tensor

    def __init__(
        self,
        center: Tensor,
        levels: list[SlotPooling],
        *,
        n_classes: int | None = None,
        encoder: TokenEncoder | None = None,
        token_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("center", center)
        self.levels: Any = nn.ModuleList(levels)
        self.token_dropout = token_dropout
        self._generator: torch.Generator | None = None
        d_token = len(center)
        self.d_vector = len(levels[-1].prototypes) * d_token
        self.map: Linear | None = None
        self.head: Linear | None = None
        if n_classes is not None:
            # Drawn and forgotten, but not from the global generator.
            generator = torch.Generator()
            self.map = Linear(d_token, d_token, bias=False, generator=generator)
            self.head = Linear(self.d_vector, n_classes, generator=generator)
            with torch.no_grad():
                self.map.weight.copy_(torch.eye(d_token))
                self.head.weight.zero_()
        self.encoder = encoder
        self.to(center.dtype)

    def use_generator(self, generator: torch.Generator | None) -> None:
        """Draw everything random in training from a generator."""
        super().use_generator(generator)
        self._generator = generator

    def embed(
        self, tokens: Tensor, bounds: Tensor, log_mass: Tensor | None = None
    ) -> Tensor:
        """Return tokens as the first level compares them with prototypes.

        Parameters
        ----------
        tokens : Tensor of shape (N, d)
            Tokens.
        bounds : Tensor of shape (n_groups + 1,)
            Where sentences or segments begin and end, on the CPU.
        log_mass : Tensor of shape (N,), optional
            Logarithms of their masses; negative if they are left out.

        Returns
        -------
        embedded : Tensor of shape (N, d)
        """
        tokens = self.map_tokens(tokens)
        if self.encoder is None:
            return tokens
        kept = None if log_mass is None else log_mass >= 0
        return self.encoder(tokens, bounds, kept)

    def map_tokens(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, d) relative to the center and after the map, if any."""
        tokens = tokens.to(self.center.dtype) - self.center
        return tokens if self.map is None else self.map(tokens)

    def slots(self, documents: DocumentTokens) -> Slots:
        """Return the slots of the last level, (n, K, d) and (n, K)."""
        first, *others = self.levels
        log_mass = self._drop(documents.tokens)
        tokens = self.embed(documents.tokens, documents.bounds[0], log_mass)
        slots = first(tokens, documents.bounds[0], log_mass)
        for level, bounds in zip(others, documents.bounds[1:], strict=True):
            slots = pool_slots(level, slots, bounds)
        return slots

    def vectors(self, documents: DocumentTokens) -> Tensor:
        """Return one vector of length one per document, (n, d_vector)."""
        return document_vectors(self.slots(documents))

    def forward(self, documents: DocumentTokens) -> Tensor:
        """Return log probabilities of the classes, (n, n_classes)."""
        if self.head is None:
            raise RuntimeError(
                "This network was built without n_classes and only gives vectors."
            )
        # Entries of a vector of length one are as small as it is wide.
        vectors = self.vectors(documents) * self.d_vector**0.5
        return self.head(vectors).log_softmax(-1)

    def _drop(self, tokens: Tensor) -> Tensor | None:
        if not (self.training and self.token_dropout > 0):
            return None
        draws = torch.empty(len(tokens), device=tokens.device)
        draws.uniform_(generator=self._generator)
        # Next to nothing rather than nothing: a sentence may lose all its tokens.
        return torch.where(draws < self.token_dropout, -20.0, 0.0).to(self.center)
