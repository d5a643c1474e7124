"""Cards of the networks that can be installed.

A card pins its file by SHA-256 and size, so weights are the published ones or they are not loaded.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

from vision.errors import ModelError

Task = Literal["detect", "segment", "pose"]
FaceTask = Literal["face-detect", "emotion"]
TASKS: Final[tuple[Task, ...]] = get_args(Task)

COCO_CLASSES: Final[tuple[str, ...]] = (
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    *("traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat"),
    *("dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack"),
    *("umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball"),
    *("kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket"),
    *("bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple"),
    *("sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair"),
    *("couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse"),
    *("remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink"),
    *("refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier"),
    *("toothbrush",),
)
"""The 80 classes of COCO 2017 in the order of the networks' outputs."""


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """What is known about a weights file before it is opened.

    Attributes:
        name: Name of the model, e.g. ``"yolov8n-seg"``.
        file: File name, in search directories and in the cache.
        url: Official source (https); empty where the file is published nowhere as it is.
        sha256: Lower-case hex digest of the official file; its first digits, eight at least, where
            no more are published.
        bytes: Its size.
        licence: SPDX identifier.
    """

    name: str
    file: str
    url: str
    sha256: str
    bytes: int
    licence: str


@dataclass(frozen=True, slots=True)
class WeightsCard(WeightsFile):
    """A network that finds objects.

    Attributes:
        task: What the network answers.
        classes: Class names; the position is the class id.
        input_size: Longer side of the network's input, in pixels.
    """

    task: Task
    classes: tuple[str, ...]
    input_size: int = 640


@dataclass(frozen=True, slots=True)
class FaceCard(WeightsFile):
    """A network for faces: never offered where objects are to be found.

    Attributes:
        task: What the network answers.
        classes: Class names; the position is the class id.
        accuracy: What is known of it, as a sentence to be shown to people; may be empty.
    """

    task: FaceTask
    classes: tuple[str, ...]
    accuracy: str


_RELEASES = "https://github.com/ultralytics/assets/releases/download"

# name, task, release, bytes, sha256 as published with the release's files
_YOLOV8: Final[tuple[tuple[str, Task, str, int, str], ...]] = (
    (
        *("yolov8n", "detect", "v8.3.0", 6_549_796),
        "f59b3d833e2ff32e194b5bb8e08d211dc7c5bdf144b90d2c8412c47ccfc83b36",
    ),
    (
        *("yolov8s", "detect", "v8.4.0", 22_588_772),
        "1f47a78bf100391c2a140b7ac73a1caae18c32779be7d310658112f7ac9aa78a",
    ),
    (
        *("yolov8m", "detect", "v8.4.0", 52_136_884),
        "5d4a90cdc7a21786cc59cd19778e9eafff836df9e2da32524737c7ee6efe4fe5",
    ),
    (
        *("yolov8l", "detect", "v8.4.0", 87_792_836),
        "64c9115303f6a25575f82200d1b22ec409fa6bd7d08d0313884fc20d919478cd",
    ),
    (
        *("yolov8x", "detect", "v8.4.0", 136_890_692),
        "3df4ada6b4dad6d657868f2fdf7faecfb34dcfccf3a25c4b82079064718524c8",
    ),
    (
        *("yolov8n-seg", "segment", "v8.3.0", 7_071_756),
        "a7cd8f929e1903d78a12a48efecab430209f18dc46cb96c3599a5980c63c423c",
    ),
    (
        *("yolov8s-seg", "segment", "v8.4.0", 23_914_764),
        "0bac0770b55e5eb5b76a61bc535673288dcec36c2bc0cd25ee0d584c632f3413",
    ),
    (
        *("yolov8m-seg", "segment", "v8.4.0", 54_921_020),
        "51fa7e5ef385efa6d5b1d8e31b73399be6ed5d7ca71bda4bd4b2794bb445c4f4",
    ),
    (
        *("yolov8l-seg", "segment", "v8.4.0", 92_417_004),
        "ca3ec94c445aeaf79c2b57982fb451060f18a7561e2c20b4d26bb9dc1fcabf93",
    ),
    (
        *("yolov8x-seg", "segment", "v8.4.0", 144_101_612),
        "c333d6a7aff884ec821050eacdab29871f3edd10d996cf48746a02f8e01f1b5d",
    ),
    (
        *("yolov8n-pose", "pose", "v8.3.0", 6_832_633),
        "c6fa93dd1ee4a2c18c900a45c1d864a1c6f7aba75d84f91648a30b7fb641d212",
    ),
)

