"""``manage.py evaluate_cameras``: how true are counts, dwell times and announcements here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.inference import close_engine, get_engine
from vision.errors import VisionError

if TYPE_CHECKING:
    from vision.evaluation.live import EventScore
    from vision.evaluation.live_shop import CameraScore

LONGEST_SECONDS = 3600.0
MOST_SEEDS = 1000
TABLE_WIDTH = 140


class Command(BaseCommand):
    """Print a table of what was found in the shop and what was true."""

    help = (
        "Lets four cameras watch the synthetic shop, whose events are exactly known, and compares "
        "what pipeline, tracker and watcher announce. With --noise a detector is simulated that "
        "errs a little (low) or as much as a real one (real); with --detector a real one looks at "
        "the painted pictures. Prints counts, dwell times and how late events are announced."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--seeds", default="0-9", metavar="0-9", help="such as 0-9 or 1,4,7")
        parser.add_argument("--seconds", type=float, default=80.0, help="of each shop's time")
        how = parser.add_mutually_exclusive_group()
        # The default is set below: argparse would let both pass where one has its default.
        how.add_argument("--noise", choices=("low", "real"), help="low when left out")
        how.add_argument("--detector", metavar="MODEL", help="such as yolov8n")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        from vision.evaluation.live import pool

        seeds = _seeds(options["seeds"])
        options["noise"] = options["noise"] or "low"
        if not (math.isfinite(options["seconds"]) and 0 < options["seconds"] <= LONGEST_SECONDS):
            raise CommandError(f"The seconds are more than 0 and at most {LONGEST_SECONDS:g}.")
        try:
            scores = [score for seed in seeds for score in self._evaluate(seed, options)]
        except VisionError as error:
            raise CommandError(error.message) from error
        finally:
            close_engine()
        pooled = pool(event for score in scores for event in score.events)
        self.stdout.write(_table(pooled, scores, options))
        if options["json"] is not None:
            _write_json(options["json"], pooled, scores, seeds, options)

    def _evaluate(self, seed: int, options: dict[str, Any]) -> list[CameraScore]:
        from vision.evaluation.live_shop import NOISES, SHOP_CONFIG, evaluate_shop
        from vision.synthetic.shop import Shop

        shop, model = Shop(seed=seed, seconds=options["seconds"]), options["detector"]
        if model is None:
            scores = list(evaluate_shop(shop, noise=NOISES[options["noise"]]))
        else:
            config = replace(SHOP_CONFIG, model=model)
            scores = list(evaluate_shop(shop, engine=get_engine(), config=config))
        if options["verbosity"] > 1:
            self.stderr.write(f"seed {seed} done")
        return scores


def _seeds(text: str) -> list[int]:
    """Read ``0-9`` and ``1,4,7``."""
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part)
        if match is None:
            raise CommandError(f"Seeds are written as 0-9 or 1,4,7, not {text!r}.")
        first = int(match[1])
        last = int(match[2] or first)
        if last < first or last - first >= MOST_SEEDS:
            raise CommandError(f"{part.strip()!r} is no range of at most {MOST_SEEDS} seeds.")
        seeds += range(first, last + 1)
    return list(dict.fromkeys(seeds))


def _source(options: dict[str, Any]) -> str:
    return options["detector"] or f"simulated detector, {options['noise']} noise"


def _table(
    pooled: Sequence[EventScore], scores: Sequence[CameraScore], options: dict[str, Any]
) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Shop, seeds {options['seeds']}, {_source(options)}")
    for name in ("event", "where"):
        table.add_column(name)
    for name in ("true", "found", "error", "missed", "extra", "off by", "dwell off by", "late by"):
        table.add_column(name, justify="right")
    for score in pooled:
        counts = (score.true, score.found, score.error, score.missed, score.extra)
        table.add_row(
            score.kind,
            f"{score.region} {score.direction}".rstrip(),
            *(str(count) for count in counts),
            _spread(score.time_errors),
            _spread(score.dwell_errors),
            _spread(score.latencies),
        )
    console = Console(width=TABLE_WIDTH, color_system=None)
    with console.capture() as captured:
        console.print(table)
        console.print("Seconds: mean and greatest. " + _occupancy(scores))
    return captured.get()


def _occupancy(scores: Sequence[CameraScore]) -> str:
    rows = [row for score in scores for row in score.occupancy]
    moments = sum(row.moments for row in rows)
    if not moments:
        return "No moments of occupancy."
    right = sum(row.right for row in rows)
    return f"Occupancy of zones right at {100 * right / moments:.1f}% of the moments."


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    sizes = [abs(value) for value in values]
    return f"{sum(sizes) / len(sizes):.3f} {max(sizes):.3f}"


def _write_json(
    path: Path,
    pooled: Sequence[EventScore],
    scores: Sequence[CameraScore],
    seeds: Sequence[int],
    options: dict[str, Any],
) -> None:
    from vision.evaluation.live_shop import NOISES

    noise = None if options["detector"] else asdict(NOISES[options["noise"]])
    document = {
        "seeds": list(seeds),
        "seconds": options["seconds"],
        "detector": options["detector"],
        "noise": noise,
        "events": [_facts(score) for score in pooled],
        "cameras": [
            {
                "camera": score.camera,
                "seed": score.seed,
                "events": [_facts(event) for event in score.events],
                "occupancy": [asdict(row) for row in score.occupancy],
            }
            for score in scores
        ],
    }
    try:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from error


def _facts(score: EventScore) -> dict[str, Any]:
    return {
        **asdict(score),
        "matched": score.matched,
        "missed": score.missed,
        "extra": score.extra,
        "error": score.error,
    }
