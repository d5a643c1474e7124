"""The synthetic shop: how true counts and dwell times are, and how late they are announced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.material import Material
from benchmarks.report import Section
from vision.engine import Engine, EngineConfig
from vision.evaluation.live import EventScore, pool
from vision.evaluation.live_shop import LOW_NOISE, NOISES, CameraScore, evaluate_shop
from vision.synthetic.shop import Shop
from vision.weights import WeightsStore

SEEDS = range(10)
OTHER_SEEDS = range(10, 20)  # the shop was not arranged by looking at these
DETECTOR_SEEDS = range(2)
MODEL = "yolov8n"


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    section = Section(
        "Live events in the synthetic shop",
        ("detector", "events", "true", "missed", "extra", "dwell off by, s", "late by, s"),
    )
    runs: list[tuple[str, Iterable[CameraScore]]] = [
        ("low noise, seeds 0-9", _simulated("low", SEEDS)),
        ("low noise, seeds 10-19", _simulated("low", OTHER_SEEDS)),
        ("real noise, seeds 0-9", _simulated("real", SEEDS)),
    ]
    if material.real_weights:
        runs.append((f"{MODEL}, seeds 0-1", _real(material, cache)))
    for name, scores in runs:
        section.rows += _rows(name, pool(event for score in scores for event in score.events))
    section.notes += _notes(material)
    return section


def _simulated(noise: str, seeds: range) -> Iterable[CameraScore]:
    for seed in seeds:
        yield from evaluate_shop(Shop(seed=seed), noise=NOISES[noise])


def _real(material: Material, cache: Path) -> Iterable[CameraScore]:
    store = WeightsStore(cache / "weights", [material.weights_dir], allow_download=False)
    engine = Engine(EngineConfig(cache_dir=cache, weights=store))
    try:
        for seed in DETECTOR_SEEDS:
            yield from evaluate_shop(Shop(seed=seed), engine=engine)
    finally:
        engine.close()


def _rows(name: str, scores: Sequence[EventScore]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for kind in ("crossing", "entry", "exit", "dwell"):
        chosen = [score for score in scores if score.kind == kind]
        rows.append(
            (
                name,
                kind,
                str(sum(score.true for score in chosen)),
                str(sum(score.missed for score in chosen)),
                str(sum(score.extra for score in chosen)),
                _spread([error for score in chosen for error in score.dwell_errors]),
                _spread([late for score in chosen for late in score.latencies]),
            )
        )
    return rows


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    sizes = [abs(value) for value in values]
    return f"{sum(sizes) / len(sizes):.3f} (max {max(sizes):.3f})"


def _notes(material: Material) -> list[str]:
    notes = [
        "Four cameras of 640x480 at 12 frames a second, 80 seconds a seed, ByteTrack with the "
        "settings of a new camera; a frame is 0.083 s. Truth is worked out from floor "
        "coordinates in metres. Late: from when an event could be known until it was announced, "
        "in the camera's time.",
        f"Low noise: {LOW_NOISE}. Real noise: {NOISES['real']}.",
    ]
    if not material.real_weights:
        notes.append(f"Not measured: {MODEL}, whose weights are not at hand.")
    return notes
