"""The sockets of the wall and of the dashboard: who hears what, how much, and until when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from common.broadcast import attach_loop, detach_loop, watcher
from common.models import Account
from common.previews import slots
from tests.integration.conftest import make_user, wait_until
from tests.integration.video_analysis.live_pages import (
    LivePage,
    change_event,
    make_camera,
    make_event,
    make_jpeg,
    make_state,
    sign_in,
    write_picture,
)
from video_analysis.cameras.announcing import announce_configuration, announce_events
from video_analysis.cameras.models import Camera
from video_analysis.live.sockets import base, news
from video_analysis.live.sockets import cameras as cameras_socket
from video_analysis.live.sockets.feed import feed

pytestmark = pytest.mark.django_db(transaction=True)

WALL, DASHBOARD = "/ws/cameras/", "/ws/dashboard/"
PING = {"type": "ping"}


@pytest.fixture(autouse=True)
def own_layer() -> Iterator[None]:
    """A channel layer and slots of the test's own, and no loop left attached."""
    slots._slots.cache_clear()
    channel_layers.backends = {}
    yield
    detach_loop()
    channel_layers.backends = {}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the sockets checked all the time."""
    monkeypatch.setattr(watcher, "CHECK_SECONDS", 0.05)


@pytest.fixture
def team(user: Any) -> Group:
    """The group of the user."""
    group = Group.objects.create(name="Night shift")
    group.user_set.add(user)
    return group


@pytest.fixture
def camera(team: Group) -> Camera:
    """A camera that the user may watch."""
    return make_camera(team, name="Entrance")


@pytest.fixture
def foreign(db: None) -> Camera:
    """A camera that the user may not watch."""
    return make_camera(Group.objects.create(name="Board"), name="Safe")


async def open_page(path: str, user: Any) -> LivePage:
    attach_loop(asyncio.get_running_loop())
    page = LivePage(path, await sync_to_async(sign_in)(user))
    hello = await page.open()
    assert hello["type"] == "hello"
    return page


def tile(camera: Camera | int, size: str = "small") -> dict[str, Any]:
    return {"camera": camera if isinstance(camera, int) else camera.pk, "size": size}


async def see(page: LivePage, camera: Camera, **picture: Any) -> Any:
    """Write pictures until the page is sent one, and acknowledge it."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        number = write_picture(camera.pk, **picture)
        if not await page.wire.receive_nothing(0.15):
            meta, jpeg = await page.hear()
            await page.say(type="ack", number=meta["number"], **tile(camera, meta["size"]))
            return meta, jpeg, number
    raise AssertionError("no picture came")


# ---------------------------------------------------------------- who
@pytest.mark.parametrize("path", [WALL, DASHBOARD])
@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:9000"])
async def test_a_foreign_page_is_refused_before_the_handshake(
    user: Any, path: str, origin: str
) -> None:
    cookie = await sync_to_async(sign_in)(user)
    refused = await LivePage(path, cookie, origin=origin).open()
    assert refused["type"] == "websocket.close"


@pytest.mark.parametrize("path", [WALL, DASHBOARD])
async def test_who_is_not_signed_in_is_told_so(path: str, db: None) -> None:
    assert await LivePage(path).open() == 4401


@pytest.mark.parametrize("path", [WALL, DASHBOARD])
@pytest.mark.usefixtures("quick")
async def test_who_signs_out_is_closed(user: Any, path: str) -> None:
    page = await open_page(path, user)
    await sync_to_async(Session.objects.all().delete)()
    while not isinstance(heard := await page.hear(), int):
        pass
    assert heard == 4401
    await page.leave()


@pytest.mark.parametrize("path", [WALL, DASHBOARD])
async def test_a_user_has_twenty_sockets_of_a_kind_at_most(user: Any, path: str) -> None:
    pages = [await open_page(path, user) for _ in range(20)]
    cookie = await sync_to_async(sign_in)(user)
    assert await LivePage(path, cookie).open() == 4429
    other = await open_page(WALL if path == DASHBOARD else DASHBOARD, user)
    for page in (*pages, other):
        await page.leave()


# ---------------------------------------------------------------- the wall
async def test_the_wall_is_sent_the_newest_picture_with_what_is_said_beside_it(
    user: Any, camera: Camera
) -> None:
    page = await open_page(WALL, user)
    await page.say(type="watch", tiles=[tile(camera)])
    jpeg = make_jpeg((32, 24))
    meta, sent, number = await see(page, camera, jpeg=jpeg, occupancy={"4": 2})
    assert sent == jpeg
    expected = {"camera": camera.pk, "size": "small", "number": number, "occupancy": {"4": 2}}
    assert expected.items() <= meta.items()
    await page.leave()


