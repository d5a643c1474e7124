"""What can be wrong with a camera, and how a person is told."""

from typing import Final

from vision.errors import VisionError

# Whoever meets one of these tries again, but seldom: a person has to change something first.
REFUSALS: Final = frozenset(
    {
        *("bad_address", "unsupported_scheme", "forbidden_address", "missing_file", "no_device"),
        *(
            "wrong_password",
            "not_found",
            "refused",
            "redirected",
            "not_a_stream",
            "bad_certificate",
        ),
        *("too_small", "too_large", "unsupported_codec"),
    }
)
LOSSES: Final = frozenset(
    {
        *("unknown_host", "no_answer", "unavailable", "silent", "ended", "broken"),
        *("decoder_failed", "decoder_memory"),
    }
)
CAMERA_ERRORS: Final = REFUSALS | LOSSES


class CameraError(VisionError):
    """A camera's address cannot be used, or the camera gives no pictures.

    Codes for which a person has to act: ``bad_address``, ``unsupported_scheme``,
    ``forbidden_address`` (this machine, link-local, metadata), ``missing_file``, ``no_device``,
    ``wrong_password``, ``not_found`` (no such stream), ``refused``, ``redirected``,
    ``not_a_stream``, ``bad_certificate``, ``too_small``, ``too_large``, ``unsupported_codec``.

    Codes that may pass by themselves: ``unknown_host``, ``no_answer``, ``unavailable`` (the camera
    says so), ``silent`` (it answers and sends nothing), ``ended``, ``broken`` (what comes cannot be
    decoded), ``decoder_failed``, ``decoder_memory``.
    """
