"""``manage.py analyze_video IN OUT``: tracks, motion, activities, without server or database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from common.inference import close_engine, get_engine
from detector.errors import OptionsError
from detector.services.options import DEFAULT_CONFIDENCE, DEFAULT_IOU
from video_analysis.models import VideoAnalysis
from video_analysis.services.analyses import options_as_data
from video_analysis.services.exports import (
    frames_json,
    json_document,
    measured_rate,
    motchallenge,
    points_csv,
)
from video_analysis.services.facts import event_facts, track_facts
from video_analysis.services.options import (
    BETWEEN,
    DEFAULT_STYLES,
    TASKS,
    VideoOptions,
    parse_video_options,
)
from video_analysis.services.outputs import Outputs
from video_analysis.services.points import Chunk
from video_analysis.services.running import make_task, sentence
from video_analysis.services.storing import activity_row, motion_row, track_row
from vision.drawing.styles import STYLES
from vision.encoding.trajectories import pack_trajectories
from vision.errors import VisionError
from vision.motion import METHODS
from vision.pipeline.collect import EndedTrack
from vision.pipeline.progress import Progress
from vision.pipeline.video import VideoSummary, analyse_video
from vision.tracking import TRACKERS

INTERRUPTED = 130  # what a shell says of a command that Ctrl-C has ended
TRACK_FORMS = {".json": "json", ".csv": "csv", ".txt": "mot"}


class Command(BaseCommand):
    """Analyse one video file, and write the annotated video and what was found."""

    help = (
        "Analyses a video: writes the annotated video (MP4), statistics as JSON beside it, and "
        "with --tracks the way of every object. While it works, standard error shows how far and "
        "how fast. Needs no server and no database. Ctrl-C leaves nothing behind."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("video", type=Path, metavar="IN", help="the video")
        parser.add_argument("out", type=Path, metavar="OUT", help="the annotated video, an .mp4")
        parser.add_argument(
            "--statistics", type=Path, metavar="FILE", help="OUT with .json when left out"
        )
        parser.add_argument(
            "--tracks",
            type=Path,
            metavar="FILE",
            help=".json: a log of every frame; .csv: one row per point; .txt: MOTChallenge",
        )
        _add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        try:
            chosen = parse_video_options(options)
        except OptionsError as error:
            raise CommandError(error.message) from error
        if "faces" in chosen.tasks:
            raise CommandError("People are recognised in the browser and over REST only.")
        source: Path = options["video"]
        out, statistics, tracks = _targets(source, options)
        outputs = Outputs()
        try:
            with outputs:
                summary, found = self._analyse(source, outputs.path(out), chosen)
                _write(outputs.path(statistics), found.statistics(source, chosen, summary))
                if tracks is not None:
                    _write(outputs.path(tracks), found.tracks(source, tracks.suffix, summary))
        except VisionError as error:
            raise CommandError(f"{_shown(source)}: {error.message}") from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise CommandError(f"The result could not be written: {reason}.") from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted; nothing was written.", returncode=INTERRUPTED
            ) from None
        finally:
            close_engine()
        self._print(summary, [out, statistics, tracks])

    def _analyse(
        self, source: Path, target: Path, options: VideoOptions
    ) -> tuple[VideoSummary, _Found]:
        found = _Found(options)
        with _bar() as bar:
            task = bar.add_task("", total=1.0, said="Starting")

            def see(progress: Progress) -> None:
                bar.update(task, completed=progress.share, said=sentence(progress))

            summary = analyse_video(
                source,
                make_task(options),
                engine=get_engine(),
                target=target,
                on_tracks=found.add,
                on_progress=see,
            )
            bar.update(task, completed=1.0)
        return summary, found

    def _print(self, summary: VideoSummary, written: Iterable[Path | None]) -> None:
        figures, info, who = summary.statistics, summary.info, summary.model
        by = " ".join(
            who[name] for name in ("model", "backend", "device", "precision") if who.get(name)
        )
        self.stdout.write(
            f"{info.width}x{info.height}  {figures['duration']:.2f} s  {figures['frames']} frames  "
            f"{figures['frames_per_second']:.1f} frames/s  {by}".rstrip()
        )
        if who.get("reason"):
            self.stdout.write(f"  {who['reason']}")
        for name, row in figures["classes"].items():
            self.stdout.write(f"  {name}: {_number(row['tracks'], 'track')}")
        if figures["motion"]["events"]:
            moving = figures["motion"]
            self.stdout.write(f"  motion: {moving['events']} times, {moving['seconds']:.1f} s")
        for label, seconds in figures["activities"].items():
            self.stdout.write(f"  {label}: {seconds:.1f} s")
        if figures["truncated"]:
            self.stdout.write("  The video ends earlier than it says.")
        for path in written:
            if path is not None:
                self.stdout.write(f"  → {_shown(path)}")


class _Found:
    """What an analysis finds, compactly, until it is written."""

    def __init__(self, options: VideoOptions) -> None:
        self._scale = VideoAnalysis(pixels_per_metre=options.pixels_per_metre)
        self._chunks: list[Chunk] = []
        self._tracks: list[dict[str, Any]] = []

    def add(self, ended: list[EndedTrack]) -> None:
        """Take tracks that have ended."""
        blob = pack_trajectories([track.trajectory for track in ended])
        start = min(track.trajectory.start for track in ended)
        self._chunks.append(Chunk(start, lambda: blob))
        self._tracks += [track_facts(track_row(track), self._scale) for track in ended]

    def statistics(
        self, source: Path, options: VideoOptions, summary: VideoSummary
    ) -> Iterable[bytes]:
        """The statistics in the shape of the export."""
        rows = [motion_row(motion.event) for motion in summary.motion]
        rows += [activity_row(event) for event in summary.activities]
        rows.sort(key=lambda row: (row.start, row.kind, row.label))
        for number, row in enumerate(rows):
            row.number = number
        head = {
            "file": _head(source, summary),
            "options": options_as_data(options),
            **{name: value for name, value in summary.model.items() if name != "reason"},
            "statistics": summary.statistics,
        }
        tracks = sorted(self._tracks, key=lambda track: track["number"])
        return json_document(head, tracks=tracks, events=map(event_facts, rows))

    def tracks(self, source: Path, suffix: str, summary: VideoSummary) -> Iterable[bytes]:
        """The way of every track, in the form that a suffix names."""
        writers: dict[str, Callable[[], Iterable[bytes]]] = {
            "json": lambda: frames_json({"file": _head(source, summary)}, self._chunks),
            "csv": lambda: points_csv(self._chunks),
            "mot": lambda: motchallenge(
                self._chunks, rate=measured_rate(summary.statistics, summary.info.rate)
            ),
        }
        return writers[TRACK_FORMS[suffix.lower()]]()


def _add_options(parser: CommandParser) -> None:
    several = "separated by commas"
    parser.add_argument("--tasks", help=f"of {', '.join(TASKS)}, {several} (tracking)")
    parser.add_argument("--model", help="a model's name, e.g. yolov8s")
    parser.add_argument("--confidence", help=f"0..1 ({DEFAULT_CONFIDENCE})")
    parser.add_argument("--iou", help=f"0..1 ({DEFAULT_IOU})")
    parser.add_argument("--classes", help=f"names or numbers, {several} (all)")
    parser.add_argument("--tracker", help=f"{', '.join(TRACKERS)} (bytetrack)")
    parser.add_argument("--every", help="the detector looks at every n-th frame (1)")
    parser.add_argument("--between", help=f"{', '.join(BETWEEN)}: how tracks go on (predict)")
    parser.add_argument(
        "--styles", help=f"of {', '.join(STYLES)}, or none ({','.join(DEFAULT_STYLES)})"
    )
    parser.add_argument("--motion-method", help=f"{', '.join(METHODS)} (mog2)")
    parser.add_argument("--minimum-area", help="least moving share of the picture (0.002)")
    parser.add_argument("--gate", action="store_true", help="detect while something moves only")
    parser.add_argument("--pixels-per-metre", help="scale of the scene, for speeds in m/s")


def _targets(source: Path, options: dict[str, Any]) -> tuple[Path, Path, Path | None]:
    """Where everything goes; judged before hours of work."""
    out: Path = options["out"]
    statistics: Path = options["statistics"] or out.with_suffix(".json")
    tracks: Path | None = options["tracks"]
    if out.suffix.lower() != ".mp4":
        raise CommandError(f"The annotated video is an MP4; {_shown(out)} must end in .mp4.")
    if tracks is not None and tracks.suffix.lower() not in TRACK_FORMS:
        raise CommandError(f"{_shown(tracks)} must end in {', '.join(TRACK_FORMS)}.")
    places = [path.resolve() for path in (source, out, statistics, tracks) if path is not None]
    if len(set(places)) < len(places):
        raise CommandError("The video, the annotated video and the other files must be different.")
    if not source.is_file():
        raise CommandError(f"There is no file {_shown(source)}.")
    return out, statistics, tracks


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)


def _head(source: Path, summary: VideoSummary) -> dict[str, Any]:
    info, figures = summary.info, summary.statistics
    return {
        "name": _shown(Path(source.name)),
        **{name: getattr(info, name) for name in ("container", "codec", "width", "height")},
        "duration": figures["duration"],
        "rate": round(info.rate, 3),
        "frames": figures["frames"],
        "has_audio": info.has_audio,
    }


def _bar() -> Bar:
    columns: tuple[ProgressColumn, ...] = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[said]}", markup=False),
    )
    console = Console(file=sys.stderr)
    # Rewriting a line is for terminals; a log would get it a hundred times.
    return Bar(*columns, console=console, transient=True, disable=not console.is_terminal)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _shown(path: Path) -> str:
    # File names are bytes; those that are no UTF-8 can be opened, but neither printed nor sent.
    return str(path).encode("utf-8", "replace").decode()
