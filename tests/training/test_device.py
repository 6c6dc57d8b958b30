"""Names of devices are resolved, or refused with a cure."""

import pytest
import torch

from sklearn_ddcl.training import resolve_device


def test_the_processor_is_always_there():
    assert resolve_device("cpu") == torch.device("cpu")


def test_auto_takes_what_is_there(monkeypatch):
    for there, expected in [(False, "cpu"), (True, "cuda")]:
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert resolve_device("auto") == torch.device(expected)


@pytest.mark.parametrize("name", ["nonsense", "", "cpu:x", "gpu"])
def test_an_unknown_name_is_refused_with_a_cure(name):
    with pytest.raises(ValueError, match=rf'device={name!r} cannot.*Use "auto"'):
        resolve_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there_is_refused_with_a_cure():
    with pytest.raises(ValueError, match=r"device='cuda' cannot be used here.*cpu"):
        resolve_device("cuda")
