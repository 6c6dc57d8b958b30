"""Documents to vectors, level by level."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers.document_slots import SlotPooling
from sklearn_ddcl.layers.document_tokens import DocumentTokens
from sklearn_ddcl.networks import AoTEncoder
from sklearn_ddcl.networks.document import DocumentNetwork
from sklearn_ddcl.networks.token_encoder import TokenEncoder


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def make(*sizes, center=None, **params):
    levels = [SlotPooling(draw(k, 3, seed=k), 0.7) for k in sizes]
    center = torch.zeros(3).double() if center is None else center
    return DocumentNetwork(center, levels, **params)


@pytest.fixture
def documents():
    """Return two documents: sentences of 2 and 3 tokens, and of 4."""
    bounds = torch.tensor([0, 2, 5, 9]), torch.tensor([0, 2, 3])
    return DocumentTokens(draw(9, 3), bounds)


def test_two_levels_are_slots_of_slots(documents):
    network = make(4, 2)

    slots = network.slots(documents)

    first, second = network.levels
    inner = first(documents.tokens[:5], torch.tensor([0, 2, 5]))
    outer = second(
        inner.vectors.reshape(8, 3), torch.tensor([0, 8]), inner.log_mass.reshape(8)
    )
    assert_close(slots.vectors[0], outer.vectors[0])
    assert_close(slots.log_mass[0], outer.log_mass[0])


def test_the_mass_of_a_document_is_its_number_of_tokens(documents):
    mass = make(4, 2).slots(documents).log_mass.exp()

    assert_close(mass.sum(1).tolist(), [5.0, 4.0])


def test_vectors_have_length_one(documents):
    vectors = make(4, 2).vectors(documents)

    assert vectors.shape == (2, 6)
    assert_close(vectors.norm(dim=1), torch.ones(2).double())


def test_the_center_is_taken_off(documents):
    center = draw(3, seed=7)
    moved = DocumentTokens(documents.tokens + center, documents.bounds)

    vectors = make(4, 2, center=center).vectors(moved)

    assert_close(vectors, make(4, 2).vectors(documents))


def test_the_map_starts_as_the_identity(documents):
    assert_close(
        make(4, 2, n_classes=2).vectors(documents), make(4, 2).vectors(documents)
    )


def test_classes_get_log_probabilities(documents):
    log_proba = make(4, 2, n_classes=3)(documents)

    assert log_proba.shape == (2, 3)
    assert_close(log_proba.exp().sum(1), torch.ones(2).double())


def test_without_classes_there_are_only_vectors(documents):
    with pytest.raises(RuntimeError, match="only gives vectors"):
        make(4, 2)(documents)


def test_tokens_are_left_out_in_training_only(documents):
    network = make(4, 2, n_classes=2, token_dropout=0.5)
    network.use_generator(torch.Generator().manual_seed(0))

    once, again = (network.vectors(documents) for _ in range(2))

    assert not torch.allclose(once, again)
    network.eval()
    assert_close(network.vectors(documents), make(4, 2).vectors(documents))


def test_a_document_may_lose_all_its_tokens(documents):
    network = make(4, 2, n_classes=2, token_dropout=1.0)
    network.use_generator(torch.Generator().manual_seed(0))

    # All lose the same, so nothing changes.
    assert_close(network.vectors(documents), make(4, 2).vectors(documents))


@pytest.fixture
def encoder():
    """Return an encoder that changes tokens."""
    generator = torch.Generator().manual_seed(1)
    params = AoTEncoder(n_layers=1, d_token=8, dropout=0.5)
    encoder = TokenEncoder(params, 3, 10, generator=generator)
    with torch.no_grad():
        encoder.up.weight.normal_(generator=generator)
    return encoder


def test_tokens_pass_an_encoder_after_the_map(documents, encoder):
    network = make(4, 2, n_classes=2, encoder=encoder).eval()
    with torch.no_grad():
        network.map.weight.mul_(2.0)

    embedded = network.embed(documents.tokens, documents.bounds[0])

    assert_close(embedded, encoder(2.0 * documents.tokens, documents.bounds[0]))
    plain = make(4, 2)
    encoded = DocumentTokens(embedded, documents.bounds)
    assert_close(network.vectors(documents), plain.vectors(encoded))


def test_what_is_left_out_is_not_attended_to(documents, encoder):
    network = make(4, 2, n_classes=2, encoder=encoder)
    network.use_generator(torch.Generator().manual_seed(0))
    encoder.blocks[0].dropout.p = 0.0
    log_mass = torch.tensor([0.0, -20, 0, 0, -20, 0, 0, 0, -20]).double()
    other = documents.tokens.clone()
    other[log_mass < 0] += 5.0

    once, again = (
        network.embed(tokens, documents.bounds[0], log_mass)[log_mass == 0]
        for tokens in (documents.tokens, other)
    )

    assert_close(once, again)


def test_an_encoder_draws_from_the_generator_of_the_network(documents, encoder):
    network = make(4, 2, n_classes=2, encoder=encoder)
    found = []
    for _ in range(2):
        network.use_generator(torch.Generator().manual_seed(0))
        found.append(network.vectors(documents))

    assert torch.equal(*found)
    network.use_generator(torch.Generator().manual_seed(1))
    assert not torch.allclose(network.vectors(documents), found[0])
