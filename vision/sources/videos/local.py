"""Frames decoded in the calling process: for files that are trusted."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from vision.sources.videos.decoding import VideoDecoder
from vision.sources.videos.info import VideoInfo, VideoLimits, out_of_memory
from vision.structures import Frame


class LocalSource:
    """A ``VideoSource`` without a child: nothing but the limits guards the process.

    Raises:
        VideoError: The file may not be decoded.
    """

    def __init__(
        self, path: Path, *, limits: VideoLimits, source_id: str, recorded_at: datetime
    ) -> None:
        try:
            self._decoder = VideoDecoder(path, limits)
        except MemoryError as error:
            raise out_of_memory() from error
        self._source_id = source_id
        self._recorded_at = recorded_at
        self._closed = False
        self._reading = False

    @property
    def info(self) -> VideoInfo:
        """What is known about the video."""
        return self._decoder.info

    @property
    def skipped(self) -> int:
        """Frames left out so far because they cannot be decoded."""
        return self._decoder.skipped

    @property
    def truncated(self) -> bool:
        """After the last frame: whether the video ends earlier than it says."""
        return self._decoder.truncated

    @property
    def end(self) -> float:
        """Seconds at which the frame given last stops being shown."""
        return self._decoder.end

    def __iter__(self) -> Iterator[Frame]:
        self._reading = True
        try:
            for index, picture in enumerate(self._decoder):
                yield Frame(
                    image=np.array(picture.image, order="C"),
                    index=index,
                    timestamp=picture.timestamp,
                    wall_clock=self._recorded_at + timedelta(seconds=picture.timestamp),
                    source_id=self._source_id,
                )
                if self._closed:
                    return
        except MemoryError as error:
            raise out_of_memory() from error
        finally:
            self._decoder.close()

    def close(self) -> None:
        """Stop at the next frame; may be called twice, and from another thread."""
        self._closed = True
        if not self._reading:  # else whoever reads closes the file
            self._decoder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