async def test_a_picture_that_was_there_before_is_shown_at_once_and_each_once(
    user: Any, camera: Camera
) -> None:
    number = write_picture(camera.pk, "large")
    page = await open_page(WALL, user)
    await page.say(type="watch", tiles=[tile(camera, "large")])
    assert (await page.hear())[0]["number"] == number
    assert await page.wire.receive_nothing(0.2)
    await page.leave()


async def test_a_slow_page_has_two_pictures_on_their_way_and_then_gets_the_newest(
    user: Any, camera: Camera
) -> None:
    page = await open_page(WALL, user)
    await page.say(type="watch", tiles=[tile(camera)])
    numbers = []
    for number in range(1, 11):
        write_picture(camera.pk, number=number)
        await asyncio.sleep(0.06)
    while not await page.wire.receive_nothing(0.1):
        numbers.append((await page.hear())[0]["number"])
    assert len(numbers) == 2
    await page.say(type="ack", number=numbers[0], **tile(camera))
    assert (await page.hear())[0]["number"] == 10  # not the third
    assert await page.wire.receive_nothing(0.1)
    await page.leave()


async def test_many_slow_tiles_are_served_in_turn(user: Any, team: Group) -> None:
    made = [await sync_to_async(make_camera)(team) for _ in range(4)]
    page = await open_page(WALL, user)
    await page.say(type="watch", tiles=[tile(camera) for camera in made])
    for number in range(1, 6):
        for camera in made:
            write_picture(camera.pk, number=number)
        await asyncio.sleep(0.06)
    seen: dict[int, int] = {}
    while not await page.wire.receive_nothing(0.1):
        meta, _ = await page.hear()
        seen[meta["camera"]] = seen.get(meta["camera"], 0) + 1
    assert seen == {camera.pk: 2 for camera in made}
    await page.leave()


async def test_a_new_set_of_tiles_replaces_the_one_before(user: Any, team: Group) -> None:
    first, second = [await sync_to_async(make_camera)(team) for _ in range(2)]
    page = await open_page(WALL, user)
    await page.say(type="watch", tiles=[tile(first)])
    await see(page, first)
    await page.say(type="watch", tiles=[tile(second), tile(second)])
    await see(page, second)
    assert [found.camera for found in feed.tiles] == [second.pk]
    write_picture(first.pk)
    assert await page.wire.receive_nothing(0.15)
    await page.say(type="watch", tiles=[])
    await page.say(type="ping")
    assert await page.hear() == {"type": "pong"}
    assert not feed.tiles
    await page.leave()


async def test_when_the_last_page_has_left_nothing_is_looked_at(user: Any, camera: Camera) -> None:
    page = await open_page(WALL, user)
    await page.say(type="watch", tiles=[tile(camera), tile(camera, "large")])
    await see(page, camera)
    assert len(feed.tiles) == 2
    await page.leave()
    assert not feed.tiles


async def test_cameras_of_others_and_none_are_refused_and_the_rest_is_shown(
    user: Any, camera: Camera, foreign: Camera
) -> None:
    page = await open_page(WALL, user)
    write_picture(foreign.pk)
    await page.say(type="watch", tiles=[tile(foreign), tile(camera), tile(10**12)])
    refused = [await page.hear(), await page.hear()]
    assert refused == [{"type": "refused", "camera": pk} for pk in (foreign.pk, 10**12)]
    assert (await see(page, camera))[0]["camera"] == camera.pk
    await page.leave()


def leave_the_group(user: Any, camera: Camera) -> None:
    user.groups.clear()


def take_the_group_from_the_camera(user: Any, camera: Camera) -> None:
    camera.groups.clear()


def delete_the_camera(user: Any, camera: Camera) -> None:
    camera.delete()


PERMISSION_ENDS = [leave_the_group, take_the_group_from_the_camera, delete_the_camera]


@pytest.mark.parametrize("act", PERMISSION_ENDS)
async def test_without_permission_pictures_end_within_five_seconds(
    user: Any, camera: Camera, act: Callable[[Any, Camera], None]
) -> None:
    camera_id = camera.pk
    page = await open_page(WALL, user)
    await page.say(type="watch", tiles=[tile(camera)])
    await see(page, camera)
    await sync_to_async(act)(user, camera)
    began = time.monotonic()
    assert await page.hear() == {"type": "refused", "camera": camera_id}
    assert time.monotonic() - began < 5
    write_picture(camera_id)
    assert await page.wire.receive_nothing(0.2)
    await page.leave()


