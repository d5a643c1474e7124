"""The files that belong to an analysis."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from common.models import DerivedFile
from common.uploads.services import require_picture
from detector.errors import SessionConflictError
from detector.models import DetectionSession
from video_analysis.models import VideoAnalysis


def file_ids(analysis: VideoAnalysis) -> list[Any]:
    """The ids of the derived files that an analysis points at."""
    ids = (analysis.annotated_id, analysis.snapshots_id, analysis.heat_id)
    return [pk for pk in ids if pk is not None]


def delete_files_of(instance: VideoAnalysis, **kwargs: Any) -> None:
    """Delete the files of a deleted analysis, on commit; a signal receiver."""
    DerivedFile.objects.filter(pk__in=file_ids(instance)).delete()


def require_done(session: DetectionSession) -> DetectionSession:
    """The session, if it has a result.

    Raises:
        SessionConflictError: ``not_done``.
    """
    if session.status != DetectionSession.Status.DONE:
        raise SessionConflictError("not_done", "This video has no result yet.")
    return session


def require_derived(session: DetectionSession, derived: DerivedFile | None) -> DerivedFile:
    """What was made of a video.

    Raises:
        PictureRemoved: It was older than files are kept.
        SessionConflictError: ``not_done``.
        Http404: It was lost.
    """
    require_picture(session.upload)
    require_done(session)
    if derived is None:
        raise Http404("There is no such file.")
    return derived
