"""``manage.py demo``: four cameras in a painted shop, so that there is something to watch."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from common.errors import ServiceError
from video_analysis.services.live.demo import AREA, install_demo, remove_demo, render_demo
from vision.errors import VisionError

INTERRUPTED = 130  # what a shell says of a command that Ctrl-C has ended


class Command(BaseCommand):
    """Set up the demo, or take it away."""

    help = (
        "Renders a small shop as four cameras see it, and adds these as cameras of the area "
        f"{AREA!r}, with zones and a counting line. May be called again: what is there and right "
        "is kept, and no other camera is touched. --remove takes everything away again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--remove", action="store_true", help="delete the demo's cameras, events and films"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        if options["remove"]:
            self.stdout.write(f"The demo is gone: {_cameras(remove_demo())} removed.")
            return
        try:
            rendered = _render()
            demo = install_demo()
        except (ServiceError, VisionError) as error:
            raise CommandError(error.message) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise CommandError(f"The films could not be written: {reason}.") from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from None
        films = "rendered" if rendered else "there already"
        self.stdout.write(
            f"{AREA}: {_cameras(len(demo.cameras))}, {demo.added} of them new; films {films}."
        )


def _render() -> bool:
    """Render with a bar on standard error, which appears only when there is something to do."""
    columns = (TextColumn("Painting the shop"), BarColumn(), TaskProgressColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)

        def see(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        return render_demo(on_progress=see)


def _cameras(count: int) -> str:
    return f"{count} camera" if count == 1 else f"{count} cameras"
