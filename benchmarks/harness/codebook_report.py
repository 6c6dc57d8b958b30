"""What codebook_rows.py measured, as tables and pictures."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .codebook_curve import draw_curves
from .codebook_models import COMPETITORS, OURS, QUICK_REFERENCE, REFERENCE
from .codebook_vq import SETTINGS
from .markdown import image, number, short, table
from .names import label
from .provenance import describe_environments, describe_failures

_CASE = ["set", "n_codes"]
_TIMED = (OURS, REFERENCE, QUICK_REFERENCE)


def write_report(
    results: Iterable[Mapping[str, Any]], precision: str, folder: Path
) -> Path:
    """Leave ``codebook_rows.md`` and its picture in a folder, and return its path.

    Without results of ours and of KMeans there is nothing to compare.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = [result for result in results if result["precision"] == precision]
    medians = medians_of(told, "rows")
    parts = ["# Codebooks of rows", f"Rows and computation in {precision}."]
    if {*_TIMED} <= set(medians.index.get_level_values("model")):
        figure = draw_curves(relative_to(medians, REFERENCE))
        figure.savefig(folder / "codebook_rows.png", dpi="figure")
        picture = image("distortion against CPU seconds", "codebook_rows.png")
        parts += ["## Summary", summarize(medians), picture]
        parts += ["## Sizes of the codebook", by_size(medians)]
        parts += ["## Cases", describe_cases(medians)]
    parts += ["## VectorQuantize", describe_vq(medians_of(told, "vq"))]
    parts += ["## Failures", describe_failures(told)]
    parts += ["## Machines and versions", describe_environments(told)]
    path = folder / "codebook_rows.md"
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def medians_of(results: Iterable[Mapping[str, Any]], part: str) -> pd.DataFrame:
    """Return medians over seeds by (set, n_codes, model); shares are the smallest.

    ``worst`` is the largest inertia of any seed, ``used`` and ``distinct`` are shares
    of the codebook.
    """
    columns = [*_CASE, "seed", "model", "inertia", "fit_cpu", "used", "distinct"]
    columns += ["n_passes"]
    chosen = [r for r in results if r["part"] == part and "error" not in r]
    frame = pd.DataFrame(chosen, columns=columns)
    frame = frame.drop_duplicates([*_CASE, "seed", "model"], keep="last")
    for share in ("used", "distinct"):
        frame[share] = frame[share].astype(float) / frame["n_codes"].astype(float)
    return frame.groupby([*_CASE, "model"], sort=False).agg(
        inertia=("inertia", "median"),
        worst=("inertia", "max"),
        fit_cpu=("fit_cpu", "median"),
        n_passes=("n_passes", "median"),
        used=("used", "min"),
        distinct=("distinct", "min"),
        n_seeds=("seed", "nunique"),
    )


