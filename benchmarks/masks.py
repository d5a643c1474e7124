"""Segmentation: 1080p pictures in, full-resolution masks out, against ``retina_masks=True``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.agreement import match_masks
from benchmarks.engine import make_engine
from benchmarks.material import Material, Picture, load_pictures
from benchmarks.peers import UltralyticsPeer
from benchmarks.report import Section
from benchmarks.timing import measure_interleaved, ratio
from vision.engine import Engine

CARD = "yolov8n-seg"
OBJECTS = 20


def _crowded(material: Material, confidence: float, count: int = 4) -> list[Picture]:
    """The pictures on which the peer finds close to 20 objects."""
    pictures = load_pictures(material, 48, 1920, 1080)
    with UltralyticsPeer(material.weights(CARD), conf=confidence) as peer:
        peer.load(pictures)
        found = [len(result.xyxy) for result in peer.results()]
    order = np.argsort(np.abs(np.asarray(found) - OBJECTS))[:count]
    return [pictures[i] for i in order]


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    # Low enough that the real network finds 20 objects, high enough that a random one stays near.
    confidence = 0.1 if material.real_weights else 0.5
    pictures = _crowded(material, confidence)
    engine = make_engine(material, cache, "auto")
    precise = make_engine(material, cache, "fp32")
    options = {"conf": confidence, "retina_masks": True}
    with UltralyticsPeer(material.weights(CARD), **options) as peer:
        peer.load(pictures)
        contenders = {
            "peer": peer.run,
            "auto": lambda: _one_by_one(engine, pictures, confidence),
            "fp32": lambda: _one_by_one(precise, pictures, confidence),
        }
        rates = measure_interleaved(contenders, rounds=rounds)
        reference = peer.results()
    section = Section(
        "Segmentation, 1080p array to full-resolution masks, whole call, yolov8n-seg",
        ("contender", "ms a picture", "x peer", "objects a picture", "mean mask IoU to the peer"),
    )
    counts = np.mean([len(result.xyxy) for result in reference])
    section.rows.append(
        (
            "ultralytics predict(retina_masks=True)",
            f"{rates['peer'].milliseconds:.1f}",
            "1.00",
            f"{counts:.1f}",
            "",
        )
    )
    for name, contender in (("auto", engine), ("fp32", precise)):
        results = contender.detect(pictures, model=CARD, confidence=confidence)
        overlaps = np.concatenate(
            [match_masks(ours, theirs) for ours, theirs in zip(results, reference, strict=True)]
        )
        section.rows.append(
            (
                f"Sightline {contender.describe(CARD).precision}",
                f"{rates[name].milliseconds:.1f}",
                f"{ratio(rates[name], rates['peer']):.2f}",
                f"{np.mean([len(r) for r in results]):.1f}",
                f"{overlaps.mean():.4f} over {overlaps.size}" if overlaps.size else "none matched",
            )
        )
        contender.close()
    section.notes.append(
        f"The {len(pictures)} pictures on which the peer finds closest to {OBJECTS} objects at "
        f"confidence {confidence}, one picture a call; ultralytics as a plain call."
    )
    return section


def _one_by_one(engine: Engine, pictures: list[Picture], confidence: float) -> int:
    return sum(len(engine.detect([p], model=CARD, confidence=confidence)) for p in pictures)
