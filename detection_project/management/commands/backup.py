"""`manage.py backup [FILE]`: everything in one verified file, while the server runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.backup.errors import BackupError
from common.backup.services import make_backup


class Command(BaseCommand):
    help = "Write database, pictures and keys into one file, and verify it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, help="Default: backups/ in the data folder."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        target = options["file"]
        try:
            made = make_backup(target=target.expanduser().resolve() if target else None)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Backup    {made.path}")
        self.stdout.write(f"          {made.bytes / 1e6:.1f} MB, {made.pictures} files, verified")
        if made.deleted:
            self.stdout.write(f"          {made.deleted} files were deleted meanwhile: not in it")
        if made.missing:
            self.stdout.write(f"          {made.missing} files were missing before: not in it")
        if made.has_keys:
            self.stdout.write("          Holds the keys of this installation: keep it secret.")
        else:
            self.stdout.write(
                "          Without keys: those of the environment (SIGHTLINE_SECRET_KEY, "
                "SIGHTLINE_FIELD_KEY) must be kept elsewhere."
            )
