"""Takes a source through a pipeline with its steps overlapping."""

import time
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

_REST = 2.0
"""Seconds of rest for each second of work while live cameras or callers need the machine: the
networks know who comes first, but decoding, drawing and encoding take the processors as well."""
_LONGEST_REST = 2.0


def run_pipeline(source: Iterable[Frame], pipeline: Pipeline) -> Iterator[FrameResult]:
    """Yield what is in the frames of a source, in order.

    While the caller draws and stores one batch, the networks look at the next ones. At most some
    sixteen frames are held, fewer of large pictures. Batch work rests between them while others
    need the machine.

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
            began = time.monotonic()
            while batch := list(islice(frames, size)):
                waiting.append(pool.submit(pipeline.look, pipeline.prepare(batch)))
                if len(waiting) >= _AHEAD:
                    yield from pipeline.follow(waiting.popleft().result())
                    if pipeline.should_rest:
                        time.sleep(min(_LONGEST_REST, _REST * (time.monotonic() - began)))
                    began = time.monotonic()
            while waiting:
                yield from pipeline.follow(waiting.popleft().result())
        finally:
            for future in waiting:
                future.cancel()
