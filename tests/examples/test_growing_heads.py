"""The example of growth runs and draws what it says."""

import re

import pytest


@pytest.mark.slow
def test_it_runs_and_draws(run_example, tmp_path):
    printed = run_example("growing_heads")

    found = re.search(r"takes 4 heads, (\d+) were found", printed)
    assert found is not None
    assert 2 <= int(found.group(1)) <= 6
    assert "of what attention adds" in printed
    for name in ("growth", "directions", "table"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
