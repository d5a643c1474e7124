"""Runs the cameras of the synthetic shop through pipeline and watcher, and scores the events."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, cast

import numpy as np
import supervision as sv

from vision.analytics.regions import CountingLine, Zone
from vision.analytics.watcher import SceneWatcher
from vision.engine import Engine
from vision.evaluation.live import (
    Announced,
    EventScore,
    OccupancyScore,
    TrueEvent,
    score_events,
    score_occupancy,
)
from vision.pipeline.config import PipelineConfig
from vision.pipeline.pipeline import Pipeline
from vision.structures import Frame
from vision.synthetic.noise import DetectorModel, noisy_detections
from vision.synthetic.shop import Shop, ShopFilm
from vision.synthetic.shop.happenings import Happenings, happenings_of, occupancy_of
from vision.synthetic.shop.plan import View
from vision.synthetic.truth import GroundTruth

__all__ = ["LOW_NOISE", "NOISES", "SHOP_CONFIG", "CameraScore", "evaluate_shop", "true_events",
           "watcher_of"]  # fmt: skip

LOW_NOISE: Final = DetectorModel(jitter=0.003, recall=1.0, blind_below=0.25, false_positives=0.0)
"""Sides of boxes wobble by 0.3% of the box; who is in full view is always found."""

NOISES: Final = {"low": LOW_NOISE, "real": DetectorModel()}

SHOP_CONFIG: Final = PipelineConfig(
    confidence=0.35, classes=(0,), class_names=("person",), patience=2.0, minimum_hits=3
)
"""As a camera is set up that nobody has changed, for people only."""

_BATCH: Final = 4  # frames that the detector sees at once


@dataclass(frozen=True, slots=True)
class CameraScore:
    """One camera in one run.

    Attributes:
        camera: Name of the view.
        seed: Of the shop.
        events: By kind, region and direction.
        occupancy: One per zone.
    """

    camera: str
    seed: int
    events: tuple[EventScore, ...]
    occupancy: tuple[OccupancyScore, ...]


def evaluate_shop(
    shop: Shop,
    *,
    noise: DetectorModel | None = None,
    engine: Engine | None = None,
    config: PipelineConfig = SHOP_CONFIG,
) -> Iterator[CameraScore]:
    """Yield the score of each of the four cameras.

    Args:
        shop: What happens.
        noise: How the detector errs that stands in for a real one; its results are not more
            confident than a real one's and count above the configured confidence only.
        engine: Looks at the painted pictures instead, with the motion gate at work; ``noise`` is
            not used then.
        config: How the pipeline is set up.

    Raises:
        VisionError: As the pipeline.
    """
    for film in shop.films(pictures=engine is not None):
        if engine is not None:
            announced, found = _watch(film, engine, replace(config, gate=True), None)
        else:
            blind = _Scripted(film, noise or DetectorModel(), config)
            announced, found = _watch(film, cast("Engine", blind), config, blind)
        yield _score(film, announced, found)


def watcher_of(view: View, *, patience: float) -> SceneWatcher:
    """Return a watcher of a view's zones and lines, whose names are the keys."""
    zones = [Zone(zone.name, view.polygon(zone), zone.threshold) for zone in view.zones]
    lines = []
    for line in view.lines:
        (x1, y1), (x2, y2) = view.line(line).tolist()
        lines.append(CountingLine(line.name, (x1, y1), (x2, y2)))
    return SceneWatcher(zones, lines, patience=patience)


def true_events(view: View, happenings: Happenings) -> list[TrueEvent]:
    """Return what a perfect watcher would announce, in no order."""
    thresholds = {zone.name: zone.threshold for zone in view.zones}
    events = [
        TrueEvent(
            "crossing",
            one.line,
            "forward" if one.direction == "forward" else "backward",
            one.time,
            0.0,
            one.time,
        )
        for one in happenings.crossings
    ]
    for stay in happenings.stays:
        events.append(TrueEvent("entry", stay.zone, "", stay.start, 0.0, stay.start))
        events.append(TrueEvent("exit", stay.zone, "", stay.end, 0.0, stay.end))
        if stay.dwelt:
            due = stay.start + thresholds[stay.zone]
            events.append(TrueEvent("dwell", stay.zone, "", stay.start, stay.seconds, due))
    return events


class _Scripted:
    """Stands in for the engine: it "finds" what is known to be there, with a detector's errors."""

    def __init__(self, film: ShopFilm, noise: DetectorModel, config: PipelineConfig) -> None:
        self._seed = 10 * film.shop.seed + len(film.view.name)
        self._size = film.view.camera.size
        self._noise = noise
        self._config = config
        self._truths: list[GroundTruth] = []

    def show(self, truth: GroundTruth) -> None:
        """Tell what is in the next frame."""
        self._truths.append(truth)

    def detect(self, images: Sequence[Any], **_: Any) -> list[sv.Detections]:
        """Answer for the oldest frames that were shown."""
        now, self._truths = self._truths[: len(images)], self._truths[len(images) :]
        return [self._see(truth) for truth in now]

    def _see(self, truth: GroundTruth) -> sv.Detections:
        found = noisy_detections(truth, seed=self._seed, size=self._size, model=self._noise)
        assert found.confidence is not None
        sure = found[found.confidence > self._config.confidence]
        assert isinstance(sure, sv.Detections)
        sure.metadata = {"model": self._config.model}
        return sure


@dataclass(slots=True)
class _Counts:
    """What the watcher took for the number of people in each zone, frame by frame."""

    times: list[float] = field(default_factory=list)
    numbers: list[dict[str | None, int]] = field(default_factory=list)


def _watch(
    film: ShopFilm, engine: Engine, config: PipelineConfig, script: _Scripted | None
) -> tuple[list[Announced], _Counts]:
    pipeline = Pipeline(engine, config, rate=film.shop.rate)
    watcher = watcher_of(film.view, patience=pipeline.patience)
    announced: list[Announced] = []
    counts = _Counts()
    for batch in _batches(film):
        if script is not None:
            for _, truth in batch:
                script.show(truth)
        for result in pipeline.process([frame for frame, _ in batch]):
            now = result.frame.timestamp
            events = watcher.update(result.detections, result.frame)
            announced += [Announced(event, now) for event in events]
            counts.times.append(now)
            counts.numbers.append(watcher.occupancy)
    end = counts.times[-1] if counts.times else 0.0
    announced += [Announced(event, end) for event in watcher.finish()]
    return announced, counts


def _batches(
    film: Iterable[tuple[Frame, GroundTruth]],
) -> Iterator[list[tuple[Frame, GroundTruth]]]:
    frames = iter(film)
    while batch := list(islice(frames, _BATCH)):
        yield batch


def _score(film: ShopFilm, announced: Sequence[Announced], counts: _Counts) -> CameraScore:
    happenings = happenings_of(film.view, film.shop.visitors)
    times = np.array(counts.times, np.float64)
    occupancy = []
    for zone in film.view.zones:
        found = np.array([numbers.get(zone.name, 0) for numbers in counts.numbers], np.int64)
        occupancy.append(
            score_occupancy(zone.name, occupancy_of(happenings.stays, zone.name, times), found)
        )
    events = score_events(true_events(film.view, happenings), announced)
    return CameraScore(film.view.name, film.shop.seed, tuple(events), tuple(occupancy))
