"""Who is seen: by cameras, one decision per track, and in analysed videos."""

from video_analysis.services.recognising.clearing import cleared_tracks

__all__ = ["cleared_tracks"]
