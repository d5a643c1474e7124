"""`manage.py run_cameras`: looks at a share of the live cameras."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection_project.roles import require_redis, run_cameras, wait_for_database
from video_analysis.services.live.presence import has_local_runner


class Command(BaseCommand):
    help = "Look at live cameras until SIGTERM; any number of such processes share them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Look at nothing; fail unless such a process of this machine is alive.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            if not has_local_runner():
                raise CommandError("No camera runner of this machine is alive.")
            return
        require_redis("run_cameras")
        wait_for_database(self.say)
        run_cameras(say=self.say)

    def say(self, line: str) -> None:
        """Print now, also into a pipe."""
        self.stdout.write(line)
        self.stdout.flush()
