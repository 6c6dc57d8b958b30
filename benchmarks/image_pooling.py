"""Does ContextPool2d classify images better than max, average or strided pooling?"""

import argparse
import os
import sys
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from harness.codebook_data import DATA
from harness.image_models import POOLS
from harness.image_training import read_images, step_memory_in_fresh_process, train
from harness.markdown import number, table
from harness.provenance import describe_environments
from harness.records import RESULTS, Journal

KEY = ("set", "pool", "epochs", "seed")
SETS = ("mnist_5k", "cifar10_4k")
_MEMORY_RUNS = 3


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        measure(args, journal)
    print(report(journal.results))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--pools", nargs="+", choices=list(POOLS), default=list(POOLS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int, help="to learn from, by default all")
    parser.add_argument("--quick", action="store_true", help="one seed, one epoch")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument(
        "--data", type=Path, default=DATA / "text_image", help="folder of the sets"
    )
    parser.add_argument("--out", type=Path, default=RESULTS / "image_pooling.jsonl")
    args = parser.parse_args()
    if args.quick:
        args.seeds, args.epochs = args.seeds[:1], 1
    return args


def measure(args: argparse.Namespace, journal: Journal) -> None:
    """Train every network that is not in the journal yet, in turns."""
    memory: dict[str, float] = {}
    for seed, name in product(args.seeds, args.sets):
        path = args.data / f"{name}.npz"
        if not path.exists():
            sys.exit(f"There is no {path}. Give the folder that holds it as --data.")
        images = read_images(name, args.data, args.images)
        for pool in args.pools:
            if (name, pool, args.epochs, seed) in journal:
                continue
            if pool not in memory:
                runs = 1 if args.quick else _MEMORY_RUNS
                found = [step_memory_in_fresh_process(pool) for _ in range(runs)]
                memory[pool] = float(np.median(found))
            result = train(images, pool, seed, n_epochs=args.epochs)
            key = dict(zip(KEY, (name, pool, args.epochs, seed), strict=True))
            journal.add(
                benchmark="image_pooling", **key, step_bytes=memory[pool], **result
            )
            print(*key.values(), f"{result['accuracy']:.4f}", flush=True)


def report(results: list[dict[str, Any]]) -> str:
    """Return means over seeds of every pooling and number of epochs."""
    if not results:
        return "No results."
    frame = pd.DataFrame(results)
    groups = frame.groupby(["pool", "epochs", "set"])
    cells = groups[["accuracy", "log_loss", "parameters"]].mean()
    cells["spread"] = groups.accuracy.std()
    costs = frame.groupby(["pool", "epochs"])[["fit_cpu", "step_bytes"]].mean()
    sets = sorted(frame["set"].unique())
    header = ["pooling", "epochs"]
    for name in sets:
        header += [f"{name} accuracy", "± seeds", "log-loss", "parameters"]
    rows = []
    for pool, epochs in sorted(
        costs.index, key=lambda case: list(POOLS).index(case[0])
    ):
        row: list[Any] = [pool, epochs]
        for name in sets:
            if (pool, epochs, name) not in cells.index:
                row += [""] * 4
                continue
            cell = cells.loc[pool, epochs, name]
            row += [
                number(cell.accuracy, 4),
                number(cell.spread, 4),
                number(cell.log_loss, 3),
                number(cell.parameters, 0),
            ]
        cost = costs.loc[pool, epochs]
        row += [number(cost.fit_cpu, 1), number(cost.step_bytes / 2**20, 0)]
        rows.append(row)
    parts = [
        "# Pooling in a small image classifier",
        "Means over seeds. Memory is that of a training step with 512 images.",
        table([*header, "fit CPU s", "step MiB"], rows),
        "## Machines and versions",
        describe_environments(results),
    ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
