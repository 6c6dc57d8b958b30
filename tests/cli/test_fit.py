"""`fit` learns from a table what the library would, says what it saw, and saves."""

import gzip
import os
import re
from pathlib import Path

import numpy as np
import pytest

import sklearn_ddcl
from sklearn_ddcl import DDCLClassifier

SMALL = ["--max-epochs", "2", "--n-prototypes", "6", "--set", "encoder__d_hidden=8"]


def fit(run, table, *options, target="animal"):
    """Return what `fit` said, having checked that it succeeded."""
    finished = run("fit", table, "--target", target, "--out", "m", *SMALL, *options)
    assert finished.code == 0, finished.err
    return finished


def test_the_saved_model_is_the_one_that_the_library_fits(run, animals, frame):
    fit(run, animals, "--drop", "farm")
    X = frame.drop(columns=["farm", "animal"]).astype({"age": float})
    direct = DDCLClassifier(6, max_epochs=2, random_state=0)
    direct.set_params(encoder__d_hidden=8).fit(X, frame["animal"].to_numpy(object))

    saved = sklearn_ddcl.load("m")

    np.testing.assert_array_equal(saved.predict_proba(X), direct.predict_proba(X))
    assert saved.classes_.tolist() == ["cat", "cow", "dog"]
    assert saved.feature_names_in_.tolist() == ["size", "age", "fur"]


def test_the_report_says_what_was_learned_from(run, animals):
    said = fit(run, animals, "--drop", "farm").out

    assert re.search(r"^table +animals.csv, 36 rows$", said, re.M)
    assert re.search(r"^numbers +2: size, age$", said, re.M)
    # "long", "short" and missing.
    assert re.search(r"^categories +1: fur \(3\)$", said, re.M)
    assert re.search(r"^left out +farm$", said, re.M)
    assert re.search(r"^target +animal, 3 classes$", said, re.M)
    assert re.findall(r"^(\w+) +12  33\.3%$", said, re.M) == ["cat", "cow", "dog"]
    assert re.search(r"^epochs +2$", said, re.M)
    assert said.endswith("\n\nsaved to m\n")


def test_the_report_holds_the_accuracy_on_the_training_rows(run, animals, frame):
    said = fit(run, animals).out
    X = frame.drop(columns="animal")

    accuracy = sklearn_ddcl.load("m").score(X, frame["animal"].to_numpy(object))

    assert f"training accuracy  {accuracy:.1%}, on the rows it was fitted to" in said


def test_the_report_shows_the_biggest_prototypes_first(run, animals, frame):
    said = fit(run, animals).out
    shares = sklearn_ddcl.load("m").assign(frame.drop(columns="animal")).mean(0)

    rows = re.findall(r"^ +(\d+) +([\d.]+)%  (\w+ [\d.]+%)", said, re.M)

    assert [int(number) for number, _, _ in rows] == np.argsort(-shares).tolist()
    assert [share for _, share, _ in rows] == [
        f"{share:.1%}"[:-1] for share in sorted(shares, reverse=True)
    ]
    assert "the biggest 6 of 6 prototypes" in said


def test_every_epoch_has_a_line_unless_told_to_be_quiet(run, animals):
    assert fit(run, animals).out.count("epoch ") == 2
    assert "epoch " not in fit(run, animals, "--quiet").out


def test_columns_named_as_categories_are_categories(run, animals):
    said = fit(run, animals, "--categorical", "age", "farm").out

    assert re.search(r"^numbers +1: size$", said, re.M)
    assert re.search(r"^categories +3: age \(\d+\), fur \(3\), farm \(6\)$", said, re.M)


def test_groups_are_left_out_of_the_features(run, animals):
    fit(run, animals, "--groups", "farm", "--drop", "age")

    assert sklearn_ddcl.load("m").feature_names_in_.tolist() == ["size", "fur"]


def test_any_parameter_can_be_set(run, animals):
    options = [
        *("--encoder", "transformer", "--seed", "7", "--device", "cpu"),
        *("--set", "encoder__n_heads=2", "--set", "lr=1e-3"),
        *("--set", "early_stopping=true", "--set", "n_iter_no_change=none"),
        *("--set", "class_weight=balanced", "--set", "max_epochs=1"),
    ]
    run("fit", animals, "--target", "animal", "--out", "m", *options)

    params = sklearn_ddcl.load("m").get_params()

    assert type(params["encoder"]).__name__ == "TransformerEncoder"
    assert params["encoder__n_heads"] == 2
    assert params["lr"] == 1e-3
    assert params["early_stopping"] is True
    assert params["n_iter_no_change"] is None
    assert params["class_weight"] == "balanced"
    assert params["max_epochs"] == 1
    assert params["random_state"] == 7
    assert params["device"] == "cpu"


def test_the_same_seed_gives_the_same_model(run, animals, frame):
    X = frame.drop(columns="animal")
    answers = []
    for seed in [3, 3, 4]:
        fit(run, animals, "--seed", seed)
        answers.append(sklearn_ddcl.load("m").predict_proba(X))

    assert (answers[0] == answers[1]).all()
    assert (answers[0] != answers[2]).any()


def test_rows_without_a_class_are_left_out_and_counted(run, frame):
    frame = frame.copy()
    frame.loc[[0, 1, 20], "animal"] = [None, "NA", ""]
    frame.to_csv("gaps.csv", index=False)

    finished = fit(run, "gaps.csv")

    assert "note: left out 3 rows without a value of 'animal'" in finished.err
    assert re.search(r"^table +gaps.csv, 33 rows$", finished.out, re.M)


