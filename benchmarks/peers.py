"""The peer, ultralytics, in a process of its own.

Its thread settings are global to a process and its worker threads spin for a while after each call;
in its own process neither touches the contender that takes the next turn.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class PeerResult:
    """Boxes (N, 4) xyxy, confidences (N,), classes (N,), and masks (N, H, W) when asked for."""

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
    masks: NDArray[np.bool_] | None


class UltralyticsPeer:
    """``YOLO(weights).predict(array)`` called remotely.

    Args:
        weights: the ``.pt`` that both sides use.
        all_cores: leave ultralytics' own thread count (cores - 1), or set torch to all cores.
        options: further arguments of ``predict``.
    """

    def __init__(self, weights: Path, *, all_cores: bool = False, **options: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, str(weights), all_cores, options), daemon=True
        )
        self._process.start()

    def load(self, pictures: Sequence[Picture]) -> None:
        """Send the pictures over once, so that rounds time prediction alone."""
        self._ask("load", list(pictures))

    def run(self) -> int:
        """Predict every loaded picture, one plain call each."""
        return int(self._ask("run", None))

    def results(self, **options: Any) -> list[PeerResult]:
        return list(self._ask("results", options))

    def close(self) -> None:
        self._connection.send(("stop", None))
        self._process.join(timeout=10)
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, command: str, argument: Any) -> Any:
        self._connection.send((command, argument))
        return self._connection.recv()


class UltralyticsTracker:
    """``YOLO(weights).track(video, stream=True)`` in a process of its own; writes nothing.

    Args:
        weights: the ``.pt`` that both sides use.
        video: the clip.
        all_cores: leave ultralytics' own thread count (cores - 1), or set torch to all cores.
    """

    def __init__(self, weights: Path, video: Path, *, all_cores: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve_tracks, args=(theirs, str(weights), str(video), all_cores), daemon=True
        )
        self._process.start()

    def run(self) -> int:
        """Track through the whole clip; return its frames."""
        self._connection.send("run")
        return int(self._connection.recv())

    def close(self) -> None:
        self._connection.send("stop")
        self._process.join(timeout=10)
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _serve_tracks(connection: Connection, weights: str, video: str, all_cores: bool) -> None:
    os.environ.update(YOLO_AUTOINSTALL="false", YOLO_OFFLINE="true", ULTRALYTICS_SAFE_LOAD="1")
    import torch
    from ultralytics import YOLO

    model = YOLO(weights)
    model.predict(np.zeros((64, 64, 3), np.uint8), verbose=False)
    if all_cores:
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    while connection.recv() == "run":
        connection.send(sum(1 for _ in model.track(video, stream=True, verbose=False)))


def _serve(connection: Connection, weights: str, all_cores: bool, options: dict[str, Any]) -> None:
    os.environ.update(YOLO_AUTOINSTALL="false", YOLO_OFFLINE="true", ULTRALYTICS_SAFE_LOAD="1")
    import torch
    from ultralytics import YOLO

    model = YOLO(weights)
    # The first call picks the device and with it sets torch's thread count; ours comes after.
    model.predict(np.zeros((64, 64, 3), np.uint8), verbose=False, **options)
    if all_cores:
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    pictures: list[Picture] = []
    while True:
        command, argument = connection.recv()
        if command == "stop":
            return
        if command == "load":
            pictures = argument
            connection.send(None)
        elif command == "run":
            for picture in pictures:
                model.predict(picture, verbose=False, **options)
            connection.send(len(pictures))
        else:
            merged = {**options, **argument}
            connection.send([_predict(model, picture, merged) for picture in pictures])


def _predict(model: Any, picture: Picture, options: dict[str, Any]) -> PeerResult:
    result = model.predict(picture, verbose=False, **options)[0]
    masks = None if result.masks is None else result.masks.data.numpy().astype(bool)
    return PeerResult(
        result.boxes.xyxy.numpy(),
        result.boxes.conf.numpy(),
        result.boxes.cls.numpy().astype(np.int64),
        masks,
    )
