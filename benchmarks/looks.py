"""How alike the people of the synthetic scenes look to a re-identification network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from benchmarks.material import Material
from benchmarks.report import Section
from vision.synthetic import Look, looks, sprite_of

WEIGHTS = "osnet_x0_25_msmt17.onnx"
ALIKE = 0.8  # cosine similarity above which people are commonly taken for one
_SIZE = (128, 256)  # width, height of the network's input
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # ImageNet, RGB
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_GREY = 120.0  # behind the cut-outs


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    section = Section(
        "Looks of the synthetic people, cosine similarity by OSNet x0.25",
        ("pairs", "number", "minimum", "median", "maximum", f"above {ALIKE}"),
    )
    weights = material.weights_dir / WEIGHTS
    if not weights.exists():
        section.notes.append(f"Not measured: {WEIGHTS} is not among the weights.")
        return section
    everyone = looks()
    embeddings = embed([_portrait(look) for look in everyone], weights)
    similarity = embeddings @ embeddings.T
    first, second = np.triu_indices(len(everyone), k=1)
    figures = np.array([look.figure for look in everyone])
    same = figures[first] == figures[second]
    for name, chosen in (
        (f"all {len(everyone)} looks", np.ones_like(same)),
        ("of one cut-out", same),
        ("of two cut-outs", ~same),
    ):
        section.rows.append(_row(name, similarity[first[chosen], second[chosen]]))
    section.notes.append(
        "Each look is a cut-out, either way round, in a coat and trousers of its own colours; "
        "every one is compared with every other before plain grey."
    )
    return section


def embed(crops: list[NDArray[np.uint8]], weights: Path) -> NDArray[np.float32]:
    """Return (N, 512) float32 of length 1 for BGR crops."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    resized = [cv2.resize(crop, _SIZE, interpolation=cv2.INTER_LINEAR) for crop in crops]
    batch = (np.stack(resized)[..., ::-1].astype(np.float32) / 255 - _MEAN) / _DEVIATION
    inputs = {session.get_inputs()[0].name: np.ascontiguousarray(batch.transpose(0, 3, 1, 2))}
    features = np.asarray(session.run(None, inputs)[0], np.float32)
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def _portrait(look: Look) -> NDArray[np.uint8]:
    sprite = sprite_of(look)
    share = sprite.alpha[..., None] / 255
    return (sprite.image * share + _GREY * (1 - share)).astype(np.uint8)


def _row(name: str, values: NDArray[np.float32]) -> tuple[str, ...]:
    return (
        name,
        str(len(values)),
        f"{values.min():.2f}",
        f"{np.median(values):.2f}",
        f"{values.max():.2f}",
        str(int((values > ALIKE).sum())),
    )
