"""The example of growth runs and draws what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "growing_heads.py"


@pytest.mark.slow
def test_it_runs_and_draws(tmp_path):
    finished = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--out", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )

    assert finished.returncode == 0, finished.stderr
    found = re.search(r"takes 4 heads, (\d+) were found", finished.stdout)
    assert found is not None
    assert 2 <= int(found.group(1)) <= 6
    assert "of what attention adds" in finished.stdout
    for name in ("growth", "directions", "table"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
