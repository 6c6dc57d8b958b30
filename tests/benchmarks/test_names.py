"""Specs have readable names, families and an order."""

import pytest

from benchmarks.harness.ablations import ABLATIONS, expand
from benchmarks.harness.models import MODELS, make_model
from benchmarks.harness.names import DEEP, family, in_order, label


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("ddcl", "DDCL"),
        ("realmlp", "RealMLP-TD"),
        ("ddcl:readout=mean", "DDCL readout=mean"),
        ("rf:n_estimators=5,max_depth=2", "random forest n_estimators=5 max_depth=2"),
        ("unheard_of", "unheard_of"),
    ],
)
def test_a_label_is_a_name_and_options(spec, name):
    assert label(spec) == name


@pytest.mark.parametrize("spec", MODELS)
def test_every_model_has_a_readable_label(spec):
    assert label(spec) != spec


def test_families():
    kinds = ["DDCL", "deep", "trees", "other", "other"]
    specs = ["ddcl:readout=cls", "tabm", "catboost", "logreg", "unheard_of"]
    assert [family(spec) for spec in specs] == kinds
    assert set(DEEP) <= set(MODELS)


def test_ours_comes_first_and_unknown_models_last():
    specs = {"zzz", "logreg", "ddcl:readout=mean", "ddcl"}
    assert in_order(specs) == ["ddcl", "ddcl:readout=mean", "logreg", "zzz"]


def test_ablations_stand_for_all_variants_each_once():
    assert expand(["rf", "ablations", "ddcl"]) == ["rf", *ABLATIONS]
    assert expand(["rf", "lgbm", "rf"]) == ["rf", "lgbm"]


# One epoch is too short for whatever they warn of.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spec", ABLATIONS)
def test_every_ablation_fits(spec):
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=60), "z": rng.normal(size=60)})
    X["text"] = pd.Categorical(rng.choice(["a", "b"], 60))
    model = make_model(spec, seed=0).set_params(max_epochs=1, device="cpu")

    model.fit(X, np.arange(60) % 2)

    assert model.predict_proba(X).shape == (60, 2)
