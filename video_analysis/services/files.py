"""The files that belong to an analysis."""

from __future__ import annotations

from typing import Any

from common.models import DerivedFile
from video_analysis.models import VideoAnalysis


def file_ids(analysis: VideoAnalysis) -> list[Any]:
    """The ids of the derived files that an analysis points at."""
    ids = (analysis.annotated_id, analysis.snapshots_id, analysis.heat_id)
    return [pk for pk in ids if pk is not None]


def delete_files_of(instance: VideoAnalysis, **kwargs: Any) -> None:
    """Delete the files of a deleted analysis, on commit; a signal receiver."""
    DerivedFile.objects.filter(pk__in=file_ids(instance)).delete()
