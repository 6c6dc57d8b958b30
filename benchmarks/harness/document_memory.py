"""Peak memory of compressing a stream of documents, in a process of its own."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .peak_memory import peak_bytes


def stream_in_fresh_process(
    n_documents: int, n_tokens: int, d_token: int
) -> dict[str, Any]:
    """Compress so many documents that a generator makes one by one.

    Parameters
    ----------
    n_documents, n_tokens, d_token : int
        Sizes; numbers are float32.

    Returns
    -------
    found : dict
        Bytes of all tokens, of the vectors and of the peak, the latter also before, and
        seconds.
    """
    package = Path(__file__).resolve().parent
    sizes = map(str, (n_documents, n_tokens, d_token))
    done = subprocess.run(
        [sys.executable, "-m", f"{package.name}.document_memory", *sizes],
        cwd=package.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def _measure(n_documents: int, n_tokens: int, d_token: int) -> dict[str, Any]:
    import numpy as np

    from sklearn_ddcl import DDCLDocumentCompressor

    rng = np.random.default_rng(0)

    def document() -> np.ndarray:
        return rng.standard_normal((n_tokens, d_token), dtype=np.float32)

    compressor = DDCLDocumentCompressor(random_state=0, device="cpu")
    compressor.fit([document() for _ in range(20)])
    before, began, wall = peak_bytes(), time.process_time(), time.perf_counter()
    vectors = compressor.transform(document() for _ in range(n_documents))
    return {
        "n_tokens": n_tokens,
        "token_bytes": 4 * n_documents * n_tokens * d_token,
        "vector_bytes": vectors.nbytes,
        "peak_bytes_before": before,
        "peak_bytes": peak_bytes(),
        "cpu": time.process_time() - began,
        "wall": time.perf_counter() - wall,
    }


if __name__ == "__main__":
    print(json.dumps(_measure(*map(int, sys.argv[1:]))))
