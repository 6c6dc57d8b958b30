"""How the examples are run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run_example(tmp_path):
    """Return a function that runs an example quickly and returns what it printed.

    Its pictures go to `tmp_path`.
    """

    def run(name, *arguments):
        script = str(ROOT / "examples" / f"{name}.py")
        finished = subprocess.run(
            [sys.executable, script, "--quick", "--out", str(tmp_path), *arguments],
            env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run
