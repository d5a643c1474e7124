"""`manage.py ready`: can this installation do its work? For health checks of containers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection_project import readiness


class Command(BaseCommand):
    help = "Say whether database, Redis and workers answer; fails when one does not."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--worker", action="store_true", help="Judge a worker of this machine.")
        parser.add_argument("--beat", action="store_true", help="Judge who looks for lost jobs.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["worker"]:
            checks = {"worker": readiness.check_local_worker()}
        elif options["beat"]:
            checks = {"beat": readiness.check_beat()}
        else:
            checks = {**readiness.run_checks(engine=False), "beat": readiness.check_beat()}
        for name, check in checks.items():
            self.stdout.write(f"{name:<10}{'ready' if check['ok'] else check['reason']}")
        if not all(check["ok"] for check in checks.values()):
            raise CommandError("Not ready.")
