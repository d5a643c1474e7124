"""One-pass styles: the whole call against the network alone, and frames of a video."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort

from benchmarks.material import Material, Picture
from benchmarks.report import Section
from benchmarks.timing import Rates, measure_interleaved, ratio
from vision.detection.hardware import available_cpus, has_bf16
from vision.encoding.images import encode_jpeg
from vision.encoding.video import VideoWriter
from vision.sources.videos import open_video
from vision.style.feed_forward import FeedForwardStylizer
from vision.style.framing import plan_framing, reduce_picture
from vision.style.graphs import MULTIPLE, load_for_any_size, needed_margin
from vision.style.videos import stylize_video
from vision.weights import WeightsStore
from vision.weights.cards import WeightsFile

TITLE = "Fast style, 640x640 array to a painted JPEG of 256x256"
COLUMNS = ("contender", "ms a picture", "pictures/s", "time, x raw", "time, x raw with its margin")
NETWORK = "style_rain_princess.onnx"
CLIP = "vtest_480x360.mp4"
_SIDE = 256
_CLIP_SIDE, _CLIP_FRAMES = 320, 25
RAW, RAW_FRAMED = "ONNX Runtime, network alone", "ONNX Runtime, network alone, with its margin"


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    section = Section(TITLE, COLUMNS)
    path = material.weights_dir / NETWORK
    if not path.exists():
        section.notes.append(f"Not measured: it needs {NETWORK}.")
        return section
    card = _card(path)
    store = WeightsStore(cache / "fast_style", [material.weights_dir], allow_download=False)
    picture = cv2.resize(_texture(), (640, 640), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    raw = _Raw(path, picture)
    painters = {
        f"Sightline {precision}, whole call": FeedForwardStylizer(
            card, store, longer_side=_SIDE, precision=precision
        )
        for precision in (("fp32", "bf16") if has_bf16() else ("fp32",))
    }
    contenders: dict[str, Callable[[], int]] = {RAW: raw.run, RAW_FRAMED: raw.run_framed}
    contenders |= {name: _whole_call(painter, picture) for name, painter in painters.items()}
    rates = measure_interleaved(contenders, rounds=4 * rounds)  # a round is under a second
    for name, figures in rates.items():
        section.rows.append(_row(name, figures, rates))
    section.notes.append(
        f"Whole call: reduce, mirror {raw.margin} pixels around, paint, cut out, encode. This "
        f"network needs the margin ({raw.framed_side} pixels a side instead of {_SIDE}), since it "
        "continues pictures with zeros; those of the model zoo need none. All on "
        f"{available_cpus()} threads, taking turns; median of the rounds."
    )
    section.notes += _video_notes(material, cache, painters)
    for painter in painters.values():
        painter.close()
    return section


class _Raw:
    """ONNX Runtime on blobs that are ready."""

    def __init__(self, path: Path, picture: Picture) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = available_cpus()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        model = load_for_any_size(path)
        self.margin = needed_margin(model)
        self._session = ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._name = self._session.get_inputs()[0].name
        self._bare = self._blob(picture, 0)
        self._framed = self._blob(picture, self.margin)
        self.framed_side = self._framed.shape[2]

    def run(self) -> int:
        self._session.run(None, {self._name: self._bare})
        return 1

    def run_framed(self) -> int:
        self._session.run(None, {self._name: self._framed})
        return 1

    @staticmethod
    def _blob(picture: Picture, margin: int) -> Any:
        framing = plan_framing(_SIDE, _SIDE, margin=margin, multiple=MULTIPLE)
        framed = framing.add(reduce_picture(picture, _SIDE))
        return np.ascontiguousarray(framed.transpose(0, 3, 1, 2), np.float32)


def _whole_call(painter: FeedForwardStylizer, picture: Picture) -> Callable[[], int]:
    def call() -> int:
        encode_jpeg(painter.stylize(picture).image)
        return 1

    return call


def _row(name: str, figures: Rates, rates: dict[str, Rates]) -> tuple[str, ...]:
    return (
        name,
        f"{figures.milliseconds:.1f}",
        f"{figures.median:.1f}",
        f"{1 / ratio(figures, rates[RAW]):.2f}",
        f"{1 / ratio(figures, rates[RAW_FRAMED]):.2f}",
    )


def _video_notes(
    material: Material, cache: Path, painters: dict[str, FeedForwardStylizer]
) -> list[str]:
    clip = material.video(CLIP)
    if clip is None:
        return [f"No video: SIGHTLINE_TEST_DATA has no videos/{CLIP}."]
    short = _cut(clip, cache / "fast_style.mp4")
    notes = []
    for name, painter in painters.items():
        stylize_video(short, cache / "painted.mp4", painter, longer_side=64)  # warm
        made = stylize_video(short, cache / "painted.mp4", painter, longer_side=_CLIP_SIDE)
        notes.append(
            f"Video, {name.split(',')[0]}: {made.width}x{made.height}, {made.frames} frames "
            f"decoded, painted and encoded as H.264, compiling included: "
            f"{made.frames / made.seconds:.1f} frames/s."
        )
    return notes


def _cut(clip: Path, target: Path) -> Path:
    """Write the first second of a clip."""
    with open_video(clip) as source:
        info = source.info
        with VideoWriter(target, width=info.width, height=info.height, rate=info.rate) as writer:
            for frame in source:
                if frame.index >= _CLIP_FRAMES:
                    break
                writer.write(frame.image, frame.timestamp)
    return target


def _card(path: Path) -> WeightsFile:
    known = json.loads((path.parent / "MANIFEST.json").read_text())[path.name]
    return WeightsFile(path.stem, path.name, "", known["sha256"], known["bytes"], known["licence"])


def _texture() -> Picture:
    return np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
