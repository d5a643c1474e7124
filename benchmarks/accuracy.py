"""Accuracy: mAP on COCO pictures, ours beside ultralytics' with the same weights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from supervision import Detections

from benchmarks.engine import ensure_quantized, make_engine
from benchmarks.material import Material, Picture
from benchmarks.peers import PeerResult, UltralyticsPeer
from benchmarks.report import Section
from vision.evaluation import CocoResult, evaluate

# COCO's own protocol: precision at every recall, so nearly every box counts.
CONFIDENCE = 0.001
CARDS = {"yolov8n": False, "yolov8n-seg": True}


@dataclass(frozen=True)
class _Trial:
    """One card on the pictures, and what the peer found on them."""

    material: Material
    annotations: Path
    cache: Path
    card: str
    pictures: dict[str, Picture]
    reference: dict[str, Detections]

    def score(self, found: dict[str, Detections]) -> CocoResult:
        return evaluate(found, self.annotations)

    def peer(self, names: Sequence[str]) -> CocoResult:
        return self.score({name: self.reference[name] for name in names})

    def ours(self, precision: str, cache: Path, names: Sequence[str]) -> tuple[str, CocoResult]:
        """Returns the precision that was used, and the score."""
        engine = make_engine(self.material, cache, precision)
        images = [self.pictures[name] for name in names]
        found = engine.detect(images, model=self.card, confidence=CONFIDENCE)
        used = engine.describe(self.card).precision
        engine.close()
        return used, self.score(dict(zip(names, found, strict=True)))


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    """``rounds`` is ignored: accuracy does not vary from run to run."""
    section = Section(
        "Accuracy on COCO pictures",
        ("model", "contender", "box mAP50-95", "to the peer", "mask mAP50-95", "to the peer"),
    )
    if material.pictures_dir is None or material.annotations is None or not material.real_weights:
        section.notes.append("Not measured: needs SIGHTLINE_TEST_DATA and VISION_WEIGHTS_DIR.")
        return section
    pictures = {name: _read(material.pictures_dir / name) for name in _names(material.annotations)}
    for card, masks in CARDS.items():
        with UltralyticsPeer(material.weights(card), conf=CONFIDENCE, retina_masks=masks) as peer:
            peer.load(list(pictures.values()))
            found = [_as_detections(result) for result in peer.results()]
        reference = dict(zip(pictures, found, strict=True))
        trial = _Trial(material, material.annotations, cache, card, pictures, reference)
        section.rows += [*_float_rows(trial), *_int8_rows(trial)]
    section.notes.append(
        f"{len(pictures)} pictures at confidence {CONFIDENCE}, IoU 0.7. INT8 is calibrated on the "
        f"{len(pictures) // 2} pictures of odd position and scored on the others, as is its peer."
    )
    return section


def _float_rows(trial: _Trial) -> Iterator[tuple[str, ...]]:
    names = list(trial.pictures)
    peer = trial.peer(names)
    yield _row(trial.card, "ultralytics predict", peer, None)
    for precision in ("fp32", "auto"):
        used, ours = trial.ours(precision, trial.cache, names)
        yield _row(trial.card, f"Sightline {used}", ours, peer)


def _int8_rows(trial: _Trial) -> Iterator[tuple[str, ...]]:
    names = list(trial.pictures)
    scored, calibration = names[::2], names[1::2]
    # A cache of its own: the other benchmarks' INT8 network has seen other pictures.
    cache = trial.cache / "int8-half"
    pictures = [trial.pictures[name] for name in calibration]
    ensure_quantized(trial.material, cache, pictures, trial.card)
    used, ours = trial.ours("int8", cache, scored)
    peer = trial.peer(scored)
    yield _row(trial.card, f"ultralytics predict, {len(scored)} pictures", peer, None)
    yield _row(trial.card, f"Sightline {used}, {len(scored)} pictures", ours, peer)


def _names(annotations: Path) -> list[str]:
    images = json.loads(annotations.read_text(encoding="utf-8"))["images"]
    return sorted(str(image["file_name"]) for image in images)


def _read(path: Path) -> Picture:
    picture = cv2.imread(str(path))
    assert picture is not None, path
    return np.asarray(picture, dtype=np.uint8)


def _as_detections(result: PeerResult) -> Detections:
    return Detections(
        xyxy=result.xyxy,
        confidence=result.confidence,
        class_id=result.class_id,
        mask=result.masks if len(result.xyxy) else None,
    )


def _row(card: str, who: str, ours: CocoResult, peer: CocoResult | None) -> tuple[str, ...]:
    box, mask = ours.box.map50_95, ours.mask.map50_95 if ours.mask else None
    peer_mask = peer.mask.map50_95 if peer is not None and peer.mask else None
    return (
        card,
        who,
        f"{box:.4f}",
        f"{box - peer.box.map50_95:+.4f}" if peer else "",
        f"{mask:.4f}" if mask is not None else "",
        f"{mask - peer_mask:+.4f}" if mask is not None and peer_mask is not None else "",
    )
