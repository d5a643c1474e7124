"""`manage.py setup`: make an installation ready; fast when it is ready already."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from detection_project import checks, setup


class Command(BaseCommand):
    help = "Prepare keys, database, administrator, API token, static files and weights."
    requires_system_checks = (checks.TAG,)  # the quick ones: this runs before every start

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-weights", action="store_true", help="Fetch no weights now.")

    def handle(self, *args: Any, **options: Any) -> None:
        on_progress = None if options["no_weights"] else setup.ProgressLines(self.stdout.write)
        administrator = setup.prepare(self.stdout.write, on_progress).administrator
        if administrator.password:
            self.stdout.write(
                f"Account   {administrator.name}, password {administrator.password}"
                "   (shown only now)"
            )
