"""The page of a painting in every state, its files, and what can be done with it."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from common.models import AuditEntry, Job
from common.previews import Preview, forget_preview, write_preview
from common.uploads.services import remove_pictures
from styletransfer import presenting
from styletransfer.models import Restyling, Style
from styletransfer.services.stored import preview_slot
from styletransfer.services.styles import delete_style
from tests.integration.conftest import make_user
from tests.integration.styletransfer.made_styles import derived, painted, picture
from tests.integration.styletransfer.makers import again, decode, restyle, rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("silent")]

JSON = {"HTTP_ACCEPT": "application/json"}


def page_of(restyling: Restyling, part: str = "") -> str:
    return f"/styles/results/{restyling.pk}/{part}"


def shown(client: Client, restyling: Restyling) -> str:
    response = client.get(page_of(restyling))
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def content_of(response: Any) -> bytes:
    assert response.status_code == 200, response
    data: bytes = response.getvalue() if response.streaming else response.content
    return data


def into(restyling: Restyling, state: str, **job: Any) -> Restyling:
    """Put a painting into a state as a worker would."""
    Job.objects.filter(pk=restyling.job_id).update(state=state, **job)
    return again(restyling)


@pytest.fixture
def waiting(user: Any, own_style: Style) -> Restyling:
    return restyle(user, own_style, steps=40)


@pytest.fixture
def done(user: Any, own_style: Style) -> Restyling:
    facts = {"width": 160, "height": 120, "model": "vgg19", "device": "cpu", "steps_made": 100}
    return painted(user, own_style, losses=[[1, 9.0], [100, 0.5]], **facts)


@pytest.fixture
def other(other_user: Any) -> Client:
    """The browser of `other_user`."""
    client = Client()
    client.force_login(other_user)
    return client


# --------------------------------------------------------------------------- states
def test_one_that_waits_says_its_place(signed_in: Client, user: Any, own_style: Style) -> None:
    first, second = restyle(user, own_style), restyle(user, own_style)
    for place, restyling in enumerate((first, second), 1):
        page = signed_in.get(page_of(restyling))
        assert page.context["state"]["place"] == place
        assert 'data-state="queued"' in page.content.decode()
        assert "Cancel" in page.content.decode()
    state = signed_in.get(page_of(second, "state/")).json()
    assert (state["status"], state["place"], state["seconds"]) == ("queued", 2, None)
    assert (state["step"], state["preview"], state["has_result"]) == (0, None, False)


def test_one_that_is_painted_tells_how_far_it_is(signed_in: Client, waiting: Restyling) -> None:
    Restyling.objects.filter(pk=waiting.pk).update(losses=[[1, 9.0], [7, 2.0]])
    running = into(waiting, "running", progress=0.2, message="Step 7 of 40")
    write_preview(preview_slot(running), Preview(7, picture()))
    try:
        state = signed_in.get(page_of(running, "state/")).json()
        assert (state["status"], state["progress"], state["message"]) == (
            *("running", 0.2, "Step 7 of 40"),
        )
        assert (state["step"], state["steps"], state["losses"]) == (7, 40, [[1, 9.0], [7, 2.0]])
        assert (state["preview"], state["place"], state["cancelling"]) == (7, None, False)
        assert "Stop and keep the best so far" in shown(signed_in, running)
        live = signed_in.get(page_of(running, "live?n=7"))
        assert (live["Content-Type"], live["X-Preview"]) == ("image/jpeg", "7")
        assert "no-store" in live["Cache-Control"]
        assert live.content == picture()
    finally:
        forget_preview(preview_slot(running))
    assert signed_in.get(page_of(running, "live")).status_code == 204


def test_what_a_network_paints_has_a_state_too(signed_in: Client, user: Any, candy: Style) -> None:
    running = into(restyle(user, candy), "running", progress=0.05)
    state = signed_in.get(page_of(running, "state/")).json()
    assert (state["step"], state["seconds_left"], state["losses"]) == (0, None, [])
    assert "data-curve" not in shown(signed_in, running)


def test_a_result_is_shown_beside_what_it_was(signed_in: Client, done: Restyling) -> None:
    page = shown(signed_in, done)
    for part in (
        'role="slider"',
        "12 s",
        "100",
        "160 \u00d7 120",
        "VGG19",
        "Download",
        "Paint again",
    ):
        assert part in page, part
    assert f'src="{page_of(done, "before")}"' in page
    assert f'src="{page_of(done, "picture")}"' in page
    assert "random features" not in page
    assert json.loads(signed_in.get(page_of(done, "state/")).content)["has_result"] is True


def test_random_features_are_explained(signed_in: Client, done: Restyling) -> None:
    Restyling.objects.filter(pk=done.pk).update(model="random-vgg19")
    assert "VGG19 could not be fetched" in shown(signed_in, done)


def test_one_that_was_stopped_shows_the_best_until_then(
    signed_in: Client, user: Any, own_style: Style
) -> None:
    stopped = painted(user, own_style, state="cancelled", steps_made=37)
    page = shown(signed_in, stopped)
    assert "Stopped after 37 of 100 steps" in page
    assert 'role="slider"' in page


@pytest.mark.parametrize(("steps_made", "is_told"), [(37, True), (100, False)])
def test_one_whose_time_was_over_says_so(
    signed_in: Client, user: Any, own_style: Style, steps_made: int, is_told: bool
) -> None:
    page = shown(signed_in, painted(user, own_style, steps_made=steps_made))
    assert ("was over after 37 of 100 steps" in page) is is_told


def test_one_that_was_stopped_before_its_first_step_can_be_begun_anew(
    signed_in: Client, waiting: Restyling
) -> None:
    page = shown(signed_in, into(waiting, "cancelled"))
    assert "before there was anything to keep" in page
    assert page_of(waiting, "retry/") in page
    assert page_of(waiting, "picture") + "?download" not in page


def test_a_failure_says_why_and_what_to_do(signed_in: Client, waiting: Restyling) -> None:
    failed = into(
        waiting, "failed", error_code="out_of_memory", error_message="The largest is 480 pixels."
    )
    Restyling.objects.filter(pk=failed.pk).update(size=1024)
    page = shown(signed_in, failed)
    assert "The largest is 480 pixels." in page
    assert f"/styles/create/?again={failed.pk}&amp;size=672" in page
    into(waiting, "failed", error_code="picture_missing")
    page = shown(signed_in, failed)
    assert "Paint it smaller" not in page
    assert "Other options" in page


def test_a_result_outlives_its_style(signed_in: Client, user: Any, done: Restyling) -> None:
    assert done.style is not None
    delete_style(style=done.style, user=user)
    page = shown(signed_in, done)
    assert "has been deleted; what was painted in it stays" in page
    assert done.style_name in page
    failed = into(done, "failed")
    Restyling.objects.filter(pk=failed.pk).update(result=None)
    assert page_of(failed, "retry/") not in shown(signed_in, failed)
    response = signed_in.post(page_of(failed, "retry/"), **JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "style_deleted")


def test_a_picture_that_was_removed_is_not_looked_for(signed_in: Client, done: Restyling) -> None:
    remove_pictures(uploads=[done.upload])
    page = shown(signed_in, done)
    assert "was removed on" in page
    assert f'src="{page_of(done)}' not in page
    assert "Paint again" not in page
    for part in ("before", "thumbnail", "picture"):
        assert signed_in.get(page_of(done, part)).status_code == 410, part


def test_a_video_is_played_beside_its_original(signed_in: Client, done: Restyling) -> None:
    Restyling.objects.filter(pk=done.pk).update(
        kind="video", way="fast", frames=75, seconds=30.0, has_sound=True
    )
    page = shown(signed_in, done)
    assert page.count("<video") == 2
    assert ">2.5<" in page
    assert "kept" in page
    assert 'role="slider"' not in page


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"way": "slow", "size": 320, "start": "noise", "seed": 5}, ["noise", "5"]),
        (
            {"way": "slow", "size": 320, "start": "fast", "start_network": "candy"},
            ["what Candy makes of it"],
        ),
        ({"way": "fast", "size": None, "keep_colours": True}, ["as the file", "of the picture"]),
    ],
)
def test_the_options_are_told_in_words(fields: dict[str, Any], lines: list[str]) -> None:
    told = dict(presenting.facts_of(Restyling(steps=10, **fields)))
    assert set(lines) <= set(told.values())
    assert ("Steps" in told) == (fields["way"] == "slow")


# --------------------------------------------------------------------------- files
def test_files_are_served_by_painting(signed_in: Client, user: Any, done: Restyling) -> None:
    assert decode(content_of(signed_in.get(page_of(done, "picture")))).shape == (120, 160, 3)
    assert decode(content_of(signed_in.get(page_of(done, "before")))).shape == (120, 160, 3)
    assert decode(content_of(signed_in.get(page_of(done, "thumbnail")))).shape[2] == 3
    saved = signed_in.get(page_of(done, "picture?download=1"))
    assert saved["Content-Disposition"].startswith("attachment")
    assert done.style_name in saved["Content-Disposition"]
    assert content_of(saved)
    entry = AuditEntry.objects.get(action="exported")
    assert (entry.actor_name, entry.details) == (user.username, {"format": "painting"})
    part = signed_in.get(page_of(done, "picture"), HTTP_RANGE="bytes=0-9")
    assert part.status_code == 206


def test_as_long_as_there_is_no_result_the_thumbnail_is_that_of_the_file(
    signed_in: Client, waiting: Restyling
) -> None:
    assert content_of(signed_in.get(page_of(waiting, "thumbnail")))
    response = signed_in.get(page_of(waiting, "picture"), **JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "not_done")


def test_what_browsers_do_not_show_is_converted(
    signed_in: Client, user: Any, own_style: Style
) -> None:
    tiff = restyle(user, own_style, data=picture(form="TIFF"))
    response = signed_in.get(page_of(tiff, "before"))
    assert response["Content-Type"] == "image/jpeg"
    assert decode(content_of(response)).shape == (120, 160, 3)
    again_asked = signed_in.get(page_of(tiff, "before"), HTTP_IF_NONE_MATCH=response["ETag"])
    assert again_asked.status_code == 304
    as_it_came = signed_in.get(page_of(tiff, "before?download=1"))
    assert as_it_came["Content-Type"] == "image/tiff"
    assert content_of(as_it_came) == picture(form="TIFF")


# --------------------------------------------------------------------------- who may
def test_what_is_not_theirs_is_not_there(other: Client, client: Client, done: Restyling) -> None:
    for part in ("", "state/", "picture", "before", "thumbnail", "live"):
        assert other.get(page_of(done, part)).status_code == 404, part
        assert client.get(page_of(done, part)).status_code == 302, part
    for part in ("cancel/", "retry/", "rename/", "share/", "delete/"):
        assert other.post(page_of(done, part), **JSON).status_code == 404, part
        assert other.get(page_of(done, part)).status_code == 405, part
    assert other.get(f"/styles/results/{uuid.UUID(int=7)}/").status_code == 404


def test_a_group_sees_it_and_looking_is_noted(
    signed_in: Client, other: Client, other_user: Any, team: Group, done: Restyling
) -> None:
    signed_in.post(page_of(done, "share/"), {"group": team.pk})
    page = shown(other, done)
    assert f"by {done.owner.get_username()}" in page
    assert "delete-dialog" not in page
    assert "share-dialog" not in page
    assert done.style_name in page
    assert f"/styles/{done.style_id}/" not in page  # which is its owner's alone
    content_of(other.get(page_of(done, "picture")))
    content_of(other.get(page_of(done, "picture")))
    assert AuditEntry.objects.filter(action="viewed", actor_name=other_user.username).count() == 1
    assert other.post(page_of(done, "delete/"), **JSON).status_code == 403


def test_who_only_looks_starts_nothing(team: Group, done: Restyling) -> None:
    eve = make_user("eve", "viewer")
    team.user_set.add(eve)
    Restyling.objects.filter(pk=done.pk).update(shared_with=team)
    client = Client()
    client.force_login(eve)
    page = shown(client, done)
    assert "Paint again" not in page
    assert "data-rename title" not in page
    into(done, "failed")
    assert client.post(page_of(done, "retry/"), **JSON).status_code == 403


# --------------------------------------------------------------------------- acts
def test_it_is_cancelled_once(signed_in: Client, waiting: Restyling) -> None:
    assert signed_in.post(page_of(waiting, "cancel/"), **JSON).json() == {"id": str(waiting.pk)}
    assert again(waiting).status == "cancelled"
    response = signed_in.post(page_of(waiting, "cancel/"), **JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "not_running")
    led = signed_in.post(page_of(waiting, "cancel/"))
    assert (led.status_code, led.url) == (302, page_of(waiting))


def test_it_is_tried_again(signed_in: Client, waiting: Restyling) -> None:
    into(waiting, "failed", error_code="disk_full")
    assert signed_in.post(page_of(waiting, "retry/")).url == page_of(waiting)
    assert again(waiting).status == "queued"
    response = signed_in.post(page_of(waiting, "retry/"), **JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "not_failed")


def test_it_is_renamed(signed_in: Client, done: Restyling) -> None:
    response = signed_in.post(page_of(done, "rename/"), {"name": "  Evening \n light "}, **JSON)
    assert response.json()["name"] == "Evening light"
    for name in ("", "\x00", "x" * 201):
        response = signed_in.post(page_of(done, "rename/"), {"name": name}, **JSON)
        assert response.status_code == 400
        assert set(response.json()["error"]["fields"]) == {"name"}
    assert again(done).name == "Evening light"


@pytest.mark.parametrize("group", ["x", "-1", "9" * 30, "77777"])
def test_it_is_shared_with_groups_of_the_user_alone(
    signed_in: Client, done: Restyling, group: str
) -> None:
    response = signed_in.post(page_of(done, "share/"), {"group": group}, **JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "unknown_group")


def test_it_is_shared_and_made_private(signed_in: Client, team: Group, done: Restyling) -> None:
    shared = signed_in.post(page_of(done, "share/"), {"group": team.pk}, **JSON)
    assert shared.json()["message"] == "Shared with Studio."
    private = signed_in.post(page_of(done, "share/"), {"group": ""}, follow=True)
    assert "Only you can see it now." in private.content.decode()
    assert again(done).shared_with is None


def test_it_is_deleted_with_its_files(signed_in: Client, done: Restyling) -> None:
    led = signed_in.post(page_of(done, "delete/"))
    assert led.url == "/styles/results/"
    assert {**rows(), "Style": 0} == dict.fromkeys(
        ("Upload", "Restyling", "Job", "DerivedFile", "Style"), 0
    )
    assert signed_in.post(page_of(done, "delete/"), **JSON).status_code == 404


def test_a_picture_stays_while_another_painting_uses_it(
    signed_in: Client, user: Any, done: Restyling
) -> None:
    job = Job.objects.create(kind="styletransfer.paint", owner=user, state="done", queue="styles")
    second = Restyling.objects.create(
        owner=user,
        upload=done.upload,
        job=job,
        style_name="Gone",
        way="slow",
        name="Second",
        result=derived(done.upload, seed=9),
    )
    assert "because another painting uses it" in shown(signed_in, done)
    assert signed_in.post(page_of(done, "delete/"), **JSON).status_code == 204
    assert content_of(signed_in.get(page_of(second, "before")))
    assert "is deleted too" in shown(signed_in, second)
