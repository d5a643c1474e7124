"""What may be done to the frames of a video."""

from typing import Final

DRAWN: Final = ("boxes", "masks", "trails", "heat")
"""Boxes with labels, outlines filled, paths of the last seconds, where objects have been."""

HIDING: Final = ("blur", "faces", "faces-consented")
"""People made unrecognisable, every face, or all but those of people who have agreed. A face that
fills the picture has no body to be found, so neither of the first two hides all that the other
does. No drawings, but done before anything is drawn."""

STYLES: Final = (*DRAWN, *HIDING)
