"""`predict` answers for the rows of a table as the model does."""

import io

import numpy as np
import pandas as pd
import pytest

import sklearn_ddcl
from sklearn_ddcl import DDCLClassifier


def read(text):
    return pd.read_csv(io.StringIO(text))


@pytest.fixture
def answers(model, frame, tmp_path):
    """Return what the library predicts for the table."""
    loaded = sklearn_ddcl.load(tmp_path / model)
    X = frame[["size", "age", "fur"]]
    return loaded.predict(X), loaded.predict_proba(X)


def test_predictions_go_to_the_screen_as_csv(run, model, animals, answers):
    finished = run("predict", model, animals)

    assert finished.code == 0
    predicted = read(finished.out)
    assert list(predicted.columns) == ["row", "prediction"]
    assert predicted["row"].tolist() == list(range(36))
    assert predicted["prediction"].tolist() == answers[0].tolist()


def test_probabilities_are_written_to_the_last_digit(run, model, animals, answers):
    predicted = read(run("predict", model, animals, "--proba").out)

    assert list(predicted.columns[2:]) == [
        f"probability_{label}" for label in ["cat", "cow", "dog"]
    ]
    np.testing.assert_allclose(predicted.iloc[:, 2:], answers[1], rtol=1e-15)


def test_a_file_is_written_and_summed_up(run, model, animals, answers, tmp_path):
    finished = run("predict", model, animals, "--out", "p.csv")

    predicted = pd.read_csv(tmp_path / "p.csv")
    assert predicted["prediction"].tolist() == answers[0].tolist()
    assert finished.out.endswith("\nwrote 36 rows to p.csv\n")
    label, size = next(iter(predicted["prediction"].value_counts().items()))
    assert f"{label} " in finished.out
    assert f" {size}  {size / 36:.1%}" in finished.out


def test_columns_are_matched_by_name(run, model, frame, answers):
    shuffled = frame[["fur", "animal", "size", "farm", "age"]]
    shuffled.to_csv("shuffled.csv", index=False)

    finished = run("predict", model, "shuffled.csv")

    assert read(finished.out)["prediction"].tolist() == answers[0].tolist()
    assert finished.err == "note: not used by the model: animal, farm\n"


def test_a_table_without_the_target_is_enough(run, model, frame, answers):
    frame.drop(columns=["animal", "farm"]).to_csv("new.csv", index=False)

    finished = run("predict", model, "new.csv")

    assert finished.err == ""
    assert read(finished.out)["prediction"].tolist() == answers[0].tolist()


def test_columns_keep_the_kind_they_were_learned_as(run, tmp_path):
    # "7" is text among other text; alone in a table it looks like a number.
    rng = np.random.default_rng(0)
    codes = np.array(["007", "7", "x"])[np.arange(30) % 3]
    table = pd.DataFrame({"code": codes, "size": rng.normal(size=30), "y": codes})
    table.to_csv("t.csv", index=False)
    fit = ["fit", "t.csv", "--target", "y", "--out", "m", "--max-epochs", "2"]
    assert run(*fit).code == 0
    expected = sklearn_ddcl.load("m").predict_proba(table[["code", "size"]])
    for code in ["007", "7"]:
        rows = (codes == code).nonzero()[0]
        table.iloc[rows].to_csv("part.csv", index=False)

        proba = read(run("predict", "m", "part.csv", "--proba").out).iloc[:, 2:]

        np.testing.assert_allclose(proba, expected[rows], rtol=1e-15)


def test_a_model_without_column_names_is_matched_by_position(run, frame, tmp_path):
    X = frame[["size", "age"]].to_numpy()
    fitted = DDCLClassifier(max_epochs=1, random_state=0)
    fitted.fit(X, frame["animal"]).save(tmp_path / "m")
    frame[["age", "size"]].set_axis(["p", "q"], axis=1).to_csv("pq.csv", index=False)

    finished = run("predict", "m", "pq.csv")
    too_few = run("explain", "m", "animals.csv")

    swapped = fitted.predict(X[:, ::-1])
    assert read(finished.out)["prediction"].tolist() == swapped.tolist()
    assert too_few.code == 2


def test_a_table_of_another_width_needs_names(run, frame, animals, tmp_path):
    X = frame[["size", "age"]].to_numpy()
    fitted = DDCLClassifier(max_epochs=1, random_state=0).fit(X, frame["animal"])
    fitted.save(tmp_path / "m")

    finished = run("predict", "m", animals)

    assert finished.code == 2
    assert "has 5 columns, but the model was fitted on 2 without names" in finished.err


def bad_columns(frame):
    yield frame.drop(columns=["size", "fur"]), "lacks 2 columns .*: size, fur"
    yield frame.rename(columns={"size": "sizes"}), "did you mean 'sizes'"
    spoiled = frame.astype({"size": object})
    spoiled.loc[4, "size"] = "big"
    yield spoiled, r"bad.csv, line 6: expected a number in column 'size', got 'big'"
    endless = frame.copy()
    endless.loc[4, "size"] = np.inf
    yield endless, "infinity"


def test_columns_that_do_not_fit_are_named(run, model, frame):
    for table, expected in bad_columns(frame):
        table.to_csv("bad.csv", index=False)

        finished = run("predict", model, "bad.csv")

        assert finished.code == 2
        assert finished.out == ""
        errors = [line for line in finished.err.splitlines() if "note" not in line]
        assert len(errors) == 1
        assert pd.Series(errors).str.contains(f"^error: .*{expected}").all()


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["nowhere.ddcl", "animals.csv"], "There is no file nowhere.ddcl"),
        (["animals.csv", "animals.csv"], "animals.csv is not a model file"),
        ([".", "animals.csv"], ". is a folder or a device, expected a model file"),
        (["animals.ddcl", "nowhere.csv"], "nowhere.csv does not exist"),
        (["animals.ddcl", "animals.csv", "--device", "gpu"], "device='gpu' cannot be"),
        (["animals.ddcl", "animals.csv", "--out", "no/p"], "there is no folder no"),
        (["animals.ddcl", "animals.csv", "--out", "animals.ddcl"], "is also read"),
    ],
)
def test_what_cannot_be_read_or_written_is_named(run, model, animals, argv, expected):
    finished = run("predict", *argv)

    assert finished.code == 2
    assert expected in finished.err
    assert finished.err.count("\n") == 1


def test_a_damaged_model_is_refused(run, model, animals, tmp_path):
    content = (tmp_path / model).read_bytes()
    (tmp_path / model).write_bytes(content[:-100])

    finished = run("predict", model, animals)

    assert finished.code == 2
    assert "animals.ddcl is cut short" in finished.err
