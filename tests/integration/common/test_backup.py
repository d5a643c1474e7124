"""Backups: complete and consistent while work goes on, verified, and restored whole or not."""

import io
import json
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from common.backup import databases, services
from common.backup.archive import MANIFEST, SEAL, ArchiveWriter, verify_archive
from common.backup.errors import BackupError
from common.backup.services import make_backup, restore_backup
from common.backup.swap import Swap, swap_all
from common.models import AuditEntry, Upload
from common.uploads.services import delete_upload, read_upload, store_picture
from detector.models import DetectionSession
from integration.conftest import make_picture, make_user, wait_until
from integration.detector.conftest import make_session
from video_analysis.cameras.models import Camera
from video_analysis.models import CameraEvent

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_other_connections"),
]


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    """A data folder of this test's own, with keys."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    settings.MEDIA_ROOT = settings.DATA_DIR / "media"
    settings.SIGHTLINE_MIN_FREE_BYTES = 0
    (settings.DATA_DIR / "secrets.json").write_text('{"secret_key": "old"}')
    return Path(settings.DATA_DIR)


@pytest.fixture
def full(user: Any) -> list[DetectionSession]:
    """An installation with two sessions."""
    return [make_session(user, name="one.jpg"), make_session(user, name="two.jpg")]


@pytest.fixture
def backup(full: list[DetectionSession], tmp_path: Path) -> Path:
    return make_backup(target=tmp_path / "backup.tar").path


def read_thumbnail(upload: Upload) -> bytes:
    with upload.thumbnail.open() as file:
        return bytes(file.read())


def everything() -> dict[str, Any]:
    """What an installation holds, in a form that can be compared."""
    return {
        "users": sorted(get_user_model().objects.values_list("username", "password")),
        "sessions": sorted(DetectionSession.objects.values_list("pk", "name", "object_count")),
        "objects": sorted(
            DetectionSession.objects.values_list("pk", "detected_objects__class_name")
        ),
        "files": {
            str(upload.pk): (read_upload(upload=upload), read_thumbnail(upload))
            for upload in Upload.objects.filter(removed_at=None)
        },
        "keys": (Path(django_settings.DATA_DIR) / "secrets.json").read_text(),
    }


def make_another_installation() -> None:
    """Something quite different, in the place of what was backed up."""
    for upload in Upload.objects.all():
        upload.sessions.all().delete()
        delete_upload(upload=upload)
    get_user_model().objects.all().delete()
    make_session(make_user("eve", password="x"), name="other.jpg")
    (Path(django_settings.DATA_DIR) / "secrets.json").write_text('{"secret_key": "new"}')


def test_what_was_backed_up_comes_back_whole(
    full: list[DetectionSession], backup: Path, data_dir: Path
) -> None:
    before = everything()
    make_another_installation()
    others_file = Upload.objects.get().file.name
    call_command("restore", str(backup), "--replace")
    assert everything() == before
    assert not default_storage.exists(others_file)
    assert oct((data_dir / "secrets.json").stat().st_mode & 0o777) == "0o600"
    assert AuditEntry.objects.latest("at").details["what"] == "restore"
    leftovers = [path.name for path in data_dir.rglob("*") if "restore" in path.name]
    assert leftovers == []
    # The audit log is still append-only: its triggers came back, too.
    with pytest.raises(Exception, match="append"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM common_auditentry")


def test_pictures_of_events_come_back_and_others_go(tmp_path: Path) -> None:
    camera = Camera.objects.create(name="Door", address="loop:door.mp4")
    row = CameraEvent(camera=camera, sequence=1, kind="entry", start=timezone.now())
    row.picture.save("x.jpg", ContentFile(b"jpeg"))
    made = make_backup(target=tmp_path / "backup.tar")
    assert made.pictures == 1
    row.picture.delete()
    other = default_storage.save("events/2026/01/01/other.jpg", ContentFile(b"other"))
    call_command("restore", str(made.path), "--replace")
    with CameraEvent.objects.get().picture.open() as file:
        assert file.read() == b"jpeg"
    assert not default_storage.exists(other)


def test_an_empty_installation_is_backed_up_and_restored(tmp_path: Path) -> None:
    made = make_backup(target=tmp_path / "empty.tar")
    assert (made.pictures, made.has_keys) == (0, True)
    restore_backup(path=made.path)
    assert not Upload.objects.exists()


def test_a_backup_is_private_named_last_and_written_down(backup: Path, tmp_path: Path) -> None:
    assert oct(backup.stat().st_mode & 0o777) == "0o600"
    assert [path.name for path in tmp_path.glob(".backup-*")] == []
    manifest = verify_archive(backup)
    assert manifest["counts"]["detector.detectionsession"] == 2
    assert manifest["counts"]["detector.detectedobject"] == 6
    assert manifest["database"] == connection.vendor
    assert "common.0001_initial" in manifest["migrations"]
    entry = AuditEntry.objects.get(action=AuditEntry.Action.MAINTENANCE)
    assert (entry.details["what"], entry.details["file"]) == ("backup", "backup.tar")


def test_the_command_says_where_it_is_and_what_it_holds(
    full: list[DetectionSession], data_dir: Path, capsys: Any
) -> None:
    call_command("backup")
    said = capsys.readouterr().out
    (made,) = (data_dir / "backups").glob("sightline-*.tar")
    assert str(made) in said
    assert "4 files, verified" in said
    assert "keep it secret" in said


def test_an_existing_file_is_not_written_over(full: list[DetectionSession], tmp_path: Path) -> None:
    (tmp_path / "taken.tar").write_text("mine")
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", str(tmp_path / "taken.tar"))
    assert (tmp_path / "taken.tar").read_text() == "mine"


def test_uploads_and_deletions_go_on_during_a_backup(
    user: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [make_session(user, name=f"{number}.jpg") for number in range(6)]
    over = threading.Event()
    made: list[int] = []

    def work() -> None:
        while not over.is_set():
            upload = store_picture(owner=user, data=make_picture("PNG", (20, 20)), name="new.png")
            made.append(1)
            delete_upload(upload=upload) if len(made) % 2 else None
        connection.close()

    doomed = kept.pop()
    add_media = services._add_media

    def add_and_delete(writer: Any, names: Any) -> Any:
        # After the dump, before the files: the worst moment.
        delete_upload_in_thread(doomed.upload)
        return add_media(writer, names)

    monkeypatch.setattr(services, "_add_media", add_and_delete)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait_until(lambda: len(made) >= 5)
        reports = [make_backup(target=tmp_path / "busy.tar")]
        doomed = kept.pop()
        reports.append(make_backup(target=tmp_path / "busy-2.tar"))
    finally:
        over.set()
        thread.join()
    assert len(made) > 5
    for report in reports:
        assert report.missing == 0
        assert report.deleted >= 2
        restore_backup(path=report.path, replace=True)
        # No row points at a file that is not there.
        for upload in Upload.objects.filter(removed_at=None):
            assert read_upload(upload=upload)
            assert read_thumbnail(upload)
        assert DetectionSession.objects.filter(pk__in=[item.pk for item in kept]).count() == 4
        assert Upload.objects.exclude(removed_at=None).exists()


def delete_upload_in_thread(upload: Upload) -> None:
    """Delete as a request would: on a connection and in a transaction of its own."""

    def act() -> None:
        DetectionSession.objects.filter(upload=upload).delete()
        delete_upload(upload=Upload.objects.get(pk=upload.pk))
        connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def test_a_file_that_was_lost_before_is_reported(
    full: list[DetectionSession], tmp_path: Path
) -> None:
    default_storage.delete(full[0].upload.file.name)
    report = make_backup(target=tmp_path / "lossy.tar")
    assert (report.missing, report.deleted) == (1, 0)
    assert verify_archive(report.path)["missing"] == [full[0].upload.file.name]


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    with tarfile.open(path) as tar:
        at = next(member for member in tar if member.name.startswith("media/")).offset_data
    content[at + 10] ^= 1
    path.write_bytes(content)


def rewrite(path: Path, change: Callable[[tarfile.TarInfo, bytes], Any]) -> None:
    """Write the archive again with changed members, unsealed."""
    with tarfile.open(path) as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
    with tarfile.open(path, "w") as tar:
        for member, content in members:
            changed = change(member, content)
            for info, data in changed if isinstance(changed, list) else [changed]:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def add(name: str, **attributes: Any) -> Callable[[Path], None]:
    """Add a member with a name or of a kind that does not belong there."""

    def act(path: Path) -> None:
        def change(member: tarfile.TarInfo, content: bytes) -> Any:
            if member.name != MANIFEST:
                return member, content
            evil = tarfile.TarInfo(name)
            for attribute, value in attributes.items():
                setattr(evil, attribute, value)
            return [(evil, b"" if attributes else b"evil"), (member, content)]

        rewrite(path, change)

    return act


def drop(prefix: str) -> Callable[[Path], None]:
    return lambda path: rewrite(
        path, lambda member, data: [] if member.name.startswith(prefix) else (member, data)
    )


def lie(path: Path) -> None:
    rewrite(
        path,
        lambda member, data: (
            member,
            data.replace(b'"missing": []', b'"missing": [1]') if member.name == MANIFEST else data,
        ),
    )


BROKEN = {
    "empty": lambda path: path.write_bytes(b""),
    "no archive": lambda path: path.write_bytes(b"PK" * 600),
    "cut in a header": lambda path: cut(path, 700),
    "cut in the middle": lambda path: cut(path, path.stat().st_size // 2),
    "cut before the manifest": lambda path: cut(path, path.stat().st_size - 12_000),
    "one bit": flip,
    "a changed manifest": lie,
    "no manifest": drop("manifest.json"),
    "no seal": drop(SEAL),
    "a lost picture": drop("media/uploads"),
    "a path that climbs": add("../evil"),
    "a path that climbs later": add("media/../../evil"),
    "an absolute path": add("/tmp/evil"),
    "a hidden name": add("media/.ssh/evil"),
    "a backslash": add("media\\evil"),
    "a symbolic link": add("media/evil", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": add("media/evil", type=tarfile.LNKTYPE, linkname="secrets.json"),
    "a device": add("media/evil", type=tarfile.CHRTYPE),
    "a stranger": add("media/uploads/evil.jpg"),
    "a second database": add("database.sqlite3"),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_broken_archive_changes_nothing(backup: Path, data_dir: Path, way: str) -> None:
    BROKEN[way](backup)
    before = everything()
    with pytest.raises(CommandError):
        call_command("restore", str(backup), "--replace")
    assert everything() == before
    assert [path for path in data_dir.rglob("*") if "restore" in path.name] == []
    assert not (data_dir.parent / "evil").exists()


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        call_command("restore", str(tmp_path / "none.tar"))


def test_an_installation_that_holds_something_is_not_replaced_unasked(backup: Path) -> None:
    before = everything()
    with pytest.raises(CommandError, match=r"holds 1 account and 2 pictures.*--replace"):
        call_command("restore", str(backup))
    assert everything() == before


def resealed(path: Path, **changes: Any) -> None:
    """Write the archive again, whole, with another manifest."""
    with tarfile.open(path) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    manifest = {**json.loads(members.pop(MANIFEST)), **changes}
    del members[SEAL], manifest["members"]
    with path.open("wb") as file:
        writer = ArchiveWriter(file)
        for name, content in members.items():
            writer.add(name, io.BytesIO(content), len(content))
        writer.close(manifest)


REFUSED = [
    ({"migrations": ["common.0001_initial", "common.9999_tomorrow"]}, "newer than this"),
    ({"format": 2}, "does not know"),
    ({"database": "sqlite" if connection.vendor != "sqlite" else "postgresql"}, "DATABASE_URL"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED)
def test_a_backup_that_does_not_fit_is_refused(
    backup: Path, changes: dict[str, Any], words: str
) -> None:
    resealed(backup, **changes)
    before = everything()
    with pytest.raises(BackupError, match=words):
        restore_backup(path=backup, replace=True)
    assert everything() == before


def test_a_dump_that_cannot_be_read_changes_nothing(backup: Path) -> None:
    name = databases.DUMP_NAMES[connection.vendor]
    with tarfile.open(backup) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    members[name] = members[name][:100] + b"\0" * 5000
    manifest = json.loads(members.pop(MANIFEST))
    del members[SEAL], manifest["members"]
    with backup.open("wb") as file:
        writer = ArchiveWriter(file)
        for member, content in members.items():
            writer.add(member, io.BytesIO(content), len(content))
        writer.close(manifest)
    before = everything()
    with pytest.raises(BackupError):
        restore_backup(path=backup, replace=True)
    assert everything() == before


def test_a_running_server_is_not_pulled_from_under(backup: Path) -> None:
    if connection.vendor == "sqlite":
        other = sqlite3.connect(databases.sqlite_path())
        other.execute("SELECT count(*) FROM common_upload").fetchone()
        close = other.close
    else:
        wrapper = connection.copy()
        wrapper.ensure_connection()
        close = wrapper.close
    before = everything()
    try:
        with pytest.raises(BackupError, match=r"[Ss]top"):
            restore_backup(path=backup, replace=True)
        assert everything() == before
    finally:
        close()


def test_a_failure_while_files_are_swapped_puts_everything_back(tmp_path: Path) -> None:
    folder = tmp_path / "swaps"
    swaps = []
    for name in ("a", "b", "c"):
        (folder / name).mkdir(parents=True)
        (folder / name / "old").touch()
        (folder / f"{name}.new").mkdir()
        swaps.append(Swap(folder / f"{name}.new", folder / name))
    (folder / "c.new").rmdir()  # the third cannot come
    with pytest.raises(OSError, match="No such file"):
        swap_all(swaps)
    assert sorted(path.name for path in folder.iterdir()) == ["a", "a.new", "b", "b.new", "c"]
    assert all((folder / name / "old").exists() for name in "abc")


def test_a_disk_that_fills_up_leaves_no_half_backup(
    full: list[DetectionSession], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(services.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(BackupError, match="left; the backup needs"):
        make_backup(target=tmp_path / "b" / "backup.tar")
    assert list((tmp_path / "b").iterdir()) == []


# The run with SQLite has nothing to ask here; the one with PostgreSQL follows it.
if django_settings.DATABASE_URL:

    def test_an_old_pg_dump_is_told_what_helps(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        old = tmp_path / "pg_dump"
        old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
        old.chmod(0o700)
        monkeypatch.setattr(databases, "PROGRAM_FOLDERS", "/nowhere")
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        with pytest.raises(BackupError, match="apt-get install postgresql-client"):
            make_backup(target=tmp_path / "backup.tar")
