"""Imports only point down: estimators > training > networks > layers > functional."""

import ast
import sys
from pathlib import Path

import pytest

import sklearn_ddcl

ROOT = Path(sklearn_ddcl.__file__).parent
FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))

FLOORS = ["functional", "layers", "networks", "training", "estimators"]
BESIDE = ["datasets", "inspection", "persistence"]
# "sklearn_ddcl" stands for the public names of the package itself.
EVERYTHING = {*FLOORS, *BESIDE, "cli", "sklearn_ddcl"}

ALLOWED = {
    "functional": set(),
    "layers": {"functional"},
    "networks": {"functional", "layers"},
    "training": {"functional", "layers", "networks"},
    "estimators": {"functional", "layers", "networks", "training", "persistence"},
    "datasets": set(),
    "inspection": {"functional", "estimators"},
    "persistence": set(),
    "cli": EVERYTHING,
    "__main__": EVERYTHING,
    "__init__": EVERYTHING,
}
# Allowed inside functions only: what is read from a file has to be built, but the
# estimators import persistence.
DEFERRED = {"persistence": {*FLOORS, "sklearn_ddcl"}}

# Libraries beyond Python's own; the floors that are not named here are free.
LIBRARIES = {
    "functional": {"torch"},
    "layers": {"torch"},
    "networks": {"torch", "numpy", "scipy"},
}


class Imports(ast.NodeVisitor):
    """Collect (absolute dotted name, is it inside a function?) of every import."""

    def __init__(self, package):
        self.package = package.split(".")
        self.found = []
        self.depth = 0

    def add(self, name):
        self.found.append((name, self.depth > 0))

    def visit_Import(self, node):
        for alias in node.names:
            self.add(alias.name)

    def visit_ImportFrom(self, node):
        base = [node.module] if node.module else []
        if node.level:
            base = self.package[: len(self.package) - node.level + 1] + base
        for alias in node.names:
            self.add(".".join([*base, alias.name]))

    def visit_Call(self, node):
        called = getattr(node.func, "id", getattr(node.func, "attr", None))
        if called in {"import_module", "__import__"} and node.args:
            name = getattr(node.args[0], "value", None)
            if isinstance(name, str):
                self.add(name)
        self.generic_visit(node)

    def visit_FunctionDef(self, node):
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef


def imports_of(source, file):
    """Return the imports of ``source``, the text of ``file`` inside the package."""
    package = ".".join(["sklearn_ddcl", *Path(file).parent.parts])
    visitor = Imports(package)
    visitor.visit(ast.parse(source))
    return visitor.found


def floor_of(file):
    """Return 'layers' for 'layers/pooling.py' and for 'layers.py'."""
    return Path(file).parts[0].removesuffix(".py")


def home_of(name):
    """Return the module at the top of the package that a dotted name lives in."""
    _, _, rest = name.partition(".")
    top = rest.partition(".")[0]
    return top if top in ALLOWED else "sklearn_ddcl"


def violations(source, file):
    """Return the imports of ``source`` that its floor may not have."""
    floor = floor_of(file)
    wrong = []
    for name, deferred in imports_of(source, file):
        top = name.partition(".")[0]
        if name == "sklearn_ddcl.__version__" or top in sys.stdlib_module_names:
            continue
        if top == "sklearn_ddcl":
            allowed = ALLOWED[floor] | {floor}
            if deferred:
                allowed |= DEFERRED.get(floor, set())
            if home_of(name) not in allowed:
                wrong.append(name)
        elif top not in LIBRARIES.get(floor, {top}):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("file", FILES)
def test_a_module_imports_only_what_its_floor_may(file):
    assert floor_of(file) in ALLOWED, "say in ALLOWED what this new module may import"

    assert violations((ROOT / file).read_text(encoding="utf-8"), file) == []


FORBIDDEN = [
    ("functional.py", "import numpy as np"),
    ("functional.py", "from sklearn_ddcl.layers import PrototypeReadout"),
    ("functional.py", "from .layers.readout import PrototypeReadout"),
    ("functional.py", "from sklearn_ddcl import layers"),
    ("functional.py", "from sklearn_ddcl import DDCLClassifier"),
    ("functional.py", "import sklearn_ddcl"),
    ("functional/usage.py", "from .. import layers"),
    ("layers/__init__.py", "from ..networks import Network"),
    ("layers/pooling.py", "def f():\n    import pandas"),
    ("layers/pooling.py", "from ..cli import main"),
    ("layers/deep/er.py", "from ...training import net"),
    ("networks.py", "from .training import seeding"),
    ("networks/ddcl.py", "from sklearn.base import BaseEstimator"),
    ("networks/ddcl.py", "class A:\n    import skorch.net"),
    ("training/net.py", "import_module('sklearn_ddcl.estimators')"),
    ("estimators/_base.py", "if True:\n    from sklearn_ddcl.cli import main"),
    ("estimators/_base.py", "import sklearn_ddcl.inspection as inspection"),
    ("datasets/orbits.py", "from ..functional import soft_assign"),
    ("inspection.py", "from .training import net"),
    ("persistence.py", "from .estimators import DDCLClassifier"),
]


@pytest.mark.parametrize(("file", "source"), FORBIDDEN)
def test_the_probe_reports_a_forbidden_import(file, source):
    assert len(violations(source, file)) == 1


PERMITTED = [
    ("functional.py", "import math\nimport torch\nfrom torch.nn import functional"),
    ("functional/usage.py", "from .distances import squared\nfrom . import usage"),
    (
        "layers/readout.py",
        "from ..functional import soft_assign\nfrom . import pooling",
    ),
    ("layers/readout.py", "from sklearn_ddcl import __version__, functional"),
    ("networks/ddcl.py", "import numpy as np\nfrom sklearn_ddcl.layers import pooling"),
    ("training/net.py", "import skorch\nfrom ..networks import ddcl"),
    ("estimators/_base.py", "import sklearn\nfrom sklearn_ddcl import persistence"),
    ("persistence.py", "def load():\n    from .estimators import DDCLClassifier"),
    ("datasets.py", "import pandas as pd"),
    ("cli/train.py", "import sklearn_ddcl\nfrom ..inspection import plot"),
    ("__main__.py", "from sklearn_ddcl.cli import main"),
]


@pytest.mark.parametrize(("file", "source"), PERMITTED)
def test_the_probe_lets_a_permitted_import_pass(file, source):
    assert violations(source, file) == []
