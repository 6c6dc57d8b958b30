"""Sequences of tokens: what do attention alone and context pooling save?"""

import argparse
import os
from itertools import product
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from harness.codebook_data import DATA
from harness.document_data import CACHE, NotAvailable
from harness.records import RESULTS, Journal
from harness.token_models import parse_spec
from harness.token_picture import draw_sizes
from harness.token_report import write_report
from harness.token_sets import SETS, read_tokens
from harness.token_training import fit_in_fork

ROOT = Path(__file__).resolve().parents[1]
KEY = ("set", "seed", "model")
MODELS = (
    "transformer:n_layers=2",
    "aot:n_layers=2",
    "aot:n_layers=4",
    "aot:n_layers=1,pool=learned",
    "aot:n_layers=2,pool=learned",
    "aot:n_layers=1,pool=learned,shuffled=1",
    "aot:n_layers=2,pool=learned,shuffled=1",
    "aot:n_layers=1,pool=fixed",
)
# Another way to have half the weights, where language and vision are compared.
HALVES = ("aot:n_layers=4,projection=shared,step_size=0.25",)
MORE = {"sst2": HALVES, "mnist": HALVES}


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        run(args, journal)
    print(write_report(journal.results))
    if args.pictures is not None and journal.results:
        draw_sizes(args.pictures / "tokens.png", journal.results)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--models",
        nargs="+",
        help="specs such as aot:n_layers=1,pool=learned; by default those of each set",
    )
    parser.add_argument("--epochs", type=int, help="instead of those of each set")
    parser.add_argument("--quick", action="store_true", help="digits, one seed")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE, help="embedded texts")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--pictures", type=Path, help="folder, such as docs/images")
    parser.add_argument("--out", type=Path, default=RESULTS / "tokens.jsonl")
    args = parser.parse_args()
    if args.quick:
        args.sets, args.seeds = ["digits"], args.seeds[:1]
    for spec in args.models or ():
        parse_spec(spec)
    return args


def run(args: argparse.Namespace, journal: Journal) -> None:
    for seed, name in product(args.seeds, args.sets):
        specs = args.models or (*MODELS, *MORE.get(name, ()))
        wanted = [spec for spec in specs if (name, seed, spec) not in journal]
        if not wanted:
            continue
        try:
            tokens = read_tokens(name, seed, args.data, args.cache)
        except NotAvailable as reason:
            print(f"{name} is skipped: {reason}.")
            continue
        if args.epochs is not None:
            tokens = tokens._replace(n_epochs=args.epochs)
        for spec in wanted:
            result = fit_in_fork(spec, tokens, seed)
            journal.add(set=name, seed=seed, model=spec, **result)
            print(
                f"{name:<7} seed {seed}  {spec:<48} acc {result['acc']:.4f}  "
                f"ll {result['ll']:.4f}  {result['fit_cpu']:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
