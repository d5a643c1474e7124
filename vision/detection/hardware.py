"""What this machine offers, found out without importing a heavy runtime."""

import math
import os
import sys
from pathlib import Path

__all__ = ["available_cpus", "has_bf16", "has_cuda_driver", "has_vnni"]


def available_cpus() -> int:
    """Return how many processors this process may use: affinity and container quota."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quota = _cgroup_quota()
    return max(1, count if quota is None else min(count, math.ceil(quota)))


def _cgroup_quota(control: Path = Path("/sys/fs/cgroup/cpu.max")) -> float | None:
    """Return the processors that a container's quota allows (cgroup v2), or None."""
    try:
        quota, period = control.read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None  # no such file, or "max": no limit


def has_bf16() -> bool:
    """Return whether the processor multiplies bfloat16 in hardware."""
    return not _processor_flags().isdisjoint({"avx512_bf16", "amx_bf16"})


def has_vnni() -> bool:
    """Return whether the processor adds products of bytes without saturating in between."""
    return not _processor_flags().isdisjoint({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"})


def _processor_flags() -> frozenset[str]:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return frozenset()  # not Linux: the runtimes then stay at float32
    lines = (line for line in text.splitlines() if line.startswith(("flags", "Features")))
    return frozenset(next(lines, "").split())


def has_cuda_driver() -> bool:
    """Return whether an NVIDIA driver is loaded; whether torch can use it is another question."""
    if sys.platform == "win32":
        return Path("C:/Windows/System32/nvcuda.dll").exists()
    return any(Path(node).exists() for node in ("/dev/nvidiactl", "/dev/dxg"))


def gpu_uuid(index: int) -> str:
    """Return the number that its maker gave to a GPU, the same in all processes and containers.

    Args:
        index: Which of those that this process sees, from 0.

    Returns:
        It, or "" where torch can use no such GPU.
    """
    import torch  # it takes seconds, and most who ask about hardware need none of it

    try:
        return str(torch.cuda.get_device_properties(index).uuid)
    except (RuntimeError, AssertionError, AttributeError):
        return ""
