"""``manage.py import_people``: enrol many people from a folder of folders, or a ZIP of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from common.errors import ServiceError
from recognition.models import Profile
from recognition.services.archives import FolderPictures, PictureSource, ZipPictures
from recognition.services.import_people import import_people
from recognition.services.import_reports import ImportReport
from recognition.services.importing import judge_options
from recognition.services.naming import name_in_refusals
from vision.errors import VisionError

INTERRUPTED = 130  # what a shell says of a command that Ctrl-C has ended
NAMED = 50


class Command(BaseCommand):
    """Enrol people."""

    help = (
        "Enrols the people in a folder, or in a ZIP: each folder in it is a person, called as the "
        "folder, and each picture in that folder shows this person alone. Who is known by that "
        "very name gets the pictures; a picture that is there already is passed by, so that the "
        "command may be run again. Ends with what was refused, and why."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("path", type=Path, help="a folder of folders, or a ZIP")
        parser.add_argument("--kind", choices=Profile.Kind.values, default=Profile.Kind.CUSTOMER)
        parser.add_argument(
            "--consent",
            action="store_true",
            help="write down that all of them have agreed to the current text",
        )
        parser.add_argument("--user", help="who imports them; by default the system")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        actor = _find_user(options["user"])
        try:
            judge_options(options["kind"], consent=options["consent"])
            with _open(options["path"]) as source, _bar() as progress:
                report = import_people(
                    actor=actor,
                    source=source,
                    kind=options["kind"],
                    consent=options["consent"],
                    progress=progress,
                )
        except (ServiceError, VisionError) as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. Who was enrolled stays; run it again to go on.",
                returncode=INTERRUPTED,
            ) from None
        self._tell(actor, report)

    def _tell(self, actor: Any, report: ImportReport) -> None:
        for refusal in name_in_refusals(actor, report.refused[:NAMED]):
            of = f"{refusal.name}: " if refusal.name else ""
            self.stderr.write(of + refusal.message)
        left = len(report.refused) - NAMED + report.more
        if left > 0:
            self.stderr.write(f"… and {left:,} more.")
        self.stdout.write(
            f"{report.pictures:,} pictures of {report.people:,} people: {report.added:,} people "
            f"added, {report.known:,} known before; {report.samples:,} pictures enrolled, "
            f"{report.already:,} there already, {len(report.refused) + report.more:,} refused."
        )


@contextmanager
def _open(path: Path) -> Iterator[PictureSource]:
    if path.is_dir():
        yield FolderPictures(path)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error
    with file:
        yield ZipPictures(file)


@contextmanager
def _bar() -> Iterator[Callable[[float, str], None]]:
    """Show a bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("Looking", total=1.0)

        def see(share: float, message: str) -> None:
            bar.update(task, completed=share, description=message)

        yield see


def _find_user(name: str | None) -> Any:
    if not name:
        return None
    found = get_user_model().objects.filter(username=name, is_active=True).first()
    if found is None:
        raise CommandError(f"There is no active user {name}.")
    return found