@pytest.mark.usefixtures("quick")
async def test_an_administrator_who_becomes_a_viewer_is_refused(camera: Camera) -> None:
    anna = await sync_to_async(make_user)("anna", "administrator")
    page = await open_page(WALL, anna)
    await page.say(type="watch", tiles=[tile(camera)])
    await see(page, camera)
    await Account.objects.filter(user=anna).aupdate(role="viewer")
    assert await page.hear() == {"type": "refused", "camera": camera.pk}
    await page.leave()


async def test_a_camera_that_was_made_a_moment_ago_can_be_watched(user: Any, team: Group) -> None:
    page = await open_page(WALL, user)
    camera = await sync_to_async(make_camera)(team)
    await asyncio.sleep(0.5)  # what was just read holds for so long
    await page.say(type="watch", tiles=[tile(camera)])
    await see(page, camera)
    await page.leave()


NONSENSE = [
    "",
    "no JSON",
    "[]",
    "null",
    "7",
    '"watch"',
    "{}",
    '{"type": "else"}',
    '{"type": null}',
    '{"type": "watch"}',
    '{"type": "watch", "tiles": {}}',
    '{"type": "watch", "tiles": [7]}',
    '{"type": "watch", "tiles": [{"camera": "1"}]}',
    '{"type": "watch", "tiles": [{"camera": true}]}',
    '{"type": "watch", "tiles": [{"camera": -1}]}',
    '{"type": "watch", "tiles": [{"camera": 99999999999999999999}]}',
    '{"type": "watch", "tiles": [{"camera": 1, "size": "huge"}]}',
    '{"type": "watch", "tiles": [{"camera": 1, "size": []}]}',
    '{"type": "watch", "tiles": [' + ",".join(['{"camera": 1}'] * 33) + "]}",
    '{"type": "ack"}',
    '{"type": "ack", "camera": 1, "size": "small", "number": "1"}',
    "[" * 10_000,
    '{"type": "ping", "filler": "' + "x" * 17_000 + '"}',
]


