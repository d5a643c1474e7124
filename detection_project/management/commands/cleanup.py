"""`manage.py cleanup`: the hourly run, now and in this process."""

from typing import Any

from django.core.management.base import BaseCommand

from common.storage.services import run_cleanup


class Command(BaseCommand):
    help = "Delete what is older than it may be, and files that belong to nobody."

    def handle(self, *args: Any, **options: Any) -> None:
        report = run_cleanup()
        self.stdout.write(
            f"Cleaned   {report['results']} sessions deleted, {report['pictures']} pictures "
            f"removed, {report['orphans_deleted']} files of nobody deleted, "
            f"{report['bytes'] / 1e6:.1f} MB freed"
        )
        if report["orphans_refused"]:
            self.stderr.write(
                f"          {report['orphans']} of {report['files']} files belong to nobody: "
                "more than half, so none was deleted."
            )
        if report["missing"]:
            self.stderr.write(f"          {report['missing']} pictures cannot be found any more.")
