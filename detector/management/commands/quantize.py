"""``manage.py quantize [FOLDER]``: make the INT8 version of a model."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from numpy.typing import NDArray

from common.inference import get_weights_store
from common.models import Upload
from common.uploads.services import picture_limits, read_upload
from detector.services.options import default_model
from vision.errors import PictureError, VisionError
from vision.sources.pictures import decode_picture
from vision.weights.cards import get_card

if TYPE_CHECKING:
    from collections.abc import Callable

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic"))


class Command(BaseCommand):
    """Quantise a model to INT8, calibrated on pictures like those it will see."""

    help = (
        "Makes the INT8 version of a model, calibrated on the pictures of FOLDER or, without one, "
        "on the pictures already uploaded. Use it with SIGHTLINE_PRECISION=int8."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")
        parser.add_argument("--model", default="", help="a model's name (default: the default)")
        parser.add_argument("--max-pictures", type=int, default=300, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        from vision.export import quantize  # the export costs an import that others need not pay

        most: int = options["max_pictures"]
        if most < 1:
            raise CommandError("--max-pictures must be at least 1.")
        readers = self._readers(options["folder"])
        if not readers:
            raise CommandError("There are no pictures to calibrate on; name a folder with some.")
        chosen = spread(readers, most)
        try:
            card = get_card(options["model"] or default_model("detect"))
            weights = get_weights_store().fetch(card)
            self.stdout.write(f"{card.name}: calibrating on up to {len(chosen)} pictures …")
            began = time.perf_counter()
            artifact = quantize(
                card, weights, self._pictures(chosen), settings.MODELS_DIR, self._progress()
            )
        except VisionError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{card.name}: done in {time.perf_counter() - began:.0f} s")
        self.stdout.write(f"  {artifact.path}")
        self.stdout.write("  Start with SIGHTLINE_PRECISION=int8 to use it.")

    def _readers(self, folder: Path | None) -> list[tuple[str, Callable[[], bytes]]]:
        if folder is None:
            try:
                uploads = list(Upload.objects.filter(removed_at=None).order_by("created_at", "pk"))
            except DatabaseError as error:
                raise CommandError("There is no database yet; name a folder.") from error
            return [(str(item.name), partial(read_upload, upload=item)) for item in uploads]
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        return [(str(path), path.read_bytes) for path in paths]

    def _pictures(
        self, readers: Iterable[tuple[str, Callable[[], bytes]]]
    ) -> Iterator[NDArray[np.uint8]]:
        for name, read in readers:
            try:
                yield decode_picture(read(), picture_limits())
            except (OSError, PictureError) as error:
                self.stderr.write(f"{name} is left out: {error}")

    def _progress(self) -> Callable[[int, int | None], None]:
        last = -1

        def report(done: int, total: int | None) -> None:
            nonlocal last
            tenth = done * 10 // total if total else done // 30
            if tenth != last:
                last = tenth
                self.stdout.write(f"  {done}" + (f" of {total}" if total else ""))

        return report


def spread(items: Sequence[Any], most: int) -> list[Any]:
    """At most ``most`` of the items, evenly over all: neighbours tend to be alike."""
    if len(items) <= most:
        return list(items)
    return [items[index * len(items) // most] for index in range(most)]
