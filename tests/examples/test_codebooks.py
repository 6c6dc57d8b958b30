"""The example of codebooks runs and draws what it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "codebooks.py"


@pytest.mark.slow
def test_it_runs_and_draws(tmp_path):
    finished = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--out", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )

    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    ratios = [float(line.split()[1]) for line in lines[2:4]]
    assert max(ratios) < 1.005
    lost = [line.split() for line in lines if line.split()[:1] in (["6"], ["48"])]
    assert [line[0] for line in lost] == ["6", "48"]
    assert all(float(b) < float(a) for a, b in zip(*(x[1:] for x in lost), strict=True))
    for name in ("codes", "cooling", "reconstructions", "rate"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
