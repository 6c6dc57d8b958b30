"""What is never held in memory, by the account of torch's profiler."""

import json

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

import sklearn_ddcl.functional as F
from sklearn_ddcl.functional import distances

N, K, D = 2000, 300, 64
FLOAT32 = 4


@pytest.fixture
def largest_allocation(tmp_path):
    """Return a function that runs another one and returns its largest allocation."""

    def measure(run):
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
            run()
        record.export_chrome_trace(str(tmp_path / "trace.json"))
        events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
        return max(e["args"]["Bytes"] for e in events if e["name"] == "[memory]")

    return measure


def test_the_probe_sees_the_largest_allocation(largest_allocation):
    z, prototypes = torch.zeros(20, 1, 8), torch.zeros(30, 8)

    def hold_all_differences():
        return (z - prototypes).square().sum(-1)

    assert largest_allocation(hold_all_differences) == 20 * 30 * 8 * FLOAT32


@pytest.mark.parametrize("direct", [False, True])
def test_no_array_of_tokens_times_prototypes_times_dimensions(
    generator, largest_allocation, direct
):
    z = torch.randn(N, D, generator=generator, requires_grad=True)
    prototypes = torch.randn(K, D, generator=generator, requires_grad=True)

    def forward_and_backward():
        F.squared_distances(z, prototypes, direct=direct).sum().backward()

    # The distances themselves are the largest array that there is.
    assert largest_allocation(forward_and_backward) <= N * K * FLOAT32


@pytest.mark.parametrize("shape", [(30, 4), (2, 512)], ids=["many", "wide"])
def test_nearest_holds_no_more_than_a_block(
    generator, largest_allocation, monkeypatch, shape
):
    block = 2**16
    monkeypatch.setattr(distances, "_BLOCK_ENTRIES", block)
    z = torch.randn(5 * block // max(shape), shape[1], generator=generator)
    prototypes = torch.randn(*shape, generator=generator)

    assert largest_allocation(lambda: F.nearest(z, prototypes)) <= block * FLOAT32


@pytest.mark.parametrize("shape", [(30, 4), (2, 512)], ids=["many", "wide"])
def test_decompose_holds_no_more_than_a_block(
    generator, largest_allocation, monkeypatch, shape
):
    block = 2**16
    monkeypatch.setattr(distances, "_BLOCK_ENTRIES", block)
    z = torch.randn(5 * block // max(shape), shape[1], generator=generator)
    prototypes = torch.randn(*shape, generator=generator)
    q = F.soft_assign(z, prototypes, 1.0)

    # It computes in float64.
    assert largest_allocation(lambda: F.decompose(z, prototypes, q)) <= block * 8
