"""Peak memory of a codebook's fit or prediction, measured in a process of its own."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .peak_memory import peak_bytes

TASKS = ("fit", "predict")


def in_fresh_process(
    task: str, model: str, n_rows: int, n_columns: int, n_codes: int
) -> dict[str, Any]:
    """Fit a few passes, or predict, on random float32 numbers.

    Parameters
    ----------
    task : {"fit", "predict"}
        A codebook that predicts is fitted to 4,096 rows before.
    model : {"DDCLQuantizer", "KMeans"}
    n_rows, n_columns, n_codes : int

    Returns
    -------
    dict
        Bytes of the table and of the peak, the latter also before the task, and
        seconds of the task.
    """
    package = Path(__file__).resolve().parent
    numbers = map(str, (n_rows, n_columns, n_codes))
    command = [sys.executable, "-m", f"{package.name}.codebook_memory", task, model]
    done = subprocess.run(
        [*command, *numbers],
        cwd=package.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def _measure(
    task: str, model: str, n_rows: int, n_columns: int, n_codes: int
) -> dict[str, Any]:
    import numpy as np

    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_columns), dtype=np.float32)
    codebook = _make(model, n_codes)
    if task == "predict":
        codebook.fit(X[: max(4096, n_codes)])
    before, began, wall = peak_bytes(), time.process_time(), time.perf_counter()
    found = codebook.fit(X) if task == "fit" else codebook.predict(X)
    cpu, wall = time.process_time() - began, time.perf_counter() - wall
    labels = codebook.labels_ if task == "fit" else found
    return {
        "task": task,
        "model": model,
        "rows": n_rows,
        "columns": n_columns,
        "n_codes": n_codes,
        "table_bytes": X.nbytes,
        "codes_bytes": labels.nbytes,
        "peak_bytes_before": before,
        "peak_bytes": peak_bytes(),
        "cpu": cpu,
        "wall": wall,
    }


def _make(model: str, n_codes: int) -> Any:
    """Return a codebook that makes few passes."""
    if model == "KMeans":
        from sklearn.cluster import KMeans

        return KMeans(n_codes, n_init=1, max_iter=3, random_state=0)
    from sklearn_ddcl import DDCLQuantizer

    return DDCLQuantizer(n_codes, max_epochs=10, device="cpu", random_state=0)


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    task, model, *numbers = sys.argv[1:]
    print(json.dumps(_measure(task, model, *map(int, numbers))))