@pytest.mark.parametrize("text", NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_ends_the_wall(user: Any, text: str) -> None:
    page = await open_page(WALL, user)
    await page.send(text)
    assert await page.hear() == 4400
    await page.leave()


@pytest.mark.parametrize("path", [WALL, DASHBOARD])
async def test_bytes_are_nonsense(user: Any, path: str) -> None:
    page = await open_page(path, user)
    await page.wire.send_input({"type": "websocket.receive", "bytes": b"\xff" * 10})
    while not isinstance(heard := await page.hear(), int):
        pass
    assert heard == 4400
    await page.leave()


async def test_a_flood_of_watch_sets_ends_the_socket(user: Any, camera: Camera) -> None:
    page = await open_page(WALL, user)
    for _ in range(300):
        await page.say(type="watch", tiles=[tile(camera)])
    assert await page.hear() == 4429
    await page.leave()
    assert not feed.tiles


async def test_a_page_that_acknowledges_every_picture_is_no_flood(
    user: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MOST_WORDS", 5)
    monkeypatch.setattr(base, "WORDS_PER_SECOND", 0)
    page = await open_page(WALL, user)
    await page.say(type="watch", tiles=[tile(camera)])
    for _ in range(10):
        await see(page, camera)
    for _ in range(10):  # these were for no picture
        await page.say(type="ack", number=1, **tile(camera))
    assert await page.hear() == 4429
    await page.leave()


async def test_a_page_that_shows_nothing_and_says_nothing_is_disconnected(
    user: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras_socket, "SEND_SECONDS", 0.4)
    page = await open_page(WALL, user)
    await page.say(type="watch", tiles=[tile(camera)])
    heard: Any = None
    until = time.monotonic() + 5
    while not isinstance(heard, int) and time.monotonic() < until:
        write_picture(camera.pk)
        if not await page.wire.receive_nothing(0.05):
            heard = await page.hear()
    assert heard == 4408
    await page.leave()


@pytest.mark.parametrize("path", [WALL, DASHBOARD])
async def test_a_page_that_does_not_take_a_message_is_disconnected(
    user: Any, camera: Camera, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "SEND_SECONDS", 0.1)
    sent: list[Any] = []

    cookie = await sync_to_async(sign_in)(user)
    page = LivePage(path, cookie)
    hanging = asyncio.Event()
    inner = page.wire.output_queue.put

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "websocket.send" and len(sent) > 2:
            await hanging.wait()
        await inner(message)

    monkeypatch.setattr(page.wire.output_queue, "put", send)
    assert (await page.open())["type"] == "hello"
    write_picture(camera.pk)
    await page.say(**({"type": "watch", "tiles": [tile(camera)]} if path == WALL else PING))
    assert await page.hear() == 4408
    await page.leave()


# ---------------------------------------------------------------- the dashboard: events
async def listen(page: LivePage, after: int | None) -> None:
    await page.say(type="listen", after=after)


async def test_events_come_in_order_with_every_change(user: Any, camera: Camera) -> None:
    page = await open_page(DASHBOARD, user)
    await listen(page, None)
    dwell = await sync_to_async(make_event)(camera, kind="dwell", place="Till", value=3.0)
    announce_events(dwell.sequence)
    first = await page.hear_of("events")
    assert (first["sequence"], [event["id"] for event in first["events"]]) == (1, [str(dwell.pk)])
    assert first["events"][0]["sentence"] == "Person 12 has stayed 3 s at Till"
    number = await sync_to_async(change_event)(dwell, value=42.0, end=dwell.start)
    announce_events(number)
    second = await page.hear_of("events")
    assert second["sequence"] == second["events"][0]["sequence"] == 2
    assert second["events"][0]["sentence"] == "Person 12 stayed 42 s at Till"
    await page.leave()


async def test_a_lost_announcement_loses_no_event(
    user: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "LOOK_SECONDS", 0.2)
    page = await open_page(DASHBOARD, user)
    await listen(page, None)
    event = await sync_to_async(make_event)(camera)
    assert (await page.hear_of("events"))["sequence"] == event.sequence
    await page.leave()


async def test_a_page_resumes_where_it_was_and_hears_everything_once(
    user: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "MOST_AT_ONCE", 3)
    made = [await sync_to_async(make_event)(camera) for _ in range(10)]
    page = await open_page(DASHBOARD, user)  # all of them are older than what is in memory
    await listen(page, made[1].sequence)
    made += [await sync_to_async(make_event)(camera) for _ in range(5)]
    announce_events(made[-1].sequence)
    heard: list[int] = []
    while len(heard) < 13:
        message = await page.hear_of("events")
        heard += [event["sequence"] for event in message["events"]]
        assert message["sequence"] >= heard[-1]
    assert heard == [event.sequence for event in made[2:]]
    assert not await nothing_but_stats(page, 0.3)
    await page.leave()


async def nothing_but_stats(page: LivePage, seconds: float) -> list[Any]:
    """What else came for a while."""
    heard, until = [], time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if not await page.wire.receive_nothing(left):
            message = await page.hear()
            if not (isinstance(message, dict) and message["type"] == "stats"):
                heard.append(message)
    return heard


@pytest.mark.parametrize("after", [0, 10**15])
async def test_from_the_beginning_and_from_a_number_that_was_never_given(
    user: Any, camera: Camera, after: int
) -> None:
    old = await sync_to_async(make_event)(camera)
    page = await open_page(DASHBOARD, user)
    await listen(page, after)
    if after == 0:
        assert (await page.hear_of("events"))["events"][0]["id"] == str(old.pk)
    new = await sync_to_async(make_event)(camera)
    announce_events(new.sequence)
    assert (await page.hear_of("events"))["events"][0]["id"] == str(new.pk)
    await page.leave()


async def test_events_of_other_cameras_are_not_heard_but_counted(
    user: Any, camera: Camera, foreign: Camera
) -> None:
    page = await open_page(DASHBOARD, user)
    await listen(page, None)
    await sync_to_async(make_event)(foreign)
    mine = await sync_to_async(make_event)(camera)
    last = await sync_to_async(make_event)(foreign)
    announce_events(last.sequence)
    heard = await page.hear_of("events")
    assert [event["id"] for event in heard["events"]] == [str(mine.pk)]
    assert heard["sequence"] == last.sequence
    await page.leave()


@pytest.mark.parametrize("act", [leave_the_group, take_the_group_from_the_camera])
async def test_without_permission_events_end_within_five_seconds_and_the_page_is_told(
    user: Any, camera: Camera, act: Callable[[Any, Camera], None]
) -> None:
    page = await open_page(DASHBOARD, user)
    await listen(page, None)
    await sync_to_async(act)(user, camera)
    await page.hear_of("cameras")
    event = await sync_to_async(make_event)(camera)
    announce_events(event.sequence)
    assert not await nothing_but_stats(page, 0.5)
    await page.leave()


async def test_a_change_of_the_cameras_is_heard_at_once(user: Any, team: Group) -> None:
    page = await open_page(DASHBOARD, user)
    camera = await sync_to_async(make_camera)(team)
    await asyncio.sleep(0.3)
    announce_configuration()
    await page.hear_of("cameras", 1.5)
    await listen(page, None)
    event = await sync_to_async(make_event)(camera)
    announce_events(event.sequence)
    assert (await page.hear_of("events"))["sequence"] == event.sequence
    await page.leave()


async def test_who_does_not_see_a_changed_camera_hears_nothing_of_it(
    user: Any, camera: Camera, foreign: Camera
) -> None:
    page = await open_page(DASHBOARD, user)
    await page.hear_of("stats")
    await wait_until_async(lambda: news.news._setups is not None)
    await Camera.objects.filter(pk=foreign.pk).aupdate(revision=F("revision") + 1)
    announce_configuration()
    assert not await nothing_but_stats(page, 0.7)
    await Camera.objects.filter(pk=camera.pk).aupdate(revision=F("revision") + 1)
    announce_configuration()
    await page.hear_of("cameras", 1.5)
    announce_configuration()  # nobody can tell what has changed: all look
    await page.hear_of("cameras", 1.5)
    await page.leave()


async def wait_until_async(condition: Callable[[], bool]) -> None:
    """Wait beside the loop for something that its tasks bring about."""
    await sync_to_async(wait_until, thread_sensitive=False)(condition)


DASHBOARD_NONSENSE = [
    "no JSON",
    "[]",
    '{"type": "watch", "tiles": []}',
    '{"type": "listen", "after": "1"}',
    '{"type": "listen", "after": true}',
    '{"type": "listen", "after": -1}',
    '{"type": "listen", "after": 1.5}',
    '{"type": "listen", "after": 99999999999999999999}',
]


@pytest.mark.parametrize("text", DASHBOARD_NONSENSE)
async def test_nonsense_ends_the_dashboard(user: Any, text: str) -> None:
    page = await open_page(DASHBOARD, user)
    await page.send(text)
    while not isinstance(heard := await page.hear(), int):
        pass
    assert heard == 4400
    await page.leave()


# ---------------------------------------------------------------- the dashboard: figures
async def test_figures_are_those_of_ones_own_cameras(
    user: Any, camera: Camera, foreign: Camera
) -> None:
    for one in (camera, foreign):
        await sync_to_async(make_state)(one)
    page = await open_page(DASHBOARD, user)
    stats = await page.hear_of("stats")
    assert [facts["name"] for facts in stats["cameras"]] == ["Entrance"]
    assert stats["global"]["fps"]["processed"] == 10.0
    await page.leave()


async def test_reasons_are_told_in_full_to_administrators_only(user: Any, camera: Camera) -> None:
    """Both see the same cameras, and share what was read."""
    why = "Nobody answers at 10.1.2.3:554."
    await sync_to_async(make_state)(camera, state="lost", code="no_answer", reason=why)
    chief = await sync_to_async(make_user)("chief", "administrator")
    for person, reason in ((user, "The camera does not answer."), (chief, why)) * 2:
        page = await open_page(DASHBOARD, person)
        stats = await page.hear_of("stats")
        assert stats["cameras"][0]["reason"] == reason
        await page.leave()


async def test_without_any_camera_figures_are_empty(user: Any) -> None:
    page = await open_page(DASHBOARD, user)
    stats = await page.hear_of("stats")
    assert (stats["cameras"], stats["global"]["cameras"], stats["model"]) == ([], 0, "")
    await page.leave()


@pytest.mark.usefixtures("quick")
async def test_twenty_pages_of_one_group_ask_as_many_questions_as_two(
    user: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    from video_analysis.live.sockets import access

    read = access._read

    def count(question: Any) -> Any:
        with CaptureQueriesContext(connection) as queries:
            found = read(question)
        asked.append(len(queries))
        return found

    monkeypatch.setattr(access, "_read_async", sync_to_async(count))
    monkeypatch.setattr(access, "KEPT_SECONDS", 60)
    pages = [await open_page(DASHBOARD, user) for _ in range(20)]
    assert len(asked) <= 20
    access.look_again()
    asked.clear()
    await watcher.watcher.check()
    assert len(asked) == 1
    assert asked[0] <= 3
    for page in pages:
        await page.leave()
