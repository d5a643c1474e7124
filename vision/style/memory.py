"""How much memory a picture may take."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["free_memory"]

_PROC: Final = Path("/proc/meminfo")
_CGROUP: Final = Path("/sys/fs/cgroup")


def free_memory(proc: Path = _PROC, cgroup: Path = _CGROUP) -> int | None:
    """Return the bytes that this process could still take: the machine's, and its container's.

    None where the system does not say, as outside Linux.
    """
    found = [size for size in (_machine(proc), _container(cgroup)) if size is not None]
    return max(0, min(found)) if found else None


def _machine(proc: Path) -> int | None:
    try:
        lines = proc.read_text().splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _container(cgroup: Path) -> int | None:
    """Return what is left of a container's limit (cgroup v2); cached files count as free."""
    try:
        limit = int((cgroup / "memory.max").read_text())  # "max", that is no number: no limit
        used = int((cgroup / "memory.current").read_text())
        rows = (cgroup / "memory.stat").read_text().splitlines()
        cached = next((int(row.split()[1]) for row in rows if row.startswith("inactive_file ")), 0)
        return limit - used + cached
    except (OSError, ValueError, IndexError):
        return None
