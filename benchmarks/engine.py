"""Detection: 1280x720 BGR arrays in, Detections out, against ultralytics' plain call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.agreement import match_boxes
from benchmarks.material import Material, Picture, load_pictures
from benchmarks.peers import PeerResult, UltralyticsPeer
from benchmarks.raw import RawRuntime
from benchmarks.report import Section
from benchmarks.timing import Rates, measure_interleaved, ratio
from vision.engine import Engine, EngineConfig
from vision.export.quantize import quantize
from vision.weights.cards import get_card
from vision.weights.store import WeightsStore

PLAIN, ALL_CORES = "ultralytics, plain call", "ultralytics, torch on all cores"
PRECISIONS = ("auto", "fp32", "int8")


def make_engine(material: Material, cache: Path, precision: str) -> Engine:
    store = WeightsStore(cache / "weights", [material.weights_dir], allow_download=False)
    return Engine(EngineConfig(cache_dir=cache, weights=store, precision=precision))


def ensure_quantized(
    material: Material, cache: Path, pictures: Iterable[Picture], name: str
) -> None:
    quantize(get_card(name), material.weights(name), list(pictures), cache)


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    pictures = load_pictures(material, 32, 1280, 720)
    ensure_quantized(material, cache, pictures, "yolov8n")
    with ExitStack() as stack:
        plain = stack.enter_context(UltralyticsPeer(material.weights("yolov8n")))
        cores = stack.enter_context(UltralyticsPeer(material.weights("yolov8n"), all_cores=True))
        engines = {name: make_engine(material, cache, name) for name in PRECISIONS}
        for engine in engines.values():
            stack.callback(engine.close)
        raw = RawRuntime("yolov8n", material.weights("yolov8n"), cache, 384, 640)
        for peer in (plain, cores):
            peer.load(pictures)
        contenders: dict[str, Callable[[], int]] = {PLAIN: plain.run, ALL_CORES: cores.run}
        for name, engine in engines.items():
            contenders[name] = _detector(engine, pictures)
            contenders[f"{name}, one at a time"] = _one_by_one(engine, pictures)
        contenders["raw"] = raw.run
        rates = measure_interleaved(contenders, rounds=rounds)
        reference = plain.results()
        section = _report(engines, pictures, rates, reference)
    if not material.real_weights:
        section.notes.append(
            "Random weights see hundreds of nearly equal boxes, which the least rounding reorders: "
            "here only the agreement at FP32 says something."
        )
    return section


def _detector(engine: Engine, pictures: list[Picture]) -> Callable[[], int]:
    return lambda: len(engine.detect(pictures))


def _one_by_one(engine: Engine, pictures: list[Picture]) -> Callable[[], int]:
    return lambda: sum(len(engine.detect([picture])) for picture in pictures)


def _report(
    engines: dict[str, Engine],
    pictures: list[Picture],
    rates: dict[str, Rates],
    reference: list[PeerResult],
) -> Section:
    section = Section(
        "Detection, 1280x720 array to boxes, yolov8n",
        ("contender", "ms a picture", "pictures/s", "x plain", "x all cores", "boxes as the peer"),
    )

    def row(name: str, label: str, agreement: str) -> None:
        figures = rates[name]
        section.rows.append(
            (
                label,
                f"{figures.milliseconds:.1f}",
                f"{figures.median:.0f}",
                f"{ratio(figures, rates[PLAIN]):.2f}",
                f"{ratio(figures, rates[ALL_CORES]):.2f}",
                agreement,
            )
        )

    row(PLAIN, PLAIN, "")
    row(ALL_CORES, ALL_CORES, "")
    for name, engine in engines.items():
        info = engine.describe("yolov8n")
        overlaps = [
            match_boxes(ours, peer)
            for ours, peer in zip(engine.detect(pictures), reference, strict=True)
        ]
        close = np.concatenate(overlaps) >= 0.9 if overlaps else np.empty(0)
        agreement = f"{100 * close.mean():.1f}% of {close.size}" if close.size else "none found"
        label = f"Sightline {info.backend} {info.precision}"
        row(name, f"{label}, list of 32", agreement)
        row(f"{name}, one at a time", f"{label}, one at a time", "")
    row("raw", "raw runtime of the default precision, no pre- or post-processing", "")
    section.notes.append(
        "x: pictures/s against each peer, median of the rounds. Boxes as the peer: the share of "
        "the peer's boxes for which ours of the same class has IoU >= 0.9."
    )
    return section
