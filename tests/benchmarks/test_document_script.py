"""The script about documents runs, on a tiny set, and goes on where it stopped."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness.records import read_results

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_all_parts_run_once(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.array(["a", "b", "c"]), 20)
    lengths = rng.integers(2, 9, size=60)
    which = np.repeat(np.arange(60) // 20, lengths)
    tokens = 3 * np.eye(3, 8)[which] + rng.normal(size=(lengths.sum(), 8))
    (tmp_path / "text_image").mkdir()
    np.savez(
        tmp_path / "text_image" / "newsgroups20_minilm_pca64.npz",
        tokens=tokens.astype(np.float16),
        offsets=np.cumsum([0, *lengths]),
        labels=labels,
    )

    def run():
        command = [sys.executable, ROOT / "benchmarks" / "documents.py", "--quick"]
        command += ["--data", ".", "--cache", "cache", "--out", "out.jsonl"]
        done = subprocess.run(
            [*map(str, command), "--pictures", "report", "--documents", "30"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    text = run()
    results = read_results(tmp_path / "out.jsonl")
    run()

    assert len(read_results(tmp_path / "out.jsonl")) == len(results)
    parts = {"vectors", "clusters", "scaling", "memory", "encoders"}
    assert {r["part"] for r in results} == parts
    # Forty documents of pairs are too few to learn from.
    easy = [r for r in results if "accuracy" in r and r["set"] != "pairs"]
    assert all(r["accuracy"] > 0.6 for r in easy)
    models = {(r["set"], r["model"]) for r in results if r["part"] == "encoders"}
    assert models == {
        (name, encoder)
        for name in ("pairs", "newsgroups")
        for encoder in ("none", "incrt")
    }
    assert "Memory of a stream" in text
    assert "Encoders of a compressor" in text
    assert (tmp_path / "report" / "documents.md").exists()
