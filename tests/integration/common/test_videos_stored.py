"""Videos and what is made of them on the disk and in a bucket: all of a file or nothing of it."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, InMemoryStorage

from common.models import DerivedFile, Upload
from common.storage import work
from common.storage.files import StorageUnavailable
from common.storage.work import make_work_root, remove_abandoned, work_folder, work_root
from common.uploads.derived import drop_derived, store_derived
from common.uploads.errors import UploadRejected
from common.uploads.movable import MovableFile
from common.uploads.services import delete_upload, remove_pictures
from common.uploads.videos import local_file, store_video
from tests.made_videos import make_clip

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "a.mp4", seconds=0.5)


def pieces(path: Path, size: int = 1000) -> Iterator[bytes]:
    data = path.read_bytes()
    return (data[at : at + size] for at in range(0, len(data), size))


def stored(settings: Any) -> list[str]:
    root = Path(settings.MEDIA_ROOT)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def in_bucket(monkeypatch: pytest.MonkeyPatch) -> InMemoryStorage:
    """Have files lie where there are no paths."""
    storage = InMemoryStorage()
    for model, names in ((Upload, ("file", "thumbnail")), (DerivedFile, ("file",))):
        for name in names:
            monkeypatch.setattr(model._meta.get_field(name), "storage", storage)
    return storage


def test_a_video_is_kept_as_it_came(user: Any, clip: Path, settings: Any) -> None:
    upload, info = store_video(owner=user, chunks=pieces(clip), name="C:\\clips\\my clip.MP4")
    data = clip.read_bytes()
    assert Path(upload.file.path).read_bytes() == data
    assert upload.sha256 == hashlib.sha256(data).hexdigest()
    assert (upload.size, upload.media_type, upload.name) == (len(data), "video/mp4", "my clip.MP4")
    assert (upload.width, upload.height, info.frames) == (160, 120, 5)
    assert upload.thumbnail_size == Path(upload.thumbnail.path).stat().st_size > 0
    assert upload.file.name == f"uploads/{upload.pk.hex[:2]}/{upload.pk.hex}.mp4"
    assert len(stored(settings)) == 2
    assert list(work_root().iterdir()) == []


def test_the_file_is_moved_to_its_place_and_not_copied(
    user: Any, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[int] = []
    enter = MovableFile.__enter__

    def note(self: MovableFile) -> Any:
        moved.append(Path(self.temporary_file_path()).stat().st_ino)
        return enter(self)

    monkeypatch.setattr(MovableFile, "__enter__", note)
    upload, _ = store_video(owner=user, chunks=pieces(clip), name="a.mp4")
    assert moved == [Path(upload.file.path).stat().st_ino]


def broken(*sent: bytes) -> Iterator[bytes]:
    yield from sent
    raise ConnectionResetError("the client is gone")


def test_what_is_broken_off_leaves_nothing(user: Any, clip: Path, settings: Any) -> None:
    with pytest.raises(ConnectionResetError):
        store_video(owner=user, chunks=broken(*list(pieces(clip))[:3]), name="a.mp4")
    assert (stored(settings), list(work_root().iterdir()), Upload.objects.count()) == ([], [], 0)


def test_what_is_too_long_is_not_read_to_its_end(user: Any, settings: Any) -> None:
    settings.SIGHTLINE_MAX_VIDEO_BYTES = 10_000
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(1000)

    with pytest.raises(UploadRejected, match="A video may have up to") as caught:
        store_video(owner=user, chunks=endless(), name="a.mp4")
    assert (caught.value.code, caught.value.status, read) == ("file_too_large", 413, 11)
    assert list(work_root().iterdir()) == []


ERRORS = [
    (OSError(errno.ENOSPC, "full"), "disk_full", 507),
    (OSError(errno.EDQUOT, "quota"), "disk_full", 507),
    (StorageUnavailable("away"), "storage_unavailable", 503),
]


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(("error", "code", "status"), ERRORS)
def test_a_storage_that_fails_keeps_nothing(
    user: Any,
    clip: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    code: str,
    status: int,
    number: int,
) -> None:
    calls = 0
    save = FileSystemStorage._save

    def fail(self: Any, name: str, content: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            raise error
        return save(self, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", fail)
    with pytest.raises(UploadRejected) as caught:
        store_video(owner=user, chunks=pieces(clip), name="a.mp4")
    assert (caught.value.code, caught.value.status) == (code, status)
    assert (stored(settings), list(work_root().iterdir()), Upload.objects.count()) == ([], [], 0)


def test_a_row_that_cannot_be_written_takes_its_files_along(
    user: Any, clip: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, **kwargs: Any) -> None:
        raise RuntimeError("no row")

    monkeypatch.setattr(Upload, "save", fail)
    with pytest.raises(RuntimeError):
        store_video(owner=user, chunks=pieces(clip), name="a.mp4")
    assert stored(settings) == []


def test_from_a_bucket_a_video_is_fetched_for_as_long_as_it_is_needed(
    user: Any, clip: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = in_bucket(monkeypatch)
    upload, _ = store_video(owner=user, chunks=pieces(clip), name="a.mp4")
    assert storage.exists(str(upload.file.name))
    assert stored(settings) == []
    with local_file(upload) as path:
        assert path.read_bytes() == clip.read_bytes()
    assert not path.exists()
    assert list(work_root().iterdir()) == []


def test_on_the_disk_it_is_read_where_it_lies(user: Any, clip: Path) -> None:
    upload, _ = store_video(owner=user, chunks=pieces(clip), name="a.mp4")
    with local_file(upload) as path:
        assert path == Path(upload.file.path)
    assert path.exists()


@pytest.mark.parametrize("gone", ["deleted", "removed"])
def test_a_file_that_is_gone_is_told(user: Any, clip: Path, gone: str) -> None:
    upload, _ = store_video(owner=user, chunks=pieces(clip), name="a.mp4")
    if gone == "deleted":
        Path(upload.file.path).unlink()
    else:
        upload.file = ""
    with pytest.raises(FileNotFoundError), local_file(upload):
        raise AssertionError("there is no file")


@pytest.fixture
def upload(user: Any, clip: Path) -> Upload:
    return store_video(owner=user, chunks=pieces(clip), name="a.mp4")[0]


def made(folder: Path, name: str = "annotated.mp4") -> Path:
    path = folder / name
    path.write_bytes(b"made of it")
    return path


@pytest.mark.parametrize("bucket", [False, True])
def test_what_is_made_of_a_video_is_kept_beside_it(
    upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: bool
) -> None:
    if bucket:
        in_bucket(monkeypatch)
    path = made(tmp_path)
    derived = store_derived(upload=upload, path=path, media_type="video/mp4")
    assert not path.exists()
    assert derived.file.name == f"derived/{derived.pk.hex[:2]}/{derived.pk.hex}.mp4"
    with derived.file.open() as file:
        assert file.read() == b"made of it"
    assert (derived.size, str(derived)) == (10, derived.file.name)


def test_a_file_whose_row_is_not_saved_is_dropped(
    upload: Upload, settings: Any, tmp_path: Path
) -> None:
    before = stored(settings)
    derived = store_derived(upload=upload, path=made(tmp_path), media_type="video/mp4")
    assert len(stored(settings)) == len(before) + 1
    drop_derived(derived)
    drop_derived(derived)  # twice is once
    assert (stored(settings), DerivedFile.objects.count()) == (before, 0)


@pytest.mark.parametrize("end", ["its row", "the upload", "the file of the upload"])
def test_it_goes_with_its_row_the_upload_or_its_file(
    upload: Upload,
    settings: Any,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
    end: str,
) -> None:
    derived = store_derived(upload=upload, path=made(tmp_path), media_type="video/mp4")
    derived.save(force_insert=True)
    with django_capture_on_commit_callbacks(execute=True):
        if end == "its row":
            derived.delete()
        elif end == "the upload":
            delete_upload(upload=upload)
        else:
            remove_pictures(uploads=[upload])
        assert Path(derived.file.storage.path(derived.file.name)).exists()  # until the commit
    assert DerivedFile.objects.count() == 0
    assert len(stored(settings)) == (2 if end == "its row" else 0)


def test_a_work_folder_goes_with_its_block_whatever_happens() -> None:
    folders: list[Path] = []

    def fail() -> None:
        with work_folder() as folder:
            folders.append(folder)
            (folder / "deep").mkdir()
            (folder / "deep" / "file").write_text("x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not folders[0].exists()
    assert (work_root().stat().st_mode & 0o777) == 0o700


def test_what_killed_processes_left_is_removed_and_nothing_else() -> None:
    root = make_work_root()
    old = time.time() - work.ABANDONED_SECONDS - 60

    def make(name: str, *, folder_age: float, file_age: float | None) -> Path:
        path = root / name
        if file_age is None:
            path.write_text("x")
        else:
            path.mkdir()
            (path / "video").write_text("x")
            os.utime(path / "video", (file_age, file_age))
        os.utime(path, (folder_age, folder_age))
        return path

    now = time.time()
    gone = [
        make("a", folder_age=old, file_age=old),
        make("b.upload", folder_age=old, file_age=None),
    ]
    kept = [
        make("c", folder_age=old, file_age=now),  # still written to
        make("d", folder_age=now, file_age=old),
        make("e.upload", folder_age=now, file_age=None),
    ]
    assert remove_abandoned() == 2
    assert [path.exists() for path in (*gone, *kept)] == [False, False, True, True, True]
    for path in kept:
        os.utime(path, (old, old))
        if path.is_dir():
            os.utime(path / "video", (old, old))
    assert remove_abandoned() == 3


def test_without_a_work_folder_there_is_nothing_to_remove(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "none"
    assert remove_abandoned() == 0
