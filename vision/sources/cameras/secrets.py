"""User names and passwords of cameras, kept apart from their addresses."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, unquote_plus

from vision.sources.cameras.errors import CameraError

USERNAME: Final = "{username}"
PASSWORD: Final = "{password}"  # noqa: S105 - stands for one

_NAMES: Final = ("user", "usr", "username", "login", "loginuse", "account")
_WORDS: Final = ("password", "passwd", "pwd", "pass", "loginpas", "token", "access_token")
_SECRET: Final = "pass|loginpas|pwd|auth|token|secret|key"  # noqa: S105 - parts of keys
# The paths of cameras that write "/user=a_password=b_channel=1".
_IN_PATH: Final = re.compile(
    rf"(?P<before>^|[/&;_])(?P<key>{'|'.join((*_NAMES, *_WORDS))}"
    rf"|[a-z0-9.-]{{0,40}}(?:{_SECRET})[a-z0-9.-]{{0,99}})="
    r"(?P<value>.*?)(?=[&;/]|_[A-Za-z]+=|$)",
    re.IGNORECASE,
)
# In a query a secret ends only with its pair: it may hold every other character.
_SECRET_IN_PAIR: Final = re.compile(
    rf"(?P<before>)(?P<key>[^=;/?]{{0,40}}(?:{_SECRET})[^=;/?]{{0,99}})=(?P<value>.*)",
    re.IGNORECASE,
)
_NAME_IN_PAIR: Final = re.compile(
    rf"(?P<before>^|[;/?])(?P<key>{'|'.join(_NAMES)})=(?P<value>.*?)(?=;?$)", re.IGNORECASE
)
_LONGEST: Final = 1000  # characters of what may be an address
_TWO: Final = "The address names two users or two passwords; one of each can be stored."


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Who asks for the pictures. Shows neither name nor password by accident."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(…)"

    __str__ = __repr__


def split_secrets(
    path: str, query: str, given: Credentials | None
) -> tuple[str, str, Credentials | None]:
    """Put placeholders where path and query name a user or a password.

    Args:
        path: Of an address, escaped.
        query: Of an address, escaped.
        given: What stood before the host.

    Returns:
        Path, query, and the credentials of the address, if it has any.

    Raises:
        CameraError: ``bad_address``: two of them contradict each other.
    """
    found: dict[str, str] = {}
    path = _IN_PATH.sub(lambda pair: _replace(pair, found, unquote), path)
    query = "&".join(_split_pair(pair, found) for pair in query.split("&"))
    if not found:
        return path, query, given
    credentials = Credentials(
        found.get(USERNAME, given.username if given else ""),
        found.get(PASSWORD, given.password if given else ""),
    )
    if given is not None and given != credentials:
        raise CameraError("bad_address", _TWO)
    return path, query, credentials


def fill_secrets(text: str, credentials: Credentials | None) -> str:
    """Return a path or query with the credentials in their places, escaped."""
    name, word = (credentials.username, credentials.password) if credentials else ("", "")
    return text.replace(USERNAME, quote(name, safe="")).replace(PASSWORD, quote(word, safe=""))


def hides(text: str, credentials: Credentials | None) -> bool:
    """Tell whether a text keeps the password to itself."""
    if credentials is None or not credentials.password:
        return True
    word = credentials.password
    return not any(form in text for form in (word, quote(word), quote(word, safe="")))


def blank_secrets(text: str, instead: str) -> str:
    """Return what somebody wrote as an address, readable or not, without user and password.

    Args:
        text: What was written.
        instead: Is put where user and password stood before the host, and secrets in the rest.
    """
    if len(text) > _LONGEST:
        return instead
    begin = text.find("://") + 3 if "://" in text else 0
    scheme, rest = text[:begin], text[begin:]
    _, at, host = rest.rpartition("@")
    where = f"{instead}@{host}" if at else rest
    path, mark, query = where.partition("?")
    path = _IN_PATH.sub(lambda pair: f"{pair['before']}{pair['key']}={instead}", path)
    pairs = (_SECRET_IN_PAIR.sub(lambda p: f"{p['key']}={instead}", q) for q in query.split("&"))
    return f"{scheme}{path}{mark}{'&'.join(pairs)}"


def _split_pair(pair: str, found: dict[str, str]) -> str:
    secret = _SECRET_IN_PAIR.search(pair)
    before = pair[: secret.start()] if secret else pair
    before = _NAME_IN_PAIR.sub(lambda name: _replace(name, found, unquote_plus), before)
    return before + (_replace(secret, found, unquote_plus) if secret else "")


def _replace(pair: re.Match[str], found: dict[str, str], unescape: Callable[[str], str]) -> str:
    place = USERNAME if pair["key"].lower() in _NAMES else PASSWORD
    value = pair["value"]
    if value != place:
        plain = unescape(value)
        if found.setdefault(place, plain) != plain:
            raise CameraError("bad_address", _TWO)
    return f"{pair['before']}{pair['key']}={place}"
