"""Pictures in a bucket, on a real server that speaks S3."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from moto.server import ThreadedMotoServer

from common.backup.services import make_backup, restore_backup
from common.models import Upload
from common.storage import orphans
from common.storage.disk import disk_space
from common.storage.files import open_part, stat_file
from common.storage.s3 import PrivateS3Storage, StorageUnavailable
from common.storage.services import run_cleanup, set_retention
from common.uploads.errors import UploadRejected
from common.uploads.services import delete_upload, read_upload, store_picture
from detector.models import DetectionSession
from integration.conftest import make_picture
from integration.detector.conftest import make_session

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_other_connections"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def bucket(server: str, settings: Any, tmp_path: Path) -> Any:
    """An empty bucket in which the pictures are, with something of others beside them."""
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    resource = boto3.resource("s3", endpoint_url=server, region_name="us-east-1", **keys)
    made = resource.create_bucket(Bucket=f"pictures-{time.monotonic_ns()}")
    made.put_object(Key="uploads/of-others.txt", Body=b"not ours")
    settings.DATA_DIR = tmp_path / "data"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "common.storage.s3.PrivateS3Storage",
            "OPTIONS": {
                "bucket_name": made.name,
                "endpoint_url": server,
                "region_name": "us-east-1",
                "access_key": "key",
                "secret_key": "secret",
                "location": "sightline",
            },
        },
    }
    return made


def keys(bucket: Any) -> list[str]:
    return sorted(item.key for item in bucket.objects.all() if item.key.startswith("sightline/"))


def test_a_picture_is_stored_read_and_deleted(user: Any, bucket: Any, settings: Any) -> None:
    data = make_picture("PNG", (300, 200))
    upload = store_picture(owner=user, data=data, name="a.png")
    assert keys(bucket) == sorted(
        f"sightline/{name}" for name in (upload.file.name, upload.thumbnail.name)
    )
    assert read_upload(upload=upload) == data
    assert not list(Path(settings.MEDIA_ROOT).glob("*"))
    delete_upload(upload=upload)
    assert keys(bucket) == []
    with pytest.raises(FileNotFoundError):
        read_upload(upload=upload)


RANGES = [
    ({}, 200, slice(None)),
    ({"Range": "bytes=10-19"}, 206, slice(10, 20)),
    ({"Range": "bytes=-5"}, 206, slice(-5, None)),
    ({"Range": "bytes=5-4"}, 200, slice(None)),
    ({"Range": "bytes=99999999-"}, 416, slice(0, 0)),
]


@pytest.mark.parametrize(("headers", "status", "part"), RANGES)
def test_it_is_sent_by_our_own_views(
    signed_in: Client,
    user: Any,
    bucket: Any,
    headers: dict[str, str],
    status: int,
    part: slice,
) -> None:
    session = make_session(user)
    data = read_upload(upload=session.upload)
    answer = signed_in.get(f"/sessions/{session.pk}/picture", headers=headers)
    content = answer.getvalue() if answer.streaming else answer.content
    assert (answer.status_code, content) == (status, data[part])
    known = signed_in.get(
        f"/sessions/{session.pk}/picture", headers={"If-None-Match": answer["ETag"]}
    )
    assert known.status_code == 304


def test_a_small_part_of_a_large_file_is_all_that_is_fetched(bucket: Any) -> None:
    name = default_storage.save("uploads/large.bin", ContentFile(bytes(3_000_000)))
    body = open_part(default_storage, name, 2_000_000, 2_000_010)
    assert int(body._content_length) == 10  # type: ignore[union-attr]
    assert body.read() == bytes(10)
    assert stat_file(default_storage, name)[0] == 3_000_000


def test_a_large_picture_is_streamed(signed_in: Client, user: Any, bucket: Any) -> None:
    session = make_session(user)
    upload = session.upload
    content = bytes(range(251)) * 8000  # two megabytes
    default_storage.delete(upload.file.name)
    default_storage.save(upload.file.name, ContentFile(content))
    answer = signed_in.get(f"/sessions/{session.pk}/picture", headers={"Range": "bytes=7-"})
    assert answer.streaming
    assert b"".join(answer) == content[7:]


def test_objects_have_no_public_address(user: Any, bucket: Any) -> None:
    upload = store_picture(owner=user, data=make_picture("PNG", (9, 9)), name="a.png")
    assert "://" not in upload.file.url
    grants = bucket.Object(f"sightline/{upload.file.name}").Acl().grants
    assert all("AllUsers" not in str(grant["Grantee"]) for grant in grants)


@pytest.mark.parametrize("name", ["../of-others.txt", "uploads/../../uploads/of-others.txt"])
def test_no_name_leads_out_of_our_part(bucket: Any, name: str) -> None:
    with pytest.raises(Exception, match="denied"):
        default_storage.open(name)


def test_old_pictures_go_from_the_bucket(user: Any, bucket: Any) -> None:
    session = make_session(user)
    Upload.objects.update(created_at=timezone.now() - timedelta(days=9))
    set_retention(actor=None, picture_days=5, result_days=None)
    assert run_cleanup()["pictures"] == 1
    assert keys(bucket) == []
    assert DetectionSession.objects.get() == session


def test_files_of_nobody_go_and_others_stay(
    user: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "MINIMUM_AGE", timedelta(seconds=-5))
    session = make_session(user)
    default_storage.save("uploads/zz/lost.jpg", ContentFile(b"lost"))
    report = run_cleanup()
    assert (report["files"], report["orphans_deleted"], report["missing"]) == (3, 1, 0)
    assert len(keys(bucket)) == 2
    assert read_upload(upload=session.upload)
    assert bucket.Object("uploads/of-others.txt").get()["Body"].read() == b"not ours"


def test_a_backup_fetches_and_brings_back_what_is_in_the_bucket(
    user: Any, bucket: Any, tmp_path: Path
) -> None:
    session = make_session(user)
    data = read_upload(upload=session.upload)
    made = make_backup(target=tmp_path / "backup.tar")
    assert (made.pictures, made.missing) == (2, 0)
    bucket.objects.filter(Prefix="sightline/").delete()
    Upload.objects.update(name="changed")
    restore_backup(path=made.path, replace=True)
    upload = Upload.objects.get()
    assert (upload.name, read_upload(upload=upload)) == ("yard.jpg", data)


def test_a_bucket_that_does_not_answer_is_a_clear_error(
    user: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = PrivateS3Storage(
        bucket_name="none", endpoint_url="http://127.0.0.1:9", access_key="k", secret_key="s"
    )
    for act in (lambda: silent.size("a"), lambda: silent.open("a"), lambda: silent.listdir("a")):
        with pytest.raises(StorageUnavailable, match="does not answer"):
            act()
    monkeypatch.setattr(Upload._meta.get_field("file"), "storage", silent)
    with pytest.raises(UploadRejected) as refused:
        store_picture(owner=user, data=make_picture("PNG", (9, 9)), name="a.png")
    assert (refused.value.code, refused.value.status) == ("storage_unavailable", 503)
    assert not Upload.objects.exists()


def test_the_disk_that_counts_is_that_of_the_data_folder(bucket: Any) -> None:
    assert disk_space().total > 0
