"""What becomes of a camera's credentials when it is saved. They leave no trace anywhere else."""

from __future__ import annotations

import json

from common.secrets import UnreadableSecretError, encrypt
from video_analysis.cameras.errors import ConfigurationError
from video_analysis.cameras.models import Camera
from video_analysis.cameras.selectors import credentials_of
from vision.sources.cameras import CameraAddress, CameraError, Credentials, parse_address

LONGEST = 200
ELSEWHERE = (
    "The address leads to another host. Give user name and password again, or have them forgotten:"
    " those of the old address are not sent there."
)


def merge(
    before: Credentials | None,
    *,
    in_address: Credentials | None,
    username: str,
    password: str,
    forget: bool,
) -> Credentials | None:
    """Return the credentials that hold from now on.

    What is given in fields wins over what stands in the address, and that over what is stored; an
    empty field says nothing. ``forget`` removes what is stored.

    Raises:
        ConfigurationError: One of them is too long.
    """
    for name, text in (("username", username), ("password", password)):
        if len(text) > LONGEST:
            raise ConfigurationError({name: f"At most {LONGEST} characters are taken."})
    base = in_address or (None if forget else before)
    merged = Credentials(
        username=username or (base.username if base else ""),
        password=password or (base.password if base else ""),
    )
    return merged if merged.username or merged.password else None


def lock(credentials: Credentials | None) -> bytes | None:
    """Return credentials as they are stored."""
    if credentials is None:
        return None
    pair = {"username": credentials.username, "password": credentials.password}
    return encrypt(json.dumps(pair))


def readable(camera: Camera) -> Credentials | None:
    """Return what is stored; what another key has written is as good as nothing."""
    try:
        return credentials_of(camera)
    except UnreadableSecretError:
        return None


def usable_at(camera: Camera, address: CameraAddress) -> bool:
    """Tell whether a camera's stored credentials may be sent to an address: it has the same host.

    Otherwise whoever may change a camera, but does not know its password, could have it sent to a
    host of their own.
    """
    try:
        stored, _ = parse_address(camera.address)
    except CameraError:
        return False
    return _place(stored) == _place(address)


def _place(address: CameraAddress) -> tuple[str, str, int]:
    return address.kind, address.host, address.dialled_port
