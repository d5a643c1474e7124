"""Accuracy: mAP on COCO pictures, ours beside ultralytics' with the same weights."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from supervision import Detections

from benchmarks.engine import ensure_quantized, make_engine
from benchmarks.material import Material, Picture
from benchmarks.peers import PeerResult, UltralyticsPeer
from benchmarks.report import Section
from vision.engine import Engine
from vision.evaluation import CocoResult, evaluate

# COCO's own protocol: precision at every recall, so nearly every box counts.
CONFIDENCE = 0.001
CARDS = {"yolov8n": False, "yolov8n-seg": True}


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    """``rounds`` is ignored: accuracy does not vary from run to run."""
    section = Section(
        "Accuracy on COCO pictures",
        ("model", "contender", "box mAP50-95", "to the peer", "mask mAP50-95", "to the peer"),
    )
    if material.pictures_dir is None or material.annotations is None or not material.real_weights:
        section.notes.append("Not measured: needs SIGHTLINE_TEST_DATA and VISION_WEIGHTS_DIR.")
        return section
    names = _names(material.annotations)
    pictures = [_read(material.pictures_dir / name) for name in names]
    calibration = names[1::2]
    for card, masks in CARDS.items():
        with UltralyticsPeer(material.weights(card), conf=CONFIDENCE, retina_masks=masks) as peer:
            peer.load(pictures)
            reference = [_as_detections(result) for result in peer.results()]
        _add_rows(section, material, cache, card, names, pictures, reference)
        _add_int8_rows(section, material, cache, card, names, pictures, reference, calibration)
    section.notes.append(
        f"{len(names)} pictures at confidence {CONFIDENCE}, IoU 0.7. INT8 is calibrated on the "
        f"{len(calibration)} pictures of odd position and scored on the others, as is its peer."
    )
    return section


def _add_rows(
    section: Section,
    material: Material,
    cache: Path,
    card: str,
    names: list[str],
    pictures: list[Picture],
    reference: list[Detections],
) -> None:
    annotations = material.annotations
    assert annotations is not None
    peer = evaluate(dict(zip(names, reference, strict=True)), annotations)
    section.rows.append(_row(card, "ultralytics predict", peer, None))
    for precision in ("fp32", "auto"):
        engine = make_engine(material, cache, precision)
        found = _detect(engine, card, pictures)
        ours = evaluate(dict(zip(names, found, strict=True)), annotations)
        section.rows.append(_row(card, f"Sightline {engine.describe(card).precision}", ours, peer))
        engine.close()


def _add_int8_rows(
    section: Section,
    material: Material,
    cache: Path,
    card: str,
    names: list[str],
    pictures: list[Picture],
    reference: list[Detections],
    calibration: list[str],
) -> None:
    annotations = material.annotations
    assert annotations is not None
    scored = [i for i, name in enumerate(names) if name not in set(calibration)]
    calibrate = [pictures[i] for i, name in enumerate(names) if name in set(calibration)]
    folder = cache / "int8-half"
    ensure_quantized(material, folder, calibrate, card)
    engine = make_engine(material, folder, "int8")
    found = _detect(engine, card, [pictures[i] for i in scored])
    engine.close()
    half = [names[i] for i in scored]
    ours = evaluate(dict(zip(half, found, strict=True)), annotations)
    peer = evaluate({names[i]: reference[i] for i in scored}, annotations)
    section.rows.append(_row(card, f"ultralytics predict, {len(half)} pictures", peer, None))
    section.rows.append(_row(card, f"Sightline int8, {len(half)} pictures", ours, peer))


def _detect(engine: Engine, card: str, pictures: list[Picture]) -> list[Detections]:
    return engine.detect(pictures, model=card, confidence=CONFIDENCE)


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
