"""Styles, and what has been painted in them."""

from styletransfer.models.restylings import Restyling
from styletransfer.models.styles import Style

__all__ = ["Restyling", "Style"]
