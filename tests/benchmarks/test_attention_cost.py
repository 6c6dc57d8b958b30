"""The benchmark of long sequences runs, and its exponents are right."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness.attention_cost_report import growth
from benchmarks.harness.forked import in_fork

ROOT = Path(__file__).resolve().parents[2]


# Python warns of forks where a library has started threads.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_answers_or_says_that_it_did_not():
    assert in_fork(math.hypot, 3.0, 4.0) == 5.0
    with pytest.raises(RuntimeError, match="sqrt ended without a result"):
        in_fork(math.sqrt, -1.0)


def test_the_growth_is_the_exponent_of_the_length():
    tokens = np.array([1000, 4000, 8000, 16000])
    # Short sequences do not count.
    costs = 3.0 * tokens**1.5 + np.array([1e9, 0, 0, 0])

    assert growth(tokens, costs) == pytest.approx(1.5)
    assert math.isnan(growth(tokens, [1.0, 1.0, math.nan, math.nan]))


@pytest.mark.slow
def test_every_module_is_measured(tmp_path):
    out = tmp_path / "cost.jsonl"
    # fmt: off
    command = [
        sys.executable, "benchmarks/attention_cost.py", "--tokens", "128", "256",
        "--max-matrix", "0.5", "--out", str(out), "--pictures", str(tmp_path),
    ]
    # fmt: on
    finished = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert finished.returncode == 0, finished.stderr
    results = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    measured = {(r["module"], r["pass"], r["tokens"]) for r in results}
    # 256 tokens have weights of a mebibyte in four heads.
    assert ("SubspaceAttention, explicit", "forward", 128) in measured
    assert ("SubspaceAttention, explicit", "forward", 256) not in measured
    assert len(measured) == 5 * 2 * 2 - 2
    assert all(result["cpu"] > 0 for result in results)
    assert "| AttentionBlock | forward and backward |" in finished.stdout
    assert (tmp_path / "attention_cost.png").stat().st_size > 5000
