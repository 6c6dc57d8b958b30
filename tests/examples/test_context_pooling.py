"""The example of context pooling runs and draws what it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "context_pooling.py"


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
    shares = {
        line.rsplit(None, 1)[0].strip(): float(line.split()[-1].rstrip("%"))
        for line in lines
        if line.endswith("%")
    }
    assert len(shares) == 5
    assert shares["neighbors in order"] > 55
    (order,) = (line for line in lines if line.strip().startswith(tuple("0123456789")))
    assert sorted(map(int, order.split())) == list(range(36))
    for name in ("spectra", "order", "digits"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
