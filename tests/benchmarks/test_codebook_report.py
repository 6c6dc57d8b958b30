"""The report of codebooks: ratios of medians, by case."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness.codebook_curve import draw_curves
from benchmarks.harness.codebook_report import (
    describe_vq,
    geometric_mean,
    medians_of,
    relative_to,
    write_report,
)

MODELS = ("ddcl", "ddcl:n_relocations=0", "KMeans:n_init=1", "KMeans:n_init=10")


def result(model, inertia, **fields):
    usual = {
        "part": "rows",
        "set": "iris",
        "n_codes": 4,
        "seed": 0,
        "precision": "float32",
        "fit_cpu": 1.0,
        "used": 4,
        "distinct": 4,
        "n_passes": 9,
    }
    return usual | {"model": model, "inertia": inertia} | fields


@pytest.fixture
def results():
    # The median of three seeds is that of the second.
    inertias = {"iris": (8.0, 9.0, 20.0, 10.0), "wine": (5.0, 11.0, 12.0, 10.0)}
    return [
        result(model, factor * inertia, set=name, seed=seed, n_codes=n_codes)
        for name, values in inertias.items()
        for n_codes in (4, 8)
        for seed, factor in enumerate((0.9, 1.0, 1.5))
        for model, inertia in zip(MODELS, values, strict=True)
    ]


def test_seeds_count_by_their_median_and_shares_by_their_least():
    told = [
        result("ddcl", inertia, seed=seed, used=used)
        for seed, (inertia, used) in enumerate([(1.0, 4), (9.0, 2), (2.0, 4)])
    ]
    other = result("ddcl", 0.0, part="vq")
    failed = result("ddcl", 0.0, error="ValueError: no")

    medians = medians_of([*told, other, failed], "rows")

    line = medians.loc["iris", 4, "ddcl"]
    assert (line["inertia"], line["used"], line["n_seeds"]) == (2.0, 0.5, 3)


def test_a_result_measured_again_replaces_the_first():
    medians = medians_of([result("ddcl", 1.0), result("ddcl", 3.0)], "rows")
    assert medians["inertia"].tolist() == [3.0]


def test_ratios_are_by_case(results):
    ratios = relative_to(medians_of(results, "rows"), "KMeans:n_init=10")
    assert ratios.loc["iris", 4, "ddcl"]["inertia"] == pytest.approx(0.8)
    assert ratios.loc["wine", 8, "ddcl"]["inertia"] == pytest.approx(0.5)
    assert ratios.loc["wine", 4, "KMeans:n_init=10"]["inertia"] == 1


def test_a_ratio_and_its_inverse_cancel():
    assert geometric_mean(pd.Series([4.0, 0.25])) == pytest.approx(1)


def test_the_report_names_the_worst_case(results, tmp_path):
    path = write_report(results, "float32", tmp_path)

    lines = path.read_text().splitlines()
    line = next(line for line in lines if line.startswith("| DDCL |"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:6] == [
        "DDCL",
        "4",
        f"{np.sqrt(0.4):.4f}",
        "0.8000 (iris, 4)",
        "1.2000",
        f"{np.sqrt(8 / 20 * 5 / 12):.4f}",
    ]
    assert (tmp_path / "codebook_rows.png").exists()


def test_results_of_the_other_precision_are_left_out(results, tmp_path):
    path = write_report(results, "float64", tmp_path)
    assert "## Summary" not in path.read_text()
    assert "There are no results" in path.read_text()


def test_curves_go_through_geometric_means(results):
    ratios = relative_to(medians_of(results, "rows"), "KMeans:n_init=10")

    panels = draw_curves(ratios).axes

    assert [ax.get_title() for ax in panels] == ["K = 4", "K = 8"]
    ours, kmeans, *_ = panels[0].lines
    assert ours.get_ydata() == pytest.approx([np.sqrt(0.9 * 1.1), np.sqrt(0.4)])
    assert kmeans.get_ydata() == pytest.approx([np.sqrt(2 * 1.2), 1])


def test_ours_is_compared_with_the_best_setting_of_each_case():
    specs = ["VQ:decay=0.8,expire=2", "VQ:decay=0.99,expire=2"]
    told = [
        result(model, inertia, part="vq", n_codes=n_codes)
        for n_codes, inertias in ((4, (6.0, 10.0, 8.0)), (8, (6.0, 12.0, 24.0)))
        for model, inertia in zip(["ddcl", *specs], inertias, strict=True)
    ]

    rows = describe_vq(medians_of(told, "vq")).splitlines()[4:]

    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells[0][1:5] == ["4", "0.600", "0.750", "0.750"]
    assert cells[1][1:5] == ["8", "0.500", "0.250", "0.500"]
    assert cells[2][0] == "geometric mean"
    assert cells[2][4] == f"{np.sqrt(0.75 * 0.5):.3f}"
