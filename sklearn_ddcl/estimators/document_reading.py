"""What a document was compressed to, for reading."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class DocumentSlots:
    """The slots of one document.

    Attributes
    ----------
    vectors : ndarray of shape (n_slots, d_token)
        Mean token of every slot, in the units of the tokens.
    weights : ndarray of shape (n_slots,)
        Share of the document that every slot stands for; they sum to one.
    token_shares : ndarray of shape (n_slots, n_tokens)
        How much of a slot every token is; rows sum to one, and their product with the
        tokens are the vectors.
    sentence_shares : ndarray of shape (n_slots, n_sentences)
        The same by sentence; by segment if the document has no sentences, by token if
        there is a single level. Of more than two levels, by part of the highest.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl import DDCLDocumentCompressor
    >>> rng = np.random.default_rng(0)
    >>> documents = [rng.normal(size=(n, 3)) for n in (20, 35, 50)]
    >>> compressor = DDCLDocumentCompressor((4, 2), random_state=0).fit(documents)
    >>> first = compressor.slots(documents)[0]
    >>> first.vectors.shape, first.weights.shape, first.token_shares.shape
    ((2, 3), (2,), (2, 20))
    """

    vectors: np.ndarray
    weights: np.ndarray
    token_shares: np.ndarray
    sentence_shares: np.ndarray

    def top_tokens(self, slot: int, n: int = 3) -> np.ndarray:
        """Return the tokens that a slot mostly consists of.

        Parameters
        ----------
        slot : int
            Number of the slot.
        n : int, default=3
            How many tokens.

        Returns
        -------
        tokens : ndarray of shape (n,)
            Their numbers, the largest share first.
        """
        return np.argsort(-self.token_shares[slot], kind="stable")[:n]
