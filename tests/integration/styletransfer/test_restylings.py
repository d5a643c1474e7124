"""Paintings: asked for, and asked for again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection

from common.jobs.queues import LONG_QUEUE, STYLES_QUEUE
from common.models import Job, Upload
from common.uploads.errors import UploadRejected
from common.uploads.services import remove_pictures
from styletransfer.errors import InvalidError, StyleError
from styletransfer.models import Restyling, Style
from styletransfer.services import restylings
from styletransfer.services.deleting import delete_restyling
from styletransfer.services.options import parse_options
from styletransfer.services.restylings import (
    MOST_WAITING,
    cancel_restyling,
    repeat_restyling,
    restyle_picture,
    restyle_video,
    retry_restyling,
)
from styletransfer.services.sharing import share_restyling
from styletransfer.services.styles import delete_style, share_style
from tests.integration.styletransfer.makers import (
    NOTHING,
    add,
    again,
    counted,
    media,
    picture,
    restyle,
    set_state,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("silent")]
State = Job.State
SLOW = parse_options({"size": 64, "steps": 3}, is_fast=False)
FAST = parse_options({}, is_fast=True)


# Asked for


def test_what_was_asked_for_is_noted(user: Any, own_style: Style) -> None:
    wishes = {
        "size": 200,
        "steps": 9,
        "style_weight": 2.5,
        "keep_colours": True,
        "start": "noise",
        "seed": 4,
    }
    made = restyle_picture(
        owner=user,
        data=picture(96, 72),
        file_name="my_street.jpg",
        style=own_style,
        options=parse_options(wishes, is_fast=False),
    )
    made = again(made)
    assert {name: getattr(made, name) for name in wishes} == wishes
    assert (made.name, made.style_name, made.style) == ("my street", "night sky", own_style)
    assert (made.kind, made.way, made.source, made.status) == ("image", "slow", "browser", "queued")
    assert (made.job.kind, made.job.queue) == ("styletransfer.paint", STYLES_QUEUE)
    assert (made.upload.name, made.upload.owner) == ("my_street.jpg", user)
    assert media() == {"uploads": 1, "thumbnails": 1, "styles": 1, "style-thumbnails": 1}
    own_style.refresh_from_db()
    assert own_style.use_count == 1


def test_a_fast_painting_notes_only_what_its_network_heeds(user: Any, candy: Style) -> None:
    wishes = {"steps": 9, "start": "noise", "seed": 4, "keep_colours": "on"}
    made = again(restyle(user, candy, **wishes))
    assert (made.way, made.job.kind, made.job.queue) == ("fast", "styletransfer.fast", "inference")
    assert (made.steps, made.start, made.seed, made.keep_colours) == (0, "content", 0, True)
    assert made.size is None


def test_a_video_is_painted_by_a_network_only(
    user: Any, candy: Style, own_style: Style, clip: Path
) -> None:
    wanted: dict[str, Any] = {"owner": user, "file_name": "clip.mp4", "options": FAST}
    with pytest.raises(InvalidError) as error:
        restyle_video(chunks=[clip.read_bytes()], style=own_style, **wanted)
    assert error.value.code == "video_needs_fast_style"
    assert counted() == NOTHING
    made = again(restyle_video(chunks=[clip.read_bytes()], style=candy, name=" Walk ", **wanted))
    assert (made.kind, made.way, made.name) == ("video", "fast", "Walk")
    assert (made.job.kind, made.job.queue) == ("styletransfer.video", LONG_QUEUE)
    with pytest.raises(InvalidError) as error:
        repeat_restyling(restyling=made, owner=user, style=own_style, options=SLOW)
    assert error.value.code == "video_needs_fast_style"
    assert counted()["Restyling"] == 1


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no picture": ({"data": b"text"}, ""),
    "tiny": ({"data": picture(15, 40)}, "too_small"),
    "one pixel": ({"data": picture(1, 1, format="PNG")}, "too_small"),
    "a thread at that size": ({"data": picture(400, 40)}, "too_small"),
    "long name": ({"name": "n" * 201}, "invalid"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_painted_is_refused_and_leaves_nothing(
    name: str, user: Any, own_style: Style, django_capture_on_commit_callbacks: Any
) -> None:
    changes, code = REFUSED[name]
    before = media()
    wanted = {"owner": user, "data": picture(), "file_name": "o.jpg", "style": own_style}
    with (
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises((UploadRejected, InvalidError)) as error,
    ):
        restyle_picture(**{**wanted, **changes}, options=SLOW)
    assert code in ("", error.value.code)
    assert (counted(), media()) == (NOTHING, before)
    own_style.refresh_from_db()
    assert own_style.use_count == 0


@pytest.mark.parametrize("where", ["enqueue_job", "Restyling.save", "style", "publish"])
def test_picture_and_painting_come_both_or_neither(
    where: str,
    user: Any,
    own_style: Style,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def fail(*args: Any, **options: Any) -> Any:
        raise DatabaseError("away")

    before = media()
    if where == "style":
        Style.objects.filter(pk=own_style.pk).delete()
    elif where == "Restyling.save":
        monkeypatch.setattr(Restyling, "save", fail)
    else:
        name = "publish_job_update" if where == "publish" else where
        monkeypatch.setattr(restylings, name, fail)
    with (
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises((DatabaseError, StyleError)) as error,
    ):
        restyle(user, own_style)
    if where == "style":
        assert error.value.code == "not_found"  # type: ignore[union-attr]
    assert (counted(), media()) == (NOTHING, before)
    assert not Style.objects.filter(use_count__gt=0).exists()


@pytest.mark.parametrize("act", ["restyle", "repeat", "retry", "video"])
def test_nobody_fills_the_queue(
    act: str, user: Any, other_user: Any, own_style: Style, candy: Style, clip: Path
) -> None:
    share_style(style=own_style, user=user, audience="everybody")
    failed = set_state(restyle(user, own_style), State.FAILED)
    one = restyle(user, own_style)
    for _ in range(MOST_WAITING - 1):
        repeat_restyling(restyling=one, owner=user, style=own_style, options=SLOW)
    acts: dict[str, Callable[[], Any]] = {
        "restyle": lambda: restyle(user, own_style),
        "repeat": lambda: repeat_restyling(
            restyling=one, owner=user, style=own_style, options=SLOW
        ),
        "retry": lambda: retry_restyling(restyling=failed),
        "video": lambda: restyle_video(
            owner=user,
            chunks=[clip.read_bytes()],
            file_name="clip.mp4",
            style=candy,
            options=FAST,
        ),
    }
    before = counted()
    with pytest.raises(StyleError) as error:
        acts[act]()
    assert (error.value.code, error.value.status) == ("too_many_waiting", 429)
    assert error.value.retry_after
    assert counted() == before
    restyle(other_user, own_style)  # others are not kept out
    cancel_restyling(restyling=again(one))
    acts[act]()


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_do_not_pass_the_limit(user: Any, own_style: Style) -> None:
    failed = set_state(restyle(user, own_style), State.FAILED)
    for _ in range(MOST_WAITING - 2):
        restyle(user, own_style)
    start = threading.Barrier(6)

    def at_once(number: int) -> str:
        start.wait(10)
        try:
            if number:
                restyle(user, own_style)
            else:
                retry_restyling(restyling=again(failed))
        except StyleError as error:
            return error.code
        finally:
            connection.close()
        return "taken"

    with ThreadPoolExecutor(6) as threads:
        told = Counter(threads.map(at_once, range(6)))
    assert told == {"taken": 2, "too_many_waiting": 4}
    unfinished = Restyling.objects.filter(owner=user, job__state__in=Restyling.UNFINISHED)
    assert unfinished.count() == MOST_WAITING


# Again


def test_a_picture_is_painted_again_in_another_style(
    user: Any, waiting: Restyling, candy: Style, team: Group
) -> None:
    share_restyling(restyling=waiting, group=team.pk, user=user)
    made = repeat_restyling(restyling=waiting, owner=user, style=candy, options=FAST)
    made = again(made)
    assert (made.upload, made.style, made.way) == (waiting.upload, candy, "fast")
    assert (made.name, made.shared_with, made.status) == (waiting.name, team, "queued")
    assert counted() == {"Upload": 1, "Restyling": 2, "Job": 2, "DerivedFile": 0}


def test_what_is_too_small_at_another_size_is_not_painted_again(
    user: Any, own_style: Style
) -> None:
    large = parse_options({"size": 400, "steps": 3}, is_fast=False)
    made = restyle_picture(
        owner=user, data=picture(400, 40), file_name="o.jpg", style=own_style, options=large
    )
    with pytest.raises(UploadRejected) as error:
        repeat_restyling(restyling=made, owner=user, style=own_style, options=SLOW)
    assert (error.value.code, "64 x 6" in error.value.message) == ("too_small", True)
    assert counted()["Restyling"] == 1


def test_nothing_is_painted_again_without_its_picture_its_row_or_the_right_to(
    user: Any, other_user: Any, waiting: Restyling, own_style: Style
) -> None:
    def repeat(who: Any, style: Style = own_style) -> str:
        with pytest.raises(StyleError) as error:
            repeat_restyling(restyling=waiting, owner=who, style=style, options=SLOW)
        return error.value.code

    assert repeat(other_user) == "not_found"
    gone = add(user, name="gone")
    delete_style(style=Style.objects.get(pk=gone.pk), user=user)
    assert repeat(user, gone) == "not_found"
    remove_pictures(uploads=[waiting.upload])
    assert repeat(user) == "picture_removed"
    delete_restyling(restyling=waiting, user=user)
    assert repeat(user) == "not_found"
    assert counted() == NOTHING


def test_a_picture_goes_with_its_last_painting(
    user: Any, other_user: Any, team: Group, django_capture_on_commit_callbacks: Any
) -> None:
    style = add(user)
    share_style(style=style, user=user, audience="everybody")
    first = restyle(user, style)
    share_restyling(restyling=first, group=team.pk, user=user)
    mine = repeat_restyling(restyling=first, owner=user, style=style, options=SLOW)
    theirs = repeat_restyling(restyling=first, owner=other_user, style=style, options=SLOW)
    for restyling, owner in ((first, user), (mine, other_user)):
        with django_capture_on_commit_callbacks(execute=True):
            assert delete_restyling(restyling=restyling, user=user)
        upload = Upload.objects.get()
        assert upload.owner == owner
        assert media()["uploads"] == 1
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_restyling(restyling=theirs, user=other_user)
    assert counted() == NOTHING
    assert media() == {"styles": 1, "style-thumbnails": 1}
    assert not delete_restyling(restyling=first, user=user)
