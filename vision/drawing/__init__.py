"""Draws what was found onto pictures."""

from vision.drawing.annotate import annotate
from vision.drawing.palette import class_color, label_color

__all__ = ["annotate", "class_color", "label_color"]
