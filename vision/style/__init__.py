"""Pictures in the style of others."""

from vision.style.config import LEAST_SIDE, GatysConfig, GatysOptions, create_gatys
from vision.style.protocol import Stylizer
from vision.style.structures import OnProgress, StyleProgress, Stylized

__all__ = [
    "LEAST_SIDE",
    "GatysConfig",
    "GatysOptions",
    "OnProgress",
    "StyleProgress",
    "Stylized",
    "Stylizer",
    "create_gatys",
]
