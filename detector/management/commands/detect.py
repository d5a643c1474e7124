"""``manage.py detect PICTURE…``: what is in these pictures, without server or database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.inference import close_engine
from common.uploads.errors import UploadRejected
from detector.api.results import answer_json, dump_json, entry_json
from detector.errors import OptionsError
from detector.services.answers import Answer, Refusal, answer_files
from detector.services.options import DEFAULT_CONFIDENCE, DEFAULT_IOU, parse_options
from vision.drawing import annotate
from vision.encoding.images import encode_jpeg, encode_png
from vision.errors import VisionError

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")


class PathFile:
    """A file on this machine as if it came in a request."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name: str | None = _shown(path)
        self.size: int | None = None

    def read(self) -> bytes:
        """The content.

        Raises:
            UploadRejected: ``unreadable_file``.
        """
        try:
            return self.path.read_bytes()
        except OSError as error:
            reason = error.strerror or str(error)
            raise UploadRejected("unreadable_file", f"It cannot be read: {reason}.") from error


class Command(BaseCommand):
    """Print what is in pictures, and write each with its objects drawn in."""

    help = (
        "Finds objects in pictures. Prints a table, or JSON with --json, and writes the annotated "
        "picture beside each (or into --out). A picture that cannot be read is reported, the "
        "others are finished, and the exit code is 1."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
        parser.add_argument("--model", help="a model's name, e.g. yolov8s")
        parser.add_argument("--segment", action="store_true", help="find outlines, too")
        parser.add_argument("--confidence", default=DEFAULT_CONFIDENCE, help="0..1")
        parser.add_argument("--iou", default=DEFAULT_IOU, help="0..1")
        parser.add_argument("--classes", help="names or numbers, separated by commas")
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
        parser.add_argument("--out", type=Path, metavar="DIR", help="where to write pictures")
        parser.add_argument("--no-picture", action="store_true", help="write no pictures")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        try:
            chosen = parse_options(
                task="segment" if options["segment"] else "detect",
                model=options["model"],
                confidence=options["confidence"],
                iou=options["iou"],
                classes=options["classes"],
            )
        except OptionsError as error:
            raise CommandError(error.message) from error
        out: Path | None = options["out"]
        if out is not None and not options["no_picture"]:
            _make_folder(out)
        paths: list[Path] = options["pictures"]
        files = [PathFile(path) for path in paths]
        try:
            answers = answer_files(files, options=chosen, here=True)
            failed = self._report(paths, answers, options)
        except VisionError as error:
            raise CommandError(error.message) from error
        finally:
            close_engine()
        if failed:
            raise CommandError(f"{failed} of {len(paths)} pictures could not be finished.")

    def _report(
        self, paths: list[Path], answers: Iterator[Answer | Refusal], options: dict[str, Any]
    ) -> int:
        failed = 0
        results: list[dict[str, Any]] = []
        written: set[Path] = set()
        for path, answer in zip(paths, answers, strict=True):
            if isinstance(answer, Refusal):
                failed += 1
                self.stderr.write(f"{_shown(path)}: {answer.error.message}")
                results.append(entry_json(answer))
                continue
            target = None
            if not options["no_picture"]:
                target = _target(path, options["out"], written)
                failed += not self._write_picture(target, answer)
            annotated = _shown(target) if target else None
            results.append({**answer_json(answer), "annotated": annotated})
            if not options["json"]:
                self._print_table(answer, target)
        if options["json"]:
            self.stdout.write(dump_json({"results": results}).decode())
        return failed

    def _write_picture(self, target: Path, answer: Answer) -> bool:
        with answer.open_picture() as image:
            drawn = annotate(image, answer.detections)
        content = encode_jpeg(drawn) if target.suffix.lower() == ".jpg" else encode_png(drawn)
        try:
            target.write_bytes(content)
        except OSError as error:
            self.stderr.write(f"{_shown(target)}: It cannot be written: {error.strerror or error}.")
            return False
        return True

    def _print_table(self, answer: Answer, target: Path | None) -> None:
        run = answer.run
        found = answer_json(answer, masks="none")["objects"]
        noun = "object" if len(found) == 1 else "objects"
        by = " ".join(part for part in (run.model, run.backend, run.device, run.precision) if part)
        took = answer.timings_ms.get("total", 0.0)
        self.stdout.write(
            f"{answer.name}  {answer.width}x{answer.height}  {len(found)} {noun}  {by}  "
            f"{took:.1f} ms"
        )
        if run.notice:
            self.stdout.write(f"  {run.notice}")
        if found:
            columns = ("class", "confidence", "x", "y", "width", "height")
            rows = [
                (item["class"], f"{item['confidence']:.2f}", *(f"{v:.0f}" for v in item["bbox"]))
                for item in found
            ]
            self.stdout.write(_table(columns, rows))
        if target is not None:
            self.stdout.write(f"  → {_shown(target)}")


def _shown(path: Path) -> str:
    # File names are bytes; those that are no UTF-8 can be opened, but neither printed nor sent.
    return str(path).encode("utf-8", "replace").decode()


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = []
    for row in [head, *rows]:
        first, *numbers = row
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(size) for cell, size in zip(numbers, widths[1:], strict=True)]
        lines.append("  " + "  ".join(cells))
    return "\n".join(lines)


def _target(path: Path, out: Path | None, written: set[Path]) -> Path:
    """Where the annotated picture goes; pictures of one name from two folders both get a place."""
    suffix = ".jpg" if path.suffix.lower() in JPEG_SUFFIXES else ".png"
    folder = out if out is not None else path.parent
    target, number = folder / f"{path.stem}.annotated{suffix}", 2
    while target in written:
        target, number = folder / f"{path.stem}-{number}.annotated{suffix}", number + 1
    written.add(target)
    return target


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandError(f"{folder} cannot be made: {reason}.") from error
