"""Exports of videos, made piece by piece while they are sent."""

from __future__ import annotations

from common.media import PieceStream
from video_analysis.services.exports import VideoExport


class ExportStream(PieceStream):
    """An export to download."""

    def __init__(self, export: VideoExport) -> None:
        super().__init__(export.pieces, media_type=export.media_type, filename=export.name)
