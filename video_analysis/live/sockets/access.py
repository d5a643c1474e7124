"""Which cameras somebody may watch at the moment, asked again and again for everybody who watches.

A permission ends when the person leaves a group or the camera does. All who stand alike, in role
and groups, share one question; a thousand open pages of two groups cost two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from channels.db import database_sync_to_async  # type: ignore[import-untyped]
from django.contrib.auth import get_user_model
from django.utils import timezone
from knox.models import get_token_model

from common.accounts.groups import group_ids_of
from common.accounts.roles import role_of
from common.broadcast.watcher import Standing, read_standings
from common.permissions import visible
from video_analysis.cameras.models import Camera
from video_analysis.live.sockets.sharing import Shared

KEPT_SECONDS = 0.5
NONE: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Question:
    """Equal for all who stand alike; ``user_id`` is one of them."""

    standing: Standing
    user_id: int = field(compare=False)


@dataclass(frozen=True)
class _Answer:
    """What somebody may watch, and how they stood when that was read."""

    standing: Standing | None
    cameras: frozenset[int]


def _read(question: _Question) -> _Answer:
    users = get_user_model()._default_manager.select_related("account")
    user = users.filter(pk=question.user_id).first()
    role = role_of(user) if user is not None else None
    if user is None or role is None:
        return _Answer(None, NONE)
    cameras = visible(user, Camera.objects.order_by()).values_list("pk", flat=True)
    standing = Standing(role, frozenset(group_ids_of(user)))
    return _Answer(standing, frozenset(cameras))


# A thread of its own: a database that hangs must not hold what else runs in the sensitive one.
_read_async = database_sync_to_async(_read, thread_sensitive=False)


async def _answer(question: _Question) -> _Answer:
    answer: _Answer = await _read_async(question)
    return answer


_answers: Shared[_Question, _Answer] = Shared(_answer, KEPT_SECONDS)


async def cameras_of(user_id: int, standing: Standing) -> frozenset[int]:
    """Return the ids of the cameras that a user may watch, at most half a second old."""
    question = _Question(standing, user_id)
    answer = await _answers.get(question)
    if answer.standing != standing:
        # Whoever was asked for has changed in between: their answer is not this user's.
        answer = await _answer(question)
    return answer.cameras


def look_again() -> None:
    """Keep no answer from before."""
    _answers.forget()


# ---------------------------------------------------------------- requests that do not end
@dataclass(frozen=True)
class Credential:
    """What somebody has proved with who they are: a session or a token.

    Attributes:
        user_id: Who they are.
        session_key: Of their session; empty with a token.
        session_hash: Of the password that the session was opened with.
        digest: Of their token; empty with a session.
    """

    user_id: int
    session_key: str = field(default="", repr=False)
    session_hash: str = field(default="", repr=False)
    digest: str = field(default="", repr=False)


def _read_standing(credential: Credential) -> Standing | None:
    if not credential.digest:
        return read_standings([credential]).get(credential.session_key)
    tokens = get_token_model().objects.select_related("user__account")
    token: Any = tokens.filter(digest=credential.digest, user=credential.user_id).first()
    if token is None or (token.expiry is not None and token.expiry <= timezone.now()):
        return None
    role = role_of(token.user)
    return None if role is None else Standing(role, frozenset(group_ids_of(token.user)))


_read_standing_async = database_sync_to_async(_read_standing, thread_sensitive=False)


async def _standing(credential: Credential) -> Standing | None:
    found: Standing | None = await _read_standing_async(credential)
    return found


_standings: Shared[Credential, Standing | None] = Shared(_standing, KEPT_SECONDS)


async def may_watch(credential: Credential, camera: int) -> bool:
    """Tell whether a credential is good still, and its user may watch a camera."""
    standing = await _standings.get(credential)
    return standing is not None and camera in await cameras_of(credential.user_id, standing)
