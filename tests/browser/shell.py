"""Python inside a running installation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# One process for all pieces of code: to start one takes seconds.
LOOP = """
import contextlib, io, json, sys, traceback
from django.db import connections
for line in sys.stdin:
    out, error = io.StringIO(), ""
    with contextlib.redirect_stdout(out):
        try:
            exec(json.loads(line), {"__name__": "__main__"})
        except BaseException:
            error = traceback.format_exc()
    connections.close_all()
    print(json.dumps([out.getvalue(), error]), flush=True)
"""


class Shell:
    """A process of an installation that does what it is told; it starts when it is first told."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def __call__(self, code: str) -> str:
        """What a piece of Python prints; each has names of its own."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "shell", "--no-imports", "-c", LOOP],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "The shell has ended."
        printed, error = json.loads(answer)
        assert not error, error
        return str(printed).strip()
