"""``manage.py evaluate_tracker FOLDER``: how good and how fast are the trackers here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.inference import close_engine, get_engine
from vision.errors import VisionError

if TYPE_CHECKING:
    import numpy as np
    import supervision as sv
    from numpy.typing import NDArray

    from vision.evaluation.tracking_folder import MotSequence
    from vision.evaluation.tracking_run import TrackerRow

PERSON = 0
ALL = "all"
SHARES = ("HOTA", "DetA", "AssA", "MOTA", "MOTP", "IDF1")
COUNTS = ("IDSW", "Frag", "FP", "FN")
TABLE_WIDTH = 140


class Command(BaseCommand):
    """Print a table of sequences and trackers."""

    help = (
        "Runs trackers over a folder in the MOTChallenge format: each sequence is a folder with "
        "det/det.txt (public detections), gt/gt.txt (ground truth), img1/ or NAME.mp4 "
        "(pictures) and seqinfo.ini; what a run does not need may be missing. Prints HOTA, MOTA, "
        "MOTP, IDF1 and id switches in percent, and the tracker's frames per second. Sequences "
        "without ground truth are counted and timed."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument(
            "--tracker",
            action="append",
            metavar="NAME",
            help="bytetrack (default), botsort, ocsort, sort, iou, centroid or all; repeatable",
        )
        parser.add_argument("--detections", choices=("public", "detector"), default="public")
        parser.add_argument("--model", default="yolov8n", help="with --detections detector")
        parser.add_argument(
            "--confidence", type=float, default=0.1, help="0..1, with --detections detector"
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        from vision.evaluation.tracking_folder import read_sequences
        from vision.evaluation.tracking_run import evaluate_tracker

        trackers = _trackers(options["tracker"])
        try:
            sequences = read_sequences(options["folder"])
            found = self._find(sequences, options)
            rows = [
                row
                for name in trackers
                for row in evaluate_tracker(name, list(zip(sequences, found, strict=True)))
            ]
        except VisionError as error:
            raise CommandError(error.message) from error
        finally:
            close_engine()
        self.stdout.write(_table(rows, options))
        if options["json"] is not None:
            _write_json(options["json"], rows, options)

    def _find(
        self, sequences: Sequence[MotSequence], options: dict[str, Any]
    ) -> list[list[sv.Detections]]:
        if options["detections"] == "public":
            return [_public(sequence) for sequence in sequences]
        if not 0 <= options["confidence"] <= 1:
            raise CommandError("The confidence is between 0 and 1.")
        blind = [sequence.name for sequence in sequences if not sequence.has_pictures]
        if blind:
            raise CommandError(
                f"{blind[0]} has no pictures for the detector: neither img1/ nor {blind[0]}.mp4."
            )
        return [self._detect(sequence, options) for sequence in sequences]

    def _detect(self, sequence: MotSequence, options: dict[str, Any]) -> list[sv.Detections]:
        from vision.evaluation.tracking_run import detect_sequence
        from vision.structures import Priority

        engine = get_engine()

        def detect(images: Sequence[NDArray[np.uint8]]) -> list[sv.Detections]:
            return engine.detect(
                images,
                model=options["model"],
                confidence=options["confidence"],
                classes=[PERSON],
                priority=Priority.BATCH,
            )

        def tell(done: int, total: int) -> None:
            if options["verbosity"] > 1:
                self.stderr.write(f"{sequence.name}: {done} of {total} frames")

        return detect_sequence(sequence, detect, on_progress=tell)


def _trackers(wanted: list[str] | None) -> list[str]:
    from vision.tracking import TRACKERS

    names = wanted or ["bytetrack"]
    unknown = [name for name in names if name not in (*TRACKERS, ALL)]
    if unknown:
        known = ", ".join((*TRACKERS, ALL))
        raise CommandError(f"There is no tracker {unknown[0]!r}; there are {known}.")
    return list(TRACKERS) if ALL in names else list(dict.fromkeys(names))


def _public(sequence: MotSequence) -> list[sv.Detections]:
    if sequence.detections is None:
        raise CommandError(f"{sequence.name} has no public detections in det/det.txt.")
    return sequence.detections


def _table(rows: Sequence[TrackerRow], options: dict[str, Any]) -> str:
    from rich.console import Console
    from rich.table import Table

    source = options["model"] if options["detections"] == "detector" else "public detections"
    table = Table(title=f"{options['folder'].resolve().name}, {source}")
    table.add_column("sequence")
    table.add_column("tracker")
    for name in (*SHARES, *COUNTS, "tracks", "frames", "frames/s"):
        table.add_column(name, justify="right")
    for row in rows:
        figures = row.metrics
        shares = [f"{100 * getattr(figures, name):.1f}" if figures else "-" for name in SHARES]
        counts = [str(getattr(figures, name)) if figures else "-" for name in COUNTS]
        speed = f"{row.frames_per_second:.0f}"
        table.add_row(
            row.sequence, row.tracker, *shares, *counts, str(row.tracks), str(row.frames), speed
        )
    console = Console(width=TABLE_WIDTH, color_system=None)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def _write_json(path: Path, rows: Sequence[TrackerRow], options: dict[str, Any]) -> None:
    by_detector = options["detections"] == "detector"
    document = {
        "detections": options["detections"],
        "model": options["model"] if by_detector else None,
        "confidence": options["confidence"] if by_detector else None,
        "results": [asdict(row) for row in rows],
    }
    try:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from error
