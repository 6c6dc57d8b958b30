"""Annealing keeps duplicates, unless a jitter breaks the tie."""

import pytest
import torch

import sklearn_ddcl.functional as F


def anneal(z, prototypes, jitter, generator):
    """Cool geometrically through all splits, with a few closed-form steps each."""
    hot = 1.2 * F.critical_temperature(z).item()
    n_temperatures = 50
    for i in range(n_temperatures):
        temperature = hot * (0.1 / hot) ** (i / (n_temperatures - 1))
        noise = torch.randn(prototypes.shape, generator=generator, dtype=z.dtype)
        prototypes = prototypes + jitter * noise
        for _ in range(15):
            prototypes, _ = F.centroids(z, F.soft_assign(z, prototypes, temperature))
    return prototypes


def n_distinct(prototypes):
    return len({tuple(row) for row in (1e3 * prototypes).round().tolist()})


def quantization_error(z, prototypes):
    return F.squared_distances(z, prototypes).amin(-1).mean().item()


def test_without_jitter_exact_duplicates_stay(blobs, near_mean, generator):
    end = anneal(blobs, near_mean(blobs), 0.0, generator)

    assert n_distinct(end) == 3
    assert F.min_prototype_distance(end) == 0


@pytest.mark.parametrize("jitter", [1e-6, 1e-3])
def test_a_tiny_jitter_dissolves_them(blobs, near_mean, generator, jitter):
    with_duplicates = anneal(blobs, near_mean(blobs), 0.0, generator)

    end = anneal(blobs, near_mean(blobs), jitter, generator)

    assert n_distinct(end) == 6
    assert F.min_prototype_distance(end) > 0.5
    gain = quantization_error(blobs, with_duplicates) / quantization_error(blobs, end)
    assert gain > 1.5


def test_full_utilization_does_not_exclude_duplicates(blobs, generator):
    # Two copies of each center, told apart by rounding alone: all of them win, and
    # three codes would do as well.
    centers = torch.stack([group.mean(0) for group in blobs.split(60)])
    noise = torch.randn(6, 2, generator=generator, dtype=torch.float64)
    doubled = centers.repeat(2, 1) + 1e-9 * noise

    q = F.soft_assign(blobs, doubled, 1.0)

    assert F.utilization(q) == 1
    assert F.perplexity(q) > 5.9
    assert F.min_prototype_distance(doubled) < 1e-8
    assert quantization_error(blobs, doubled) == pytest.approx(
        quantization_error(blobs, centers)
    )
