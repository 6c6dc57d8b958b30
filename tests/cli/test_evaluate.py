"""`evaluate` measures models on rows that they have not seen."""

import re

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold

from sklearn_ddcl import DDCLClassifier

FAST = ["--max-epochs", "1", "--set", "encoder__d_hidden=8", "--folds", "3"]


def table_in(text):
    """Return the rows of the table of scores, numbers as floats."""
    start = text.index("fold ")
    lines = [line.split() for line in text[start:].splitlines()[1:]]
    return {name: [float(cell) for cell in cells] for name, *cells in lines}


def test_scores_are_those_of_models_fitted_on_the_other_folds(run, animals, frame):
    finished = run("evaluate", animals, "--target", "animal", "--drop", "farm", *FAST)

    assert finished.code == 0
    X = frame[["size", "age", "fur"]].astype({"age": float})
    y = frame["animal"].to_numpy(object)
    table = table_in(finished.out)
    folds = StratifiedKFold(3, shuffle=True, random_state=0).split(X, y)
    for k, (train, test) in enumerate(folds, start=1):
        model = DDCLClassifier(max_epochs=1, random_state=0)
        model.set_params(encoder__d_hidden=8).fit(X.iloc[train], y[train])
        predicted, proba = (
            model.predict(X.iloc[test]),
            model.predict_proba(X.iloc[test]),
        )
        expected = [
            len(test),
            accuracy_score(y[test], predicted),
            balanced_accuracy_score(y[test], predicted),
            log_loss(y[test], proba),
        ]
        assert table[str(k)][:4] == pytest.approx(expected, abs=6e-5)
    assert finished.out.startswith("animals.csv: 36 rows, 3 features, 3 classes; 3 ")


def test_mean_and_deviation_are_over_the_folds(run, animals):
    said = run("evaluate", animals, "--target", "animal", "--repeats", "2", *FAST).out

    table = table_in(said)
    folds = np.array([table[str(k)] for k in range(1, 7)])
    assert table["mean"] == pytest.approx(folds[:, 1:].mean(0), abs=0.06)
    accuracies = folds[:, 1]
    assert table["mean"][0] == pytest.approx(accuracies.mean(), abs=1e-4)
    assert table["sd"][0] == pytest.approx(accuracies.std(ddof=1), abs=1e-4)


def test_columns_are_aligned(run, animals):
    said = run("evaluate", animals, "--target", "animal", *FAST).out

    lines = said[said.index("fold ") :].splitlines()
    assert len({len(line) for line in lines}) == 1


@pytest.fixture
def fitted_on(monkeypatch):
    """Return a list of the tables that classifiers are fitted on, in order."""
    seen = []
    fit = DDCLClassifier.fit

    def spy(self, X, y):
        seen.append(X)
        return fit(self, X, y)

    monkeypatch.setattr(DDCLClassifier, "fit", spy)
    return seen


def test_every_repeat_has_folds_of_its_own(run, animals, fitted_on):
    run("evaluate", animals, "--target", "animal", "--repeats", "2", *FAST)

    _, *parts = fitted_on
    assert len({tuple(X.index) for X in parts}) == 6
    assert sorted(row for X in parts for row in X.index) == sorted([*range(36)] * 4)


def test_the_seconds_of_the_first_fold_hold_no_imports(run, animals, fitted_on):
    run("evaluate", animals, "--target", "animal", *FAST)

    # A tiny fit comes first, which loads what is loaded on first use.
    assert [len(X) for X in fitted_on] == [40, 24, 24, 24]


def test_groups_stay_together_and_out_of_the_features(run, animals, frame, fitted_on):
    finished = run("evaluate", animals, "--target", "animal", "--groups", "farm", *FAST)

    assert "no group of 'farm' in two" in finished.out
    _, *parts = fitted_on
    assert len(parts) == 3
    for X in parts:
        assert list(X.columns) == ["size", "age", "fur"]
        inside = set(frame["farm"][X.index])
        outside = set(frame["farm"].drop(X.index))
        assert len(inside) == 4
        assert inside.isdisjoint(outside)


def test_a_rare_class_is_refused(run, frame):
    frame.assign(animal=["yak", "yak", *frame["animal"][2:]]).to_csv("t.csv")

    finished = run("evaluate", "t.csv", "--target", "animal", *FAST)

    assert finished.code == 2
    assert "class yak has 2 rows; lower --folds" in finished.err


def test_a_class_in_one_group_is_refused(run, frame):
    farms = np.where(frame["animal"] == "cow", "farm 0", frame["farm"])
    frame.assign(farm=farms).to_csv("t.csv", index=False)

    finished = run("evaluate", "t.csv", "--target", "animal", "--groups", "farm", *FAST)

    assert finished.code == 2
    assert re.search("class cow is in too few groups; lower --folds", finished.err)


def bad_groups(frame):
    gaps = frame.copy()
    gaps.loc[[4, 9], "farm"] = None
    yield gaps, "got 2 rows without one, first in line 6"
    yield frame.assign(farm=np.arange(36) % 2), "each of the 3 folds at least, got 2 gr"


def test_groups_that_do_not_do_are_refused(run, frame):
    for table, expected in bad_groups(frame):
        table.to_csv("t.csv", index=False)

        finished = run(
            "evaluate", "t.csv", "--target", "animal", "--groups", "farm", *FAST
        )

        assert finished.code == 2
        assert expected in finished.err


@pytest.mark.parametrize("options", [["--folds", "1"], ["--repeats", "0"]])
def test_impossible_numbers_of_folds_are_refused(run, animals, options):
    finished = run("evaluate", animals, "--target", "animal", *options)

    assert finished.code == 2
    assert "expected at least --folds 2 and --repeats 1" in finished.err


def test_an_impossible_parameter_is_refused_before_any_fold(run, animals):
    finished = run("evaluate", animals, "--target", "animal", "--set", "lr=-1")

    assert finished.code == 2
    assert "The 'lr' parameter of DDCLClassifier must be" in finished.err
