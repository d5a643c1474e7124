"""Texts that lie in the database encrypted: passwords of cameras, keys of services.

The key is `SIGHTLINE_FIELD_KEY`, which lies beside the database and not in it. Every text carries
its own salt and a signature, so equal texts look different and a changed one is noticed.
"""

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class UnreadableSecretError(Exception):
    """The stored bytes were not written with this installation's key."""


def encrypt(text: str) -> bytes:
    """Return a text as bytes that only this installation can read."""
    return _fernet().encrypt(text.encode())


def decrypt(data: bytes | memoryview) -> str:
    """Return the text.

    Raises:
        UnreadableSecretError: The key has changed, or the bytes have.
    """
    try:
        return _fernet().decrypt(bytes(data)).decode()
    except InvalidToken:
        raise UnreadableSecretError(
            "A stored secret cannot be read: it was written with another SIGHTLINE_FIELD_KEY."
        ) from None


def _fernet() -> Fernet:
    return Fernet(settings.SIGHTLINE_FIELD_KEY)
