"""Motion in a picture: where something moves, when it does, and when a detector may rest.

Light is not motion: lamps, clouds, exposure, shadows and slow drift are told apart from things
that move. A camera that moves or shakes is: every edge of the picture then moves, and the
detectors do not steady it.
"""

from vision.motion.events import MotionEvent, MotionEvents
from vision.motion.factory import METHODS, create_motion_detector
from vision.motion.gate import MotionGate
from vision.motion.intervals import Interval, IntervalMachine
from vision.motion.protocol import MotionDetector, MotionResult

__all__ = [
    "METHODS",
    "Interval",
    "IntervalMachine",
    "MotionDetector",
    "MotionEvent",
    "MotionEvents",
    "MotionGate",
    "MotionResult",
    "create_motion_detector",
]
