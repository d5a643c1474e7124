"""``manage.py stylize CONTENT STYLE OUT``: a picture in the style of another, without a server."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from styletransfer.services.painting import (
    Commission,
    is_video,
    paint_fast,
    paint_slowly,
    paint_video,
)
from vision.errors import VisionError
from vision.style import GatysOptions
from vision.weights.style_cards import STYLE_CARDS

if TYPE_CHECKING:
    from vision.style import StyleProgress, Stylized
    from vision.style.videos import StylizedVideo, VideoProgress

RANDOM_FEATURES = "random-vgg19"
SLOW_ONLY = ("steps", "style_weight", "seed")
DEFAULT_SIZE = 512
PRINT_SECONDS = 1.0


class Command(BaseCommand):
    """Paint one picture or video."""

    help = (
        "Paints CONTENT in the style of the picture STYLE and writes OUT (.jpg or .png); Ctrl-C "
        "keeps the best so far. With --fast, CONTENT OUT are enough: a network paints in its one "
        "style, in a single pass; CONTENT may then be a video, if OUT ends in .mp4."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "paths", nargs="+", type=Path, metavar="FILE",
            help="CONTENT STYLE OUT, or CONTENT OUT with --fast",
        )  # fmt: skip
        parser.add_argument("--fast", metavar="NAME", help=f"one of {', '.join(STYLE_CARDS)}")
        parser.add_argument("--steps", type=int, metavar="N", help="1..2000, by default 150")
        parser.add_argument(
            "--size", type=int, metavar="N",
            help=f"pixels along the longer side; by default {DEFAULT_SIZE}, with --fast all",
        )  # fmt: skip
        parser.add_argument("--style-weight", type=float, metavar="W", help="0.001..1000000")
        parser.add_argument("--seed", type=int, metavar="N", help="of what is left to chance")
        parser.add_argument("--keep-colours", action="store_true", help="paint light and dark only")
        parser.add_argument("--force", action="store_true", help="replace OUT if it is there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        self._told = 0.0
        self._stopped = False
        try:
            with self._stopping():
                if options["fast"] is None:
                    self._paint_slowly(options)
                else:
                    self._paint_fast(options)
        except KeyboardInterrupt:
            raise CommandError("Interrupted: nothing is written.", returncode=130) from None
        except VisionError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"It cannot be written: {error.strerror or error}.") from error

    def _paint_slowly(self, options: dict[str, Any]) -> None:
        if len(options["paths"]) != 3:
            raise CommandError("Name three files: CONTENT STYLE OUT.")
        content, style, out = options["paths"]
        given = {name: options[name] for name in SLOW_ONLY if options[name] is not None}
        commission = _commission(content, out, options, size=options["size"] or DEFAULT_SIZE)
        painted = paint_slowly(
            commission,
            style,
            GatysOptions(**given),
            on_fetch=self._on_fetch,
            on_ready=self._on_ready,
            on_progress=self._on_step,
        )
        self._report(painted, out)

    def _paint_fast(self, options: dict[str, Any]) -> None:
        if len(options["paths"]) not in (2, 3):
            raise CommandError("Name two files: CONTENT OUT.")
        for name in SLOW_ONLY:
            if options[name] is not None:
                raise CommandError(f"--{name.replace('_', '-')} does not go with --fast.")
        content, out = options["paths"][0], options["paths"][-1]
        commission = _commission(content, out, options, size=options["size"])
        if not is_video(commission):
            self._report(paint_fast(commission, options["fast"]), out)
            return
        made = paint_video(commission, options["fast"], on_progress=self._on_frame)
        if made.stopped:
            raise CommandError(f"Stopped after {made.frames} frames; nothing is written.")
        self._report_video(made, out)

    def _on_fetch(self, done: int, total: int | None) -> None:
        if self._stopped:
            raise KeyboardInterrupt
        if self._is_due(done == total):
            of = f" of {total / 1e6:.0f}" if total else ""
            self._say(f"fetching VGG19: {done / 1e6:.0f}{of} MB")

    def _on_ready(self, features: str) -> None:
        if features == RANDOM_FEATURES:
            self._say("random features: VGG19's weights are not installed")

    def _on_step(self, progress: StyleProgress) -> bool:
        if self._is_due(progress.step in (1, progress.steps)):
            loss = "" if progress.loss is None else f"  loss {progress.loss:.5g}"
            self._say(f"step {progress.step} of {progress.steps}{loss}")
        return not self._stopped

    def _on_frame(self, progress: VideoProgress) -> bool:
        if self._is_due(progress.frames == progress.total):
            total = f" of {progress.total}" if progress.total else ""
            rate = progress.frames_per_second
            self._say(f"frame {progress.frames}{total}  {rate:.1f} a second")
        return not self._stopped

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()  # who writes it into a file or a pipe follows it, too

    def _is_due(self, matters: bool) -> bool:
        now = time.monotonic()
        if not matters and now - self._told < PRINT_SECONDS:
            return False
        self._told = now
        return True

    def _report(self, painted: Stylized, out: Path) -> None:
        height, width = painted.image.shape[:2]
        steps = f", {len(painted.losses)} steps" if len(painted.losses) else ""
        loss = f", loss {painted.losses.min():.5g}" if len(painted.losses) else ""
        early = " (stopped early)" if painted.stopped else ""
        self.stdout.write(
            f"{out}: {width} x {height}{steps} in {painted.seconds:.1f} s{early}{loss}, "
            f"{painted.model} on {painted.device}"
        )

    def _report_video(self, made: StylizedVideo, out: Path) -> None:
        sound = {True: ", with sound", False: ", its sound cannot be read", None: ""}[made.sound]
        rate = made.frames / max(1e-6, made.seconds)
        self.stdout.write(
            f"{out}: {made.width} x {made.height}, {made.frames} frames{sound} in "
            f"{made.seconds:.1f} s ({rate:.1f} a second), {made.model}"
        )

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Let Ctrl-C end the work after the running step; a second one interrupts it."""

        def stop(number: int, frame: object) -> None:
            if self._stopped:
                raise KeyboardInterrupt
            self._stopped = True
            self.stderr.write("Stopping after this step; Ctrl-C again stops at once.")

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def _commission(
    content: Path, out: Path, options: dict[str, Any], *, size: int | None
) -> Commission:
    if size is not None and not 16 <= size <= 8192:
        raise CommandError(f"--size is a number of pixels from 16 to 8192, not {size}.")
    return Commission(
        content, out, force=options["force"], size=size, keep_colours=options["keep_colours"]
    )
