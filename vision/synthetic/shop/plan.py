"""The floor plan: 12 by 9 metres, what stands there, and who watches what.

The front with the door is at y = 0, its left corner (seen from the street) at x = 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.synthetic.shop.camera import Pinhole

__all__ = ["DEPTH", "DOOR", "HEIGHT", "SOLIDS", "VIEWS", "WIDTH", "FloorLine", "FloorZone", "Solid",
           "View", "view_named"]  # fmt: skip

WIDTH, DEPTH, HEIGHT = 12.0, 9.0, 3.0
DOOR = (1.5, 3.7, 2.35)
"""Left and right edge and height of the opening in the front, in metres."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Solid:
    """A box that stands on the floor, or on another one, in metres.

    Attributes:
        low: Its least x, y, z.
        high: Its greatest.
        material: ``"shelf"``, ``"counter"``, ``"table"`` or ``"dark"``.
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    material: str


@dataclass(frozen=True, slots=True)
class FloorZone:
    """A polygon on the floor.

    Attributes:
        name: Unique in its view.
        corners: x, y in metres, in order.
        threshold: Seconds after which somebody has dwelt.
    """

    name: str
    corners: tuple[Point, ...]
    threshold: float


@dataclass(frozen=True, slots=True)
class FloorLine:
    """A line on the floor that counts in two directions.

    Attributes:
        name: Unique in its view.
        start: x, y in metres.
        end: The same; seen by its camera from the start to the end, forward is from left to right.
        forward: Name of the direction.
        backward: Name of the other one.
    """

    name: str
    start: Point
    end: Point
    forward: str = "in"
    backward: str = "out"


@dataclass(frozen=True, slots=True)
class View:
    """One camera, and what it is asked for.

    Attributes:
        name: Of the camera; also its file's.
        camera: Where it hangs.
        zones: Polygons on the floor.
        lines: Lines on the floor.
    """

    name: str
    camera: Pinhole
    zones: tuple[FloorZone, ...]
    lines: tuple[FloorLine, ...] = ()

    def polygon(self, zone: FloorZone) -> NDArray[np.float64]:
        """Return the zone in the picture, (M, 2) with 0..1."""
        return self._shares(zone.corners)

    def line(self, line: FloorLine) -> NDArray[np.float64]:
        """Return start and end of the line in the picture, (2, 2) with 0..1."""
        return self._shares((line.start, line.end))

    def _shares(self, points: tuple[Point, ...]) -> NDArray[np.float64]:
        pixels = self.camera.project_floor(np.array(points, np.float64))
        return np.asarray(pixels / np.array(self.camera.size, np.float64), np.float64)


SOLIDS = (
    Solid((5.0, 2.8, 0.0), (5.7, 6.6, 1.5), "shelf"),
    Solid((7.7, 2.8, 0.0), (8.4, 6.6, 1.5), "shelf"),
    Solid((0.0, 2.2, 0.0), (0.4, 8.2, 1.9), "shelf"),
    Solid((1.6, 8.6, 0.0), (4.8, 9.0, 1.9), "shelf"),
    Solid((11.65, 4.9, 0.0), (12.0, 7.4, 1.5), "shelf"),
    Solid((3.6, 3.4, 0.0), (4.5, 4.2, 0.75), "table"),
    Solid((10.75, 2.0, 0.0), (11.4, 4.6, 0.95), "counter"),
    Solid((10.95, 3.2, 0.95), (11.25, 3.6, 1.3), "dark"),
)

VIEWS = (
    View(
        "entrance",
        Pinhole((2.6, 6.4, 2.5), heading=-90.0, pitch=19.0, focal=480.0),
        (FloorZone("Foyer", ((0.7, 2.05), (4.6, 2.05), (4.6, 3.6), (0.7, 3.6)), 6.0),),
        (FloorLine("Door", (4.3, 0.9), (0.9, 0.9)),),
    ),
    View(
        "aisle",
        Pinhole((6.7, 8.8, 2.55), heading=-90.0, pitch=21.0, focal=480.0),
        (FloorZone("Shelves", ((5.75, 3.0), (7.65, 3.0), (7.65, 6.0), (5.75, 6.0)), 5.0),),
    ),
    View(
        "checkout",
        Pinhole((8.9, 0.25, 2.55), heading=68.0, pitch=22.5, focal=480.0),
        (FloorZone("Checkout", ((9.45, 2.7), (10.7, 2.7), (10.7, 4.15), (9.45, 4.15)), 6.0),),
    ),
    View(
        "overlap",
        Pinhole((11.75, 8.75, 2.6), heading=-123.0, pitch=24.0, focal=480.0),
        (FloorZone("Queue", ((9.4, 4.3), (10.9, 4.3), (10.9, 6.65), (9.4, 6.65)), 4.0),),
    ),
)
"""The four cameras. ``overlap`` shares the floor before the checkout with ``checkout``."""


def view_named(name: str) -> View:
    """Return a view.

    Raises:
        KeyError: There is none of this name.
    """
    return {view.name: view for view in VIEWS}[name]
