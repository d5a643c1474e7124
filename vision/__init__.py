"""Sightline's engine, usable without any web framework.

Example:
    >>> from vision import load_detector
    >>> detector = load_detector("yolov8n")
    >>> objects = detector.detect([image])[0]
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from supervision import Detections

    from vision.engine.simple import SimpleDetector, load_detector

__all__ = ["Detections", "SimpleDetector", "load_detector"]


def __getattr__(name: str) -> Any:
    # Lazy: importing a submodule must not cost what the engine costs.
    if name == "Detections":
        from supervision import Detections

        return Detections
    if name in ("SimpleDetector", "load_detector"):
        from vision.engine import simple

        return getattr(simple, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
