"""``manage.py analytics [--rebuild]``: count what has changed, or everything."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from detector.analytics.services import rebuild, refresh


class Command(BaseCommand):
    """Bring the stored figures of the analytics page up to date."""

    help = (
        "Counts the days whose sessions have changed, so that the analytics page is fast. The "
        "page is right without it, and workers do it by themselves."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--rebuild", action="store_true", help="forget all figures first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        began = time.monotonic()
        if options["rebuild"]:
            rebuild()
        days = refresh()
        self.stdout.write(f"Counted {days} days in {time.monotonic() - began:.1f} s.")
