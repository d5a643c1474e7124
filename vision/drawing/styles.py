"""What may be drawn on the frames of a video."""

from typing import Final

STYLES: Final = ("boxes", "masks", "trails", "heat", "blur")
"""Boxes with labels, outlines filled, paths of the last seconds, where objects have been, and
people made unrecognisable."""
