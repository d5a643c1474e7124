"""How much memory a picture may take."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

__all__ = ["free_memory"]

_CGROUP: Final = Path("/sys/fs/cgroup")


def free_memory(cgroup: Path = _CGROUP) -> int:
    """Return the bytes that this process could still take: the machine's, and its container's."""
    machine = int(psutil.virtual_memory().available)  # which knows nothing of containers
    container = _container(cgroup)
    return machine if container is None else max(0, min(machine, container))


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