def relative_to(medians: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return inertia and time of every model divided by the reference's, by case."""
    columns = ["inertia", "fit_cpu"]
    base = medians[columns].xs(reference, level="model")
    return (
        (medians[columns] / base)
        .dropna()
        .reorder_levels([*_CASE, "model"])
        .sort_index()
    )


def geometric_mean(values: pd.Series) -> float:
    """Return the mean that treats a ratio and its inverse alike."""
    return float(np.exp(np.log(values).mean()))


def known_models(medians: pd.DataFrame) -> list[str]:
    """Return the models that have results, in the order of the competitors."""
    found = set(medians.index.get_level_values("model"))
    return [spec for spec in COMPETITORS if spec in found]


def summarize(medians: pd.DataFrame) -> str:
    """Return geometric means over all cases, and the worst case of each model."""
    rows = [_summary_of(spec, medians) for spec in known_models(medians)]
    many, one = label(REFERENCE), label(QUICK_REFERENCE)
    header = ("codebook", "cases", f"inertia / {many}", "worst case", "worst seed")
    header += (f"inertia / {one}", f"CPU s / {many}", "slowest case", "of the sum")
    header += (f"CPU s / {one}", "codes used, least", "distinct, least")
    note = (
        "Geometric means over cases (set and size of the codebook) of ratios of "
        "medians over the seeds. The worst seed is a single fit beside the median of "
        f"{many}. A code is distinct if it is farther from all others than a "
        "hundredth of the mean distance of a row to its code."
    )
    return f"{note}\n\n{table(header, rows)}"


def _summary_of(spec: str, medians: pd.DataFrame) -> Sequence[str]:
    own = medians.xs(spec, level="model")
    many, one = (
        relative_to(medians, reference).xs(spec, level="model")
        for reference in (REFERENCE, QUICK_REFERENCE)
    )
    worst = many["inertia"].idxmax()
    one_seed = own["worst"] / medians["inertia"].xs(REFERENCE, level="model")
    return (
        label(spec),
        f"{len(many)}",
        number(geometric_mean(many["inertia"]), 4),
        f"{many['inertia'].max():.4f} ({worst[0]}, {worst[1]})",
        number(one_seed.max(), 4),
        number(geometric_mean(one["inertia"]), 4),
        number(geometric_mean(many["fit_cpu"]), 2),
        number(many["fit_cpu"].max(), 2),
        number(_total_ratio(own, medians, REFERENCE), 2),
        number(geometric_mean(one["fit_cpu"]), 2),
        f"{own['used'].min():.1%}",
        f"{own['distinct'].min():.1%}",
    )


def _total_ratio(own: pd.DataFrame, medians: pd.DataFrame, reference: str) -> float:
    base = medians["fit_cpu"].xs(reference, level="model")
    both = own.index.intersection(base.index)
    return float(own.loc[both, "fit_cpu"].sum() / base[both].sum())


def by_size(medians: pd.DataFrame) -> str:
    """Return geometric means by the size of the codebook."""
    ratios = relative_to(medians, REFERENCE)
    sizes = sorted(set(ratios.index.get_level_values("n_codes")))
    rows = []
    for spec in known_models(medians):
        own = ratios.xs(spec, level="model")
        cells = []
        for size in sizes:
            at = own[own.index.get_level_values("n_codes") == size]
            means = (geometric_mean(at[field]) for field in ("inertia", "fit_cpu"))
            cells.append("{:.4f} in {:.2f}".format(*means) if len(at) else "")
        rows.append((label(spec), *cells))
    note = f"Inertia and CPU seconds relative to {label(REFERENCE)}."
    return f"{note}\n\n{table(('codebook', *(f'K = {s}' for s in sizes)), rows)}"


def describe_cases(medians: pd.DataFrame) -> str:
    """Return every case of the default beside both references."""
    ratios = relative_to(medians, REFERENCE)["inertia"].unstack("model")
    seconds = medians["fit_cpu"].unstack("model")
    passes = medians["n_passes"].unstack("model")[OURS]
    rows = [
        (
            name,
            size,
            number(ratios.loc[(name, size), OURS], 4),
            number(ratios.loc[(name, size), OURS] / line[QUICK_REFERENCE], 4),
            *(short(seconds.loc[(name, size), spec]) for spec in _TIMED),
            short(passes[name, size]),
        )
        for (name, size), line in ratios.iterrows()
    ]
    header = ("set", "K", f"DDCL / {label(REFERENCE)}", "/ n_init=1", "DDCL CPU s")
    return table((*header, *map(label, _TIMED[1:]), "passes"), rows)


def describe_vq(medians: pd.DataFrame) -> str:
    """Return ours divided by every setting, and by the best setting of each case."""
    found = set(medians.index.get_level_values("model"))
    specs = [spec for spec in SETTINGS if spec in found]
    if OURS not in found or not specs:
        return "There are no results."
    inertia = medians["inertia"].unstack("model").dropna(subset=[OURS])
    inertia = inertia.assign(best=inertia[specs].min(axis=1))
    ratios = (1 / inertia[[*specs, "best"]]).mul(inertia[OURS], axis=0)
    seconds = medians["fit_cpu"].unstack("model")
    own = medians.xs(OURS, level="model")
    first = medians.xs(specs[0], level="model")
    rows = [
        (
            *case,
            *(number(value, 3) for value in line),
            short(seconds.loc[case, OURS] / seconds.loc[case, specs[0]]),
            *_shares(own.loc[case], first.loc[case]),
        )
        for case, line in ratios.iterrows()
    ]
    means = [number(geometric_mean(ratios[spec]), 3) for spec in ratios]
    rows.append(("geometric mean", "", *means, "", "", ""))
    names = [spec.partition(":")[2] for spec in specs]
    header = ("set", "K", *names, "best of them", "CPU s ratio")
    header += ("used, ours / VQ", "distinct, ours / VQ")
    note = (
        "Inertia of DDCL divided by that of VectorQuantize with several settings after "
        "as many epochs (batches of 1,024 rows) as DDCL made passes. CPU seconds and "
        "shares are beside the first setting."
    )
    return f"{note}\n\n{table(header, rows, n_left=1)}"


def _shares(ours: pd.Series, theirs: pd.Series) -> Sequence[str]:
    return [f"{ours[f]:.1%} / {theirs[f]:.1%}" for f in ("used", "distinct")]
