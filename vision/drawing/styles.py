"""What may be done to the frames of a video."""

from typing import Final

DRAWN: Final = ("boxes", "masks", "trails", "heat")
"""Boxes with labels, outlines filled, paths of the last seconds, where objects have been."""

HIDING: Final = ("blur", "faces", "faces-consented")
"""People made unrecognisable, every face, or all but those of people who have agreed; who is hidden
by one is by those before it. No drawings, but done before anything is drawn."""

STYLES: Final = (*DRAWN, *HIDING)
