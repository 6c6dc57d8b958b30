"""Results are kept with their environment, and an interrupted run can go on."""

import json

import pytest

from benchmarks.harness.records import (
    Journal,
    environment,
    format_table,
    read_results,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "results.jsonl"


def test_a_result_comes_back_with_its_environment(path):
    Journal(path).add(model="a", acc=0.5)

    (result,) = read_results(path)

    assert (result["model"], result["acc"]) == ("a", 0.5)
    assert result["environment"].keys() >= {"date", "cpu", "cores", "torch_threads"}
    assert result["environment"]["versions"].keys() >= {"python", "torch", "numpy"}


def test_the_environment_is_written_once_per_run(path):
    for _ in range(2):
        journal = Journal(path)
        journal.add(model="a")
        journal.add(model="b")

    lines = [json.loads(line) for line in path.read_text().splitlines()]

    assert ["environment" in line for line in lines] == [True, False, False] * 2


def test_a_run_without_results_leaves_no_file(path):
    Journal(path)
    assert not path.exists()


def test_an_environment_holds_until_the_next_one(path):
    path.parent.mkdir()
    lines = [
        {"model": "a"},
        {"environment": {"cpu": "slow"}},
        {"model": "b"},
        {"model": "c"},
        {"environment": {"cpu": "fast"}},
        {"model": "d"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n")

    environments = [result["environment"] for result in read_results(path)]

    assert environments == [None, {"cpu": "slow"}, {"cpu": "slow"}, {"cpu": "fast"}]


def test_a_later_run_knows_what_is_done(path):
    Journal(path).add(set="iris", model="a", acc=0.5)

    journal = Journal(path, key=("set", "model"))

    assert ("iris", "a") in journal
    assert ("iris", "b") not in journal
    journal.add(set="iris", model="b", acc=0.5)
    assert ("iris", "b") in journal


def test_what_failed_is_not_done(path):
    journal = Journal(path, key=("model",))
    journal.add(model="a", error="ValueError: no")
    assert ("a",) not in journal
    journal.add(model="a", acc=0.5)
    assert ("a",) in journal


def test_the_environment_can_be_written_as_json():
    told = environment()
    assert json.loads(json.dumps(told)) == told


def test_columns_of_a_table_are_aligned():
    text = format_table(("name", "x"), [("a", 1), ("longer", 1000)])
    assert text.splitlines() == [
        "name       x",
        "------------",
        "a          1",
        "longer  1000",
    ]
