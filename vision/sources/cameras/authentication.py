"""Answers to a camera that asks who we are: Basic and Digest, for HTTP and RTSP alike."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Final

from vision.sources.cameras.secrets import Credentials

_FIELD: Final = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES: Final = {"md5": "md5", "sha-256": "sha256", "sha-512-256": "sha512_256"}


class Authenticator:
    """Remembers what was asked, and answers it for each request.

    Args:
        credentials: What to answer with; None answers nothing.
    """

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials
        self._fields: dict[str, str] | None = None  # of a Digest challenge
        self._basic = False
        self._count = 0

    def challenge(self, headers: Sequence[str]) -> bool:
        """Take in the ``WWW-Authenticate`` headers of a 401.

        Returns:
            Whether there is an answer. Who has given it and is asked again has a wrong password.
        """
        self._fields = next(filter(None, map(_digest, headers)), None)
        self._count = 0
        self._basic = any(header.lower().startswith("basic") for header in headers)
        return self._credentials is not None and (self._fields is not None or self._basic)

    def answer(self, method: str, uri: str) -> str | None:
        """Return the ``Authorization`` header of a request, or None when nobody asked."""
        if self._credentials is None:
            return None
        if self._fields is not None:
            return self._digest_answer(self._credentials, self._fields, method, uri)
        if self._basic:
            pair = f"{self._credentials.username}:{self._credentials.password}"
            return f"Basic {base64.b64encode(pair.encode()).decode()}"
        return None

    def _digest_answer(
        self, who: Credentials, fields: dict[str, str], method: str, uri: str
    ) -> str:
        name = fields.get("algorithm", "MD5")
        digest = _hash(_HASHES[name.lower().removesuffix("-sess")])
        realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
        client = secrets.token_hex(8)
        self._count += 1
        count = f"{self._count:08x}"
        secret = digest(f"{who.username}:{realm}:{who.password}")
        if name.lower().endswith("-sess"):
            secret = digest(f"{secret}:{nonce}:{client}")
        request = digest(f"{method}:{uri}")
        answer = {"username": who.username, "realm": realm, "nonce": nonce, "uri": uri}
        plain = {}
        if "qop" in fields:
            answer["response"] = digest(f"{secret}:{nonce}:{count}:{client}:auth:{request}")
            answer["cnonce"] = client
            plain = {"qop": "auth", "nc": count}
        else:
            answer["response"] = digest(f"{secret}:{nonce}:{request}")
        if "algorithm" in fields:
            plain["algorithm"] = name
        if "opaque" in fields:
            answer["opaque"] = fields["opaque"]
        quoted = [f'{key}="{_escape(value)}"' for key, value in answer.items()]
        return "Digest " + ", ".join([*quoted, *(f"{k}={v}" for k, v in plain.items())])


def _digest(header: str) -> dict[str, str] | None:
    """Return the fields of a Digest challenge that can be answered."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    fields = {
        key.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain
        for key, quoted, plain in _FIELD.findall(rest)
    }
    algorithm = fields.get("algorithm", "MD5").lower().removesuffix("-sess")
    offers = [offer.strip().lower() for offer in fields.get("qop", "auth").split(",")]
    return fields if algorithm in _HASHES and "auth" in offers else None


def _hash(name: str) -> Callable[[str], str]:
    def digest(text: str) -> str:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    return digest


def _escape(text: str) -> str:
    return re.sub(r'([\\"])', r"\\\1", re.sub(r"[\r\n]", "", text))
