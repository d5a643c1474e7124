"""Tries a camera out as the tests do."""

import pytest
from camera_servers import HERE

from vision.sources.cameras import (
    AddressRules,
    CameraError,
    Probe,
    parse_address,
    probe_camera,
)


def probe(url: str, rules: AddressRules = HERE, *, timeout: float = 10.0) -> Probe:
    address, credentials = parse_address(url)
    return probe_camera(address, rules=rules, credentials=credentials, timeout=timeout)


def refusal(url: str, rules: AddressRules = HERE, *, timeout: float = 10.0) -> CameraError:
    with pytest.raises(CameraError) as caught:
        probe(url, rules, timeout=timeout)
    return caught.value
