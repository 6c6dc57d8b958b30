"""The benchmark of denoisers runs and reports what it measured."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_every_model_is_measured_and_reported(tmp_path):
    out = tmp_path / "denoising.jsonl"
    finished = subprocess.run(
        [sys.executable, "benchmarks/denoising.py", "--quick", "--out", str(out)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert finished.returncode == 0, finished.stderr
    results = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    errors = {(r["set"], r["model"]): r["mse"] for r in results}
    models = {"SubspaceDenoiser(1)", "SubspaceDenoiser(4)"}
    assert {model for _, model in errors} == models | {"PCA, best", "KernelPCA, best"}
    assert all(0 < error < 0.5**2 for error in errors.values())
    ours = min(errors["subspaces", model] for model in models)
    assert ours < errors["subspaces", "PCA, best"]
    assert "| SubspaceDenoiser(1) |" in finished.stdout
