"""Takes a source through a pipeline with its steps overlapping."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice

from vision.pipeline.pipeline import Looked, Pipeline
from vision.pipeline.results import FrameResult
from vision.structures import Frame

__all__ = ["run_pipeline"]

_MOST_FRAMES = 4
_MOST_BYTES = 48 * 1024 * 1024
_AHEAD = 3
"""Batches that are at the networks, so that these never wait for what happens to the results."""


def run_pipeline(source: Iterable[Frame], pipeline: Pipeline) -> Iterator[FrameResult]:
    """Yield what is in the frames of a source, in order.

    While the caller draws and stores one batch, the networks look at the next ones. At most some
    sixteen frames are held, fewer of large pictures.

    Raises:
        VisionError: The source breaks, or the engine cannot answer.
    """
    frames = iter(source)
    first = next(frames, None)
    if first is None:
        return
    size = max(1, min(_MOST_FRAMES, _MOST_BYTES // max(1, first.image.nbytes)))
    waiting: deque[Future[Looked]] = deque()
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="pipeline") as pool:
        try:
            frames = chain([first], frames)
            while batch := list(islice(frames, size)):
                waiting.append(pool.submit(pipeline.look, pipeline.prepare(batch)))
                if len(waiting) >= _AHEAD:
                    yield from pipeline.follow(waiting.popleft().result())
            while waiting:
                yield from pipeline.follow(waiting.popleft().result())
        finally:
            for future in waiting:
                future.cancel()
