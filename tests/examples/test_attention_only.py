"""The example of attention alone runs and draws what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "attention_only.py"


@pytest.mark.slow
def test_it_runs_and_draws(tmp_path):
    finished = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--out", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )

    assert finished.returncode == 0, finished.stderr
    printed = finished.stdout
    exact = [int(n) for n in re.findall(r"noise \S+ +(\d+) of 24", printed)]
    assert exact[0] == 24
    assert exact == sorted(exact, reverse=True)
    assert exact[-1] == 0
    assert float(re.search(r"read ([\d.]+)% of", printed)[1]) > 80
    assert "layer     before      after  untrained     random     cosine" in printed
    left = re.findall(r"^  (?:SubspaceDenoiser|PCA, 12) +([\d.]+)%", printed, re.M)
    assert float(left[0]) < float(left[1]) < 100
    for name in ("theorem", "attention", "denoising"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
