"""Importing the package is cheap, and its public names are there when asked for."""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_ddcl

PACKAGE = Path(sklearn_ddcl.__file__).parent
HEAVY = {"matplotlib", "pandas", "skorch", "torch"}


def loaded_after(statement):
    """Return the modules that a fresh Python holds after ``statement``."""
    code = f"{statement}; import json, sys; print(json.dumps(list(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(finished.stdout))


def test_the_import_loads_no_heavy_library():
    modules = loaded_after("import sklearn_ddcl")

    assert "sklearn_ddcl" in modules
    assert modules & HEAVY == set()


def test_listing_the_public_names_loads_no_heavy_library():
    assert loaded_after("import sklearn_ddcl; dir(sklearn_ddcl)") & HEAVY == set()


def test_the_probe_sees_a_heavy_library():
    assert "pandas" in loaded_after("import sklearn_ddcl, pandas") & HEAVY


def test_dir_lists_the_public_names():
    assert {"DDCLClassifier", "load", "__version__"} <= set(dir(sklearn_ddcl))
    assert set(sklearn_ddcl.__all__) <= set(dir(sklearn_ddcl))


def test_every_public_name_is_there_when_asked_for():
    for name in sklearn_ddcl.__all__:
        assert getattr(sklearn_ddcl, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="DDCLClasifier"):
        sklearn_ddcl.DDCLClasifier  # noqa: B018


def test_an_unknown_name_is_an_import_error():
    with pytest.raises(ImportError, match="DDCLClasifier"):
        from sklearn_ddcl import DDCLClasifier  # noqa: F401


def test_the_installed_version_is_the_one_of_the_package():
    try:
        installed = importlib.metadata.version("sklearn-ddcl")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package is used from its source, without installation")

    assert installed == sklearn_ddcl.__version__


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()
