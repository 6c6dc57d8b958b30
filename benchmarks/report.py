"""What do the results of tables.py say, in tables and pictures?"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from harness.caps import DEFAULT_CAP, holds_for
from harness.illustrated import illustrate_costs, illustrate_ranks, illustrate_wins
from harness.names import DEEP, in_order, label
from harness.provenance import (
    cost_ratios,
    describe_costs,
    describe_environments,
    describe_failures,
)
from harness.ranking import (
    best_known,
    common_cases,
    n_cases,
    part_incomplete,
    successes,
)
from harness.records import RESULTS, read_results
from harness.sections import (
    describe_groups,
    describe_incomplete,
    describe_price,
    describe_summary,
    describe_variants,
)

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    args = parse_arguments()
    results = [
        result
        for path in args.results
        for result in read_results(path)
        if holds_for(result, args.rows)
        and (args.sets is None or result["set"] in args.sets)
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "report.md"
    path.write_text(compose(results, args), encoding="utf-8")
    print(path)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "results",
        nargs="*",
        type=Path,
        default=[RESULTS / "tables.jsonl"],
        help="files that tables.py wrote",
    )
    parser.add_argument(
        "--models",
        nargs="+",
        help="which to compare with the first of them; default: all without options",
    )
    parser.add_argument("--sets", nargs="+", help="default: all that have results")
    parser.add_argument(
        "--rows", type=int, default=DEFAULT_CAP, help="cap of the runs; 0 for none"
    )
    parser.add_argument(
        "--deep", nargs="+", default=list(DEEP), help="what counts as deep models"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "build" / "benchmarks",
        help="folder of report.md and its pictures",
    )
    return parser.parse_args()


def compose(results: list[dict[str, Any]], args: argparse.Namespace) -> str:
    """Return the report, and leave its pictures in a folder."""
    every = successes(results, args.rows)
    frame = best_known(results, args.rows)
    found = set(frame["model"])
    wanted = args.models or in_order({spec for spec in found if ":" not in spec})
    models = [spec for spec in wanted if spec in found]
    if not models:
        asked = ", ".join(wanted) or "any model"
        return f"# Many small tables\n\nThere are no results of {asked}.\n"
    first = models[0]
    complete, lacking = part_incomplete(frame, models)
    cases = common_cases(frame, complete)
    variants = in_order({spec for spec in found if spec.startswith("ddcl:")})
    used = {*models, *variants} | ({"ddcl"} if variants else set())
    told = [result for result in results if result["model"] in {*used, *wanted}]
    sections = {
        "Summary": f"{overview(cases, args.rows)}\n\n{describe_summary(cases)}",
        "Models that lack cases": describe_incomplete(frame, lacking, first),
        "Ranks over tables": illustrate_ranks(cases, args.out),
        "Scores and their cost": illustrate_costs(cases, args.out),
        "Cost ratios": describe_costs(cost_ratios(every, models, first), first),
        "Wins, ties and losses": illustrate_wins(cases, args.out),
        "Size and type of the tables": describe_groups(cases),
        "Deep models": deep_models(frame, args),
        "Price of the prototypes": describe_price(frame),
        "Variants of DDCL": describe_variants(frame, variants),
        "Failures": describe_failures(told),
        "Machines and versions": describe_environments(
            [result for result in told if "error" not in result]
        ),
    }
    parts = [f"## {title}\n\n{text}" for title, text in sections.items()]
    return "\n\n".join(["# Many small tables", *parts]) + "\n"


def overview(cases: pd.DataFrame, cap: int) -> str:
    """Say what is compared on how much."""
    seeds = sorted(set(cases["seed"]))
    size = f"at most {cap:,} rows per table" if cap else "all rows of every table"
    return (
        f"{n_cases(cases)} cases that all models below have: tables "
        f"{cases['set'].nunique()}, seeds {', '.join(map(str, seeds))}, {size}. Ranks "
        "and means are over the seeds of a table first, then over the tables."
    )


def deep_models(frame: pd.DataFrame, args: argparse.Namespace) -> str:
    """Return summary and ranks of the deep models alone."""
    models = [spec for spec in args.deep if (frame["model"] == spec).any()]
    if len(models) < 2:
        return "There are results of fewer than two."
    complete, lacking = part_incomplete(frame, models)
    cases = common_cases(frame, complete)
    parts = [
        overview(cases, args.rows),
        describe_summary(cases),
        illustrate_ranks(cases, args.out, prefix="deep_"),
    ]
    if lacking:
        names = ", ".join(map(label, lacking))
        parts.insert(1, f"Too few cases for this comparison: {names}.")
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
