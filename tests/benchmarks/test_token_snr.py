"""The benchmark of subspace ratios runs and reports what it measured."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_table_is_measured_with_both_projections(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(120, 3)), columns=list("abc"))
    frame["target"] = np.where(frame["a"] > 0, "yes", "no")
    frame.to_csv(tmp_path / "toy.csv", index=False)
    # fmt: off
    command = [
        sys.executable, "benchmarks/token_snr.py", "--data", str(tmp_path),
        "--sets", "toy", "--deep", "toy", "--epochs", "1",
        "--out", str(tmp_path / "snr.jsonl"), "--pictures", str(tmp_path),
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
    lines = (tmp_path / "snr.jsonl").read_text().splitlines()[1:]
    results = [json.loads(line) for line in lines]
    assert [(r["projection"], r["n_layers"], r["step_size"]) for r in results] == [
        ("separate", 2, 1.0),
        ("shared", 2, 1.0),
        ("separate", 6, 1.0),
        ("separate", 6, None),
        ("shared", 6, 1.0),
        ("shared", 6, None),
    ]
    for result in results:
        assert len(result["before"]) == result["n_layers"]
        assert len(result["token_cosine"]) == result["n_layers"] + 1
    assert "| shared | 6 | 1/L | 6 | 1 |" in finished.stdout
    assert (tmp_path / "token_snr.png").stat().st_size > 5000
