"""What may be done to the frames of a video."""

from typing import Final

DRAWN: Final = ("boxes", "masks", "trails", "heat")
"""Boxes with labels, outlines filled, paths of the last seconds, where objects have been."""

STYLES: Final = (*DRAWN, "blur")
"""The same, and people made unrecognisable: no drawing, but done before anything is drawn."""
