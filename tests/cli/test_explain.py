"""`explain` says for rows of a table what `Explanation` says."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import sklearn_ddcl


@pytest.fixture
def explanation(model, frame, tmp_path):
    loaded = sklearn_ddcl.load(tmp_path / model)
    return loaded.explain(frame[["size", "age", "fur"]])


def test_the_named_rows_are_explained_in_words(run, model, animals, explanation):
    finished = run("explain", model, animals, "--rows", "7,0,35", "--top", "2")

    assert finished.code == 0
    paragraphs = finished.out.strip().split("\n\n")
    assert paragraphs == [
        f"row {row}: {explanation.describe(row, 2)}" for row in [7, 0, 35]
    ]


def test_without_rows_the_first_three_are_shown(run, model, animals):
    finished = run("explain", model, animals)

    shown = [line for line in finished.out.splitlines() if line.startswith("row ")]
    assert [line.split(":")[0] for line in shown] == ["row 0", "row 1", "row 2"]


def test_a_file_holds_every_row(run, model, animals, explanation, tmp_path):
    finished = run("explain", model, animals, "--out", "e.csv", "--top", "2")

    assert finished.out.endswith("wrote 36 rows to e.csv\n")
    assert_frame_equal(pd.read_csv(tmp_path / "e.csv"), explanation.to_frame(2))


def test_a_file_of_some_rows_keeps_their_numbers(
    run, model, animals, explanation, tmp_path
):
    run("explain", model, animals, "--out", "e.csv", "--rows", "30,4")

    written = pd.read_csv(tmp_path / "e.csv")
    whole = explanation.to_frame(3)
    expected = pd.concat([whole[whole["row"] == row] for row in [30, 4]])
    assert_frame_equal(written, expected.reset_index(drop=True))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--rows", "36"], "--rows: animals.csv has rows 0 to 35, got 36"),
        (["--rows", "1,x"], "expected row numbers such as 0,5,7, got '1,x'"),
        (["--rows=-1"], "expected row numbers such as 0,5,7, got '-1'"),
        (["--top", "0"], "expected a number from 1 on, got '0'"),
    ],
)
def test_impossible_rows_are_refused(run, model, animals, options, expected):
    finished = run("explain", model, animals, *options)

    assert finished.code == 2
    assert expected in finished.err


def test_a_model_without_prototypes_has_no_explanation(run, animals):
    fit = ["fit", animals, "--target", "animal", "--out", "m", "--max-epochs", "1"]
    assert run(*fit, "--set", "readout=cls").code == 0

    finished = run("explain", "m", animals)

    assert finished.code == 2
    assert "m has no prototypes, so it explains nothing" in finished.err
