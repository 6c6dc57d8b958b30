"""The benchmark of growth: its tasks, its rules, its report."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.harness import growth_synthetic, growth_tables, growth_tasks
from benchmarks.harness.growth_report import write_report
from benchmarks.harness.growth_rules import AtRandom, ByLoss
from benchmarks.harness.growth_tasks import Student, make_task
from benchmarks.harness.growth_tokens import compare_sizes, deal_folds
from benchmarks.harness.protocol import Table
from benchmarks.harness.token_sets import Part, TokenSet
from benchmarks.harness.token_training import BATCH, train_classifier
from sklearn_ddcl.networks import GrowthRule

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def short(monkeypatch):
    """Let trainings end before they have learned anything."""
    monkeypatch.setattr(growth_tasks, "N_STEPS", 60)
    monkeypatch.setattr(growth_synthetic, "N_STEPS", 60)


def test_a_task_varies_in_as_many_directions_as_its_rank(generator):
    task = make_task(3, generator)
    assert task.x.shape == task.y.shape == (4096, 8, 16)
    values = torch.linalg.eigvalsh(task.y.flatten(0, 1).T.cov())
    # Three outputs and noise of variance 0.09 in all directions.
    assert (values[-3:] > 1).all()
    assert (values[:-3] < 0.12).all()


@pytest.mark.usefixtures("short")
def test_what_grows_is_compared_with_its_own_size():
    found = growth_synthetic.count_heads(2, seed=0)
    assert set(found) == {"found", "predicted", "bound", "loss", "loss_fixed"}
    rules = list(growth_synthetic.compare_rules(2, seed=0))
    assert [rule["rule"] for rule in rules] == ["energy", "loss", "late"]


def test_heads_come_at_the_looks_that_were_drawn(generator):
    student = Student(1, generator)
    controller = AtRandom(student, GrowthRule(8), generator, {2, 3})
    optimizer = torch.optim.AdamW(student.parameters())
    actions = [
        controller.end_epoch(20 * look, look / 5, 1.0, lambda: 1.0, optimizer)
        for look in range(1, 6)
    ]
    assert actions == [["none"], ["grow"], ["grow"], ["none"], ["none"]]
    assert student.attention.n_heads == 3


def test_a_loss_that_stalls_calls_for_one_head_until_it_does_not_help(generator):
    controller = ByLoss(Student(1, generator), GrowthRule(8), generator)
    wanted = []
    for loss in [1.0] * 8 + [0.5] * 8 + [0.5] * 8:
        controller.relative_loss = loss
        wanted.append(controller.n_missing(0) > 0)
    # Stalled at one, then at a half; the second head has brought nothing.
    assert wanted.index(True) == 7
    assert sum(wanted) == 2


@pytest.fixture
def case(monkeypatch):
    """Return a table of two columns that is split, and shorten trainings."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=80), "b": rng.normal(size=80)})
    table = Table(frame, (frame["a"] > 0).to_numpy().astype(int))
    fit = growth_tables.fit
    monkeypatch.setattr(
        growth_tables,
        "fit",
        lambda params, *rest: fit(params | {"max_epochs": 2}, *rest),
    )
    rows = np.arange(80)
    return growth_tables.Case(table, rows[:60], rows[60:], seed=0)


def test_nothing_that_grew_is_the_same_from_scratch(case):
    results = dict(growth_tables.compare_sizes(case))
    small = ["transformer, width 16", "transformer, width 20"]
    assert list(results)[:5] == ["transformer", *small, "incrt", "fixed"]
    assert results["fixed"]["same"]
    assert results["incrt"]["n_heads"] == [1, 1]
    large, small, less_small, grown, _, *less = [
        result["block_parameters"] for result in results.values()
    ]
    assert large > 3 * grown
    assert small == pytest.approx(grown, rel=0.05)
    assert small < less_small < large
    assert grown > less[0] > less[1]


def test_what_is_known_of_a_table_is_not_measured_again(case, monkeypatch):
    fitted = []
    monkeypatch.setattr(
        growth_tables, "fit", lambda params, *_: fitted.append(params) or {}
    )
    grown = {"actions": [(3, 0, "grow")], "n_heads": [2, 1]}
    known = {"transformer": {}, "incrt": grown, "incrt, nothing": {}}
    results = dict(growth_tables.compare_sizes(case._replace(known=known)))
    assert list(results)[3:] == ["incrt", "fixed", *list(results)[5:]]
    assert len(results) == 7
    assert [params.get("encoder__n_heads") for params in fitted] == [2, 2, (2, 1), None]
    assert fitted[3]["encoder__prototype_values"] is False


