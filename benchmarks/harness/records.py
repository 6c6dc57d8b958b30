"""Results as JSON lines, after the machine and the versions they were measured with."""

import json
import os
import platform
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"

_PACKAGES = (
    "numpy",
    "pandas",
    "scikit-learn",
    "skorch",
    "torch",
    "lightgbm",
    "xgboost",
    "catboost",
    "pytabkit",
    "pytorch-tabnet",
    "vector-quantize-pytorch",
)


def environment() -> dict[str, Any]:
    """Return what a measured time depends on besides the code."""
    import torch

    import sklearn_ddcl

    versions = {"python": platform.python_version()}
    versions["sklearn-ddcl"] = sklearn_ddcl.__version__
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions,
    }


def cpu_name() -> str:
    """Return the processor's name, or the architecture where that is not told."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.processor() or platform.machine()


def read_results(path: str | Path) -> list[dict[str, Any]]:
    """Return the results in a file, each with its ``environment`` (None if unknown).

    An environment line holds for all results up to the next one.
    """
    results, current = [], None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        record = json.loads(line)
        if record.keys() == {"environment"}:
            current = record["environment"]
        else:
            results.append({"environment": current} | record)
    return results


class Journal:
    """A file of results to which runs add, so that an interrupted one can go on.

    The first result of a run is preceded by a line with its environment.

    Parameters
    ----------
    path : str or Path
        Made with its folders when the first result comes.
    key : sequence of str
        Fields that tell results apart. One with an ``error`` does not count as done.
    """

    def __init__(self, path: str | Path, key: Sequence[str] = ()) -> None:
        self.path = Path(path)
        self.key = tuple(key)
        self.results = read_results(path) if self.path.exists() else []
        self._environment: dict[str, Any] | None = None

    def __contains__(self, values: Hashable) -> bool:
        return any(
            self._key_of(result) == values and "error" not in result
            for result in self.results
        )

    def add(self, **result: Any) -> None:
        """Write a result at once."""
        lines = [result]
        if self._environment is None:
            self._environment = environment()
            lines.insert(0, {"environment": self._environment})
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        self.results.append({"environment": self._environment} | result)

    def _key_of(self, result: dict[str, Any]) -> tuple:
        return tuple(result.get(field) for field in self.key)


def format_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return lines with aligned columns: the first to the left, others to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *others in cells:
        aligned = [f"{c:>{w}}" for c, w in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([f"{first:<{widths[0]}}", *aligned]).rstrip())
    lines.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return "\n".join(lines)
