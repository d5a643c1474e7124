"""`manage.py runserver`: `serve` with Django's habits: ADDRESS:PORT and reloading on changes."""

import re
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import autoreload

from common.jobs.runner import request_stop
from detection_project.management.commands.serve import Command as ServeCommand

ADDRESS = re.compile(r"^(?:(?P<host>\[[0-9a-fA-F:]+\]|[^:]+):)?(?P<port>\d+)$")


class Command(ServeCommand):
    help = "Run the web server and the worker, and start again when the code changes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("addrport", nargs="?", default="127.0.0.1:8000", help="[address:]port")
        parser.add_argument(
            "--noreload", action="store_false", dest="use_reloader", help="Do not watch the code."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        match = ADDRESS.match(options["addrport"])
        if match is None:
            raise CommandError(f"{options['addrport']!r} is not [address:]port.")
        host = (match["host"] or "127.0.0.1").strip("[]")
        port = int(match["port"])
        if not options["use_reloader"]:
            self.serve(host, port)
            return
        autoreload.file_changed.connect(give_jobs_back)
        autoreload.run_with_reloader(self.serve_reloadable, host, port)

    def serve_reloadable(self, host: str, port: int) -> None:
        """Serve in the reloader's thread."""
        autoreload.raise_last_exception()
        self.serve(host, port, exit_when_stuck=False)


def give_jobs_back(sender: Any, file_path: Path, **kwargs: Any) -> None:
    """Free the jobs before the process is replaced: it would wait for them to end."""
    if file_path.suffix == ".py":
        request_stop()
