"""Testing a connection: a picture, or the real reason why there is none."""
# ruff: noqa: PT028 - it tests a camera, it is no test

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from common.errors import ServiceError
from common.secrets import UnreadableSecretError
from video_analysis.cameras.errors import ConfigurationError, ConnectionFailedError
from video_analysis.cameras.models import Camera
from video_analysis.cameras.selectors import camera_address_rules, credentials_of, model_of
from video_analysis.cameras.services import secrets
from video_analysis.cameras.services.checking import judge_address
from video_analysis.cameras.services.hiding import hide_people_in
from vision.encoding.images import encode_jpeg
from vision.sources.cameras import (
    CameraAddress,
    CameraError,
    Credentials,
    parse_address,
    probe_camera,
)

AT_ONCE: Final = 4
"""Tests of this process that run at the same time; each takes up to `PATIENCE` seconds."""

PATIENCE: Final = 10.0
QUALITY: Final = 85

_free = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class CameraPicture:
    """What a camera gave.

    Attributes:
        jpeg: The picture as a file; empty where people are to be hidden and nothing could look for
            them.
        codec: E.g. ``"h264"``.
        width: Pixels.
        height: Pixels.
        rate: Frames per second as the source declares; 0.0 where it does not.
        seconds: Until the picture.
    """

    jpeg: bytes = field(repr=False)
    codec: str
    width: int
    height: int
    rate: float
    seconds: float


def test_camera(
    *,
    camera: Camera | None = None,
    address: str = "",
    username: str = "",
    password: str = "",
    hide_people: bool | None = None,
) -> CameraPicture:
    """Connect, and return the first picture. Takes up to ten seconds; writes nothing.

    Args:
        camera: Whose address and credentials are used where none are given.
        address: To be tried instead. The camera's credentials go there only if it leads to the
            same host.
        username: To be tried instead of the stored one.
        password: To be tried instead of the stored one.
        hide_people: Whether people are blurred in the picture. They always are where the camera
            says so, and at the address of a camera that does.

    Raises:
        ConfigurationError: The address is none, or is not allowed.
        ConnectionFailedError: There is no picture; with the code of
            `vision.sources.cameras.CameraError` and a sentence.
        ServiceError: ``too_many_tests`` (429).
    """
    place, credentials = _target(camera, address, username, password)
    if not _free.acquire(blocking=False):
        raise ServiceError(
            "too_many_tests",
            f"{AT_ONCE} cameras are being tested at the moment. Try again in a few seconds.",
            status=429,
            retry_after=PATIENCE / 2,
        )
    try:
        probe = probe_camera(
            place, rules=camera_address_rules(), credentials=credentials, timeout=PATIENCE
        )
    except CameraError as error:
        raise ConnectionFailedError(error.code, error.message) from None
    finally:
        _free.release()
    image = probe.image
    hidden = bool(hide_people) or _hides(camera, place)
    shown = not hidden or hide_people_in(image, model_of(camera or Camera()))
    return CameraPicture(
        jpeg=encode_jpeg(image, quality=QUALITY) if shown else b"",
        codec=probe.codec,
        width=probe.width,
        height=probe.height,
        rate=probe.rate,
        seconds=probe.seconds,
    )


def _hides(camera: Camera | None, place: CameraAddress) -> bool:
    """Tell whether people are hidden by what is stored: of the camera, or of what is there."""
    if camera is not None and (camera.hide_people or _is_at(camera.address, place)):
        return camera.hide_people
    return any(
        _is_at(address, place)
        for address in Camera.objects.filter(hide_people=True).values_list("address", flat=True)
    )


def _is_at(address: str, place: CameraAddress) -> bool:
    try:
        return parse_address(address)[0] == place
    except CameraError:
        return False


def _target(
    camera: Camera | None, address: str, username: str, password: str
) -> tuple[CameraAddress, Credentials | None]:
    """Return where to connect, and with what."""
    if address.strip() and (camera is None or address.strip() != camera.address):
        place, inside = judge_address(address)
    elif camera is not None:
        place, inside = _stored_address(camera), None
    else:
        raise ConfigurationError({"address": "Write an address."})
    stored = None
    if camera is not None and secrets.usable_at(camera, place):
        stored = _stored_credentials(camera, needed=not (inside or password))
    merged = secrets.merge(
        stored, in_address=inside, username=username, password=password, forget=False
    )
    return place, merged


def _stored_address(camera: Camera) -> CameraAddress:
    try:
        return parse_address(camera.address)[0]
    except CameraError as error:
        raise ConfigurationError({"address": error.message}, error.code) from None


def _stored_credentials(camera: Camera, *, needed: bool) -> Credentials | None:
    try:
        return credentials_of(camera)
    except UnreadableSecretError as error:
        if not needed:
            return None
        raise ConnectionFailedError("unreadable_credentials", str(error)) from None
