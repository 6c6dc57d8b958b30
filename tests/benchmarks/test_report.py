"""The report says what results hold, and leaves its pictures beside it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("ddcl", "lgbm", "tabnet", "mlp", "ddcl:readout=mean")
ENVIRONMENT = {
    "date": "2026-01-01",
    "cpu": "Abacus",
    "cores": 2,
    "torch_threads": 1,
    "versions": {"torch": "2.0"},
}


def results():
    """Six tables of three sizes and kinds, two seeds; TabNet fails on five tables."""
    for t in range(6):
        for seed in (0, 1):
            for place, model in enumerate(MODELS):
                acc = 0.9 - 0.01 * place - 0.02 * t + 0.001 * seed
                result = {"set": f"table{t}", "seed": seed, "model": model, "cap": 3000}
                result |= {
                    "n": (300, 1500, 2250)[t % 3],
                    "d": 4,
                    "cat": (0, 2, 4)[t % 3],
                }
                result |= {"classes": 2 + t % 2}
                if model == "tabnet" and t > 0:
                    yield {**result, "error": "ValueError: too small"}
                    continue
                cost = 10.0**-place
                yield {
                    **result,
                    "acc": acc,
                    "bal": acc,
                    "ll": 1 - acc,
                    "ece": 0.1,
                    "fit_cpu": cost,
                    "pred_cpu": cost / 4,
                }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Run the script once on two files, and return the folder of the report."""
    path = tmp_path_factory.mktemp("report")
    lines = [json.dumps(result) for result in results()]
    told = json.dumps({"environment": ENVIRONMENT})
    (path / "a.jsonl").write_text("\n".join([told, *lines[:40]]))
    (path / "b.jsonl").write_text("\n".join([told, *lines[40:]]))
    script = ROOT / "benchmarks" / "report.py"
    done = subprocess.run(
        [sys.executable, script, "a.jsonl", "b.jsonl", "--out", "out"],
        cwd=path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(Path("out", "report.md"))
    return path / "out"


@pytest.fixture(scope="module")
def sections(folder):
    text = (folder / "report.md").read_text(encoding="utf-8")
    parts = text.split("\n## ")[1:]
    return dict(part.split("\n\n", 1) for part in parts)


def row(section, name):
    (found,) = (line for line in section.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_every_question_has_its_section(sections):
    assert list(sections) == [
        "Summary",
        "Models that lack cases",
        "Ranks over tables",
        "Scores and their cost",
        "Cost ratios",
        "Wins, ties and losses",
        "Size and type of the tables",
        "Deep models",
        "Price of the prototypes",
        "Variants of DDCL",
        "Failures",
        "Machines and versions",
    ]


def test_the_summary_is_over_the_cases_that_all_have(sections):
    summary = sections["Summary"]
    assert "12 cases that all models below have: tables 6, seeds 0, 1," in summary
    assert row(summary, "DDCL")[1:5] == ["1.00", "1.00", "0.8505", "0.8505"]
    assert row(summary, "LightGBM")[1:] == [
        *("2.00", "2.00", "0.8405", "0.8405", "0.1595", "0.1000"),
        *("0.1", "0.025", "12"),
    ]
    assert "TabNet" not in summary
    assert "readout" not in summary


def test_a_model_that_lacks_cases_is_compared_on_those_it_has(sections):
    cells = row(sections["Models that lack cases"], "TabNet")
    assert cells[1:3] == ["2", "0.8805 / 0.9005"]
    assert cells[-2:] == ["0/0/2", "0/0/2"]


def test_costs_are_told_as_ratios_of_one_run(sections):
    assert row(sections["Cost ratios"], "LightGBM") == [
        *("LightGBM", "0.1", "0.1", "12", "same run"),
    ]


def test_wins_are_listed_for_every_pair(sections):
    text = sections["Wins, ties and losses"].split("![wins by log-loss]")
    assert row(text[0], "DDCL") == ["DDCL", "", "12/0/0", "12/0/0"]
    assert row(text[1], "LightGBM") == ["LightGBM", "0/0/12", "", "12/0/0"]


def test_groups_of_tables_are_by_rows_columns_and_classes(sections):
    header, _, first, *_ = sections["Size and type of the tables"].splitlines()[2:]
    assert [cell.strip() for cell in header.strip("|").split("|")] == [
        "model",
        *("under 1,000 rows (2)", "1,000 to 2,999 rows (2)", "3,000 rows or more (2)"),
        *(
            "numeric (2)",
            "mixed (2)",
            "categorical (2)",
            "binary (3)",
            "multiclass (3)",
        ),
    ]
    # Tables 0 and 3 have few rows: .9005 and .8405.
    assert first.split("|")[1:3] == [" DDCL ", " 0.8705 (1.0) "]


def test_the_price_of_prototypes_is_paired_over_tables(sections):
    price = sections["Price of the prototypes"]
    assert "ahead in accuracy on 6 of 6 tables, and in log-loss" in price
    assert row(price, "table3")[1:] == ["+4.00", "-0.0400"]
    mean = row(price, r"**mean and standard error**")
    assert mean[1:] == ["+4.00 ± 0.00", "-0.0400 ± 0.0000"]
    variant = row(sections["Variants of DDCL"], "readout=mean")
    assert variant[1:] == ["+4.00 ± 0.00", "-0.0400 ± 0.0000", "6"]


def test_deep_models_alone_name_who_lacks_cases(sections):
    deep = sections["Deep models"]
    assert "Too few cases for this comparison: TabNet." in deep
    assert row(deep, "DDCL")[1] == "1.00"
    assert "Tests of ranks need three models" in deep


def test_failures_and_machines_are_told(sections):
    assert sections["Failures"].count("| TabNet | table") == 10
    assert "ValueError: too small" in sections["Failures"]
    machines = sections["Machines and versions"]
    assert row(machines, "Abacus, 2 cores, 1 thread") == [
        *("Abacus, 2 cores, 1 thread", "torch 2.0", "1", "50"),
    ]


def test_every_picture_that_is_named_exists(folder):
    text = (folder / "report.md").read_text(encoding="utf-8")
    named = {part.partition(")")[0] for part in text.split("](")[1:]}
    assert named == {
        *("ranks_acc.png", "ranks_ll.png", "pareto_fit.png", "pareto_predict.png"),
        *("wins_acc.png", "wins_ll.png"),
    }
    for name in named:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_without_results_the_report_says_so(tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    script = ROOT / "benchmarks" / "report.py"
    done = subprocess.run(
        [sys.executable, script, "none.jsonl", "--out", ".", "--models", "rf"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "There are no results of rf" in (tmp_path / "report.md").read_text()
