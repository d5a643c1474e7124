"""`manage.py beat`: picks up jobs whose worker or message was lost."""

from typing import Any

from django.core.management.base import BaseCommand

from detection_project.roles import require_redis, run_beat, wait_for_database


class Command(BaseCommand):
    help = "Look for lost jobs until SIGTERM; one is enough, several do no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        require_redis("beat")
        wait_for_database(self.say)
        run_beat(say=self.say)

    def say(self, line: str) -> None:
        """Print now, also into a pipe."""
        self.stdout.write(line)
        self.stdout.flush()
