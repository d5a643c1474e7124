"""Videos from outside: judged by their content, decoded in a child process, given as frames.

``inspect_video`` says what a file is and gives its first good frame; ``open_video`` gives all of
its frames, one by one. By default neither parses a byte of the file in the calling process.

Example:
    >>> from pathlib import Path
    >>> from vision.sources.videos import open_video
    >>> with open_video(Path("street.mp4")) as video:
    ...     for frame in video:
    ...         print(frame.index, frame.timestamp, frame.image.shape)
"""

from vision.sources.videos.info import VideoError, VideoInfo, VideoLimits, VideoSource
from vision.sources.videos.opening import inspect_video, open_video

__all__ = [
    "VideoError",
    "VideoInfo",
    "VideoLimits",
    "VideoSource",
    "inspect_video",
    "open_video",
]
