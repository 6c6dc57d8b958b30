"""The classifier inside scikit-learn's tools."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_score,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.networks import AoTEncoder, MLPEncoder, TransformerEncoder


@pytest.mark.parametrize(
    "encoder", ["mlp", "transformer", "aot", MLPEncoder(d_hidden=8), AoTEncoder()]
)
def test_a_grid_reaches_the_encoder_given_by_name_or_as_an_object(blobs, encoder):
    classifier = DDCLClassifier(6, encoder=encoder, max_epochs=2, random_state=0)
    grid = {"encoder__n_layers": [0, 1], "n_prototypes": [3, 4]}
    search = GridSearchCV(classifier, grid, cv=2).fit(*blobs)

    assert len(search.cv_results_["params"]) == 4
    best = search.best_estimator_
    assert best.encoder.n_layers == search.best_params_["encoder__n_layers"]
    assert best._fitted.architecture.encoder.n_layers == best.encoder.n_layers
    # The caller's object is not written to.
    if not isinstance(encoder, str):
        assert encoder.n_layers == type(encoder)().n_layers


def test_a_parameter_of_the_encoder_changes_the_network(small, blobs):
    sizes = [
        small().set_params(encoder__d_hidden=width).fit(*blobs).n_parameters_
        for width in (8, 16)
    ]

    assert sizes[0] < sizes[1]


def test_setting_a_parameter_of_a_named_encoder_keeps_the_others():
    classifier = DDCLClassifier(encoder="transformer").set_params(encoder__n_heads=2)

    assert classifier.encoder == TransformerEncoder(n_heads=2)
    assert DDCLClassifier().set_params(encoder="mlp").encoder == "mlp"
    both = DDCLClassifier().set_params(encoder="transformer", encoder__n_layers=3)
    assert both.encoder == TransformerEncoder(n_layers=3)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"encoder__depth": 3}, "Invalid parameter 'depth' for MLPEncoder"),
        ({"depth": 3}, "Invalid parameter 'depth' for estimator DDCLClassifier"),
    ],
)
def test_an_unknown_parameter_is_named(params, match):
    with pytest.raises(ValueError, match=match):
        DDCLClassifier().set_params(**params)


def test_a_wrong_value_of_the_encoder_is_an_error_in_fit(small, blobs):
    with pytest.raises(ValueError, match=r"MLPEncoder.n_layers must be at least 0"):
        small().set_params(encoder__n_layers=-1).fit(*blobs)


def test_a_clone_is_unfitted_and_has_an_encoder_of_its_own(small, blobs):
    classifier = small().fit(*blobs)
    other = clone(classifier)
    other.set_params(encoder__n_layers=7)

    assert not hasattr(other, "classes_")
    assert classifier.encoder.n_layers == 1
    assert clone(classifier).get_params()["encoder__n_layers"] == 1


def test_changing_the_encoder_after_fit_does_not_change_the_model(small, blobs):
    classifier = small().fit(*blobs)
    expected = classifier.predict_proba(blobs[0])
    classifier.set_params(encoder__n_layers=7)
    again = pickle.loads(pickle.dumps(classifier))

    assert (classifier.predict_proba(blobs[0]) == expected).all()
    assert (again.predict_proba(blobs[0]) == expected).all()


def test_a_pipeline_predicts_and_hands_weights_through(small, blobs):
    X, y = blobs
    pipeline = make_pipeline(StandardScaler(), small(max_epochs=60, lr=0.01))
    pipeline.fit(X, y, ddclclassifier__sample_weight=np.ones(len(y)))

    assert pipeline.score(X, y) > 0.7
    assert pipeline[:-1].transform(X).shape == X.shape


def test_assignments_feed_another_classifier(small, blobs):
    X, y = blobs
    pipeline = make_pipeline(small(max_epochs=60, lr=0.01), LogisticRegression()).fit(
        X, y
    )

    assert pipeline.score(X, y) > 0.7
    assert pipeline[:-1].get_feature_names_out()[0] == "ddclclassifier0"


def test_a_column_transformer_hands_over_frames(small, mixed):
    X, y = mixed
    columns: ColumnTransformer = make_column_transformer(
        (StandardScaler(), ["size", "count"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    pipeline = make_pipeline(columns, small()).fit(X, y)

    assert pipeline.predict(X).shape == (90,)
    assert isinstance(pipeline[-1].prototype_examples_, pd.DataFrame)


ENSEMBLES = {
    "bagging": lambda one: BaggingClassifier(one, 2, random_state=0),
    "voting": lambda one: VotingClassifier([("a", one), ("b", one)], voting="soft"),
    "boosting": lambda one: AdaBoostClassifier(one, n_estimators=2, random_state=0),
    "calibration": lambda one: CalibratedClassifierCV(one, cv=2),
    "stacking": lambda one: StackingClassifier([("a", one)], cv=2),
    "one against the rest": lambda one: OneVsRestClassifier(one),
}


@pytest.mark.parametrize("make", ENSEMBLES.values(), ids=ENSEMBLES)
def test_ensembles_of_classifiers_learn(small, blobs, make):
    X, y = blobs
    labels = np.array(["a", "b", "c"])[y]
    ensemble = make(small(max_epochs=60, lr=0.01)).fit(X, labels)

    assert ensemble.score(X, labels) > 0.5
    assert ensemble.predict_proba(X).shape == (120, 3)


def test_cross_validation_scores_by_several_metrics(small, blobs):
    scores = cross_validate(
        small(), *blobs, cv=3, scoring=["accuracy", "roc_auc_ovr", "neg_log_loss"]
    )

    assert scores["test_roc_auc_ovr"].min() > 0.4
    assert np.isfinite(scores["test_neg_log_loss"]).all()


def test_one_job_scores_like_a_loop(small, blobs):
    assert (
        cross_val_score(small(), *blobs, cv=3, n_jobs=1)
        == cross_val_score(small(), *blobs, cv=3)
    ).all()


def test_a_random_search_draws_parameters(small, blobs):
    distributions = {"lr": [1e-3, 1e-2], "temperature": ["auto", 1.0]}
    search = RandomizedSearchCV(
        small(), distributions, n_iter=2, cv=2, random_state=0
    ).fit(*blobs)

    assert set(search.best_params_) == {"lr", "temperature"}


def test_importance_of_columns_is_found_by_permutation(small):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"signal": rng.normal(size=200), "noise": rng.normal(size=200)})
    y = X["signal"] > 0
    classifier = small(max_epochs=60, lr=0.01).fit(X, y)
    found = permutation_importance(classifier, X, y, n_repeats=2, random_state=0)

    assert found.importances_mean[0] > found.importances_mean[1] + 0.2


def test_text_and_html_show_what_differs_from_the_defaults():
    classifier = DDCLClassifier(5, encoder=MLPEncoder(n_layers=3))

    assert "n_prototypes=5" in repr(classifier)
    assert "n_layers=3" in repr(classifier)
    assert "DDCLClassifier" in estimator_html_repr(classifier)
