"""An encoder that grows, behind an estimator."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV

from sklearn_ddcl import DDCLClassifier, DDCLTransformer, load
from sklearn_ddcl.networks import INCRTEncoder
from sklearn_ddcl.networks.heads import growing_layers
from sklearn_ddcl.training.growth import GrowthController
from sklearn_ddcl.training.messages import GrowthWarning

# Heads that were forced upon a table may well be of no use.
pytestmark = pytest.mark.filterwarnings("ignore:Head .* could go")

GROWN = ("n_heads_", "heads_", "growth_history_", "predicted_max_heads_")


@pytest.fixture
def eager(monkeypatch):
    """Let layers want heads, whatever is missing."""
    monkeypatch.setattr(GrowthController, "n_missing", lambda self, number: 99)


@pytest.fixture(scope="module")
def rows():
    """Return enough rows for looks between steps."""
    return make_blobs(1200, 4, centers=3, cluster_std=4.0, random_state=0)


def classifier(**params):
    encoder = INCRTEncoder(
        n_layers=2, d_token=8, d_head=4, n_bins=4, n_prototypes=4, dropout=0.0
    )
    params = {"max_epochs": 30, "lr": 1e-3, "random_state": 0} | params
    return DDCLClassifier(6, encoder=encoder).set_params(**params)


def transformer(**params):
    encoder = classifier().encoder
    params = {"max_epochs": 30, "random_state": 0} | params
    return DDCLTransformer(4, encoder=encoder).set_params(**params)


def test_a_table_that_needs_no_more_gets_a_single_head(rows):
    clf = classifier().fit(*rows)
    assert clf.n_heads_.tolist() == [1, 1]
    assert {row["action"] for row in clf.growth_history_} == {"none"}
    assert [head["share"] for head in clf.heads_] == [1.0, 1.0]
    assert set(clf.predicted_max_heads_) == {"bound", "count"}
    assert clf.predicted_max_heads_["count"].shape == (2,)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("make", [classifier, transformer])
def test_what_has_grown_can_be_read(make, rows):
    estimator = make().fit(*rows)
    assert (estimator.n_heads_ > 1).any()
    assert (estimator.n_heads_ <= 8).all()
    history = estimator.growth_history_
    assert len(history) == 2 * estimator.n_iter_
    assert set(history.columns) == {
        "epoch", "layer", "energy", "threshold", "action", "n_heads", "n_parameters",
        "valid_score",
    }  # fmt: skip
    for layer, n_heads in enumerate(estimator.n_heads_):
        own = [row for row in history if row["layer"] == layer]
        assert own[-1]["n_heads"] == n_heads
        counts = [1, *(row["n_heads"] for row in own)]
        for row, before, after in zip(own, counts, counts[1:], strict=False):
            # Several may come at once.
            expected = {"grow": after > before, "prune": after < before}
            assert expected.get(row["action"], after == before)
        heads = [head for head in estimator.heads_ if head["layer"] == layer]
        assert sorted(head["head"] for head in heads) == list(range(n_heads))
        assert sum(head["share"] for head in heads) == pytest.approx(1)
        reaches = [head["reach"] for head in heads]
        assert reaches == sorted(reaches, reverse=True)
        assert all(1 <= reach <= 4.001 for reach in reaches)
    encoder = estimator._fitted.network.encoder
    assert history[-1]["n_parameters"] == sum(w.numel() for w in encoder.parameters())


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("make", [classifier, transformer])
def test_the_grown_shape_is_part_of_the_model(make, rows, tmp_path):
    estimator = make().fit(*rows)
    X = rows[0]
    estimator.save(tmp_path / "model.ddcl")
    for copy in (
        load(tmp_path / "model.ddcl"),
        pickle.loads(pickle.dumps(estimator)),
    ):
        np.testing.assert_array_equal(copy.transform(X), estimator.transform(X))
        np.testing.assert_array_equal(copy.n_heads_, estimator.n_heads_)
        # Read as text: what does not apply is not a number.
        assert str(copy.growth_history_) == str(estimator.growth_history_)
        assert copy.growth_history_["epoch"] == estimator.growth_history_["epoch"]
        assert copy.heads_ == estimator.heads_


@pytest.mark.usefixtures("eager")
def test_growth_goes_on_where_it_ended(rows, tmp_path):
    params = {"max_epochs": 12, "early_stopping": False}
    clf = classifier(**params, warm_start=True).fit(*rows)
    before, epochs = clf.n_heads_.sum(), clf.n_iter_
    clf.save(tmp_path / "model.ddcl")
    for further in (clf, load(tmp_path / "model.ddcl")):
        further.fit(*rows)
        assert further.n_heads_.sum() > before
        seen = [row["epoch"] for row in further.growth_history_]
        assert sorted(set(seen)) == list(range(1, 2 * epochs + 1))


@pytest.mark.usefixtures("eager")
def test_a_stream_grows_too(rows):
    X, y = rows
    clf = classifier()
    for _ in range(25):
        clf.partial_fit(X, y)
    assert clf.n_heads_.sum() > 2
    assert len(clf.growth_history_) == 50
    # The optimizer goes on with what is there.
    held = {
        id(p) for group in clf.net_.optimizer_.param_groups for p in group["params"]
    }
    assert {id(p) for p in clf._fitted.network.parameters()} == held


@pytest.mark.usefixtures("eager")
def test_the_best_epoch_may_have_fewer_heads_than_the_last(rows):
    X, y = rows
    # Labels of the validation rows are noise: the first epochs are the best.
    noise = np.random.default_rng(0).permutation(y[:300])
    clf = classifier(lr=5e-3).fit(X[300:], y[300:], X_val=X[:300], y_val=noise)
    heads = [layer.n_heads for layer in growing_layers(clf._fitted.network)]
    assert clf.n_heads_.tolist() == heads
    assert clf.predict(X).shape == y.shape


@pytest.mark.usefixtures("eager")
def test_rates_begin_again_when_a_head_comes(rows):
    history = classifier().fit(*rows)
    rates = [row["lr"] for row in history.history_]
    grew = [row["epoch"] for row in history.growth_history_ if row["action"] == "grow"]
    assert grew
    for epoch in grew:
        # Epochs are counted from 1; rates are those of the last step of an epoch.
        assert rates[epoch] > rates[epoch - 1]
    assert rates[-1] < 0.05 * max(rates)


@pytest.mark.usefixtures("eager")
def test_growth_is_reproducible(rows):
    first, second = (classifier(max_epochs=15).fit(*rows) for _ in range(2))
    np.testing.assert_array_equal(
        first.predict_proba(rows[0]), second.predict_proba(rows[0])
    )
    assert [r["action"] for r in first.growth_history_] == [
        r["action"] for r in second.growth_history_
    ]


def test_a_clone_has_not_grown(rows):
    clf = classifier(max_epochs=2).fit(*rows)
    fresh = clone(clf)
    assert not any(hasattr(fresh, name) for name in GROWN)
    assert fresh.encoder.get_params() == clf.encoder.get_params()


def test_a_grid_reaches_its_sizes(blobs):
    grid = {"encoder__max_heads": [1, 3], "encoder__feed_forward": ["mlp", "none"]}
    search = GridSearchCV(
        DDCLClassifier(6, encoder="incrt", max_epochs=2, random_state=0), grid, cv=2
    ).fit(*blobs)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_estimator_.n_heads_.tolist() == [1, 1]


def test_other_encoders_say_nothing_of_growth(blobs):
    clf = classifier(max_epochs=1).fit(*blobs)
    assert hasattr(clf, "n_heads_")
    clf.set_params(encoder="transformer").fit(*blobs)
    assert not any(hasattr(clf, name) for name in GROWN)


def test_without_growth_heads_stay(rows):
    clf = classifier(encoder__grow=False, encoder__n_heads=(3, 2), max_epochs=2)
    clf.fit(*rows)
    assert clf.n_heads_.tolist() == [3, 2]
    assert len(clf.growth_history_) == 0
    assert not hasattr(clf, "predicted_max_heads_")


def test_a_compiled_network_says_that_it_does_not_grow(blobs, monkeypatch):
    monkeypatch.setattr(
        torch.nn.Module, "compile", lambda self: setattr(self, "_compiled_call_impl", 0)
    )
    monkeypatch.setattr(
        "sklearn_ddcl.estimators.fitting.compile_network",
        lambda fitted, rows: setattr(
            fitted.network, "_compiled_call_impl", fitted.network._call_impl
        ),
    )
    with pytest.warns(GrowthWarning, match="set compile=False"):
        classifier(max_epochs=1, compile=True).fit(*blobs)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"n_heads": 0}, "from 1 to max_heads=8"),
        ({"n_heads": 9}, "from 1 to max_heads=8"),
        ({"n_heads": (1, 2, 3)}, "one per layer"),
        ({"threshold": 0}, "threshold must be at least"),
        ({"feed_forward": "moe"}, "feed_forward must be one of"),
        ({"d_head": 0}, "d_head must be at least 1"),
        ({"n_prototypes": 0}, "n_prototypes must be at least 1"),
    ],
)
def test_wrong_sizes_are_named(blobs, wrong, match):
    with pytest.raises(ValueError, match=match):
        DDCLClassifier(encoder=INCRTEncoder(**wrong), random_state=0).fit(*blobs)
