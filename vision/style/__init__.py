"""Pictures in the style of others."""

from vision.style.config import GatysConfig, GatysOptions, create_gatys
from vision.style.protocol import Stylizer
from vision.style.sizes import LEAST_SIDE
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
