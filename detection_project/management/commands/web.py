"""`manage.py web`: the web server alone; jobs are for `worker` processes."""

from typing import Any

from detection_project.management.commands.serve import Command as ServeCommand
from detection_project.roles import require_redis


class Command(ServeCommand):
    help = "Run the web server alone; `worker` and `beat` are processes of their own."
    embedded = False

    def handle(self, *args: Any, **options: Any) -> None:
        require_redis("web")
        super().handle(*args, **options)
