"""Testing a connection: a picture, or the real reason why there is none."""
# ruff: noqa: PT028 - it tests a camera, it is no test

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Q

from common.errors import ServiceError
from common.secrets import UnreadableSecretError
from video_analysis.cameras.errors import ConfigurationError, ConnectionFailedError
from video_analysis.cameras.models import Camera
from video_analysis.cameras.selectors import camera_address_rules, credentials_of, model_of
from video_analysis.cameras.services import secrets
from video_analysis.cameras.services.checking import judge_address
from video_analysis.cameras.services.hiding import hide_faces_in, hide_people_in
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
        jpeg: The picture as a file; empty where people or faces are to be hidden and nothing could
            look for people.
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
    hide_faces: bool | None = None,
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
        hide_faces: The same of all faces; of people who have agreed as well, since nobody knows
            who they are.

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
    model = model_of(camera or Camera())
    people, faces = _hides(camera, place)
    shown = not (people or hide_people) or hide_people_in(image, model)
    if shown and (faces or hide_faces):
        shown = hide_faces_in(image, model)
    return CameraPicture(
        jpeg=encode_jpeg(image, quality=QUALITY) if shown else b"",
        codec=probe.codec,
        width=probe.width,
        height=probe.height,
        rate=probe.rate,
        seconds=probe.seconds,
    )


def _hides(camera: Camera | None, place: CameraAddress) -> tuple[bool, bool]:
    """Tell whether people, and whether faces, are hidden by what is stored of the camera.

    An address that is not the camera's counts as all those do whose it is.
    """
    people, faces = (camera.hide_people, bool(camera.faces)) if camera else (False, False)
    if camera is not None and _is_at(camera.address, place):
        return people, faces
    others = Camera.objects.filter(Q(hide_people=True) | ~Q(faces=""))
    there = [
        (hides, bool(whose))
        for address, hides, whose in others.values_list("address", "hide_people", "faces")
        if _is_at(address, place)
    ]
    return (
        people or any(hides for hides, _ in there),
        faces or any(hides for _, hides in there),
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
