"""Settings of the process: tried in a process of their own, since they last."""

import subprocess
import sys

import pytest

LARGE_BUFFERS = """
import resource, threading
from detection_project.tuning import keep_freed_memory

def request():
    for _ in range(50):
        buffers = [bytearray(4_000_000) for _ in range(4)]
        del buffers

def work():
    request()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    request()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

if {kept}:
    assert keep_freed_memory()
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def count_page_faults(*, kept: bool) -> int:
    code = LARGE_BUFFERS.format(kept=kept)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs the GNU C library")
def test_large_buffers_are_used_again_instead_of_being_mapped_anew() -> None:
    # A ratio: how large a page is differs from machine to machine.
    assert 10 * count_page_faults(kept=True) < count_page_faults(kept=False)
