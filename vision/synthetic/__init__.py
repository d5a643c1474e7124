"""Synthetic scenes with exact ground truth, of any length, painted as they are read.

Example:
    >>> from vision.synthetic import Scene
    >>> for frame, truth in Scene(seed=1, seconds=2, people=3):
    ...     boxes = truth.as_detections().xyxy
"""

from vision.synthetic.folder import write_sequence
from vision.synthetic.looks import Look, Sprite, looks, sprite_of
from vision.synthetic.noise import DetectorModel, noisy_detections
from vision.synthetic.scene import LightJump, Scene, quiet_scene
from vision.synthetic.truth import GroundTruth

__all__ = [
    "DetectorModel",
    "GroundTruth",
    "LightJump",
    "Look",
    "Scene",
    "Sprite",
    "looks",
    "noisy_detections",
    "quiet_scene",
    "sprite_of",
    "write_sequence",
]
