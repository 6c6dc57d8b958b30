"""Do the tokens of trained attention-only networks lie in the subspaces they learn?"""

import argparse
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from harness.markdown import number, table
from harness.palette import FAINT, INK, new_figure
from harness.protocol import read_table, split_rows
from harness.provenance import describe_environments
from harness.records import RESULTS, Journal
from tables import CORE, DATA, find_table

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.inspection import subspace_snr

KEY = ("set", "seed", "projection", "n_layers", "step_size")
SHALLOW = (("separate", 2, 1.0), ("shared", 2, 1.0))
# Deeper stacks, with whole steps and with steps of one over their number.
DEEP = tuple(product(("separate", "shared"), (6,), (1.0, None)))
DEEP_SETS = ("vehicle", "vowel")
FIELDS = (
    "before",
    "after",
    "untrained_before",
    "untrained_after",
    "random_subspaces",
    "token_cosine",
    "untrained_token_cosine",
)

# As the columns of the report have them.
FIELDS_IN = ("before", "after", "untrained_before", "random_subspaces")
FIELDS_OUT = ("gain", "untrained_gain", "token_cosine", "untrained_token_cosine")


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        for name, seed, shape in cases(args):
            if (name, seed, *shape) not in journal:
                measure(name, seed, shape, args, journal)
    print(report(journal.results))
    if args.pictures is not None and journal.results:
        draw(args.pictures / "token_snr.png", journal.results)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of CSV files")
    parser.add_argument("--sets", nargs="+", default=list(CORE))
    parser.add_argument("--deep", nargs="*", default=list(DEEP_SETS), metavar="SET")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--rows", type=int, default=600, help="per table, at most")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--pictures", type=Path, help="folder, such as docs/images")
    parser.add_argument("--out", type=Path, default=RESULTS / "token_snr.jsonl")
    return parser.parse_args()


def cases(args: argparse.Namespace) -> Iterator[tuple[str, int, tuple]]:
    """Yield table, seed and shape of the network of everything to measure."""
    for seed in args.seeds:
        for name in args.sets:
            for shape in (*SHALLOW, *(DEEP if name in args.deep else ())):
                yield name, seed, shape


def measure(
    name: str, seed: int, shape: tuple, args: argparse.Namespace, journal: Journal
) -> None:
    """Train a network and enter the ratios of the rows that it did not see."""
    projection, n_layers, step_size = shape
    task = read_table(find_table(args.data, name), args.rows or None)
    train, test = split_rows(task.classes, seed)
    model = DDCLClassifier(
        encoder="aot",
        max_epochs=args.epochs,
        early_stopping=False,
        random_state=seed,
    )
    model.set_params(
        encoder__projection=projection,
        encoder__n_layers=n_layers,
        encoder__step_size=step_size,
    )
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(task.features.iloc[train], task.classes[train])
    fit_cpu = time.process_time() - began
    unseen = task.features.iloc[test]
    snr = subspace_snr(model, unseen)
    result: dict[str, Any] = {
        "acc": float((model.predict(unseen) == task.classes[test]).mean()),
        "n": len(train),
        "d": task.features.shape[1],
        "fit_cpu": fit_cpu,
        "seconds": time.process_time() - began - fit_cpu,
        "steps": [
            block.step_size.item() for block in model._fitted.network.encoder.blocks
        ],
    }
    result |= {field: getattr(snr, field).tolist() for field in FIELDS}
    key = dict(zip(KEY, (name, seed, *shape), strict=True))
    journal.add(benchmark="token_snr", **key, **result)
    print(
        f"{name} seed {seed} {projection} {n_layers} layers, step {step_size}: "
        f"acc {result['acc']:.4f}, {fit_cpu:.1f} s\n{snr}",
        flush=True,
    )


