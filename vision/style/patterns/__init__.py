"""Pictures to paint like that come with Sightline: drawn by a program, the same every time."""

from vision.style.patterns.catalogue import PATTERNS, Pattern

__all__ = ["PATTERNS", "Pattern"]
