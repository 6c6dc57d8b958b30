"""The example of context pooling runs and draws what it says."""

import pytest


@pytest.mark.slow
def test_it_runs_and_draws(run_example, tmp_path):
    printed = run_example("context_pooling")

    lines = printed.splitlines()
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
