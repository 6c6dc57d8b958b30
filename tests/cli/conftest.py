"""Runs of the command line in a folder of their own, and a small table for them."""

import contextlib
import os
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from sklearn_ddcl.cli import main

SMALL = ["--max-epochs", "2", "--n-prototypes", "6", "--set", "encoder__d_hidden=8"]


class Finished(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command and what it said."""
    monkeypatch.chdir(tmp_path)

    def run_command(*argv):
        code = main([str(argument) for argument in argv])
        said = capsys.readouterr()
        return Finished(code, said.out, said.err)

    return run_command


@pytest.fixture(scope="session")
def frame():
    """Return 36 rows with numbers, text, gaps, a group and a class."""
    rng = np.random.default_rng(0)
    kinds = np.repeat(["cat", "dog", "cow"], 12)
    size = np.repeat([0.3, 0.6, 2.5], 12) * rng.uniform(0.8, 1.2, 36)
    frame = pd.DataFrame(
        {
            "size": size.round(3),
            "age": rng.integers(1, 15, 36),
            "fur": rng.choice(["short", "long"], 36),
            "farm": [f"farm {i % 6}" for i in range(36)],
            "animal": kinds,
        }
    )
    frame.loc[[2, 30], "size"] = np.nan
    frame.loc[[7], "fur"] = None
    return frame


@pytest.fixture
def animals(frame, tmp_path):
    """Return the path of the table."""
    frame.to_csv(tmp_path / "animals.csv", index=False)
    return "animals.csv"


@pytest.fixture(scope="session")
def model_bytes(frame, tmp_path_factory):
    """Return a model that the command line fitted."""
    folder = tmp_path_factory.mktemp("model")
    table, model = folder / "animals.csv", folder / "animals.ddcl"
    frame.to_csv(table, index=False)
    argv = ["fit", table, "--target", "animal", "--drop", "farm", "--out", model]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        assert main([*map(str, argv), *SMALL]) == 0
    return model.read_bytes()


@pytest.fixture
def model(model_bytes, tmp_path):
    """Return the path of that model."""
    (tmp_path / "animals.ddcl").write_bytes(model_bytes)
    return "animals.ddcl"
