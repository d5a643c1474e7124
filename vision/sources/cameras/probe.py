"""Tries a camera out: one picture, or the reason why there is none."""

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.sources.cameras.address import (
    AddressRules,
    CameraAddress,
    Credentials,
    check_address,
)
from vision.sources.cameras.connection import Connection

_FPS: Final = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """What a camera gave.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        codec: Its usual name, e.g. ``"h264"``.
        width: Pixels.
        height: Pixels.
        rate: Frames per second as the source declares; 0.0 where it does not.
        seconds: Until the picture.
    """

    image: NDArray[np.uint8]
    codec: str
    width: int
    height: int
    rate: float
    seconds: float


def probe_camera(
    address: CameraAddress,
    *,
    rules: AddressRules,
    credentials: Credentials | None = None,
    timeout: float = 10.0,
) -> Probe:
    """Connect once and return the first picture.

    Args:
        address: The camera.
        rules: What is accepted.
        credentials: What to answer with when it asks.
        timeout: Seconds until there must be a picture.

    Raises:
        CameraError: The reason why there is none.
    """
    check_address(address, rules)
    start = time.monotonic()
    connection = Connection(address, rules=rules, credentials=credentials, fps=_FPS)
    try:
        opened = connection.open(timeout)
        arrived = connection.next(timeout - (time.monotonic() - start))
        seconds = time.monotonic() - start
        image = connection.read(arrived)
    finally:
        connection.close()
    return Probe(
        image=image,
        codec=opened.codec,
        width=arrived.width,
        height=arrived.height,
        rate=opened.rate,
        seconds=seconds,
    )
