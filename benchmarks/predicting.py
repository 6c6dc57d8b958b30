"""How fast are predictions of tables beside those of a deep competitor and of trees?"""

import argparse
import os
import statistics
import warnings
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from harness.models import make_model, parse_spec, warm_up
from harness.protocol import read_table, split_rows
from harness.records import RESULTS, Journal, format_table
from harness.timing import compare, take_turns
from tables import CORE, DATA, find_table

# A prediction takes as long after two epochs as after all of them.
MODELS = ("ddcl:max_epochs=2", "realmlp:n_epochs=2", "lgbm")


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, key=("set", "model"))
    if not args.report:
        run(args, journal)
    print(report(list(journal.results), args.models))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of CSV files")
    parser.add_argument("--sets", nargs="+", default=list(CORE))
    parser.add_argument("--models", nargs="+", default=list(MODELS), help="ours first")
    parser.add_argument("--rows", type=int, default=3000, help="per table, at most")
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--report", action="store_true", help="only print results")
    parser.add_argument("--out", type=Path, default=RESULTS / "predicting.jsonl")
    args = parser.parse_args()
    for spec in args.models:
        parse_spec(spec)
    return args


def run(args: argparse.Namespace, journal: Journal) -> None:
    # What is not installed will never be known, and is no reason to time the others.
    installed = warm_up(args.models)
    for name in args.sets:
        if all((name, spec) in journal for spec in installed):
            continue
        features, classes, _ = read_table(find_table(args.data, name), args.rows)
        train, test = split_rows(classes, 0)
        rows = features.iloc[test]
        tasks = {}
        for spec in installed:
            model = make_model(spec, 0)
            with warnings.catch_warnings():
                # Of two epochs nobody expects a good model.
                warnings.simplefilter("ignore")
                model.fit(features.iloc[train], classes[train])
            tasks[spec] = partial(model.predict_proba, rows)
        seconds = take_turns(tasks, args.repeats)
        ours = [spent.cpu for spent in seconds[installed[0]]]
        for spec, spent in seconds.items():
            cpu = [one.cpu for one in spent]
            case = {"set": name, "model": spec, "n": len(rows), "d": rows.shape[1]}
            journal.add(
                benchmark="predicting",
                **case,
                milliseconds=1e3 * statistics.median(cpu),
                # How many times as fast the first model is, round by round.
                ratio=compare(cpu, ours).median,
            )
        print(f"{name}: {', '.join(installed)}", flush=True)


def report(results: list[dict[str, Any]], models: list[str]) -> str:
    """Return milliseconds and ratios to the first model, over the tables."""
    rows = []
    for model in models:
        # Of a table that was timed again, for a model that came later, the last.
        latest = {one["set"]: one for one in results if one["model"] == model}
        if own := latest.values():
            ratios = sorted(result["ratio"] for result in own)
            spent = statistics.median(result["milliseconds"] for result in own)
            rows.append(
                (
                    model,
                    len(own),
                    f"{spent:.1f}",
                    f"{statistics.median(ratios):.2f}",
                    f"{ratios[0]:.2f}-{ratios[-1]:.2f}",
                )
            )
    header = ("model", "tables", "CPU ms", "times that of the first", "extremes")
    return format_table(header, rows)


if __name__ == "__main__":
    main()
