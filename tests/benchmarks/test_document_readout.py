"""The transformer of the benchmark of readouts learns, and its report is right."""

import numpy as np
import pytest

from benchmarks.harness.document_readout import train_readout
from benchmarks.harness.document_readout_report import write_report


def make_documents(n):
    """Return token embeddings; the class is the sign of the first number."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    documents = []
    for own in y:
        tokens = rng.normal(size=(rng.integers(3, 9), 8))
        tokens[:, 0] += 3 if own else -3
        documents.append(tokens.astype(np.float32))
    return documents, y


@pytest.mark.parametrize(
    "readout", ["mean", "cls", "assignments", "slots", "mean+assignments"]
)
def test_every_readout_learns_an_easy_task(readout):
    documents, y = make_documents(120)

    result = train_readout(
        documents[:80],
        y[:80],
        documents[80:],
        y[80:],
        readout=readout,
        n_prototypes=4,
        n_epochs=6,
        lr=3e-3,
        batch_size=8,
    )

    assert result["accuracy"] > 0.9
    assert ("separation" in result) == (readout not in ("mean", "cls"))
    if "separation" in result:
        assert result["separation"] > 0
        assert 1 <= result["perplexity"] <= 4


def test_the_report_holds_means_over_seeds(tmp_path):
    results = [
        {"readout": "mean", "n_prototypes": 0, "lr_ratio": 1.0, "accuracy": a}
        for a in (0.8, 0.9)
    ]
    results += [
        {
            "readout": "assignments",
            "n_prototypes": 2,
            "lr_ratio": ratio,
            "accuracy": 0.7,
            "separation": 0.5,
            "perplexity": 1.5,
        }
        for ratio in (1.0, 10.0)
    ]

    text = write_report(results, tmp_path)

    assert "| mean | 85.0 ± 7.1 |  |" in text
    assert "| assignments |  | 70.0 |" in text
    assert "| 2 | 1 | 70.0 | 0.50 | 1.5 |" in text
    assert (tmp_path / "readout_text.png").stat().st_size > 5_000


def test_without_results_nothing_is_written(tmp_path):
    assert write_report([], tmp_path / "new") == "There are no results yet."
    assert not (tmp_path / "new").exists()
