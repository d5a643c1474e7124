"""What a fresh installation needs before its first start; every step can be repeated."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from filelock import FileLock
from knox.crypto import hash_token
from knox.models import get_token_model
from knox.settings import CONSTANTS

from common.accounts.services import describe_token
from common.inference import get_weights_store
from common.models import Account, TokenDetails
from detection_project.keys import read_key, save_key
from detection_project.settings import env
from vision.errors import VisionError
from vision.weights.cards import get_card

ADMINISTRATOR = "admin"
TOKEN_KEY = "api_token"  # noqa: S105 - the name of the entry
TOKEN_LIFETIME = timedelta(days=365)
TOKEN_RENEWAL = timedelta(days=7)
STAMP = "sources.json"
LOCK_FILE = "setup.lock"
LOCK_SECONDS = 300.0
LOCK_NUMBER = 0x51_6711_E5  # of PostgreSQL's advisory lock: any number that nobody else uses

Say = Callable[[str], None]
OnProgress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Administrator:
    """The account of the first run; `password` only when it was just made up."""

    name: str
    password: str | None


@dataclass(frozen=True)
class Installation:
    """What a prepared installation is used with."""

    administrator: Administrator
    token: str


def prepare(say: Say, on_progress: OnProgress | None) -> Installation:
    """Make everything that is missing: database, account, token, static files, weights.

    Args:
        say: Receives a line for what takes time or fails.
        on_progress: Receives model, bytes so far and in all during a download; None fetches no
            weights.
    """
    with alone():
        if migrate_database():
            say(f"Database  ready in {_database_place()}")
        if collect_static():
            say("Static    files collected")
    if on_progress is not None:
        fetch_weights(say, on_progress)
    # Last: whatever fails above, a password that was made up is still shown.
    with alone():
        administrator = ensure_administrator()
        return Installation(administrator, ensure_api_token(administrator.name))


@contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time prepare: on this machine, and on all that share the database."""
    settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(settings.DATA_DIR / LOCK_FILE, timeout=LOCK_SECONDS, mode=0o600):
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_NUMBER])


def is_migrated() -> bool:
    """Tell whether the database is as this version needs it."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _database_place() -> str:
    place = settings.DATABASES[DEFAULT_DB_ALIAS]
    return f"{place['NAME']} on {place['HOST']}" if place.get("HOST") else str(settings.DATA_DIR)


def migrate_database() -> bool:
    """Bring the database up to date; return whether there was anything to do."""
    settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_migrated():
        return False
    call_command("migrate", interactive=False, verbosity=0)
    return True


def ensure_administrator() -> Administrator:
    """Make the account "admin" when there is no superuser.

    `SIGHTLINE_ADMIN_PASSWORD` sets its password, also that of an account that exists.
    """
    users = get_user_model()
    given = env.text("SIGHTLINE_ADMIN_PASSWORD")
    account = users.objects.filter(username=ADMINISTRATOR, is_superuser=True).first()
    if account is None:
        existing = users.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        taken = users.objects.filter(username=ADMINISTRATOR).exists()
        if existing is not None and (taken or not given):
            return Administrator(existing.get_username(), None)
        # Whoever else is called so keeps the name, and gets nothing with it.
        name = f"{ADMINISTRATOR}-{secrets.token_hex(2)}" if taken else ADMINISTRATOR
        password = given or secrets.token_urlsafe(12)
        made = users.objects.create_superuser(username=name, password=password)
        Account.objects.create(user=made, role=Account.Role.ADMINISTRATOR)
        return Administrator(name, None if given else password)
    if given and not account.check_password(given):
        account.set_password(given)
        account.save(update_fields=["password"])
    return Administrator(ADMINISTRATOR, None)


def ensure_api_token(user_name: str) -> str:
    """Return the API token of this installation, making a new one when it has expired."""
    user = get_user_model().objects.get(username=user_name)
    token = env.text("SIGHTLINE_API_TOKEN") or read_key(settings.DATA_DIR, TOKEN_KEY)
    if token and _is_valid(token, user):
        return token
    row, token = get_token_model().objects.create(user=user, expiry=TOKEN_LIFETIME)
    describe_token(token=row, name="First start", scope=TokenDetails.Scope.WRITE)
    made = str(token)
    save_key(settings.DATA_DIR, TOKEN_KEY, made)
    return made


def _is_valid(token: str, user: AbstractBaseUser) -> bool:
    rows = get_token_model().objects.filter(
        token_key=token[: CONSTANTS.TOKEN_KEY_LENGTH], digest=hash_token(token), user=user
    )
    soon = timezone.now() + TOKEN_RENEWAL
    return any(row.expiry is None or row.expiry > soon for row in rows)


def collect_static() -> bool:
    """Collect static files under hashed names; return whether anything had changed."""
    if settings.DEBUG:
        return False
    stamp = Path(settings.STATIC_ROOT) / STAMP
    sources = _static_sources()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == sources:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=False, stdout=StringIO())
    stamp.write_text(sources, encoding="utf-8")
    return True


def _static_sources() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            stat = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return json.dumps({"sources": digest.hexdigest(), "storage": str(settings.STORAGES)})


def fetch_weights(say: Say, on_progress: OnProgress) -> None:
    """Fetch the weights of the default models; what cannot be had is one line, not an end."""
    store = get_weights_store()
    names = (settings.SIGHTLINE_DEFAULT_MODEL, settings.SIGHTLINE_DEFAULT_SEGMENT_MODEL)
    for name in dict.fromkeys(names):
        try:
            card = get_card(name)
            if store.find(card) is None:
                store.fetch(card, lambda done, total, name=name: on_progress(name, done, total))
                say(f"Weights   {name} fetched")
        except VisionError as error:
            say(f"Weights   {name} not available: {error.message}")
            if error.code == "weights_unreachable":
                say("          Simple built-in detectors answer until the weights can be had.")
                return


class ProgressLines:
    """Says how far a download is, twice a second at most."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.last = 0.0

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """Take one report of `fetch_weights`."""
        now = time.monotonic()
        if now - self.last < 0.5 and done != total:
            return
        self.last = now
        share = f" of {total / 1e6:.1f}" if total else ""
        self.say(f"Weights   {name}: {done / 1e6:.1f}{share} MB")
