"""Paintings: stopped, tried again, renamed, shared, and who may do that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied
from django.http import Http404

from common.errors import ServiceError
from common.models import AuditEntry, Job
from common.permissions import VERBS, can
from common.uploads.services import remove_pictures
from styletransfer.errors import ConflictError, InvalidError, StyleError
from styletransfer.models import Restyling, Style
from styletransfer.selectors import get_restyling, list_restylings
from styletransfer.services.deleting import delete_restyling
from styletransfer.services.restylings import cancel_restyling, rename_restyling, retry_restyling
from styletransfer.services.sharing import share_restyling
from styletransfer.services.stored import require_result, result_name
from styletransfer.services.styles import delete_style
from tests.integration.conftest import make_user
from tests.integration.styletransfer.makers import (
    again,
    give_result,
    restyle,
    set_state,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("silent")]
State = Job.State


# Stopped, tried again

STATES = [State.QUEUED, State.RUNNING, State.DONE, State.FAILED, State.CANCELLED]


@pytest.mark.parametrize("state", STATES)
def test_only_what_is_unfinished_can_be_stopped(waiting: Restyling, state: str) -> None:
    waiting = set_state(waiting, state)
    if state not in Restyling.UNFINISHED:
        with pytest.raises(ConflictError) as error:
            cancel_restyling(restyling=waiting)
        assert (error.value.code, error.value.status) == ("not_running", 409)
        return
    cancel_restyling(restyling=waiting)
    job = again(waiting).job
    assert job.cancel_requested
    assert job.state == (State.CANCELLED if state == State.QUEUED else State.RUNNING)


@pytest.mark.parametrize("state", STATES)
def test_only_what_failed_or_was_stopped_can_be_tried_again(waiting: Restyling, state: str) -> None:
    waiting = set_state(waiting, state)
    if state not in (State.FAILED, State.CANCELLED):
        with pytest.raises(ConflictError) as error:
            retry_restyling(restyling=waiting)
        assert error.value.code == "not_failed"
        return
    assert retry_restyling(restyling=waiting).status == State.QUEUED
    assert again(waiting).job.attempt == 0


def test_nothing_is_tried_again_without_its_style_or_its_picture(
    user: Any, waiting: Restyling, own_style: Style
) -> None:
    waiting = set_state(waiting, State.FAILED)
    remove_pictures(uploads=[waiting.upload])
    with pytest.raises(ConflictError) as error:
        retry_restyling(restyling=again(waiting))
    assert error.value.code == "picture_removed"
    delete_style(style=own_style, user=user)
    with pytest.raises(ConflictError) as error:
        retry_restyling(restyling=again(waiting))
    assert error.value.code == "style_deleted"


def test_two_who_try_again_at_once_get_one_job(waiting: Restyling) -> None:
    first, late = (set_state(waiting, State.FAILED) for _ in range(2))
    retry_restyling(restyling=first)
    with pytest.raises(ConflictError) as error:
        retry_restyling(restyling=late)
    assert error.value.code == "not_failed"


@pytest.mark.parametrize("act", ["cancel", "retry", "rename", "share", "delete"])
def test_acting_on_what_was_deleted_meanwhile_is_no_error_of_ours(
    act: str, user: Any, waiting: Restyling, team: Group
) -> None:
    late = set_state(waiting, State.FAILED if act == "retry" else State.QUEUED)
    assert delete_restyling(restyling=waiting, user=user)
    acts: dict[str, Callable[[], Any]] = {
        "cancel": lambda: cancel_restyling(restyling=late),
        "retry": lambda: retry_restyling(restyling=late),
        "rename": lambda: rename_restyling(restyling=late, name="x"),
        "share": lambda: share_restyling(restyling=late, group=team.pk, user=user),
    }
    if act == "delete":
        assert not delete_restyling(restyling=late, user=user)
        assert AuditEntry.objects.filter(action=AuditEntry.Action.DELETED).count() == 1
        return
    with pytest.raises(StyleError) as error:
        acts[act]()
    assert error.value.status in (404, 409)


# Names, files


@pytest.mark.parametrize(
    ("name", "wanted"),
    [(" New\nname ", "New name"), ("n" * 200, "n" * 200), ("n" * 201, None), ("\0 ", None)],
)
def test_a_painting_is_renamed(waiting: Restyling, name: str, wanted: str | None) -> None:
    before = waiting.name
    if wanted is None:
        with pytest.raises(InvalidError):
            rename_restyling(restyling=waiting, name=name)
    else:
        assert rename_restyling(restyling=waiting, name=name).name == wanted
    assert again(waiting).name == (wanted or before)


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("street", "image", "street - Sky.jpg"),
        ("street.JPEG", "image", "street - Sky.jpg"),
        ("Dr. Who", "image", "Dr. Who - Sky.jpg"),
        ("walk.mov", "video", "walk - Sky.mp4"),
        ("before/after", "image", "before-after - Sky.jpg"),
        (".png", "image", "painting - Sky.jpg"),
    ],
)
def test_files_are_offered_under_the_name_of_the_painting(
    name: str, kind: str, wanted: str
) -> None:
    assert result_name(Restyling(name=name, kind=kind, style_name="Sky")) == wanted


def test_a_result_is_there_or_it_is_said_why_not(waiting: Restyling) -> None:
    def refused() -> str:
        with pytest.raises(ServiceError) as error:
            require_result(again(waiting))
        return error.value.code

    assert refused() == "not_done"
    set_state(waiting, State.FAILED)
    assert refused() == "no_result"
    derived = give_result(waiting)
    assert require_result(again(waiting)) == derived
    remove_pictures(uploads=[waiting.upload])
    assert refused() == "picture_removed"


# Shared

NONE: set[str] = set()
ALLOWED = {
    "owner": (set(VERBS), set(VERBS)),
    "member": (NONE, {"view", "change"}),
    "viewer": (NONE, {"view"}),
    "stranger": (NONE, NONE),
    "chief": (NONE, NONE),
}


def test_who_may_do_what(
    user: Any, other_user: Any, chief: Any, team: Group, waiting: Restyling
) -> None:
    stranger, viewer = make_user("zoe"), make_user("eve", "viewer")
    team.user_set.add(viewer)
    people = {"owner": user, "member": other_user, "viewer": viewer, "stranger": stranger}
    for shared in (False, True):
        share_restyling(restyling=waiting, group=team.pk if shared else None, user=user)
        restyling = again(waiting)
        for who, person in {**people, "chief": chief}.items():
            allowed = ALLOWED[who][shared]
            assert {verb for verb in VERBS if can(person, verb, restyling)} == allowed, who
            assert (restyling in list_restylings(person)) == ("view" in allowed), who
            for verb in set(VERBS) - allowed:
                with pytest.raises(PermissionDenied if "view" in allowed else Http404):
                    get_restyling(person, restyling.pk, verb)
        assert not list_restylings(AnonymousUser()).exists()


def test_sharing_is_noted_and_told(
    user: Any,
    waiting: Restyling,
    team: Group,
    news: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        share_restyling(restyling=waiting, group=team.pk, user=user)
        share_restyling(restyling=waiting, group=team.pk, user=user)
        share_restyling(restyling=waiting, group=None, user=user)
    lines = AuditEntry.objects.filter(action=AuditEntry.Action.SHARED).order_by("pk")
    told = [(line.details["before"], line.details["group"]) for line in lines]
    assert told == [(None, "Studio"), ("Studio", None)]
    assert [one["type"] for _, one in news] == ["restyling.access"] * 4
    assert len({group for group, _ in news}) == 2  # the owner's pages and the group's, twice


def test_sharing_is_the_owners_and_with_groups_of_theirs(
    user: Any, other_user: Any, waiting: Restyling, team: Group
) -> None:
    others = Group.objects.create(name="Others")
    for group in (others.pk, 0, 10**9):
        with pytest.raises(InvalidError) as error:
            share_restyling(restyling=waiting, group=group, user=user)
        assert error.value.code == "unknown_group"
    with pytest.raises(StyleError) as gone:
        share_restyling(restyling=waiting, group=team.pk, user=other_user)
    assert gone.value.code == "not_found"
    assert again(waiting).shared_with is None


def test_lists_are_filtered(user: Any, own_style: Style, candy: Style) -> None:
    slow, fast = restyle(user, own_style), restyle(user, candy)
    rename_restyling(restyling=slow, name="Harbour")
    set_state(fast, State.DONE)
    for wishes, wanted in (
        ({}, [fast, slow]),
        ({"query": "harb SKY"}, [slow]),
        ({"query": "candy"}, [fast]),
        ({"query": "harbour candy"}, []),
        ({"status": "done"}, [fast]),
        ({"style": own_style}, [slow]),
        ({"kind": "video"}, []),
        ({"kind": "image", "status": "queued"}, [slow]),
    ):
        assert list(list_restylings(user, **wishes)) == wanted, wishes  # type: ignore[arg-type]
