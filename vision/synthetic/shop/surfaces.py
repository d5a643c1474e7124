"""Colours of the shop's surfaces: tiles, walls, lamps, goods on shelves, daylight at the door.

Everything is a function of the place in metres, so that every camera sees the same shop.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.synthetic.shop.plan import DEPTH, DOOR, HEIGHT, SOLIDS, WIDTH, Solid

__all__ = ["paint_surface"]

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

_TILE: Final = 0.6  # metres
_BOARD: Final = 0.38  # metres from shelf to shelf
_GOODS: Final = np.array(
    [
        (52, 60, 178), (150, 92, 40), (70, 140, 78), (60, 170, 214), (196, 200, 204),
        (46, 100, 196), (128, 60, 110), (150, 140, 70), (90, 110, 140), (60, 60, 66),
        (170, 150, 190), (110, 170, 190),
    ],
    np.float64,
)  # fmt: skip


def paint_surface(
    places: Floats, axis: NDArray[np.intp], solid: Solid | None, *, outdoors: bool
) -> Colours:
    """Return the colours of places on one thing's surface.

    Args:
        places: (N, 3) metres.
        axis: (N,) 0, 1 or 2: across which axis the surface lies.
        solid: What it is; None is the room itself.
        outdoors: Whether the places lie beyond the door; then ``solid`` is None.

    Returns:
        (N, 3) float32 BGR, 0..255 and a little beyond.
    """
    if outdoors:
        return _outdoors(places, axis).astype(np.float32)
    colours = _solid(places, axis, solid) if solid is not None else _room(places, axis)
    return (colours * _light(places, axis)[:, None]).astype(np.float32)


def _light(places: Floats, axis: NDArray[np.intp]) -> Floats:
    """Lamps above, daylight from the door, and shade where things meet the floor."""
    x, y, z = places.T
    lamps = 0.06 * np.cos(2 * np.pi * (x - 1.5) / 3.0) * np.cos(2 * np.pi * (y - 1.5) / 3.0)
    side = np.choose(axis, (0.86, 0.93, 1.0))
    middle = (DOOR[0] + DOOR[1]) / 2
    day = 0.42 * np.exp(-((x - middle) ** 2) / (1.1 + 0.35 * y) - np.maximum(y, 0) ** 2 / 5.0)
    light = side * (1.04 + lamps) + day * np.exp(-z / 1.2)
    floor = axis == 2
    return np.asarray(light * np.where(floor & (z < 0.01), _contact(x, y), 1.0), np.float64)


def _contact(x: Floats, y: Floats) -> Floats:
    """Shade of the floor beside walls and whatever stands on it."""
    near = np.minimum(np.minimum(x, WIDTH - x), np.minimum(y + 0.2, DEPTH - y))
    shade = 1.0 - 0.25 * np.exp(-np.maximum(near, 0) / 0.25)
    for solid in SOLIDS:
        if solid.low[2] > 0:
            continue
        across = np.maximum(np.maximum(solid.low[0] - x, x - solid.high[0]), 0)
        along = np.maximum(np.maximum(solid.low[1] - y, y - solid.high[1]), 0)
        shade *= 1.0 - 0.42 * np.exp(-np.hypot(across, along) / 0.22)
    return shade


def _room(places: Floats, axis: NDArray[np.intp]) -> Floats:
    x, y, z = places.T
    ceiling = (axis == 2) & (z > HEIGHT / 2)
    colours = np.where(
        (axis == 2)[:, None],
        np.where(ceiling[:, None], _ceiling(x, y), _floor(x, y)),
        _wall(places, axis),
    )
    front = (axis == 1) & (y < DEPTH / 2)
    return np.where(front[:, None], _front(x, z, colours), colours)


def _floor(x: Floats, y: Floats) -> Floats:
    column, row = np.floor(x / _TILE), np.floor(y / _TILE)
    tone = 148 + 13 * _chance(column, row, 1) + 9 * ((column + row) % 2)
    joint = np.minimum(
        np.abs(x / _TILE - np.round(x / _TILE)), np.abs(y / _TILE - np.round(y / _TILE))
    )
    tone = np.where(joint < 0.018, tone * 0.8, tone)
    mat = (x > DOOR[0] + 0.1) & (x < DOOR[1] - 0.1) & (y > 0.1) & (y < 0.75)
    weave = 62 + 8 * (np.floor(x / 0.05) % 2)
    return np.where(
        mat[:, None], weave[:, None] * (1.0, 0.97, 0.95), tone[:, None] * (0.95, 0.99, 1.02)
    )


def _ceiling(x: Floats, y: Floats) -> Floats:
    lamp = (np.abs(x % 3.0 - 1.5) < 0.3) & (np.abs(y % 3.0 - 1.5) < 0.75)
    panel = np.minimum(np.abs(x % 0.6 - 0.3), np.abs(y % 0.6 - 0.3)) > 0.29
    plain = np.where(panel, 168.0, 178.0)[:, None] * (1.0, 1.0, 1.0)
    return np.where(lamp[:, None], (255.0, 252.0, 246.0), plain)


def _wall(places: Floats, axis: NDArray[np.intp]) -> Floats:
    x, y, z = places.T
    colour = np.where((z < 0.12)[:, None], (96.0, 92.0, 90.0), (186.0, 196.0, 200.0))
    band = (z > 2.35) & (z < 2.6)
    colour = np.where(band[:, None], (112.0, 96.0, 38.0), colour)
    back = ((axis == 1) & (y > DEPTH / 2)) | (axis == 0)
    return np.where((back & (z > 1.15) & (z < 2.1))[:, None], _posters(x + y, z, colour), colour)


def _posters(along: Floats, z: Floats, wall: Floats) -> Floats:
    """Framed posters, each of a hill in a colour of its own before a sky."""
    number, within = np.floor(along / 2.3), along % 2.3 - 1.15
    frame, paper = np.abs(within) < 0.42, np.abs(within) < 0.38
    inside = paper & (z > 1.19) & (z < 2.06)
    hill = z < 1.5 + 0.16 * np.cos(6 * within + number)
    pick = (_chance(number, number * 0, 11) * 97).astype(np.intp) % len(_GOODS)
    sky = np.array((214.0, 202.0, 180.0)) + 18 * (z[:, None] - 1.5)
    picture = np.where(hill[:, None], _GOODS[pick], sky)
    shown = np.where(inside[:, None], picture, (72.0, 78.0, 84.0))
    return np.where(frame[:, None], shown, wall)


def _front(x: Floats, z: Floats, wall: Floats) -> Floats:
    """The front wall: two windows of milky glass, and the frame of the door."""
    pane = (x > 5.2) & (x < 11.2) & (z > 0.9) & (z < 2.25)
    bar = np.minimum(np.abs((x - 5.2) % 1.5), np.abs(1.5 - (x - 5.2) % 1.5)) < 0.04
    glow = (205 + 45 * (z - 0.9) / 1.35)[:, None] * (1.0, 0.98, 0.93)
    colours = np.where(pane[:, None], np.where(bar[:, None], (90.0, 88.0, 86.0), glow), wall)
    left, right, top = DOOR
    frame = (x > left - 0.09) & (x < right + 0.09) & (z < top + 0.09)
    return np.where(frame[:, None], (70.0, 68.0, 66.0), colours)


def _outdoors(places: Floats, axis: NDArray[np.intp]) -> Floats:
    """Bright: the camera is exposed for the shop."""
    x, y, z = places.T
    stone = (np.floor(x / 0.8) + np.floor(y / 0.8)) % 2
    street = np.where(y < -3.2, 176.0, 214.0 + 7 * stone)
    storey = np.floor(z / 0.9)
    window = (np.abs(x % 1.6 - 0.8) < 0.38) & (np.abs(z % 0.9 - 0.45) < 0.25) & (storey > 0)
    house = np.where(window, 188.0, 226.0 + 10 * _chance(np.floor(x / 4.8), storey * 0, 5))
    tone = np.where(axis == 2, street, house)
    return np.where((z > 3.4)[:, None], (252.0, 246.0, 236.0), tone[:, None] * (1.0, 0.98, 0.95))


def _solid(places: Floats, axis: NDArray[np.intp], solid: Solid) -> Floats:
    if solid.material == "shelf":
        return _shelf(places, axis, solid)
    top = (axis == 2)[:, None]
    z = places[:, 2:]
    if solid.material == "counter":
        side = np.where(z < 0.1, (60.0, 58.0, 56.0), (96.0, 128.0, 164.0))
        side = np.where((z > 0.6) & (z < 0.7), (112.0, 96.0, 38.0), side)
        belt = (np.abs(places[:, :1] - 11.0) < 0.18) & (places[:, 1:2] > 3.7)
        return np.where(top, np.where(belt, (54.0, 52.0, 50.0), (176.0, 190.0, 198.0)), side)
    if solid.material == "table":
        return np.where(top, _table(places), (88.0, 118.0, 150.0))
    return np.where(top, (66.0, 64.0, 62.0), (44.0, 42.0, 42.0))


def _table(places: Floats) -> Floats:
    """Goods laid out in rows, seen from above."""
    column, row = np.floor(places[:, 0] / 0.15), np.floor(places[:, 1] / 0.2)
    goods = _GOODS[(_chance(row, row * 0, 8) * len(_GOODS)).astype(np.intp) % len(_GOODS)]
    gap = (np.abs(places[:, 0] / 0.15 - column - 0.5) > 0.42) | (
        np.abs(places[:, 1] / 0.2 - row - 0.5) > 0.42
    )
    return np.where(gap[:, None], (104.0, 138.0, 170.0), goods * 1.1)


def _shelf(places: Floats, axis: NDArray[np.intp], solid: Solid) -> Floats:
    """Boards with goods; a sign's colour along the upper edge, plain ends and top."""
    z = places[:, 2]
    along_y = solid.high[1] - solid.low[1] > solid.high[0] - solid.low[0]
    shown = axis == (0 if along_y else 1)
    along = places[:, 1] if along_y else places[:, 0]
    # Both sides of a shelf show other goods.
    side = np.round((places[:, 0] if along_y else places[:, 1]) * 10)
    board, height = np.floor(z / _BOARD), z / _BOARD % 1.0
    goods = _goods(along, board, height, side)
    goods = np.where((height > 0.93)[:, None], (196.0, 200.0, 204.0), goods)
    edge = z > solid.high[2] - 0.09
    body = np.where(edge[:, None], (112.0, 96.0, 38.0), (150.0, 156.0, 160.0))
    top = np.where((axis == 2)[:, None], (172.0, 178.0, 182.0), body)
    return np.where((shown & ~edge & (z > 0.1))[:, None], goods, top)


def _goods(along: Floats, board: Floats, height: Floats, side: Floats) -> Floats:
    """Packages: some of one kind beside each other, with a label across."""
    item = np.floor(along / 0.13)
    kind = np.floor(along / 0.52)
    pick = _chance(kind, board, side)
    colour = _GOODS[(pick * 97).astype(np.intp) % len(_GOODS)]
    tall = 0.62 + 0.26 * _chance(kind, board, side + 3)
    label = np.abs(height - tall * 0.5) < 0.11
    colour = np.where(label[:, None], colour * 0.45 + 125, colour)
    within = along / 0.13 - item
    round_off = 0.72 + 0.38 * np.sin(np.pi * within.clip(0, 1))
    colour = colour * round_off[:, None]
    return np.where((height > tall)[:, None], (58.0, 56.0, 56.0), colour)


def _chance(first: Floats, second: Floats, third: Floats | int) -> Floats:
    """Return 0..1 that look random and belong to three whole numbers."""
    mixed = np.sin(first * 12.9898 + second * 78.233 + np.asarray(third) * 37.719) * 43758.5453
    return np.asarray(mixed - np.floor(mixed), np.float64)
