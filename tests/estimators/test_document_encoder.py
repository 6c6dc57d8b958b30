"""Tokens of documents attend to each other before they are compared."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sklearn_ddcl
from sklearn_ddcl import DDCLDocumentCompressor
from sklearn_ddcl.networks import DOCUMENT_ENCODERS, INCRTEncoder, MLPEncoder
from sklearn_ddcl.networks.token_encoder import TokenEncoder
from sklearn_ddcl.training.growth import GrowthController

# Heads that were forced upon documents may well be of no use.
pytestmark = pytest.mark.filterwarnings("ignore:Head .* could go")

GROWN = ("n_heads_", "heads_", "growth_history_", "predicted_max_heads_")


@pytest.fixture
def eager(monkeypatch):
    """Let layers want heads, whatever is missing, and keep them."""
    monkeypatch.setattr(GrowthController, "n_missing", lambda self, number: 99)
    monkeypatch.setattr(GrowthController, "least_cost", lambda self, number: -np.inf)


def pairs(n, seed, n_sentences=3, n_others=3):
    """Return documents whose class no token tells, but two of a sentence together.

    Tokens of two of eight kinds carry a sign each, which agree in one class only.
    """
    rng = np.random.default_rng(seed)
    kinds = 2.0 * np.random.default_rng(7).normal(size=(8, 8))
    y = np.arange(n) % 2
    documents = []
    for own in y:
        sentences = []
        for _ in range(n_sentences):
            tokens = kinds[[0, 1, *rng.integers(2, 8, size=n_others)]]
            tokens = tokens + 0.5 * rng.normal(size=tokens.shape)
            sign = rng.choice([-3.0, 3.0])
            tokens[0, 0] += sign
            tokens[1, 1] += sign if own else -sign
            sentences.append(rng.permutation(tokens))
        documents.append(sentences)
    return documents, y


@pytest.fixture(scope="module")
def documents():
    return pairs(60, 0)


def make(encoder="incrt", n_prototypes=(6, 3), **params):
    params = {"random_state": 0, "max_epochs": 3, "batch_size": 8} | params
    nested = {name: params.pop(name) for name in [*params] if "__" in name}
    compressor = DDCLDocumentCompressor(n_prototypes, encoder=encoder, **params)
    small = {"encoder__d_token": 8, "encoder__n_heads": 1} if encoder else {}
    return compressor.set_params(**small | nested)


def accuracy(compressor, documents, y):
    network = compressor._fitted.network
    with torch.inference_mode():
        (block,) = compressor._fitted.reader.blocks(documents)
        found = network(block).argmax(1).numpy()
    return (found == y).mean()


@pytest.mark.slow
@pytest.mark.parametrize("encoder", DOCUMENT_ENCODERS)
def test_what_only_two_tokens_together_tell_is_learned(encoder):
    train, test = (pairs(200, seed, n_sentences=6, n_others=8) for seed in (10, 11))
    params = {"n_prototypes": (12, 6), "lr": 0.03, "max_epochs": 16}
    sizes = {"encoder__d_token": 16, "encoder__n_layers": 1}

    attending = make(encoder, **params, **sizes).fit(*train)
    alone = make(None, **params).fit(*train)

    assert accuracy(attending, *test) > 0.95
    assert accuracy(alone, *test) < 0.85


@pytest.mark.parametrize("encoder", DOCUMENT_ENCODERS)
@pytest.mark.parametrize("levels", [1, 2])
def test_a_document_does_not_depend_on_its_neighbors(encoder, levels, documents):
    docs, y = documents
    docs = [np.concatenate(own)[: 3 + i % 9] for i, own in enumerate(docs)]
    compressor = make(encoder, (6, 3)[:levels], segment_length=4).fit(docs, y)

    together = compressor.transform(docs)

    alone = np.concatenate([compressor.transform([own]) for own in docs])
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-6)
    assert np.abs(_encoded(compressor, docs) - _mapped(compressor, docs)).max() > 1e-3


def test_long_documents_attend_within_windows(documents, monkeypatch):
    docs, y = documents
    seen = []
    forward = TokenEncoder.run_together

    def spy(self, tokens, bounds, *args, **kwargs):
        seen.append(self.longest)
        return forward(self, tokens, bounds, *args, **kwargs)

    monkeypatch.setattr(TokenEncoder, "run_together", spy)
    flat = [np.concatenate(own) for own in docs]
    compressor = make("aot", 3, segment_length=5, precision="float64").fit(flat, y)

    assert set(seen) == {5}
    # Windows of five of fifteen tokens: those of the second do not see the first.
    other = [np.concatenate([-own[:5], own[5:]]) for own in flat]
    for after, before in zip(
        _encoded(compressor, other), _encoded(compressor, flat), strict=True
    ):
        np.testing.assert_allclose(after[5:], before[5:])
        assert np.abs(after[:5] - before[:5]).max() > 0.1


def _encoded(compressor, docs):
    return _embed(compressor, docs, lambda network, own: network.embed(*own))


def _mapped(compressor, docs):
    return _embed(compressor, docs, lambda network, own: network.map_tokens(own[0]))


def _embed(compressor, docs, function):
    fitted = compressor._fitted
    found = []
    for i in range(len(docs)):
        taken = fitted.reader.read(docs, [i])
        own = taken.tokens, taken.bounds[0]
        found.append(function(fitted.network, own).detach().numpy())
    lengths = {len(own) for own in found}
    return np.stack(found) if len(lengths) == 1 else np.concatenate(found)


@pytest.mark.parametrize("n_prototypes", [4, (6, 3)])
def test_slots_are_shares_of_encoded_tokens(n_prototypes, documents):
    docs, y = documents
    if n_prototypes == 4:
        docs = [np.concatenate(own) for own in docs]
    compressor = make("transformer", n_prototypes, precision="float64", lr=0.05)
    compressor.fit(docs, y)

    vectors = compressor.transform(docs[:3])

    for slots, encoded, vector in zip(
        compressor.slots(docs[:3]), _encoded(compressor, docs[:3]), vectors, strict=True
    ):
        np.testing.assert_allclose(slots.token_shares.sum(1), 1)
        directions = slots.token_shares @ encoded
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        expected = np.sqrt(slots.weights)[:, None] * directions
        np.testing.assert_allclose(vector, expected.ravel())


@pytest.mark.usefixtures("eager")
def test_what_has_grown_can_be_read(documents):
    compressor = make(max_epochs=30).fit(*documents)

    assert (compressor.n_heads_ > 1).any()
    assert (compressor.n_heads_ <= 8).all()
    history = compressor.growth_history_
    assert len(history) == 2 * 30
    assert "grow" in {row["action"] for row in history}
    encoder = compressor._fitted.network.encoder
    assert history[-1]["n_parameters"] == sum(w.numel() for w in encoder.parameters())
    for layer, n_heads in enumerate(compressor.n_heads_):
        heads = [head for head in compressor.heads_ if head["layer"] == layer]
        assert sorted(head["head"] for head in heads) == list(range(n_heads))
        assert sum(head["share"] for head in heads) == pytest.approx(1)
        assert all(1 <= head["reach"] <= 5.001 for head in heads)
    assert compressor.predicted_max_heads_["count"].shape == (2,)


def test_growth_is_measured_on_both_halves_of_the_documents(documents, monkeypatch):
    seen = []
    measure = GrowthController.measure

    def spy(self, weights, learns):
        seen.append((weights, learns))
        measure(self, weights, learns)

    monkeypatch.setattr(GrowthController, "measure", spy)

    make(max_epochs=2, precision="float64").fit(*documents)

    # Documents of three sentences each, all of one half.
    assert sum(len(learns) for _, learns in seen) == 2 * 60 * 3
    for weights, learns in seen:
        assert weights.dtype == torch.float64
        of_documents = learns.unflatten(0, (-1, 3))
        assert (of_documents.all(1) | ~of_documents.any(1)).all()
    share = torch.cat([learns for _, learns in seen]).double().mean()
    assert 0.3 < share < 0.7


@pytest.mark.usefixtures("eager")
def test_the_grown_shape_is_part_of_the_model(documents, tmp_path):
    docs, y = documents
    compressor = make(max_epochs=30).fit(docs, y)
    assert (compressor.n_heads_ > 1).any()
    compressor.save(tmp_path / "model.ddcl")

    for copy in (
        sklearn_ddcl.load(tmp_path / "model.ddcl"),
        pickle.loads(pickle.dumps(compressor)),
    ):
        np.testing.assert_array_equal(copy.transform(docs), compressor.transform(docs))
        np.testing.assert_array_equal(copy.n_heads_, compressor.n_heads_)
        assert str(copy.growth_history_) == str(compressor.growth_history_)
        assert copy.growth_history_["epoch"] == compressor.growth_history_["epoch"]
        assert copy.heads_ == compressor.heads_
        assert copy.get_params()["encoder__d_token"] == 8


@pytest.mark.parametrize("encoder", ["transformer", "aot"])
def test_other_encoders_are_saved_too(encoder, documents, tmp_path):
    docs, y = documents
    compressor = make(encoder, precision="float64").fit(docs, y)
    compressor.save(tmp_path / "model.ddcl")

    copy = sklearn_ddcl.load(tmp_path / "model.ddcl")

    np.testing.assert_array_equal(copy.transform(docs), compressor.transform(docs))
    assert not any(hasattr(compressor, name) for name in GROWN)


def test_a_file_from_before_encoders_still_loads(documents):
    docs, y = documents
    compressor = make(None).fit(docs, y)
    state = compressor.__getstate__()
    # Neither the fitted object nor the parameters spoke of one.
    assert "encoder" not in state["_fitted"]
    assert not [name for name in state["_fitted"]["weights"] if "encoder" in name]
    old = DDCLDocumentCompressor.__new__(DDCLDocumentCompressor)

    old.__setstate__(state)

    np.testing.assert_array_equal(old.transform(docs), compressor.transform(docs))


def test_a_seed_decides_everything(documents):
    docs, y = documents
    once, again = (make().fit(docs, y).transform(docs) for _ in range(2))

    np.testing.assert_array_equal(once, again)
    assert not np.allclose(make(random_state=1).fit(docs, y).transform(docs), once)


def test_the_seed_decides_the_first_weights(documents):
    docs, y = documents

    first = [
        make("aot", max_epochs=1, lr=1e-12, random_state=seed).fit(docs, y)
        for seed in (0, 0, 1)
    ]

    once, again, other = (
        own._fitted.network.encoder.down.weight.detach().numpy() for own in first
    )
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(once, other)


def test_without_an_encoder_nothing_is_said_of_growth(documents):
    compressor = make().fit(*documents)
    assert all(hasattr(compressor, name) for name in GROWN[:3])

    compressor.set_params(encoder=None).fit(*documents)

    assert not any(hasattr(compressor, name) for name in GROWN)
    compressor.set_params(encoder="incrt").fit(*documents)
    assert hasattr(compressor, "n_heads_")
    compressor.set_params(encoder=None, supervised=False).fit(*documents)
    assert not hasattr(compressor, "n_heads_")


def test_a_failed_fit_leaves_what_has_grown(documents):
    docs, y = documents
    compressor = make().fit(docs, y)
    before, vectors = compressor.n_heads_, compressor.transform(docs)

    with pytest.raises(ValueError, match="needs classes"):
        compressor.fit(docs)

    assert compressor.n_heads_ is before
    np.testing.assert_array_equal(compressor.transform(docs), vectors)


def test_a_clone_has_not_grown(documents):
    compressor = make().fit(*documents)

    fresh = clone(compressor)

    assert not any(hasattr(fresh, name) for name in GROWN)
    assert fresh.encoder.get_params() == compressor.encoder.get_params()


def test_the_given_encoder_is_not_changed(documents):
    encoder = INCRTEncoder(n_layers=1, d_token=8)
    before = encoder.get_params()

    DDCLDocumentCompressor(4, encoder=encoder, max_epochs=1, random_state=0).fit(
        [np.concatenate(own) for own in documents[0]], documents[1]
    )

    assert encoder.get_params() == before


def test_a_search_chooses_among_encoders(documents):
    docs, y = documents
    pipeline = make_pipeline(
        make("incrt", encoder__n_layers=1, max_epochs=1), LogisticRegression()
    )
    name = "ddcldocumentcompressor__encoder"
    grid = [
        {name: [None, "aot"]},
        {f"{name}__n_heads": [1, 2], f"{name}__feed_forward": ["none"]},
    ]

    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(docs, y)

    assert len(search.cv_results_["params"]) == 4


def test_mixed_precision_trains_an_encoder(documents):
    docs, y = documents

    vectors = make(precision="bf16", max_epochs=2).fit(docs, y).transform(docs)

    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_tokens_that_are_all_the_same_can_be_encoded():
    docs, y = [np.ones((3, 2))] * 6, np.arange(6) % 2

    vectors = make("transformer", 1, max_epochs=1).fit(docs, y).transform(docs)

    assert np.isfinite(vectors).all()


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"encoder": "mlp"}, "encoder"),
        ({"encoder": MLPEncoder()}, "encoder"),
        ({"encoder__d_token": 6, "encoder__n_heads": 4}, "n_heads must divide d_token"),
        ({"encoder__context_pool": "index"}, "documents have none"),
        ({"encoder__n_layers": -1}, "n_layers must be at least 0"),
        ({"supervised": False}, "needs classes"),
    ],
)
def test_what_cannot_be_encoded_is_refused(params, match, documents):
    compressor = make("transformer").set_params(**params)

    with pytest.raises(ValueError, match=match):
        compressor.fit(*documents)


def test_without_classes_an_encoder_has_nothing_to_learn(documents):
    with pytest.raises(ValueError, match=r"encoder='aot' needs classes.*encoder=None"):
        make("aot").set_params(encoder="aot").fit(documents[0])
