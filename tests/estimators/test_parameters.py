"""Parameters have the defaults of the signature, and wrong ones are named."""

import inspect

import pytest

from sklearn_ddcl import DDCLClassifier


@pytest.mark.parametrize(
    "params",
    [
        {"n_prototypes": 0},
        {"n_prototypes": 2.5},
        {"encoder": "forest"},
        {"encoder": 3},
        {"readout": "max"},
        {"temperature": 0.0},
        {"temperature": "hot"},
        {"prototype_lr_ratio": 0.0},
        {"distortion_weight": -0.1},
        {"max_epochs": 0},
        {"max_epochs": "many"},
        {"lr": 0.0},
        {"weight_decay": -1.0},
        {"batch_size": 0},
        {"early_stopping": "yes"},
        {"validation_fraction": 1.0},
        {"n_iter_no_change": 0},
        {"device": 0},
        {"precision": "float16"},
        {"compile": "yes"},
        {"warm_start": 2},
        {"verbose": -1},
        {"random_state": "seed"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_wrong_parameter_is_named_with_what_is_allowed(small, blobs, method, params):
    (name,) = params

    with pytest.raises(ValueError, match=rf"The '{name}' parameter of DDCLClassifier"):
        getattr(small().set_params(**params), method)(*blobs)


def test_defaults_are_what_the_signature_says():
    signature = inspect.signature(DDCLClassifier)

    assert DDCLClassifier().get_params() == {
        name: parameter.default for name, parameter in signature.parameters.items()
    }


def test_every_parameter_is_checked():
    checked = DDCLClassifier._parameter_constraints

    assert checked.keys() == inspect.signature(DDCLClassifier).parameters.keys()
