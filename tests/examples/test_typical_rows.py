"""The example of typical rows runs and draws what it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "typical_rows.py"


@pytest.mark.slow
def test_it_runs_and_draws(tmp_path):
    finished = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--out", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )

    assert finished.returncode == 0, finished.stderr
    shares = {
        line[:22].strip(): float(line.split()[-1].rstrip("%"))
        for line in finished.stdout.splitlines()
        if line.endswith("%")
    }
    assert shares["10 prototypes"] > shares["KMeans, ten starts"]
    assert shares["features"] > shares["pixels"] - 3
    assert "like training row" in finished.stdout
    for name in ("prototypes", "map", "stability", "training"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
