"""Networks in the form that runtimes load: exported once, cached, verified before use."""

from vision.export.artifact import Artifact, Exports
from vision.export.quantize import quantize

__all__ = ["Artifact", "Exports", "quantize"]
