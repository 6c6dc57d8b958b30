"""The example of codebooks runs and draws what it says."""

import pytest


@pytest.mark.slow
def test_it_runs_and_draws(run_example, tmp_path):
    printed = run_example("codebooks")

    lines = printed.splitlines()
    ratios = [float(line.split()[1]) for line in lines[2:4]]
    assert max(ratios) < 1.005
    lost = [line.split() for line in lines if line.split()[:1] in (["6"], ["48"])]
    assert [line[0] for line in lost] == ["6", "48"]
    assert all(float(b) < float(a) for a, b in zip(*(x[1:] for x in lost), strict=True))
    for name in ("codes", "cooling", "reconstructions", "rate"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
