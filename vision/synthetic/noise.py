"""A detector that errs like a real one, so that trackers can be judged without a network."""

from dataclasses import dataclass

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.synthetic.truth import GroundTruth

__all__ = ["DetectorModel", "noisy_detections"]


@dataclass(frozen=True, slots=True)
class DetectorModel:
    """How a detector errs.

    Attributes:
        jitter: Standard deviation of each side of a box, as a share of the box's size.
        recall: 0..1, how often a person in full view is found; less in proportion to what is
            hidden.
        blind_below: 0..1; who is visible less than this is never found.
        false_positives: Boxes a frame that show nobody, on average.
    """

    jitter: float = 0.02
    recall: float = 0.97
    blind_below: float = 0.25
    false_positives: float = 0.1


def noisy_detections(
    truth: GroundTruth,
    *,
    seed: int,
    size: tuple[int, int],
    model: DetectorModel | None = None,
) -> sv.Detections:
    """Return what an imperfect detector would find in a frame.

    Args:
        truth: Who is really there.
        seed: With the frame's index it decides every error: equal calls give equal results.
        size: Width and height of the picture in pixels.
        model: How the detector errs.

    Returns:
        Class 0 (``"person"``), confidences 0.25..1, no ``tracker_id``.
    """
    model = model or DetectorModel()
    rng = np.random.default_rng([seed, 7, truth.index])
    # The numbers are drawn for everybody, so that who is missed does not move the others.
    chance, wobble = rng.random(len(truth)), rng.normal(0, 1, (len(truth), 4))
    spread = rng.normal(0, 0.06, len(truth))
    found = (truth.visible >= model.blind_below) & (chance < model.recall * truth.visible**0.5)
    sides = np.tile(truth.boxes[:, 2:] - truth.boxes[:, :2], 2)
    boxes = (truth.boxes + wobble * model.jitter * sides)[found]
    confidence = (0.35 + 0.55 * truth.visible + spread)[found].clip(0.25, 1)
    ghosts = _ghosts(rng, int(rng.poisson(model.false_positives)), size)
    xyxy = np.concatenate([boxes, ghosts]).clip(0, np.array(size * 2))
    scores = np.concatenate([confidence, rng.uniform(0.25, 0.6, len(ghosts))])
    return sv.Detections(
        xyxy=xyxy.astype(np.float32).reshape(-1, 4),
        confidence=scores.astype(np.float32),
        class_id=np.zeros(len(xyxy), np.int64),
        data={"class_name": np.full(len(xyxy), "person")},
    )


def _ghosts(rng: np.random.Generator, count: int, size: tuple[int, int]) -> NDArray[np.float64]:
    width, height = size
    tall = rng.uniform(0.15, 0.5, count) * height
    wide = tall * rng.uniform(0.3, 0.5, count)
    left = rng.uniform(0, 1, count) * (width - wide)
    top = rng.uniform(0, 1, count) * (height - tall)
    return np.stack([left, top, left + wide, top + tall], axis=1)
