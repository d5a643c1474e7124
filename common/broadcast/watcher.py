"""What the people behind the open WebSockets may still hear, asked for all of them at once.

A socket lives as long as its page, a permission may end sooner. One task per process reads, every
three seconds while there are sockets, the sessions and the users of all of them: three queries,
whether there are two sockets or two thousand.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from channels.db import database_sync_to_async  # type: ignore[import-untyped]
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.utils import timezone

from common.accounts.roles import role_of

logger = logging.getLogger(__name__)

CHECK_SECONDS = 3.0
TELL_SECONDS = 2.0
SOCKETS_PER_USER = 20


@dataclass(frozen=True)
class Standing:
    """What a signed-in person is at the moment.

    Attributes:
        role: Their role.
        groups: Ids of the groups that they are in.
    """

    role: str | None
    groups: frozenset[int]


class SignedIn(Protocol):
    """Somebody who has been let in for a session, and for as long as that lasts."""

    @property
    def user_id(self) -> int:
        """Who it is."""
        ...

    @property
    def session_key(self) -> str:
        """Of their session."""
        ...

    @property
    def session_hash(self) -> str:
        """Of the password that the session was opened with; see `session_hash_of`."""
        ...


class Socket(SignedIn, Protocol):
    """What the watcher knows of an open WebSocket."""

    async def stand(self, standing: Standing | None) -> None:
        """Take note of what the person may hear; None when nobody is signed in any more."""
        ...


class SocketWatcher:
    """Knows the sockets of one event loop, and keeps telling them how their people stand."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sockets: set[Socket] = set()
        self._per_user: Counter[tuple[type, int]] = Counter()
        self._task: asyncio.Task[None] | None = None

    @property
    def sockets(self) -> list[Socket]:
        """Those that are watched over."""
        return list(self._sockets)

    def add(self, socket: Socket) -> bool:
        """Watch over a socket from now on; False when its user has too many of its kind.

        One page may hold several kinds: news, pictures, figures. Each kind has its own limit.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # a new server: the sockets of the last one are gone
            self._loop, self._task = loop, None
            self._sockets.clear()
            self._per_user.clear()
        held = (type(socket), socket.user_id)
        if self._per_user[held] >= SOCKETS_PER_USER:
            return False
        self._sockets.add(socket)
        self._per_user[held] += 1
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._watch())
        return True

    def remove(self, socket: Socket) -> None:
        """Forget a socket; when none is left at the next look, the watching ends."""
        if socket not in self._sockets:
            return
        self._sockets.discard(socket)
        held = (type(socket), socket.user_id)
        self._per_user[held] -= 1
        if not self._per_user[held]:
            del self._per_user[held]

    async def check(self) -> None:
        """Ask once, and tell every socket."""
        sockets = self.sockets
        standings = await read_standings_async(sockets)
        # Together: a page that does not read keeps nobody else waiting.
        told = [_tell(socket, standings.get(socket.session_key)) for socket in sockets]
        for failed in await asyncio.gather(*told, return_exceptions=True):
            if isinstance(failed, Exception):
                logger.error("A WebSocket could not be told how its user stands", exc_info=failed)

    async def _watch(self) -> None:
        loop, began = asyncio.get_running_loop(), 0.0
        while self._sockets:
            # From one beginning to the next: those who could not be told delay nobody else.
            spent = loop.time() - began if began else 0.0
            await asyncio.sleep(max(CHECK_SECONDS - spent, min(CHECK_SECONDS, 0.1)))
            began = loop.time()
            try:
                await self.check()
            except DatabaseError as error:
                logger.warning("Open WebSockets could not be checked: %s", error)
            except Exception:
                logger.exception("Open WebSockets could not be checked")


async def _tell(socket: Socket, standing: Standing | None) -> None:
    """Tell one socket, for so long at most: it may wait for its page, or for Redis."""
    async with asyncio.timeout(TELL_SECONDS):
        await socket.stand(standing)


watcher = SocketWatcher()


def read_standings(sockets: Collection[SignedIn]) -> dict[str, Standing]:
    """Return how the people behind these sockets stand, by session key, in three queries.

    Missing are those who signed out, whose session or account has ended, or whose password was
    changed elsewhere.
    """
    if not sockets:
        return {}
    user_ids = {socket.user_id for socket in sockets}
    alive = _live_sessions({socket.session_key for socket in sockets})
    users = get_user_model()._default_manager.select_related("account").filter(pk__in=user_ids)
    people = {user.pk: user for user in users}
    groups: defaultdict[int, set[int]] = defaultdict(set)
    memberships = User.groups.through.objects.filter(user_id__in=user_ids)
    for user_id, group_id in memberships.values_list("user_id", "group_id"):
        groups[user_id].add(group_id)
    standings = {}
    for socket in sockets:
        user = people.get(socket.user_id)
        role = role_of(user) if user is not None else None
        if user is None or role is None or socket.session_key not in alive:
            continue
        if socket.session_hash in _session_hashes(user):
            standings[socket.session_key] = Standing(role, frozenset(groups[user.pk]))
    return standings


# A thread of its own: a database that hangs must not hold what else runs in the sensitive one.
read_standings_async = database_sync_to_async(read_standings, thread_sensitive=False)


def session_hash_of(session: Any) -> str:
    """Return the hash of the password that a session was opened with."""
    return str(session.get(HASH_SESSION_KEY, ""))


def _live_sessions(keys: set[str]) -> set[str]:
    model = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
    rows = model.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(rows.values_list("session_key", flat=True))


def _session_hashes(user: Any) -> set[str]:
    return {user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()}
