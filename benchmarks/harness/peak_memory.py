"""How much memory a fit takes at its peak, measured in a process of its own."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def fit_in_fresh_process(n_rows: int, n_columns: int, encoder: str) -> dict[str, Any]:
    """Fit one epoch on random numbers and return bytes and seconds."""
    command = [sys.executable, __file__, str(n_rows), str(n_columns), encoder]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def peak_bytes() -> int:
    """Return the largest resident size that this process has had."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    # On Linux not ru_maxrss: a child inherits that from the process that started it.
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(lines["VmHWM"].split()[0]) * 1024


def _fit(n_rows: int, n_columns: int, encoder: str) -> dict[str, Any]:
    import numpy as np

    from sklearn_ddcl import DDCLClassifier

    X = np.random.default_rng(0).standard_normal((n_rows, n_columns))
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    estimator = DDCLClassifier(
        encoder=encoder, max_epochs=1, device="cpu", random_state=0
    )
    before, began, wall = peak_bytes(), time.process_time(), time.perf_counter()
    estimator.fit(X, y)
    return {
        "rows": n_rows,
        "columns": n_columns,
        "encoder": encoder,
        "table_bytes": X.nbytes,
        "peak_bytes": peak_bytes(),
        "peak_bytes_before_fit": before,
        "fit_cpu": time.process_time() - began,
        "fit_wall": time.perf_counter() - wall,
    }


if __name__ == "__main__":
    rows, columns, encoder = sys.argv[1:]
    print(json.dumps(_fit(int(rows), int(columns), encoder)))
