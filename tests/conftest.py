"""What every test may rely on, and what it must leave as it found it."""

import os
import random
import sys
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

# A busy machine is no counterexample.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

ROOT = Path(__file__).resolve().parents[1]


def global_state():
    """Return the process-wide settings by name; of a library, once it is imported."""
    state = {
        "working directory": os.getcwd(),
        "state of Python's random": random.getstate(),
    }
    if numpy := sys.modules.get("numpy"):
        kind, keys, *rest = numpy.random.get_state()
        state["state of numpy.random"] = (kind, keys.tobytes(), *rest)
        state["numpy's floating-point errors"] = numpy.geterr()
    if torch := sys.modules.get("torch"):
        state |= {
            "state of torch's random generator": torch.get_rng_state()
            .numpy()
            .tobytes(),
            "torch's thread count": torch.get_num_threads(),
            "torch's default dtype": torch.get_default_dtype(),
            "torch's gradient mode": torch.is_grad_enabled(),
            "torch's deterministic mode": torch.are_deterministic_algorithms_enabled(),
            "torch's matmul precision": torch.get_float32_matmul_precision(),
        }
        if torch.cuda.is_initialized():
            state["state of CUDA's random generators"] = [
                device.numpy().tobytes() for device in torch.cuda.get_rng_state_all()
            ]
    return state


def changed(before, after):
    """Return the names whose value differs; those on one side only do not count."""
    return [name for name in before if name in after and before[name] != after[name]]


@pytest.fixture(autouse=True)
def global_state_stays():
    """Fail a test that leaves random generators, threads or defaults changed."""
    before = global_state()

    yield

    if names := changed(before, global_state()):
        pytest.fail(
            f"the test left changed: {', '.join(names)}. Draw from a generator of its "
            "own, undo the setting, or take the fixture torch_seed or numpy_seed to "
            "use a global generator."
        )


@pytest.fixture
def torch_seed():
    """Seed torch's global generator for this test, and put it back afterwards.

    For tests that build plain torch modules, whose initialization draws from it.
    """
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture
def numpy_seed():
    """Seed NumPy's global generator for this test, and put it back afterwards.

    For scikit-learn's estimator checks, one of which draws from it.
    """
    import numpy as np

    state = np.random.get_state()
    np.random.seed(0)
    yield
    np.random.set_state(state)


@pytest.fixture(autouse=True)
def figures_are_closed():
    """Close the figures of a test, so that they do not pile up."""
    yield

    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(scope="session")
def shared():
    """Return the folder of optional data beside the repository, or skip."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the data folder ../shared, which is optional")
    return folder


def pytest_runtest_setup(item):
    """Skip tests marked ``gpu`` where there is no CUDA device."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")
