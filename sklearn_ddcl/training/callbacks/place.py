"""Where the prototypes start: among the tokens that they are to stand for."""

from typing import Any

import torch
from skorch.callbacks import Callback
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.networks import TableClassifier
from sklearn_ddcl.training.data import EncodedRows
from sklearn_ddcl.training.probe import BankState

_REFINEMENTS = 3


class PlacePrototypes(Callback):
    """Place the prototypes of an untrained network on tokens of the class they favor.

    Random places will not do: the nearest random prototype could win all tokens of an
    untrained encoder, and the others would never learn.
    """

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Center the tokens and place the prototypes, unless training goes on."""
        if net.measurements:
            return
        probe = dict(net.callbacks_)["probe"]
        center_tokens(net.module_, probe.rows_)
        probe.look(net)
        prototypes = net.module_.bank.prototypes
        n_classes = net.module_.n_classes
        with torch.no_grad():
            prototypes.copy_(
                spread_by_class(net.bank_state, len(prototypes), n_classes)
            )


def center_tokens(network: TableClassifier, rows: EncodedRows) -> None:
    """Set the offset of an untrained network so that its tokens surround the origin.

    What all tokens have in common says nothing, yet after normalization it would leave
    them in one corner, where a step that helps the most frequent class can merge them
    for good.

    Parameters
    ----------
    network : TableClassifier
        Its `offset` is set.
    rows : EncodedRows
        Sample of the training rows.
    """
    inputs, targets = rows[:]
    network.eval()
    with torch.no_grad():
        raw = network.encoder(inputs.numbers, inputs.codes)
        share = (targets.weights / targets.weights.sum()).to(raw.dtype)
        network.offset.copy_(-torch.einsum("b,btd->d", share, raw) / raw.shape[1])


def spread_by_class(state: BankState, n_prototypes: int, n_classes: int) -> Tensor:
    """Return prototypes spread over the tokens, dealt to the classes in turn.

    Each class is covered from its center outwards, the next prototype on the token
    farthest from those before, then refined by a few steps of k-means. Nothing is
    drawn at random and a row of weight two counts like two rows.

    Parameters
    ----------
    state : BankState
        Tokens of a sample, with their classes.
    n_prototypes, n_classes : int
        How many to place, and the classes they are dealt to.

    Returns
    -------
    prototypes : Tensor of shape (n_prototypes, d)
        Prototype k stands among the tokens of class ``k % n_classes``.
    """
    flat = state.tokens.flatten(0, 1)
    weights = state.weights.flatten()
    classes = state.classes[:, None].expand(state.weights.shape).flatten()
    prototypes = flat.new_empty(n_prototypes, flat.shape[1])
    for c in range(n_classes):
        mine = classes == c
        if not mine.any():
            # Not in the sample: any token will do until the class turns up.
            mine = torch.ones_like(mine)
        n_mine = len(range(c, n_prototypes, n_classes))
        prototypes[c::n_classes] = _cover(flat[mine], weights[mine], n_mine)
    return prototypes


def _cover(tokens: Tensor, weights: Tensor, n: int) -> Tensor:
    share = weights / weights.sum()
    chosen = (share[:, None] * tokens).sum(0, keepdim=True)
    # Below this a gap is rounding: once all tokens are taken, the first one will do.
    rounding = torch.finfo(tokens.dtype).eps ** 0.5 * tokens.square().sum(1).mean()
    while len(chosen) < n:
        gaps = F.squared_distances(tokens, chosen).amin(1)
        farthest = gaps.where(gaps > rounding, 0).argmax()
        chosen = torch.cat([chosen, tokens[farthest, None]])
    for _ in range(_REFINEMENTS):
        winners = F.nearest(tokens, chosen)
        assignments = torch.nn.functional.one_hot(winners, n).to(tokens.dtype)
        means, mass = F.centroids(tokens, assignments, weights)
        chosen = torch.where(mass[:, None] > 0, means, chosen)
    return chosen
