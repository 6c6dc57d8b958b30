"""Does a transformer that grows its own heads find how many it needs?"""

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from harness.codebook_data import DATA
from harness.document_data import CACHE, NotAvailable
from harness.growth_report import write_report
from harness.growth_synthetic import (
    ABLATION_RANKS,
    compare_rules,
    count_heads,
    follow_separation,
)
from harness.growth_tables import (
    Case,
    compare_blocks,
    compare_narrow,
    compare_sizes,
)
from harness.growth_tokens import compare_sizes as compare_token_sizes
from harness.growth_tokens import deal_folds
from harness.protocol import read_table, split_rows
from harness.records import RESULTS, Journal
from harness.token_sets import TokenSet, read_tokens
from tables import CORE, find_table

RANKS = range(1, 9)
SOME_SETS = ("vehicle", "vowel", "phoneme", "segment", "credit_g", "ctg")
_KEY = ("part", "set", "fold", "rank", "rule", "model", "seed")


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, _KEY)
    if not args.report:
        for part in args.parts:
            _RUN[part](args, journal)
    print(write_report(journal.results))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=_RUN, default=list(_RUN))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--ranks", nargs="+", type=int, default=list(RANKS))
    parser.add_argument("--data", type=Path, default=DATA, help="folder of all data")
    parser.add_argument("--sets", nargs="+", help="tables; by default 20 core tables")
    parser.add_argument("--models", nargs="+", help="of part tables; by default all")
    parser.add_argument("--rows", type=int, default=3000, help="per table, at most")
    parser.add_argument("--cache", type=Path, default=CACHE, help="embedded texts")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=RESULTS / "growth.jsonl")
    return parser.parse_args()


def run_rank(args: argparse.Namespace, journal: Journal) -> None:
    for seed, rank in product(args.seeds, args.ranks):
        key = {"part": "rank", "rank": rank, "seed": seed}
        if not _known(journal, key):
            _add(journal, key | count_heads(rank, seed))


def run_rules(args: argparse.Namespace, journal: Journal) -> None:
    ranks = [rank for rank in args.ranks if rank in ABLATION_RANKS]
    for seed, rank in product(args.seeds, ranks):
        key = {"part": "rules", "rank": rank, "seed": seed}
        if not _known(journal, key):
            for found in list(compare_rules(rank, seed)):
                _add(journal, key | found)


def run_separation(args: argparse.Namespace, journal: Journal) -> None:
    for seed, rule in product(args.seeds, ("energy", "random")):
        key = {"part": "separation", "rule": rule, "seed": seed}
        if not _known(journal, key):
            for found in list(follow_separation(rule, seed)):
                journal.add(**key | found)


def run_tables(args: argparse.Namespace, journal: Journal) -> None:
    _compare(args, journal, "tables", args.sets or CORE, compare_sizes)


def run_blocks(args: argparse.Namespace, journal: Journal) -> None:
    _compare(args, journal, "blocks", args.sets or SOME_SETS, compare_blocks)


def run_narrow(args: argparse.Namespace, journal: Journal) -> None:
    _compare(args, journal, "narrow", args.sets or SOME_SETS, compare_narrow)


def run_tokens(args: argparse.Namespace, journal: Journal) -> None:
    for seed, tokens in _sentences(args):
        key = {"part": "tokens", "set": "sst2", "seed": seed}
        if not _known(journal, key):
            _add_models(journal, key, compare_token_sizes(tokens, seed))


def run_folds(args: argparse.Namespace, journal: Journal) -> None:
    for seed, tokens in _sentences(args):
        for fold, part in enumerate(deal_folds(tokens, seed)):
            key = {"part": "folds", "set": "sst2", "fold": fold, "seed": seed}
            if not _known(journal, key):
                _add_models(journal, key, compare_token_sizes(part, seed))


def _sentences(args: argparse.Namespace) -> Iterator[tuple[int, TokenSet]]:
    for seed in args.seeds:
        try:
            yield seed, read_tokens("sst2", seed, args.data, args.cache)
        except NotAvailable as reason:
            print(f"sst2 is skipped: {reason}.")
            return


def _compare(
    args: argparse.Namespace,
    journal: Journal,
    part: str,
    names: Iterable[str],
    compare: Callable[[Case], Iterator[tuple[str, dict[str, Any]]]],
) -> None:
    """Measure what is not known yet; a model that came later is added to old cases."""
    for seed, name in product(args.seeds, names):
        key = {"part": part, "set": name, "seed": seed}
        known = _models(journal, key)
        table = read_table(find_table(args.data / "tabular", name), args.rows)
        rows = split_rows(table.classes, seed)
        case = Case(table, *rows, seed, known, args.models)
        for model, result in compare(case):
            if model not in known:
                _add(journal, key | {"model": model} | result)


def _models(journal: Journal, key: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what is known of a case by model, without what says which case it is."""
    return {
        result["model"]: {
            name: value
            for name, value in result.items()
            if name not in (*key, "model", "environment")
        }
        for result in journal.results
        if _is_of(result, key)
    }


def _add_models(
    journal: Journal, key: dict[str, Any], results: Iterable[tuple[str, dict[str, Any]]]
) -> None:
    for model, result in list(results):
        _add(journal, key | {"model": model} | result)


def _known(journal: Journal, key: dict[str, Any]) -> bool:
    """Say whether a case has results, which are written all at once."""
    return any(_is_of(result, key) for result in journal.results)


def _is_of(result: dict[str, Any], key: dict[str, Any]) -> bool:
    return all(result.get(name) == value for name, value in key.items())


def _add(journal: Journal, result: dict[str, Any]) -> None:
    journal.add(**result)
    shown = (
        "part",
        "set",
        "fold",
        "rank",
        "rule",
        "model",
        "seed",
        "acc",
        "found",
        "n_heads",
    )
    print("  ".join(str(result[name]) for name in shown if name in result), flush=True)


_RUN = {
    "rank": run_rank,
    "tables": run_tables,
    "tokens": run_tokens,
    "folds": run_folds,
    "narrow": run_narrow,
    "separation": run_separation,
    "rules": run_rules,
    "blocks": run_blocks,
}


if __name__ == "__main__":
    main()
