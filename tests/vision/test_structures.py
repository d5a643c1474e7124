"""The plain values of the engine."""

from datetime import UTC, datetime

import numpy as np
import pytest

from vision.errors import ModelError, PictureError, VisionError, WeightsError
from vision.structures import Frame, Priority


def test_live_work_goes_first() -> None:
    assert sorted(Priority) == [Priority.LIVE, Priority.INTERACTIVE, Priority.BATCH]
    assert list(map(int, sorted(Priority))) == [0, 1, 2]


def test_a_frame_knows_its_size() -> None:
    frame = Frame(np.zeros((4, 6, 3), np.uint8), 0, 0.04, datetime.now(UTC), "camera")
    assert (frame.width, frame.height) == (6, 4)
    with pytest.raises(AttributeError):
        frame.index = 2  # type: ignore[misc]


@pytest.mark.parametrize("kind", [PictureError, WeightsError, ModelError])
def test_errors_have_a_code_and_a_sentence(kind: type[VisionError]) -> None:
    error = kind("a_code", "A sentence.")
    assert isinstance(error, VisionError)
    assert (error.code, error.message, str(error)) == ("a_code", "A sentence.", "A sentence.")
