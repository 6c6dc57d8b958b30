"""Prototypes start among the tokens of the class they are dealt to."""

import pytest
import torch

from sklearn_ddcl.training import EncodedRows
from sklearn_ddcl.training.callbacks.place import center_tokens, spread_by_class


def place(state_of, tokens, classes, n_prototypes, weights=None, n_classes=2):
    """Return where prototypes are placed on a line, rounded."""
    _, state = state_of(tokens, [0.0], classes=classes, weights=weights)
    placed = spread_by_class(state, n_prototypes, n_classes)
    return placed.ravel().round(decimals=6).tolist()


def test_one_prototype_per_class_stands_in_its_center(state_of):
    assert place(state_of, [0.0, 2.0, 10.0, 14.0], [0, 0, 1, 1], 2) == [1.0, 12.0]


def test_further_prototypes_cover_the_class(state_of):
    # Of class 0: the mean 5, then 0 as farthest; k-means moves them to 10 and 0.
    placed = place(state_of, [0.0, 0.0, 10.0, 10.0, 50.0], [0, 0, 0, 0, 1], 3)

    assert sorted(placed[::2]) == [0.0, 10.0]
    assert placed[1] == 50.0


def test_weights_count_rows(state_of):
    tokens, classes, weights = [0.0, 1.0, 4.0, 9.0], [0, 0, 0, 1], [1, 2, 4, 3]
    rows = torch.arange(4).repeat_interleave(torch.tensor(weights))
    repeated = place(
        state_of, torch.tensor(tokens)[rows], torch.tensor(classes)[rows], 4
    )

    assert place(state_of, tokens, classes, 4, weights) == repeated


def test_more_prototypes_than_tokens_are_no_problem(state_of):
    placed = place(state_of, [0.0, 1.0, 7.0], [0, 0, 1], 9)

    assert set(placed[1::2]) == {7.0}
    assert {0.0, 1.0} <= set(placed[::2])
    assert all(0 <= value <= 1 for value in placed[::2])


def test_once_all_tokens_are_taken_rounding_chooses_nothing(state_of):
    # A millionth apart: repeated rows differ so when they are encoded elsewhere.
    placed = place(state_of, [0.0, 1.0, 1.000001, 7.0], [0, 0, 0, 1], 11)

    # The mean, the farthest and the next token, then the first one again and again.
    assert placed[6::2] == [0.0] * 3


def test_a_class_that_is_not_in_the_sample_gets_tokens_of_others(state_of):
    placed = place(state_of, [0.0, 4.0], [0, 0], 3, n_classes=3)

    assert all(0 <= value <= 4 for value in placed)


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_tokens_surround_the_origin_before_training(make, rows, encoder):
    network = make(encoder).module_
    weighted = EncodedRows(*rows.tensors[:3], torch.arange(60.0))
    center_tokens(network, weighted)

    with torch.no_grad():
        inputs = weighted[:][0]
        raw = network.encoder(inputs.numbers, inputs.codes) + network.offset
    mean = torch.einsum("b,btd->d", torch.arange(60.0), raw)
    assert mean.abs().max() / torch.arange(60.0).sum() < 1e-5


# Of prototypes that are all at one place, rightly.
@pytest.mark.filterwarnings("ignore::sklearn_ddcl.training.CollapseWarning")
@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_a_training_that_goes_on_keeps_its_prototypes(make, rows, encoder):
    net = make(encoder, lr=1e-12)
    net.partial_fit(rows, epochs=1)
    offset = net.module_.offset.clone()
    with torch.no_grad():
        net.module_.bank.prototypes.fill_(0.25)
    net.partial_fit(rows, epochs=1)

    # Jitter alone moves them.
    assert (net.module_.bank.prototypes - 0.25).abs().max() < 0.1
    assert torch.allclose(net.module_.offset, offset)


def test_the_first_training_places_prototypes_on_tokens(make, rows):
    net = make(lr=1e-12)
    before = net.module_.bank.prototypes.detach().clone()
    net.partial_fit(rows, epochs=1)

    assert (net.module_.bank.prototypes - before).abs().max() > 0.1
    assert net.measurements[0]["tracking"] < 0.5
