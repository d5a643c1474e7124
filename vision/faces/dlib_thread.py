"""One thread that owns everything of dlib, which is not safe to use from several.

Whoever needs dlib hands its thread a piece of work and waits. Models are loaded when they are
first used; they come with the package ``face_recognition_models``, whose import is avoided.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

from vision.errors import ModelError, VisionError

__all__ = ["EMBEDDING_FILE", "DlibModels", "DlibThread", "find_dlib_file"]

EMBEDDING_FILE: Final = "dlib_face_recognition_resnet_model_v1.dat"
_FIVE_POINTS = "shape_predictor_5_face_landmarks.dat"
_ALL_POINTS = "shape_predictor_68_face_landmarks.dat"

Result = TypeVar("Result")


def find_dlib_file(name: str) -> Path:
    """Return a model file of the installed package.

    Raises:
        ModelError: ``face_models_missing``.
    """
    spec = find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise ModelError(
        "face_models_missing", f"{name} of the package face_recognition_models is not installed."
    )


class DlibModels:
    """dlib's models; for the one thread that made it."""

    @cached_property
    def detector(self) -> Any:
        """Faces by histograms of gradients."""
        import dlib

        return dlib.get_frontal_face_detector()

    @cached_property
    def five_points(self) -> Any:
        """Corners of the eyes, and the nose."""
        import dlib

        return dlib.shape_predictor(str(find_dlib_file(_FIVE_POINTS)))

    @cached_property
    def all_points(self) -> Any:
        """68 landmarks, with the mouth."""
        import dlib

        return dlib.shape_predictor(str(find_dlib_file(_ALL_POINTS)))

    @cached_property
    def embedder(self) -> Any:
        """The face network in dlib's own runtime."""
        import dlib

        return dlib.face_recognition_model_v1(str(find_dlib_file(EMBEDDING_FILE)))


class DlibThread:
    """Runs work with dlib's models, one piece after the other."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dlib")
        self._models = threading.local()

    def run(self, work: Callable[[DlibModels], Result]) -> Result:
        """Return what the work returns; raises what it raises.

        Raises:
            VisionError: ``engine_closed``.
        """
        try:
            future = self._pool.submit(self._work, work)
        except RuntimeError as error:
            raise VisionError("engine_closed", "The engine is shutting down.") from error
        return future.result()

    def close(self) -> None:
        """Let the running piece end. Idempotent."""
        self._pool.shutdown(wait=True)

    def _work(self, work: Callable[[DlibModels], Result]) -> Result:
        models = getattr(self._models, "value", None)
        if models is None:
            models = self._models.value = DlibModels()
        return work(models)
