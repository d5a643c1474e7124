"""`manage.py worker`: works on jobs, and answers pictures for the web processes."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection_project.roles import require_redis, run_worker, wait_for_database


class Command(BaseCommand):
    help = "Work on jobs in this process until SIGTERM; any number of them may run."

    def add_arguments(self, parser: CommandParser) -> None:
        everything = ",".join(settings.SIGHTLINE_QUEUES)
        parser.add_argument("--queues", default=everything, help=f"Default: {everything}.")
        parser.add_argument("--threads", type=int, help="Jobs at once.")

    def handle(self, *args: Any, **options: Any) -> None:
        require_redis("worker")
        queues = [name.strip() for name in options["queues"].split(",") if name.strip()]
        unknown = set(queues) - set(settings.SIGHTLINE_QUEUES)
        if unknown or not queues:
            raise CommandError(
                f"Unknown queue: {', '.join(sorted(unknown)) or 'none'}. "
                f"There are {' and '.join(settings.SIGHTLINE_QUEUES)}."
            )
        if options["threads"] is not None and options["threads"] < 1:
            raise CommandError("--threads must be at least 1.")
        wait_for_database(self.say)
        run_worker(say=self.say, queues=queues, threads=options["threads"])

    def say(self, line: str) -> None:
        """Print now, also into a pipe."""
        self.stdout.write(line)
        self.stdout.flush()