def test_a_class_with_one_row_is_learned_with_a_note(run, frame):
    frame.assign(animal=["yak", *frame["animal"][1:]]).to_csv("yak.csv", index=False)

    finished = fit(run, "yak.csv")

    assert "note: 1 class with a single row, hard to learn from: yak" in finished.err
    assert "yak" in sklearn_ddcl.load("m").classes_


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["0", "1", "-2"], [-2, 0, 1]),
        (["007", "1", "2"], ["007", "1", "2"]),
        (["1.0", "2.0", "3.5"], ["1.0", "2.0", "3.5"]),
        (["True", "False", "maybe"], ["False", "True", "maybe"]),
    ],
)
def test_labels_are_integers_only_if_written_so(run, frame, labels, expected):
    column = dict(zip(["cat", "dog", "cow"], labels, strict=True))
    frame.assign(animal=frame["animal"].map(column)).to_csv("t.csv", index=False)

    fit(run, "t.csv")

    assert sklearn_ddcl.load("m").classes_.tolist() == expected


def test_a_gzipped_table_is_read(run, animals):
    Path("animals.csv.gz").write_bytes(gzip.compress(Path(animals).read_bytes()))

    assert "animals.csv.gz, 36 rows" in fit(run, "animals.csv.gz").out


def test_many_classes_are_counted_and_the_biggest_shown(run, frame):
    many = frame.assign(animal=[f"kind {i % 24:02}" for i in range(36)])
    many.to_csv("many.csv", index=False)

    said = fit(run, "many.csv").out

    # Twelve kinds have two rows; 20 of the 24 are shown, the bigger ones first.
    assert re.search(r"^kind 00 +2 +5\.6%$", said, re.M)
    assert "and 4 smaller classes" in said


def test_a_model_without_prototypes_is_fitted_and_reported(run, animals):
    said = fit(run, animals, "--set", "readout=mean").out

    assert "prototypes" not in said
    assert said.endswith("saved to m\n")


BAD_ARGUMENTS = [
    (["--target", "anmal"], "no column 'anmal', it has size, age, fur, farm, animal"),
    (["--target", "anmal"], "did you mean 'animal'?"),
    (["--target", "zzz"], "farm, animal\n"),
    (["--drop", "name"], "--drop: animals.csv has no column 'name'"),
    (["--groups", "name"], "--groups: animals.csv has no column 'name'"),
    (["--categorical", "name"], "--categorical: animals.csv has no column 'name'"),
    (["--drop", "size", "age", "fur", "farm"], "has no column left to learn from"),
    (["--set", "lr"], "expected PARAM=VALUE, got 'lr'"),
    (["--set", "lr=fast"], "The 'lr' parameter of DDCLClassifier must be"),
    (["--set", "speed=3"], "Invalid parameter 'speed'"),
    (["--set", "encoder__n_heads=3"], "Invalid parameter 'n_heads' for MLPEncoder"),
    (["--set", "categorical_features=[0]"], "--categorical NAME ..., not with --set"),
    (["--n-prototypes", "0"], "The 'n_prototypes' parameter of DDCLClassifier must"),
    (["--n-prototypes", "many"], "argument --n-prototypes: invalid int value: 'many'"),
    (["--max-epochs", "all"], "The 'max_epochs' parameter of DDCLClassifier must be"),
    (["--encoder", "lstm"], "The 'encoder' parameter of DDCLClassifier must be"),
    (["--device", "toaster"], "device='toaster' cannot be used here"),
    (["--colour"], "unrecognized arguments: --colour"),
]


@pytest.mark.parametrize(("options", "expected"), BAD_ARGUMENTS)
def test_a_bad_argument_is_one_line_and_exit_code_2(run, animals, options, expected):
    argv = ["fit", animals, "--target", "animal", "--out", "m", *options]

    finished = run(*argv)

    assert finished.code == 2
    assert finished.err.startswith("error: ")
    assert finished.err.count("\n") == 1
    assert expected in finished.err
    assert not Path("m").exists()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["cat"] * 36, "got only 'cat' in all 36 rows; choose another"),
        ([None] * 36, "expected at least two classes, got no value in all 36 rows"),
        (np.linspace(0, 1, 36).round(3), "got 36 different fractional numbers"),
    ],
)
def test_a_target_that_is_no_class_is_refused(run, frame, values, expected):
    frame.assign(animal=values).to_csv("t.csv", index=False)

    finished = run("fit", "t.csv", "--target", "animal", "--out", "m")

    assert finished.code == 2
    assert expected in finished.err


@pytest.fixture
def no_fit(monkeypatch):
    """Make fitting an error, to see that something is refused before."""

    def fit(self, X, y):
        raise AssertionError("fit was called")

    monkeypatch.setattr(DDCLClassifier, "fit", fit)


@pytest.mark.usefixtures("no_fit")
@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("nowhere/m", "--out nowhere/m: there is no folder nowhere; create it first"),
        (".", "--out . is a folder; add a file name to it"),
        ("animals.csv", "--out animals.csv is also read; choose another name"),
    ],
)
def test_an_impossible_output_is_refused_before_the_fit(run, animals, out, expected):
    finished = run("fit", animals, "--target", "animal", "--out", out)

    assert (finished.code, finished.err) == (2, f"error: {expected}\n")


@pytest.mark.usefixtures("no_fit")
@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root may write to any folder"
)
def test_a_closed_folder_is_refused_before_the_fit(run, animals):
    Path("closed").mkdir(mode=0o500)

    finished = run("fit", animals, "--target", "animal", "--out", "closed/m")

    assert finished.code == 2
    assert "cannot write to the folder closed (Permission denied)" in finished.err


@pytest.mark.usefixtures("no_fit")
def test_a_folder_that_refuses_files_is_refused_before_the_fit(
    run, animals, monkeypatch
):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    finished = run("fit", animals, "--target", "animal", "--out", "m")

    assert finished.code == 2
    assert "cannot write to the folder . (Permission denied)" in finished.err
