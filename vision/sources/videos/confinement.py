"""Takes rights away from a child process that reads files from outside."""

import contextlib
import os
import resource
from typing import Final

_OPEN_FILES: Final = 64
_NICENESS: Final = 5
_CPU_ALLOWANCE: Final = 60  # seconds of processor time for each stretch of work
_CPU_IN_ALL: Final = 48 * 3600


def confine(*, memory: int, file_bytes: int) -> None:
    """Limit the calling process for good; what a platform does not know is left out.

    Args:
        memory: Bytes of address space, the interpreter's own (about 0.5 GiB) included.
        file_bytes: Bytes of the largest file it may write.
    """
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, _CPU_IN_ALL)
    allow_more_work()
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)


def allow_more_work() -> None:
    """Move the limit of processor time ahead; called as the work proceeds.

    So a long video may take hours, yet a decoder that spins without giving a frame is ended.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + _CPU_ALLOWANCE
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        bounded = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
        resource.setrlimit(resource.RLIMIT_CPU, (bounded, hard))


def _limit(what: int, value: int) -> None:
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(what)
        bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (bounded, bounded))