CARDS: Final[Mapping[str, WeightsCard]] = MappingProxyType(
    {
        name: WeightsCard(
            name=name,
            task=task,
            file=f"{name}.pt",
            url=f"{_RELEASES}/{release}/{name}.pt",
            sha256=sha256,
            bytes=size,
            licence="AGPL-3.0-only",
            classes=("person",) if task == "pose" else COCO_CLASSES,
        )
        for name, task, release, size, sha256 in _YOLOV8
    }
)
"""All cards of object detectors by model name."""

FACE_CARDS: Final[Mapping[str, FaceCard]] = MappingProxyType(
    {
        "yunet": FaceCard(
            name="yunet",
            file="face_detection_yunet_2026may.onnx",
            url="https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"
            "face_detection_yunet/face_detection_yunet_2026may.onnx",
            sha256="ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
            bytes=229_738,
            licence="MIT",
            task="face-detect",
            classes=("face",),
            accuracy="",
        ),
        "mini-xception-fer2013": FaceCard(
            name="mini-xception-fer2013",
            file="emotion_mini_xception_fer2013.onnx",
            # Published in another format only: the converted file is put beside the weights.
            url="",
            sha256="6c0e5afe8e63dd44aae16083579df9ca6a80dcf239cf444dfbde34398fc3fc07",
            bytes=232_686,
            licence="MIT",
            task="emotion",
            classes=("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
            accuracy="66% on FER2013 as published; people reach about 65% there.",
        ),
    }
)
"""The cards of the networks for faces by model name."""


def get_card(name: str) -> WeightsCard:
    """Return the card of a model.

    Raises:
        ModelError: ``unknown_model``.
    """
    card = CARDS.get(name)
    if card is None:
        raise ModelError(
            "unknown_model",
            f"There is no model {_shown(name)}; the models are {', '.join(CARDS)}.",
        )
    return card


def get_face_card(name: str) -> FaceCard:
    """Return the card of a network for faces.

    Raises:
        ModelError: ``unknown_model``.
    """
    card = FACE_CARDS.get(name)
    if card is None:
        raise ModelError(
            "unknown_model",
            f"There is no model {_shown(name)} for faces; there are {', '.join(FACE_CARDS)}.",
        )
    return card


def cards_for(task: Task) -> tuple[WeightsCard, ...]:
    """Return the cards of one task, smallest network first."""
    return tuple(card for card in CARDS.values() if card.task == task)


def resolve_classes(card: WeightsCard, names_or_ids: Iterable[str | int]) -> list[int]:
    """Translate class names or ids into class ids: sorted, without repetition.

    Names are compared without regard to case and surrounding blanks; a string of digits counts as
    an id. An empty iterable gives an empty list.

    Raises:
        ModelError: ``unknown_class``; the message proposes the nearest name.
    """
    by_name = {name.casefold(): index for index, name in enumerate(card.classes)}
    found: set[int] = set()
    for item in names_or_ids:
        index = _class_index(item, by_name)
        if index is None or not 0 <= index < len(card.classes):
            raise ModelError("unknown_class", _unknown_class(card, item))
        found.add(index)
    return sorted(found)


def _class_index(item: str | int, by_name: Mapping[str, int]) -> int | None:
    if isinstance(item, bool):
        return None
    if isinstance(item, int):
        return item
    text = item.strip().casefold()
    if text in by_name:
        return by_name[text]
    # Three digits are enough for every card; int() would also read "²" and thousands of digits.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None


def _unknown_class(card: WeightsCard, item: str | int) -> str:
    near = difflib.get_close_matches(str(item).strip().casefold()[:40], card.classes, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"{card.name} knows no class {_shown(item)}{hint}"


def _shown(value: object) -> str:
    """Return a value from outside, quoted and short enough for a message."""
    text = str(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")
