"""`manage.py restore FILE`: put a backup in the place of what is here; nothing may run."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.backup.errors import BackupError
from common.backup.services import restore_backup


class Command(BaseCommand):
    help = "Verify a backup and restore it. Stop the servers and workers first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--replace", action="store_true", help="Replace everything that is here."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"].expanduser().resolve()
        try:
            manifest = restore_backup(path=path, replace=options["replace"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        counts = manifest["counts"]
        self.stdout.write(f"Restored  {path.name}, made {manifest['made_at'][:19]}")
        self.stdout.write(
            f"          {counts.get('auth.user', 0)} accounts, "
            f"{counts.get('detector.detectionsession', 0)} sessions, "
            f"{counts.get('common.upload', 0)} pictures"
        )
        if not manifest["has_keys"]:
            self.stdout.write(
                "          It holds no keys: set SIGHTLINE_SECRET_KEY and SIGHTLINE_FIELD_KEY to "
                "those of the installation that it is of."
            )
