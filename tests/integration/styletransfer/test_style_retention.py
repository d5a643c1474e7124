"""What storage does to paintings: old ones go, uploads at work stay, and nothing that is needed."""

from __future__ import annotations

import os
import tarfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from common.backup.services import make_backup
from common.models import AuditEntry, Job, Upload
from common.storage.selectors import next_expiry, unused_uploads
from common.storage.services import run_cleanup, set_retention
from styletransfer.models import Restyling, Style
from styletransfer.services.options import parse_options
from styletransfer.services.restylings import repeat_restyling
from styletransfer.services.styles import delete_style
from tests.integration.styletransfer.makers import (
    add,
    again,
    media,
    picture,
    restyle,
    rows,
    run_job,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("silent", "quick", "data_dir"),
]
SLOW = parse_options({"size": 64, "steps": 3}, is_fast=False)


@pytest.fixture
def data_dir(settings: Any, tmp_path: Path) -> Path:
    """A data folder of this test's own, with the media in it."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    settings.MEDIA_ROOT = settings.DATA_DIR / "media"
    settings.SIGHTLINE_MIN_FREE_BYTES = 0
    (settings.DATA_DIR / "secrets.json").write_text('{"secret_key": "old"}')
    return Path(settings.DATA_DIR)


def age(restyling: Restyling, days: float) -> Restyling:
    """Make a painting and its picture older."""
    made = timezone.now() - timedelta(days=days)
    Restyling.objects.filter(pk=restyling.pk).update(created_at=made)
    Upload.objects.filter(pk=restyling.upload_id).update(created_at=made)
    return again(restyling)


def age_files() -> None:
    """Make every stored file old enough to be swept, were it nobody's."""
    moment = (timezone.now() - timedelta(hours=2)).timestamp()
    for path in Path(default_storage.path("")).rglob("*"):
        if path.is_file():
            os.utime(path, (moment, moment))


def keep(picture_days: int | None = None, result_days: int | None = None) -> None:
    set_retention(actor=None, picture_days=picture_days, result_days=result_days)


def test_old_paintings_go_with_their_pictures_and_young_ones_stay(
    user: Any, own_style: Style
) -> None:
    old, young = (run_job(restyle(user, own_style)) for _ in range(2))
    age(old, 40)
    keep(result_days=30)
    expected = next_expiry(picture_days=None, result_days=30)
    assert (expected.results, expected.pictures) == (1, 1)
    report = run_cleanup()
    assert report["results"] == 1
    assert list(Restyling.objects.all()) == [young]
    assert rows() == {"Upload": 1, "Restyling": 1, "Job": 1, "DerivedFile": 2, "Style": 1}
    assert media() == {
        **{"uploads": 1, "thumbnails": 1, "derived": 2},
        **{"styles": 1, "style-thumbnails": 1},
    }
    assert run_cleanup()["results"] == 0
    assert not AuditEntry.objects.filter(action=AuditEntry.Action.DELETED).exists()


def test_a_picture_stays_with_the_youngest_painting_of_it(user: Any, own_style: Style) -> None:
    old = run_job(restyle(user, own_style))
    young = repeat_restyling(restyling=old, owner=user, style=own_style, options=SLOW)
    run_job(young)
    age(old, 40)
    keep(result_days=30)
    assert next_expiry(picture_days=None, result_days=30).pictures == 0
    run_cleanup()
    assert list(Restyling.objects.all()) == [young]
    assert media()["uploads"] == 1
    assert media()["derived"] == 2


@pytest.mark.parametrize("state", Restyling.UNFINISHED)
@pytest.mark.parametrize("days", [{"picture_days": 30}, {"result_days": 30}])
def test_what_waits_or_is_painted_is_left_alone(
    user: Any, own_style: Style, state: str, days: dict[str, int]
) -> None:
    made = restyle(user, own_style)
    Job.objects.filter(pk=made.job_id).update(state=state)
    age(made, 40)
    keep(**days)
    report = run_cleanup()
    assert (report["results"], report["pictures"]) == (0, 0)
    assert again(made).upload.removed_at is None
    assert media()["uploads"] == 1


def test_the_files_of_a_painting_go_before_its_row_where_pictures_are_kept_shorter(
    user: Any, own_style: Style
) -> None:
    made = age(run_job(restyle(user, own_style)), 40)
    keep(picture_days=30)
    assert run_cleanup()["pictures"] == 1
    made = again(made)
    assert (made.result, made.thumbnail, made.status) == (None, None, "done")
    assert made.upload.removed_at is not None
    assert media() == {"styles": 1, "style-thumbnails": 1}


def test_nothing_of_a_style_or_a_painting_is_swept(user: Any, own_style: Style) -> None:
    run_job(restyle(user, own_style))
    restyle(user, own_style)
    Upload.objects.update(created_at=timezone.now() - timedelta(days=1))
    age_files()
    before = media()
    assert not unused_uploads(timezone.now()).exists()
    report = run_cleanup()
    assert (report["orphans"], report["orphans_deleted"]) == (0, 0)
    assert media() == before


def test_files_of_nobody_in_the_folders_of_styles_are_swept(user: Any, own_style: Style) -> None:
    add(user)
    lost = [
        default_storage.save(name, ContentFile(picture()))
        for name in ("styles/ab/lost.jpg", "style-thumbnails/ab/lost.jpg")
    ]
    age_files()
    fresh = default_storage.save("styles/ab/on-its-way.jpg", ContentFile(picture()))
    report = run_cleanup()
    assert report["orphans_deleted"] == 2
    assert not any(default_storage.exists(name) for name in lost)
    assert default_storage.exists(fresh)
    for style in Style.objects.filter(key=""):
        assert default_storage.exists(str(style.picture.name))
        assert default_storage.exists(str(style.thumbnail.name))


def test_nothing_is_left_to_sweep_after_deleting(user: Any, own_style: Style) -> None:
    made = run_job(restyle(user, own_style))
    delete_style(style=own_style, user=user)
    age(made, 40)
    keep(result_days=30)
    run_cleanup()
    assert media() == {}


def test_a_backup_holds_styles_and_paintings(
    user: Any, own_style: Style, tmp_path: Path, no_other_connections: None
) -> None:
    made = run_job(restyle(user, own_style))
    assert made.result is not None
    assert made.thumbnail is not None
    path = make_backup(target=tmp_path / "backup.tar").path
    wanted = (
        *(own_style.picture, own_style.thumbnail, made.result.file, made.thumbnail.file),
        *(made.upload.file, made.upload.thumbnail),
    )
    with tarfile.open(path) as tar:
        assert {f"media/{file.name}" for file in wanted} <= set(tar.getnames())
