"""The example of attention alone runs and draws what it says."""

import re

import pytest


@pytest.mark.slow
def test_it_runs_and_draws(run_example, tmp_path):
    printed = run_example("attention_only")

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