def test_models_that_nobody_wants_are_not_measured(case, monkeypatch):
    grown = {"actions": [], "n_heads": [1, 1]}
    monkeypatch.setattr(growth_tables, "fit", lambda *_: grown)
    wanted = ["transformer, width 16", "incrt"]
    results = dict(growth_tables.compare_sizes(case._replace(wanted=wanted)))

    # A network of the final size comes with the one that grows.
    assert list(results) == [*wanted, "fixed"]


@pytest.fixture
def sentences():
    """Return 300 sequences of noise in two classes."""
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(300, 6, 5)).astype(np.float32)
    part = Part(tokens, np.ones((300, 6), bool), np.arange(300) % 2)
    return TokenSet(part, part, grid=None, n_epochs=1)


def test_tokens_are_compared_too(sentences, torch_seed):
    results = dict(compare_sizes(sentences, 0))
    assert list(results) == ["transformer", "incrt", "fixed"]
    weights = [result["block_parameters"] for result in results.values()]
    assert weights[1] < weights[0] / 3


def test_every_row_is_tested_in_one_fold_and_learned_in_the_others(sentences):
    rows = np.arange(300, dtype=np.float32)[:, None, None]
    part = sentences.train._replace(tokens=rows)
    folds = list(deal_folds(sentences._replace(train=part), seed=1))
    tested = [fold.test.tokens.ravel() for fold in folds]
    assert sorted(np.concatenate(tested).tolist()) == rows.ravel().tolist()
    for fold, test in zip(folds, tested, strict=True):
        learned = fold.train.tokens.ravel()
        assert sorted([*learned, *test]) == rows.ravel().tolist()
        np.testing.assert_array_equal(fold.train.classes, learned % 2)
    other = next(deal_folds(sentences._replace(train=part), seed=2))
    assert set(other.test.tokens.ravel()) != set(tested[0])


def test_after_every_step_its_rows_and_their_loss_are_told(sentences, generator):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(5, 2))

        def forward(self, tokens, mask=None):
            return tokens.sum(1) @ self.weight

    model, told = Model(), []
    weights = [model.weight.detach().clone()]
    part = sentences.train

    def after_step(step, n_steps, rows, loss, optimizer):
        logits = torch.from_numpy(part.tokens[rows]).sum(1) @ weights[-1]
        expected = torch.nn.functional.cross_entropy(
            logits, torch.from_numpy(part.classes[rows])
        )
        assert loss == pytest.approx(float(expected))
        assert optimizer.param_groups[0]["params"] == [model.weight]
        weights.append(model.weight.detach().clone())
        told.append((step, n_steps, rows))

    train_classifier(model, part, 2, generator, after_step)
    n_steps = 2 * (300 // BATCH + 1)
    assert [step for step, _, _ in told] == list(range(1, n_steps + 1))
    assert {total for _, total, _ in told} == {n_steps}
    first = np.concatenate([rows for _, _, rows in told[: n_steps // 2]])
    assert sorted(first.tolist()) == list(range(300))


def test_the_report_says_how_far_off_the_count_is():
    results = [
        {
            "part": "rank", "rank": rank, "seed": 0, "found": found, "predicted": 4,
            "bound": 9.0, "loss": 0.3, "loss_fixed": 0.4, "environment": None,
        }
        for rank, found in ((2, 2), (4, 5))
    ]  # fmt: skip
    report = write_report(results)
    assert "off by 12.5% of the rank" in report
    assert "| 4 | 5 | 4 | 9.0 | 0.300 | 0.400 |" in report


def test_without_results_the_report_says_so():
    assert write_report([]) == "No results."


@pytest.mark.slow
def test_the_script_runs_and_goes_on(tmp_path):
    out = tmp_path / "out.jsonl"
    command = [
        sys.executable, ROOT / "benchmarks" / "growth.py", "--parts", "rank",
        "--ranks", "1", "--seeds", "0", "--out", out,
    ]  # fmt: skip
    for _ in range(2):
        done = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    found = [line["found"] for line in lines if "found" in line]
    assert found == [1]
    assert "Tasks of known rank" in done.stdout
