"""Live cameras: the newest picture of each, taken by a child process that may fail.

Example:
    >>> from vision.sources.cameras import AddressRules, Capture, parse_address
    >>> address, credentials = parse_address("rtsp://user:password@192.168.1.20/stream")
    >>> capture = Capture(
    ...     address, rules=AddressRules(), credentials=credentials, source_id="door", fps=10
    ... )
    >>> capture.start()
    >>> picture = capture.take()
"""

from vision.sources.cameras.address import (
    AddressRules,
    CameraAddress,
    CameraError,
    Credentials,
    check_address,
    parse_address,
)
from vision.sources.cameras.capture import Capture, CaptureStatus, LiveFrame
from vision.sources.cameras.probe import Probe, probe_camera

__all__ = [
    "AddressRules",
    "CameraAddress",
    "CameraError",
    "Capture",
    "CaptureStatus",
    "Credentials",
    "LiveFrame",
    "Probe",
    "check_address",
    "parse_address",
    "probe_camera",
]
