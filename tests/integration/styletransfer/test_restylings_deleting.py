"""Paintings that are deleted, also while they are painted and by many hands."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from common.jobs.runner import claim_job, execute_job
from common.models import AuditEntry, Job, Upload
from common.uploads.errors import UploadRejected
from common.uploads.services import store_picture
from styletransfer.errors import StyleError
from styletransfer.models import Restyling, Style
from styletransfer.selectors import list_restylings
from styletransfer.services import restylings, running
from styletransfer.services.deleting import delete_restyling, delete_restylings
from styletransfer.services.options import parse_options
from styletransfer.services.restylings import (
    cancel_restyling,
    rename_restyling,
    repeat_restyling,
    retry_restyling,
)
from styletransfer.services.sharing import share_restyling
from styletransfer.services.styles import delete_style, share_style
from tests.integration.styletransfer.makers import (
    NOTHING,
    add,
    again,
    counted,
    give_result,
    media,
    picture,
    restyle,
    rows,
    run_job,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("silent")]
State = Job.State
SLOW = parse_options({"size": 64, "steps": 3}, is_fast=False)


# Deleted


def test_deleting_takes_job_files_and_tells(
    user: Any,
    waiting: Restyling,
    news: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    give_result(waiting)
    pk = waiting.pk
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_restyling(restyling=again(waiting), user=user)
    assert counted() == NOTHING
    assert media() == {"styles": 1, "style-thumbnails": 1}
    assert [one for _, one in news] == [{"type": "restyling.deleted", "id": str(pk)}]
    assert AuditEntry.objects.get(action=AuditEntry.Action.DELETED).object_id == str(pk)


def test_of_several_those_go_that_one_may_delete(
    user: Any, other_user: Any, own_style: Style, team: Group
) -> None:
    share_style(style=own_style, user=user, audience="everybody")
    mine = [restyle(user, own_style) for _ in range(2)]
    theirs = restyle(other_user, own_style)
    share_restyling(restyling=theirs, group=team.pk, user=other_user)
    hidden = restyle(other_user, own_style)
    ids = [one.pk for one in (*mine, theirs, hidden)]
    assert delete_restylings(user=user, ids=[*ids, ids[0], own_style.pk]) == 2
    assert set(Restyling.objects.all()) == {theirs, hidden}
    assert delete_restylings(user=user, ids=[]) == 0


def test_an_upload_of_something_else_is_nobodys_business(user: Any, waiting: Restyling) -> None:
    other = store_picture(owner=user, data=picture(seed=9), name="other.jpg")
    delete_restyling(restyling=waiting, user=user)
    assert list(Upload.objects.all()) == [other]


# Races


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before it begins", "in the middle"])
def test_deleting_while_it_is_painted_writes_nothing(
    moment: str, user: Any, quick: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = restyle(user, add(user))

    def delete(*args: Any) -> None:
        delete_restyling(restyling=again(made), user=user)

    if moment == "in the middle":
        create = running.create_gatys

        def hooked(config: Any) -> Any:
            painter = create(config)
            painter.hook = lambda step: delete() if step == 2 else None
            return painter

        monkeypatch.setattr(running, "create_gatys", hooked)
    else:
        claim_job(made.job_id)
        delete()
    execute_job(made.job_id)
    assert counted() == NOTHING
    assert media() == {"styles": 1, "style-thumbnails": 1}


@pytest.mark.django_db(transaction=True)
def test_painting_again_and_deleting_the_style_wait_for_each_other_not_for_ever(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = add(user)
    made = restyle(user, style)
    deleted: list[bool] = []

    def delete() -> None:
        deleted.append(delete_style(style=style, user=user))
        connection.close()

    thread = threading.Thread(target=delete)

    def meanwhile(upload: Upload) -> None:
        thread.start()
        thread.join(0.3)  # long enough to hold what it can get

    monkeypatch.setattr(restylings, "_refuse_removed", meanwhile)
    repeat_restyling(restyling=made, owner=user, style=Style.objects.get(pk=style.pk), options=SLOW)
    thread.join()
    assert deleted == [True]
    assert [one.style for one in Restyling.objects.all()] == [None, None]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quick")
def test_many_hands_break_nothing(user: Any, other_user: Any, team: Group) -> None:
    """What is refused is refused in words, and what is left is whole."""
    styles = [add(user, name=f"style {number}") for number in range(3)]
    for style in styles:
        share_style(style=style, user=user, audience="everybody")
    made = [restyle(user, styles[number % 3]) for number in range(6)]
    for one in made:
        share_restyling(restyling=one, group=team.pk, user=user)
    wrong: list[BaseException] = []

    def hand(seed: int, who: Any) -> None:
        chance = random.Random(seed)
        try:
            for _ in range(12):
                act(chance, who, styles)
        except BaseException as error:
            wrong.append(error)
        finally:
            connection.close()

    hands = [
        threading.Thread(target=hand, args=(seed, (user, other_user)[seed % 2]))
        for seed in range(4)
    ]
    for thread in hands:
        thread.start()
    for thread in hands:
        thread.join()
    assert not wrong, wrong
    for one in Restyling.objects.filter(job__state=State.QUEUED):
        run_job(one)
    check_what_is_left()


def act(chance: random.Random, who: Any, styles: list[Style]) -> None:
    one = chance.choice(list(list_restylings(who)[:8]) or [None])
    style = chance.choice(styles)
    acts: list[Callable[[], Any]] = [lambda: restyle(who, style)]
    if one is not None:
        acts += [
            lambda: run_job(one),
            lambda: repeat_restyling(restyling=one, owner=who, style=style, options=SLOW),
            lambda: cancel_restyling(restyling=one),
            lambda: retry_restyling(restyling=one),
            lambda: rename_restyling(restyling=one, name="again"),
            lambda: delete_restyling(restyling=one, user=who) if one.owner == who else None,
        ]
    if chance.random() < 0.05:
        acts = [lambda: delete_style(style=style, user=who)]
    with contextlib.suppress(StyleError, UploadRejected, Restyling.DoesNotExist):
        chance.choice(acts)()  # where somebody was faster, it is refused


def check_what_is_left() -> None:
    results = 0
    for one in Restyling.objects.select_related("job", "result", "thumbnail"):
        has_result = one.result is not None
        assert has_result == (one.thumbnail is not None)
        assert has_result or one.status != State.DONE
        results += has_result
    assert rows()["DerivedFile"] == 2 * results
    assert rows()["Job"] == rows()["Restyling"]
    assert not Upload.objects.filter(restylings=None).exists()
    styles = rows()["Style"]
    files = {"styles": styles, "style-thumbnails": styles, "derived": 2 * results}
    uploads = Upload.objects.count()
    wanted = {**files, "uploads": uploads, "thumbnails": uploads}
    assert media() == {folder: count for folder, count in wanted.items() if count}
