"""What there is at all: rows, stored files, folders of work."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from django.conf import settings

from common.models import DerivedFile, Job, Upload
from common.storage.work import work_root
from detector.models import DetectionSession
from video_analysis.models import Event, Track, TrajectoryChunk, VideoAnalysis

MODELS = (
    *(Upload, DetectionSession, VideoAnalysis, DerivedFile, Job),
    *(Track, Event, TrajectoryChunk),
)


def rows() -> dict[str, int]:
    """Rows by model."""
    return {model.__name__: model.objects.count() for model in MODELS}


def media() -> list[str]:
    """Stored files."""
    root = Path(settings.MEDIA_ROOT)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def stored() -> dict[str, int]:
    """How many files there are, by folder."""
    return dict(Counter(name.partition("/")[0] for name in media()))


def work() -> list[str]:
    """What is being made."""
    return sorted(path.name for path in work_root().iterdir())


def remains() -> tuple[dict[str, int], list[str], list[str]]:
    """All of it, to be compared with what there was before."""
    return rows(), media(), work()
