"""A small shop that four cameras watch, with exact ground truth in all of them.

Example:
    >>> from vision.synthetic.shop import Shop
    >>> entrance, aisle, checkout, overlap = Shop(seed=1, seconds=40).films()
    >>> people = {int(person) for _, truth in entrance for person in truth.ids}
"""

from vision.synthetic.shop.camera import Pinhole
from vision.synthetic.shop.film import Shop, ShopFilm
from vision.synthetic.shop.plan import VIEWS, FloorLine, FloorZone, View, view_named
from vision.synthetic.shop.visitors import Visitor

__all__ = [
    "VIEWS",
    "FloorLine",
    "FloorZone",
    "Pinhole",
    "Shop",
    "ShopFilm",
    "View",
    "Visitor",
    "view_named",
]
