"""On a CUDA device networks grow as on the processor."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.networks import INCRTEncoder
from sklearn_ddcl.training.growth import GrowthController


@pytest.mark.filterwarnings("ignore:Head .* could go")
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_heads_come_on_a_device(monkeypatch, precision):
    monkeypatch.setattr(GrowthController, "n_missing", lambda self, number: 99)
    X, y = make_blobs(1200, 4, centers=3, cluster_std=4.0, random_state=0)
    encoder = INCRTEncoder(n_layers=2, d_token=8, d_head=4, n_bins=4, dropout=0.0)
    clf = DDCLClassifier(
        6,
        encoder=encoder,
        max_epochs=30,
        lr=1e-3,
        precision=precision,
        device="cuda",
        random_state=0,
    ).fit(X, y)

    assert clf.n_heads_.sum() > 2
    held = {
        id(p) for group in clf.net_.optimizer_.param_groups for p in group["params"]
    }
    assert {id(p) for p in clf._fitted.network.parameters()} == held
    assert np.isfinite(clf.predict_proba(X)).all()
