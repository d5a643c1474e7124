"""Taking pictures, refusing what is none, and deleting."""

import errno
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from common.models import Upload
from common.uploads import memory
from common.uploads.errors import UploadRejected
from common.uploads.memory import PixelBudget
from common.uploads.names import MAX_LENGTH, clean_name
from common.uploads.services import delete_upload, read_upload, store_picture
from integration.conftest import make_picture


def stored_files(settings: Any) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_picture_is_kept_as_it_came_with_a_thumbnail(user: Any, settings: Any) -> None:
    data = make_picture("PNG", (1200, 600))
    upload = store_picture(owner=user, data=data, name="C:\\fakepath\\Strand.png")
    upload.refresh_from_db()
    assert (upload.name, upload.media_type, upload.size) == ("Strand.png", "image/png", len(data))
    assert (upload.width, upload.height) == (1200, 600)
    assert upload.sha256 == hashlib.sha256(data).hexdigest()
    assert read_upload(upload=upload) == data
    assert upload.thumbnail.read()[:3] == b"\xff\xd8\xff"
    assert len(stored_files(settings)) == 2
    assert "Strand" not in upload.file.name  # no name that somebody sent becomes a path


REFUSED = [
    (b"", "empty_file", 400),
    (b"just a text", "not_a_picture", 415),
    (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "unsupported_format", 415),
    (make_picture("JPEG", (300, 300))[:-200], "truncated_picture", 422),
]


@pytest.mark.parametrize(("data", "code", "status"), REFUSED)
def test_what_is_no_whole_picture_leaves_nothing(
    user: Any, settings: Any, data: bytes, code: str, status: int
) -> None:
    with pytest.raises(UploadRejected) as refused:
        store_picture(owner=user, data=data, name="picture.jpg")
    assert (refused.value.code, refused.value.status) == (code, status)
    assert refused.value.message.endswith(".")
    assert not Upload.objects.exists()
    assert not stored_files(settings)


def test_the_limits_of_the_installation_count(user: Any, settings: Any) -> None:
    settings.SIGHTLINE_MAX_UPLOAD_BYTES = 100
    with pytest.raises(UploadRejected) as refused:
        store_picture(owner=user, data=make_picture("PNG", (400, 400)), name="a.png")
    assert (refused.value.code, refused.value.status) == ("file_too_large", 413)


class FullDisk(FileSystemStorage):
    """A disk that takes `room` files, and breaks off in the middle of the next."""

    room = 0

    def _save(self, name: str, content: Any) -> str:
        if self.room == 0:
            path = Path(self.path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read()[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= 1
        return super()._save(name, content)


@pytest.mark.parametrize("room", [0, 1])
def test_a_full_disk_leaves_neither_row_nor_file(
    user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, jpeg: bytes, room: int
) -> None:
    disk = FullDisk()
    disk.room = room
    for field in ("file", "thumbnail"):
        monkeypatch.setattr(Upload._meta.get_field(field), "storage", disk)
    with pytest.raises(UploadRejected) as refused:
        store_picture(owner=user, data=jpeg, name="a.jpg")
    assert (refused.value.code, refused.value.status) == ("disk_full", 507)
    assert not Upload.objects.exists()
    assert not stored_files(settings)


def test_a_row_that_cannot_be_written_leaves_no_file(
    user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, jpeg: bytes
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("no")

    monkeypatch.setattr(Upload, "save", refuse)
    with pytest.raises(DatabaseError):
        store_picture(owner=user, data=jpeg, name="a.jpg")
    assert not stored_files(settings)


@pytest.mark.django_db(transaction=True)
def test_files_go_when_the_deletion_is_committed(user: Any, settings: Any, jpeg: bytes) -> None:
    upload = store_picture(owner=user, data=jpeg, name="a.jpg")
    with transaction.atomic():
        delete_upload(upload=Upload.objects.get())
        transaction.set_rollback(True)
    assert read_upload(upload=upload) == jpeg
    delete_upload(upload=Upload.objects.get())
    assert not stored_files(settings)
    assert not Upload.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_files_go_with_the_account_of_their_owner(user: Any, settings: Any, jpeg: bytes) -> None:
    store_picture(owner=user, data=jpeg, name="a.jpg")
    user.delete()
    assert not Upload.objects.exists()
    assert not stored_files(settings)


@pytest.mark.django_db(transaction=True)
def test_an_upload_whose_file_is_gone_can_be_deleted(user: Any, jpeg: bytes) -> None:
    upload = store_picture(owner=user, data=jpeg, name="a.jpg")
    upload.file.storage.delete(upload.file.name)
    with pytest.raises(FileNotFoundError):
        read_upload(upload=upload)
    delete_upload(upload=upload)
    assert not Upload.objects.exists()


def test_threads_decode_within_one_budget(settings: Any) -> None:
    settings.SIGHTLINE_MAX_PIXELS = 50
    budget = PixelBudget()
    seen: list[int] = []

    def work(pixels: int) -> None:
        with budget.hold(pixels):
            seen.append(budget.held)
            time.sleep(0.005)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [40, 30, 60, 10, 500, 90] * 5))
    assert max(held for held in seen if held != 500) <= 100
    assert seen.count(500) == 5  # what never fits goes alone
    assert budget.held == 0


def test_a_share_is_given_back_after_an_error(settings: Any) -> None:
    budget = PixelBudget()
    with pytest.raises(ZeroDivisionError), budget.hold(10):
        raise ZeroDivisionError
    assert budget.held == 0


def test_storing_a_picture_holds_its_pixels(
    user: Any, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    def thumbnail(image: Any) -> bytes:
        held.append(memory.budget.held)
        return b"thumbnail"

    monkeypatch.setattr("common.uploads.services.make_thumbnail", thumbnail)
    store_picture(owner=user, data=jpeg, name="a.jpg")
    assert held == [64 * 48]
    assert memory.budget.held == 0


NAMES = [
    ("holiday.jpg", "holiday.jpg"),
    ("../../etc/passwd", "passwd"),
    ("C:\\Users\\me\\x.png", "x.png"),
    ("a\x00b\n.jpg", "ab.jpg"),
    ("photo\u202egpj.exe", "photogpj.exe"),
    ("<script>.jpg", "_script_.jpg"),
    ("  many   spaces .jpg", "many spaces .jpg"),
    ("", "picture.jpg"),
    ("...", "picture.jpg"),
    ("/", "picture.jpg"),
    ("日本.jpg", "日本.jpg"),
    ("e\u0301.jpg", "\u00e9.jpg"),
    ("x" * 300 + ".jpeg", "x" * 195 + ".jpeg"),
]


@pytest.mark.parametrize(("given_name", "shown"), NAMES)
def test_names_are_made_harmless(given_name: str, shown: str) -> None:
    assert clean_name(given_name, extension=".jpg") == shown


@given(st.text(max_size=400))
def test_any_name_becomes_a_short_one_without_folders(name: str) -> None:
    shown = clean_name(name, extension=".jpg")
    assert 0 < len(shown) <= MAX_LENGTH
    assert not set(shown) & set('/\\\0\n\r<>:"|?*')
