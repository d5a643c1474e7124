"""Moods: the four labelled expressions that are on hand, and what is no face."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from vision.engine import Engine, EngineConfig
from vision.errors import PictureError, VisionError, WeightsError
from vision.weights import WeightsStore

EXPRESSIONS = {
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "surprised": "surprise",
}


@pytest.fixture
def engine(weights_dir: Path, tmp_path: Path) -> Iterator[Engine]:
    weights = WeightsStore(tmp_path, search_dirs=[weights_dir], allow_download=False)
    with Engine(EngineConfig(cache_dir=tmp_path, weights=weights)) as made:
        yield made


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_crop_that_the_engine_makes_shows_the_expression(
    name: str, engine: Engine, test_data: Path
) -> None:
    """All four. Four pictures prove no accuracy: of FER2013 it gets two in three right."""
    image = cv2.imread(str(test_data / "faces" / "emotions" / f"{name}.jpg"))
    assert image is not None
    faces = engine.faces.detect([image])[0][:1]
    (shares,) = engine.moods.classify(engine.faces.crop(image, faces))
    assert engine.moods.names[int(shares.argmax())] == EXPRESSIONS[name]
    assert shares.sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.weights
def test_no_face_has_no_mood(engine: Engine) -> None:
    assert engine.moods.classify([]).shape == (0, 7)


@pytest.mark.weights
@pytest.mark.parametrize("side", [1, 64, 150])
def test_a_crop_may_have_any_size_and_many_are_answered_as_each_alone(
    side: int, engine: Engine
) -> None:
    crops = [np.full((side, side, 3), shade, np.uint8) for shade in (0, 90, 255)]
    together = engine.moods.classify(crops)
    assert together.shape == (3, 7)
    assert together.dtype == np.float32
    alone = np.concatenate([engine.moods.classify([crop]) for crop in crops])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.weights
@pytest.mark.parametrize("shape", [(150, 150), (150, 150, 4), (0, 150, 3)], ids=str)
def test_what_is_no_picture_is_refused(shape: tuple[int, ...], engine: Engine) -> None:
    with pytest.raises(PictureError):
        engine.moods.classify([np.zeros(shape, np.uint8)])


@pytest.mark.weights
def test_it_closes_with_the_engine(engine: Engine) -> None:
    moods = engine.moods
    engine.close()
    with pytest.raises(VisionError, match="shutting down"):
        moods.classify([np.zeros((150, 150, 3), np.uint8)])


def test_without_its_network_it_says_so(tmp_path: Path) -> None:
    weights = WeightsStore(tmp_path, search_dirs=[], allow_download=False)
    with (
        Engine(EngineConfig(cache_dir=tmp_path, weights=weights)) as made,
        pytest.raises(WeightsError),
    ):
        _ = made.moods
