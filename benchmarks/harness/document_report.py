"""The results of the benchmark of documents as Markdown, with a picture."""

from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from .markdown import mean_and_error, table
from .palette import COLORS, FAINT, INK, new_figure

NAMES = {
    "mean": "mean",
    "max": "max",
    "mean+max": "mean and max",
    "vlad": "VLAD",
    "attention": "learned attention",
    "ddcl": "DDCL",
    "ddcl+y": "DDCL, trained for the classes",
}


def write_report(results: list[dict[str, Any]], folder: Path) -> str:
    """Write documents.md and its picture, and return the text."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [
        _vectors(results),
        _gaps(results),
        _clusters(results),
        _ratio(results, folder),
        _scaling(results),
        _memory(results),
        _encoders(results),
    ]
    text = "# Documents as vectors\n\n" + "\n\n".join(filter(None, parts)) + "\n"
    (folder / "documents.md").write_text(text, encoding="utf-8")
    return text


def label(spec: str) -> str:
    """Return a readable name: ``ddcl:64,16`` is "DDCL 64, 16"."""
    name, _, sizes = spec.partition(":")
    return f"{NAMES.get(name, name)} {sizes.replace(',', ', ')}".strip()


def mean_and_sd(values: list[float]) -> str:
    """Return percent, with the standard deviation over splits."""
    percent = 100 * np.array(values)
    spread = f" ± {percent.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{percent.mean():.1f}{spread}"


def by_split(results: list[dict[str, Any]], part: str, field: str) -> dict:
    """Return {set: {model: {split: value}}}."""
    found: dict = defaultdict(lambda: defaultdict(dict))
    for result in results:
        if result["part"] == part:
            found[result["set"]][result["model"]][result["split"]] = result[field]
    return found


def _complete(models: dict[str, dict]) -> dict[str, dict]:
    """Return the models that were measured in as many splits as any."""
    most = max(map(len, models.values()))
    return {name: found for name, found in models.items() if len(found) == most}


def _vectors(results: list[dict[str, Any]]) -> str:
    found = by_split(results, "vectors", "accuracy")
    if not found:
        return ""
    columns = {name: _complete(models) for name, models in found.items()}
    specs = list(dict.fromkeys(spec for own in columns.values() for spec in own))
    rows = [
        [
            label(spec),
            *(
                mean_and_sd(list(own[spec].values())) if spec in own else ""
                for own in columns.values()
            ),
        ]
        for spec in specs
    ]
    heads = [
        f"{name} ({max(map(len, own.values()))} splits)"
        for name, own in columns.items()
    ]
    return (
        "## Accuracy of logistic regression, percent\n\n"
        "Standardized columns, C by cross-validation, for all alike.\n\n"
        + table(["vector", *heads], rows)
    )


def _gaps(results: list[dict[str, Any]]) -> str:
    """Compare with the mean in the same splits."""
    found = by_split(results, "vectors", "accuracy")
    rows = []
    for name, models in found.items():
        models = _complete(models)
        for spec, own in models.items():
            if not spec.startswith("ddcl"):
                continue
            for other in (s for s in models if not s.startswith("ddcl")):
                gaps = 100 * np.array([own[s] - models[other][s] for s in own])
                error = gaps.std(ddof=1) / len(gaps) ** 0.5 if len(gaps) > 1 else np.nan
                wins = f"{(gaps > 0).sum()} of {len(gaps)}"
                rows.append(
                    [
                        name,
                        label(spec),
                        label(other),
                        f"{gaps.mean():+.1f}",
                        "" if np.isnan(error) else f"{error:.1f}",
                        wins,
                    ]
                )
    if not rows:
        return ""
    head = ["set", "vector", "beside", "points", "standard error", "splits won"]
    return "## Differences in the same splits\n\n" + table(head, rows, 3)


def _clusters(results: list[dict[str, Any]]) -> str:
    accuracy = by_split(results, "clusters", "accuracy")
    nmi = by_split(results, "clusters", "nmi")
    if not accuracy:
        return ""
    rows = [
        [
            label(spec),
            mean_and_sd(list(found.values())),
            mean_and_sd(list(nmi[name][spec].values())),
        ]
        for name, models in accuracy.items()
        for spec, found in models.items()
    ]
    return (
        "## K-means on the vectors of the 20 newsgroups, percent\n\n"
        "Mean and standard deviation over seeds.\n\n"
        + table(["vector", "accuracy (Hungarian)", "mutual information"], rows)
    )


def _ratio(results: list[dict[str, Any]], folder: Path) -> str:
    rows, lines = [], {}
    found = by_split(results, "vectors", "accuracy")
    for name, models in found.items():
        ours = {s: own for s, own in models.items() if s.startswith("ddcl:64,")}
        if len(ours) < 2:
            continue
        common = set.intersection(*map(set, ours.values()))
        sizes = [
            r["numbers_per_document"]
            for r in results
            if r["part"] == "vectors" and r["set"] == name and r["split"] in common
        ]
        points = []
        for spec in sorted(ours, key=lambda s: int(s.rpartition(",")[2])):
            columns = next(
                r["n_columns"]
                for r in results
                if r["part"] == "vectors" and r["set"] == name and r["model"] == spec
            )
            ratio = float(np.mean(sizes)) / columns
            values = [ours[spec][split] for split in sorted(common)]
            rows.append(
                [name, label(spec), columns, f"{ratio:.2f}", mean_and_sd(values)]
            )
            points.append((ratio, float(np.mean(values))))
        base = [models["mean"][s] for s in common if s in models.get("mean", {})]
        lines[name] = points, float(np.mean(base)) if base else None
    if not rows:
        return ""
    _draw(lines, folder / "document_ratio.png")
    head = ["set", "vector", "columns", "numbers per column", "accuracy"]
    return (
        "## Compression\n\nHow many numbers of a document's tokens come on one of its "
        "vector.\n\n" + table(head, rows, 2) + "\n\n![](document_ratio.png)"
    )


def _draw(lines: dict, path: Path) -> None:
    figure = new_figure(4.0 * len(lines), 3.2)
    for axes, (name, (points, base)) in zip(
        figure.subplots(1, len(lines), squeeze=False)[0], lines.items(), strict=True
    ):
        ratios, accuracies = zip(*points, strict=True)
        axes.plot(ratios, np.array(accuracies) * 100, "o-", color=COLORS["DDCL"])
        if base is not None:
            axes.axhline(100 * base, color=FAINT, linestyle="--", zorder=0)
            place = {"ha": "left", "va": "bottom", "color": INK}
            axes.text(min(ratios), 100 * base, "mean", **place)
        axes.set_xscale("log")
        axes.set_xticks(ratios, [f"{ratio:.2g}" for ratio in ratios])
        axes.minorticks_off()
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("numbers of tokens per number of the vector")
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("accuracy, percent")
    figure.savefig(path)


def _scaling(results: list[dict[str, Any]]) -> str:
    found = by_split(results, "scaling", "cpu")
    times = {
        int(n): median(own["ddcl:64,16"].values())
        for n, own in sorted(found.items(), key=lambda pair: int(pair[0]))
    }
    if len(times) < 2:
        return ""
    rows, before = [], None
    for n, seconds in times.items():
        ratio = "" if before is None else f"{seconds / before:.2f}"
        rows.append([n, f"{seconds:.3f}", ratio])
        before = seconds
    head = ["tokens per document", "CPU seconds", "times the row above"]
    return "## Time of 200 documents\n\n" + table(head, rows, 0)


def _memory(results: list[dict[str, Any]]) -> str:
    rows = [
        [
            r["set"],
            r["n_tokens"],
            f"{r['token_bytes'] / 2**20:,.0f}",
            f"{r['vector_bytes'] / 2**20:,.0f}",
            f"{(r['peak_bytes'] - r['peak_bytes_before']) / 2**20:,.0f}",
            f"{r['cpu']:.1f}",
        ]
        for r in results
        if r["part"] == "memory"
    ]
    if not rows:
        return ""
    head = ["documents", "tokens each", "all tokens, MiB", "vectors, MiB"]
    head += ["peak above the start, MiB", "CPU seconds"]
    return "## Memory of a stream\n\n" + table(head, rows, 0)


def _encoders(results: list[dict[str, Any]]) -> str:
    """Compare encoders with none in the same splits, by set."""
    own = [result for result in results if result["part"] == "encoders"]
    found: dict = defaultdict(lambda: defaultdict(dict))
    for result in own:
        found[result["set"]][result["model"]][result["split"]] = result
    rows = []
    for name, models in found.items():
        for encoder, by in _complete(models).items():
            base = models.get("none", {})
            shared = [split for split in by if split in base and encoder != "none"]
            gaps = [100 * (by[s]["accuracy"] - base[s]["accuracy"]) for s in shared]
            losses = [by[s]["log_loss"] - base[s]["log_loss"] for s in shared]
            rows.append(
                [
                    name,
                    encoder,
                    mean_and_sd([r["accuracy"] for r in by.values()]),
                    f"{np.mean([r['log_loss'] for r in by.values()]):.3f}",
                    mean_and_error(gaps, 1),
                    mean_and_error(losses, 3),
                    f"{np.mean([r['n_parameters'] for r in by.values()]):,.0f}",
                    _heads([r["n_heads"] for r in by.values()]),
                    f"{np.mean([r['fit_cpu'] for r in by.values()]):.1f}",
                ]
            )
    if not rows:
        return ""
    head = ["set", "encoder", "accuracy", "log-loss", "points beside none"]
    head += ["log-loss beside none", "parameters", "heads per block", "fit, CPU s"]
    return (
        "## Encoders of a compressor that is trained for the classes\n\n"
        "Logistic regression on its vectors; standard errors over splits.\n\n"
        + table(head, rows, 2)
    )


def _heads(counts: list[list[int] | None]) -> str:
    """Return how many heads the blocks of networks have, on the average."""
    flat = [number for own in counts for number in own or ()]
    return f"{np.mean(flat):.2f}" if flat else ""
