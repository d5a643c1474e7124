"""Why a camera gives no pictures, for those who only watch it: no host, no port, no file."""

from __future__ import annotations

from typing import Final

UNKNOWN_REASON: Final = "The camera gives no pictures at the moment. An administrator can see why."

PUBLIC_REASONS: Final[dict[str, str]] = {
    # A person has to change something first.
    "bad_address": "The camera's address cannot be right.",
    "unsupported_scheme": "The camera's address is of a kind that is not supported.",
    "forbidden_address": "The camera's address may not be used here.",
    "missing_file": "The camera's film is missing.",
    "no_device": "The camera is not plugged in.",
    "wrong_password": "The camera does not accept its user name and password.",
    "not_found": "The camera has no such stream.",
    "refused": "The camera refuses the connection.",
    "redirected": "The camera sends us to another address.",
    "not_a_stream": "What answers at the camera's address is no stream that can be read.",
    "bad_certificate": "The camera's certificate cannot be trusted.",
    "too_small": "The camera's picture is too small.",
    "too_large": "The camera's picture is too large.",
    "unsupported_codec": "The camera's pictures are coded in a way that is not supported.",
    # What may pass by itself.
    "unknown_host": "The camera's host is not known.",
    "no_answer": "The camera does not answer.",
    "unavailable": "The camera cannot serve now.",
    "silent": "The camera answers, but sends no pictures.",
    "ended": "The camera has closed the connection.",
    "broken": "The camera sends pictures that cannot be decoded.",
    "decoder_failed": "The camera's pictures could not be decoded.",
    "decoder_memory": "The camera's pictures need too much memory.",
}


def public_reason(code: str) -> str:
    """Return what anybody who watches a camera may read about this code."""
    return PUBLIC_REASONS.get(code, UNKNOWN_REASON)
