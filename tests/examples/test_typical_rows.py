"""The example of typical rows runs and draws what it says."""

import pytest


@pytest.mark.slow
def test_it_runs_and_draws(run_example, tmp_path):
    printed = run_example("typical_rows")

    shares = {
        line[:22].strip(): float(line.split()[-1].rstrip("%"))
        for line in printed.splitlines()
        if line.endswith("%")
    }
    assert shares["10 prototypes"] > shares["KMeans, ten starts"]
    assert shares["features"] > shares["pixels"] - 3
    assert "like training row" in printed
    for name in ("prototypes", "map", "stability", "training"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
