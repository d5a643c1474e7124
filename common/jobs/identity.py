"""Names of the processes that own jobs, and whether their owner is still there.

A worker that was killed leaves its leases behind. When it ran on this machine, its successor
need not wait for them to run out.
"""

import os
import secrets
import socket
from pathlib import Path


def _number_space() -> str:
    """Return a name for what process numbers are counted in: containers have their own."""
    try:
        return f"{Path('/proc/self/ns/pid').stat().st_ino:x}"
    except OSError:  # not on Linux: one space for all
        return "0"


HOST = socket.gethostname().replace(":", "_")[:80]
SPACE = _number_space()
# Tells processes apart that had the same number.
TOKEN = f"{SPACE}-{secrets.token_hex(4)}"


def process_name() -> str:
    """Return the name of this process: host, number and a token."""
    return f"{HOST}:{os.getpid()}:{TOKEN}"


def new_claim() -> str:
    """Return a name for one claim of one job by this process."""
    return f"{process_name()}/{secrets.token_hex(4)}"


def is_certainly_dead(worker: str) -> bool:
    """Tell whether the process that made a claim is gone for sure; False when in doubt."""
    process = worker.partition("/")[0]
    if process == process_name():
        return False
    host, _, rest = process.partition(":")
    number, _, token = rest.partition(":")
    if host != HOST or not number.isdigit() or token.partition("-")[0] != SPACE:
        return False
    if int(number) == os.getpid():
        return True  # our number, not our token: a process before us
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
