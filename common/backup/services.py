"""Making a backup while everything runs, and restoring one while nothing does."""

from __future__ import annotations

import io
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from common.audit.models import AuditEntry
from common.audit.services import record
from common.backup.archive import (
    FORMAT,
    MEDIA,
    ArchiveWriter,
    Manifest,
    members,
    verify_archive,
)
from common.backup.databases import (
    DUMP_NAMES,
    NAMES,
    Snapshot,
    check_dump,
    close_sqlite,
    engine,
    restore_postgres,
    snapshot,
    sqlite_path,
)
from common.backup.errors import BackupError
from common.backup.swap import Swap, remove, swap_all, sync_folder
from common.people.journal import erase_again
from common.storage.files import open_part, stat_file
from common.storage.orphans import FOLDERS
from common.storage.registry import all_kept_files
from common.storage.selectors import backup_folder
from common.uploads.derived import DerivedFile
from common.uploads.models import Upload

logger = logging.getLogger(__name__)

SECRETS = "secrets.json"
COUNTED = ("auth", "common", "detector", "video_analysis", "recognition", "retail")
UPLOADS = Upload._meta.db_table
DERIVED = DerivedFile._meta.db_table


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds.

    Attributes:
        deleted: Files that went while it was made, with their rows; they are not in it.
        missing: Files that rows name and that are not there, and were not before.
        has_keys: Whether the keys are in it; without them they must be kept elsewhere.
    """

    path: Path
    bytes: int
    pictures: int
    deleted: int
    missing: int
    has_keys: bool


def make_backup(*, target: Path | None = None, actor: Any = None) -> BackupReport:
    """Write database, pictures and keys into one file, and read it back before it gets its name.

    Raises:
        BackupError: There is no backup; the message says why.
    """
    target = target or default_target()
    if target.exists():
        raise BackupError(f"{target} exists already.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder:
            report = _write(Path(folder), target)
    except OSError as error:
        raise BackupError(f"The backup could not be written: {error}") from error
    details = {name: value for name, value in vars(report).items() if name != "path"}
    with transaction.atomic():
        record(
            action=AuditEntry.Action.MAINTENANCE,
            actor=actor,
            details={"what": "backup", "file": target.name, **details},
        )
    return report


def default_target() -> Path:
    """Return where a backup goes that was given no name."""
    return backup_folder() / f"sightline-{timezone.localtime():%Y%m%d-%H%M%S}.tar"


def _write(folder: Path, target: Path) -> BackupReport:
    unnamed = folder / "backup.tar"
    with snapshot(folder) as moment:
        # The database first: a row of it never names a file that came later.
        _require_room(target.parent, moment)
        names = _file_names(moment)
        with _create(unnamed) as file:
            writer = ArchiveWriter(file)
            with moment.path.open("rb") as dump:
                writer.add(moment.path.name, dump, moment.path.stat().st_size)
            has_keys = _add_keys(writer)
            absent = _add_media(writer, names)
            deleted = _deleted_meanwhile(absent)
            missing = sorted(set(absent) - set(deleted))
            writer.close(_manifest(moment, deleted=deleted, missing=missing, has_keys=has_keys))
            file.flush()
            os.fsync(file.fileno())
    verify_archive(unnamed)
    unnamed.rename(target)
    sync_folder(target.parent)
    size = target.stat().st_size
    kept = len(names) - len(absent)
    return BackupReport(target, size, kept, len(deleted), len(missing), has_keys)


def _create(path: Path) -> IO[bytes]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "wb")


def _require_room(folder: Path, moment: Snapshot) -> None:
    uploads = f"SELECT sum(size + thumbnail_size) FROM {UPLOADS} WHERE removed_at IS NULL"  # noqa: S608
    derived = f"SELECT sum(size) FROM {DERIVED}"  # noqa: S608
    needed = sum(int(moment.query(sums)[0][0] or 0) for sums in (uploads, derived))
    needed += moment.path.stat().st_size
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise BackupError(
            f"{folder} has {free // 1_000_000} MB left; the backup needs {needed // 1_000_000}."
        )


def _file_names(moment: Snapshot) -> list[str]:
    rows = moment.query(
        f"SELECT file, thumbnail FROM {UPLOADS} WHERE removed_at IS NULL ORDER BY id"  # noqa: S608
    )
    derived = moment.query(f"SELECT file FROM {DERIVED} ORDER BY id")  # noqa: S608
    kept = [
        row
        for one in all_kept_files()
        for row in moment.query(f"SELECT {one.column} FROM {one.table} WHERE {one.column} <> ''")  # noqa: S608
    ]
    return [str(name) for row in (*rows, *derived, *kept) for name in row if name]


def _add_keys(writer: ArchiveWriter) -> bool:
    try:
        content = (Path(settings.DATA_DIR) / SECRETS).read_bytes()
    except FileNotFoundError:
        return False
    writer.add(SECRETS, io.BytesIO(content), len(content))
    return True


def _add_media(writer: ArchiveWriter, names: Iterable[str]) -> list[str]:
    """Add the files; return the names of those that are not there."""
    absent = []
    for name in names:
        try:
            size, _ = stat_file(default_storage, name)
            source = open_part(default_storage, name, 0, size)
        except FileNotFoundError:
            absent.append(name)
            continue
        try:
            writer.add(MEDIA + name, source, size)
        finally:
            source.close()
    return absent


def _deleted_meanwhile(absent: list[str]) -> list[str]:
    """Return those whose row is gone by now, or says that the picture is."""
    if not absent:
        return []
    # On another connection: our own still looks at the moment of the dump.
    still: set[str] = set()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            for start in range(0, len(absent), 500):
                part = absent[start : start + 500]
                marks = ", ".join(["%s"] * len(part))
                for column, rows in (
                    ("file", f"{UPLOADS} WHERE removed_at IS NULL"),
                    ("thumbnail", f"{UPLOADS} WHERE removed_at IS NULL"),
                    ("file", f"{DERIVED} WHERE TRUE"),
                    *((one.column, f"{one.table} WHERE TRUE") for one in all_kept_files()),
                ):
                    cursor.execute(
                        f"SELECT {column} FROM {rows} AND {column} IN ({marks})",  # noqa: S608
                        part,
                    )
                    still |= {str(row[0]) for row in cursor.fetchall()}
    finally:
        other.close()
    return sorted(set(absent) - still)


def _manifest(
    moment: Snapshot, *, deleted: list[str], missing: list[str], has_keys: bool
) -> Manifest:
    applied = moment.query("SELECT app, name FROM django_migrations ORDER BY id")
    return {
        "format": FORMAT,
        "version": settings.SPECTACULAR_SETTINGS["VERSION"],
        "made_at": timezone.now().isoformat(),
        "database": moment.engine,
        "migrations": [f"{app}.{name}" for app, name in applied],
        "counts": {
            model._meta.label_lower: int(moment.query(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608
            for model in apps.get_models()
            if model._meta.app_label in COUNTED and (table := model._meta.db_table)
        },
        "deleted_meanwhile": deleted,
        "missing": missing,
        "has_keys": has_keys,
    }


def restore_backup(*, path: Path, replace: bool = False, actor: Any = None) -> Manifest:
    """Put a backup in the place of what is here, and bring it up to date.

    Everything is verified and unpacked before anything is replaced; what is replaced is put back
    if a later step fails.

    Args:
        path: The file that `make_backup` wrote.
        replace: Restore although there is something here already.
        actor: Who asked for it; None for the command line.

    Returns:
        The manifest.

    Raises:
        BackupError: Nothing was restored; everything is as it was.
    """
    manifest = verify_archive(path)
    _require_known(manifest)
    if not replace:
        _require_empty()
    try:
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=_existing_data_dir()) as folder:
            _put_in_place(path, manifest, Path(folder))
    except OSError as error:
        raise BackupError(f"The backup could not be restored: {error}") from error
    connections.close_all()
    call_command("migrate", interactive=False, verbosity=0)
    _finish(path, manifest, actor)
    _forget_again()
    return manifest


def _require_known(manifest: Manifest) -> None:
    here = engine()
    if manifest["database"] != here:
        raise BackupError(
            f"The backup is of {NAMES.get(manifest['database'], 'another database')}, and this "
            f"installation uses {NAMES[here]}. Set or unset DATABASE_URL, then restore."
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations or {}}
    apps_here = {config.label for config in apps.get_app_configs()}
    unknown = [
        name
        for name in manifest["migrations"]
        if name not in known and name.partition(".")[0] in apps_here
    ]
    if unknown:
        raise BackupError(
            f"The backup is of version {manifest['version']} and newer than this installation "
            f"({settings.SPECTACULAR_SETTINGS['VERSION']}): it knows {unknown[0]}. Install the "
            "newer version first."
        )


def _require_empty() -> None:
    accounts = _count(get_user_model())
    pictures = _count(Upload)
    if accounts or pictures:
        raise BackupError(
            f"This installation holds {accounts} account{'' if accounts == 1 else 's'} and "
            f"{pictures} picture{'' if pictures == 1 else 's'}. To replace all of it, restore "
            "with --replace (make restore REPLACE=1)."
        )


def _count(model: Any) -> int:
    try:
        return int(model.objects.count())
    except DatabaseError:  # nothing has been made yet
        return 0


def _existing_data_dir() -> Path:
    folder = Path(settings.DATA_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _put_in_place(path: Path, manifest: Manifest, folder: Path) -> None:
    dump = folder / DUMP_NAMES[manifest["database"]]
    keys = folder / SECRETS
    staging = _unpack(path, folder)
    check_dump(manifest["database"], dump)
    swaps = [Swap(keys, Path(settings.DATA_DIR) / SECRETS)] if keys.exists() else []
    folders = [*FOLDERS, *(one.folder for one in all_kept_files())]
    swaps += [Swap(_given(staging / name), _media_root() / name) for name in folders if staging]
    try:
        if manifest["database"] == "sqlite":
            place = sqlite_path()
            staged = place.with_name(f"{place.name}.restore")
            shutil.move(dump, staged)
            try:
                close_sqlite()
                swap_all([Swap(staged, place), *swaps])
            finally:
                remove(staged)
        else:
            restore_postgres(dump)
            swap_all(swaps)
    finally:
        if staging:
            remove(staging)


def _unpack(path: Path, folder: Path) -> Path | None:
    """Unpack dump and keys into a folder, and pictures into the storage.

    Returns:
        The folder on the disk of the pictures that holds them until they are swapped in; None
        where they went to their place already, in a bucket, under names that nothing else has.
    """
    staging = None
    if isinstance(default_storage, FileSystemStorage):
        _media_root().mkdir(mode=0o700, parents=True, exist_ok=True)
        staging = _media_root() / f".restore-{secrets.token_hex(4)}"
        staging.mkdir(mode=0o700)
    try:
        for member, source in members(path):
            if not member.name.startswith(MEDIA):
                _copy(source, folder / member.name)
            elif staging is not None:
                _copy(source, staging / member.name.removeprefix(MEDIA))
            else:
                _send(source, member.name.removeprefix(MEDIA), member.size)
    except BaseException:
        if staging is not None:
            remove(staging)
        raise
    return staging


def _copy(source: IO[bytes], place: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _create(place) as file:
        shutil.copyfileobj(source, file, 1024 * 1024)
        file.flush()
        os.fsync(file.fileno())


def _send(source: IO[bytes], name: str, size: int) -> None:
    try:
        if stat_file(default_storage, name)[0] == size:
            return  # a stored file never changes under its name
    except FileNotFoundError:
        pass
    default_storage.save(name, File(source))


def _given(path: Path) -> Path | None:
    return path if path.exists() else None


def _media_root() -> Path:
    return Path(settings.MEDIA_ROOT)


def _finish(path: Path, manifest: Manifest, actor: Any) -> None:
    """Say of pictures that were deleted during the backup that they are gone; write it down."""
    gone = list(manifest["deleted_meanwhile"])
    made_at = datetime.fromisoformat(manifest["made_at"])
    with transaction.atomic():
        for start in range(0, len(gone), 500):
            part = gone[start : start + 500]
            for column in ("file", "thumbnail"):
                Upload.objects.filter(**{f"{column}__in": part}).update(
                    removed_at=made_at, file="", thumbnail=""
                )
            DerivedFile.objects.filter(file__in=part).delete()
            _blank_kept(part)
        record(
            action=AuditEntry.Action.MAINTENANCE,
            actor=actor,
            details={
                "what": "restore",
                "file": path.name,
                "made_at": manifest["made_at"],
                "version": manifest["version"],
            },
        )
    connection.close()


def _blank_kept(names: list[str]) -> None:
    """Have rows of apps name no file that the archive does not hold."""
    marks = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        for one in all_kept_files():
            cursor.execute(
                f"UPDATE {one.table} SET {one.column} = '' WHERE {one.column} IN ({marks})",  # noqa: S608
                names,
            )


def _forget_again() -> None:
    """Erase those whom the backup has brought back: the list of them lies beside the database."""
    try:
        again = erase_again()
    except Exception:
        # The restore is done. The sweeper of a running server tries again.
        logger.exception("People who had been erased are back, and could not be erased again")
        return
    if again:
        logger.warning("%d people who had been erased were erased again", again)
    connection.close()
