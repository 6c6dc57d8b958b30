"""What a step frees is not fetched page by page for the next one."""

import platform
import subprocess
import sys

import pytest

from sklearn_ddcl.training import memory_net

_PAGE_BYTES = 4096
_STEPS = """
import resource
import torch
from sklearn_ddcl.training.allocator import keep_freed_memory

{prepare}
torch.set_num_threads(1)


def step():
    return [torch.zeros(4 * 2**20, dtype=torch.uint8) for _ in range(10)]


for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="it is GNU's library that needs this"
)
def test_steps_that_free_their_memory_find_it_again():
    def faults(prepare):
        # The allocator of a process remembers whatever it freed before.
        script = _STEPS.format(prepare=prepare)
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    pages_of_a_step = 40 * 2**20 / _PAGE_BYTES
    if faults("") < pages_of_a_step:
        pytest.skip("the allocator in use keeps memory anyway")
    assert faults("keep_freed_memory()") < pages_of_a_step / 10


def test_every_training_keeps_its_memory(make, rows, monkeypatch):
    calls = []
    monkeypatch.setattr(memory_net, "keep_freed_memory", lambda: calls.append(1))
    make().partial_fit(rows, epochs=1)

    assert calls == [1]
