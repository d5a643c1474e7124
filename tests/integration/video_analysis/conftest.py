"""Clips, and videos that are analysed already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detector.models import DetectionSession
from tests.integration.detector.conftest import (  # noqa: F401
    engine,
    other_api,
    real_engine,
    token_api,
)
from tests.made_videos import make_clip
from tests.made_videos import make_video_session as make


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a square that walks: H.264 in MP4, 160 x 120, 10 frames a second."""
    return make_clip(tmp_path_factory.mktemp("clip") / "street.mp4")


@pytest.fixture
def make_video_session(user: Any, clip: Path) -> Callable[..., DetectionSession]:
    """Stores videos with their result; ``owner`` is ``user`` unless another is named."""

    def act(owner: Any = None, **options: Any) -> DetectionSession:
        return make(owner or user, **{"clip": clip, **options})

    return act


@pytest.fixture
def video_session(make_video_session: Callable[..., DetectionSession]) -> DetectionSession:
    """A video of ``user`` that is analysed: three tracks, motion, two activities of a person."""
    return make_video_session()
