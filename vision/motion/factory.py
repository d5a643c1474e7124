"""Motion detectors by name."""

from vision.errors import VisionError
from vision.motion.protocol import MotionDetector

__all__ = ["METHODS", "create_motion_detector"]

METHODS: tuple[str, ...] = ("mog2", "difference")


def create_motion_detector(
    method: str, *, minimum_area: float = 0.002, rate: float = 25.0
) -> MotionDetector:
    """Return a new detector, for the frames of one source.

    Args:
        method: ``"mog2"`` (learns the background; finds whole things and slow ones) or
            ``"difference"`` (learns nothing; for scenes that never come to rest).
        minimum_area: 0..1, above 0: the least share of the picture that one area of motion
            covers.
        rate: Frames per second to expect; timestamps decide once frames arrive.

    Raises:
        VisionError: ``unknown_motion_method`` or ``bad_minimum_area``.
    """
    if not 0.0 < minimum_area <= 1.0:
        raise VisionError(
            "bad_minimum_area",
            f"The minimum area of motion is a share above 0 and up to 1, not {minimum_area:g}.",
        )
    if method == "mog2":
        from vision.motion.mog2 import Mog2MotionDetector

        return Mog2MotionDetector(minimum_area=minimum_area, rate=rate)
    if method == "difference":
        from vision.motion.difference import DifferenceMotionDetector

        return DifferenceMotionDetector(minimum_area=minimum_area)
    raise VisionError(
        "unknown_motion_method",
        f"There is no motion detection called {method!r}; choose from {', '.join(METHODS)}.",
    )
