"""Faces: found and embedded at 720p, against face_recognition."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.material import Material, Picture
from benchmarks.report import Section
from benchmarks.timing import measure_interleaved, ratio
from vision.errors import VisionError
from vision.evaluation.faces_pictures import import_peer
from vision.faces import FaceConfig, FaceEngine, create_face_engine
from vision.weights import FACE_CARDS, WeightsStore

TITLE = "Faces, 720p array with 4 faces to boxes and embeddings"
COLUMNS = ("contender", "ms a picture", "x peer", "faces found", "embeddings, distance to the peer")
_PORTRAITS = (
    "known/train/obama/obama.jpg",
    "known/train/biden/biden.jpg",
    "known/train/rose_leslie/img2.jpg",
    "known/train/alex_lacamoire/img1.jpg",
)
_HEIGHT = 420  # of each portrait in the picture


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    section = Section(TITLE, COLUMNS)
    data = os.environ.get("SIGHTLINE_TEST_DATA")
    yunet = material.weights_dir / FACE_CARDS["yunet"].file
    if not data or not yunet.exists():
        section.notes.append("Not measured: it needs the pictures of faces and YuNet.")
        return section
    face_recognition = import_peer()
    picture = make_picture(Path(data) / "faces")
    colours = np.ascontiguousarray(picture[:, :, ::-1])
    store = WeightsStore(cache / "faces", [material.weights_dir], allow_download=False)
    engine = create_face_engine(FaceConfig(store))
    runtime = create_face_engine(FaceConfig(store, embedder="dlib"))
    contenders: dict[str, Callable[[], int]] = {
        "peer": lambda: _peer(face_recognition, colours),
        "ours": lambda: _ours(engine, picture),
        "runtime": lambda: _ours(runtime, picture),
    }
    try:
        rates = measure_interleaved(contenders, rounds=rounds)
        wanted = np.array(face_recognition.face_encodings(colours))
        names = {
            "peer": "face_recognition: face_locations, face_encodings",
            "ours": f"Sightline: {engine.detector}, dlib's network in OpenVINO",
            "runtime": f"Sightline: {runtime.detector}, dlib's own runtime",
        }
        for name, title in names.items():
            found = contenders[name]()
            moved = (
                ""
                if name == "peer"
                else _moved({"ours": engine}.get(name, runtime), picture, wanted)
            )
            section.rows.append(
                (
                    title,
                    f"{1000 * found / rates[name].median:.1f}",
                    f"{ratio(rates[name], rates['peer']):.1f}",
                    str(found),
                    moved,
                )
            )
    except VisionError as error:
        section.notes.append(f"Not measured: {error.message}")
    finally:
        engine.close()
        runtime.close()
    section.notes.append(
        "Four portraits beside one another; found, judged and embedded, one picture a call."
    )
    return section


def make_picture(folder: Path) -> Picture:
    """Return 1280x720 with four faces of 100 to 150 pixels."""
    canvas = np.full((720, 1280, 3), 96, np.uint8)
    left = 0
    for name in _PORTRAITS:
        portrait = cv2.imread(str(folder / name))
        assert portrait is not None, name
        scale = _HEIGHT / portrait.shape[0]
        small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        small = small[:, : 1280 // len(_PORTRAITS)]
        canvas[150 : 150 + _HEIGHT, left : left + small.shape[1]] = small
        left += 1280 // len(_PORTRAITS)
    return canvas


def _ours(engine: FaceEngine, picture: Picture) -> int:
    (found,) = engine.detect([picture])
    return len(engine.embed(picture, found))


def _peer(peer: Any, colours: Picture) -> int:
    return len(peer.face_encodings(colours, peer.face_locations(colours)))


def _moved(engine: FaceEngine, picture: Picture, wanted: np.ndarray) -> str:
    (found,) = engine.detect([picture])
    apart = np.linalg.norm(engine.embed(picture, found)[:, None] - wanted[None], axis=2).min(axis=1)
    return f"mean {apart.mean():.3f}, at most {apart.max():.3f}"