def per_layer(results: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return a line per result and layer."""
    lines = []
    for result in results:
        for layer in range(result["n_layers"]):
            line = {field: result[field] for field in KEY}
            line["layer"] = layer + 1
            line |= {field: result[field][layer] for field in FIELDS}
            line["cosine_after"] = result["token_cosine"][layer + 1]
            line["acc"] = result["acc"]
            lines.append(line)
    frame = pd.DataFrame(lines)
    frame["gain"] = frame["after"] / frame["before"]
    frame["untrained_gain"] = frame["untrained_after"] / frame["untrained_before"]
    frame["step_size"] = frame["step_size"].map("{:g}".format).replace("nan", "1/L")
    return frame


def report(results: Sequence[dict[str, Any]]) -> str:
    """Return means over tables, and on how many of them training raised the ratio."""
    if not results:
        return "No results."
    frame = per_layer(results)
    header = (
        "projection", "layers", "step", "layer", "tables", "SNR in", "SNR out",
        "untrained in", "random subspaces", "above untrained", "layer raises it",
        "gain", "untrained gain", "cosine in", "untrained cosine",
    )  # fmt: skip
    rows = []
    for group, lines in frame.groupby(
        ["projection", "n_layers", "step_size", "layer"], sort=False
    ):
        n = len(lines)
        above = int((lines["before"] > lines["untrained_before"]).sum())
        raised = int((lines["gain"] > 1).sum())
        rows.append(
            (
                *group,
                n,
                *(number(lines[field].mean(), 3) for field in FIELDS_IN),
                f"{above} of {n}",
                f"{raised} of {n}",
                *(number(lines[field].mean(), 3) for field in FIELDS_OUT),
            )
        )
    parts = [
        "# Subspace SNR of trained networks",
        "Rows that were not trained on; means over tables and seeds.",
        table(header, rows, n_left=3),
        "## Machines and versions",
        describe_environments(results),
    ]
    return "\n\n".join(parts)


def draw(path: Path, results: Sequence[dict[str, Any]]) -> None:
    """Save a picture: ratios of every table in two layers, and of deep stacks."""
    frame = per_layer(results)
    figure = new_figure(9.5, 3.8)
    left, right = figure.subplots(1, 2)
    colors = {"separate": "#0072b2", "shared": "#d55e00"}
    shallow = frame[frame["n_layers"] == 2]
    groups = list(shallow.groupby(["projection", "layer"]))
    for place, ((projection, _), lines) in enumerate(groups):
        spread = place + np.linspace(-0.22, 0.22, len(lines))
        color = colors[str(projection)]
        left.scatter(spread, lines["before"], s=14, color=color, alpha=0.8)
        for field, style in (("untrained_before", "-"), ("random_subspaces", ":")):
            mean = lines[field].mean()
            left.hlines(
                mean,
                place - 0.35,
                place + 0.35,
                color=INK,
                linestyle=style,
                label=None if place else field.partition("_")[0],
            )
    left.set_xticks(range(len(groups)), [f"{p},\nlayer {n}" for (p, n), _ in groups])
    left.set_ylabel("SNR on the way in, one dot per table")
    left.legend(frameon=False, fontsize=8)
    deep = frame[frame["n_layers"] > 2]
    for (projection, step), lines in deep.groupby(["projection", "step_size"]):
        means = lines.groupby("layer")[["before", "random_subspaces"]].mean()
        right.plot(
            means["before"],
            color=colors[str(projection)],
            linestyle="-" if step != "1/L" else "--",
            marker="o",
            markersize=4,
            label=f"{projection}, step {step}",
        )
    if len(deep):
        chance = deep.groupby("layer")["random_subspaces"].mean()
        right.plot(chance, color=FAINT, linewidth=2, label="random subspaces")
        right.legend(frameon=False, fontsize=8)
    right.set_xlabel("layer")
    right.set_ylabel("SNR on the way in")
    for ax in (left, right):
        ax.tick_params(labelsize=8, colors=INK)
        ax.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


if __name__ == "__main__":
    main()
