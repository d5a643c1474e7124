"""The gallery, the page of a style, new ones, and the list of what was painted."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from common.models import AuditEntry, Upload
from styletransfer.models import Restyling, Style
from styletransfer.services.queueing import Place
from styletransfer.templatetags.styles import in_words, took
from tests.integration.conftest import make_user
from tests.integration.styletransfer.made_styles import add, painted, picture

pytestmark = pytest.mark.django_db

JSON = {"HTTP_ACCEPT": "application/json"}
HTMX = {"HTTP_HX_REQUEST": "true"}
SOMEBODY = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def style(user: Any) -> Style:
    """One that `user` has added."""
    return add(user)


@pytest.fixture
def group(user: Any, other_user: Any) -> Group:
    """One that `other_user` is in, too."""
    made = Group.objects.create(name="Studio")
    user.groups.add(made)
    other_user.groups.add(made)
    return made


@pytest.fixture
def other(other_user: Any) -> Client:
    """The browser of `other_user`."""
    client = Client()
    client.force_login(other_user)
    return client


@pytest.fixture
def viewer(db: None) -> Client:
    """The browser of somebody who may only look."""
    client = Client()
    client.force_login(make_user("eve", "viewer"))
    return client


def names(response: Any) -> list[str]:
    return [row.name for row in response.context["page"].object_list]


# --------------------------------------------------------------------------- who may
PAGES = [
    *("/styles/", "/styles/new/", "/styles/results/"),
    *(f"/styles/{{style}}/{part}" for part in ("", "picture", "thumbnail")),
    "/styles/results/{result}/card/",
]


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_for_people_who_are_signed_in(
    client: Client, user: Any, style: Style, path: str
) -> None:
    address = path.format(style=style.pk, result=painted(user, style).pk)
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")
    told = client.get(address, **JSON)
    assert told.status_code == 401
    assert told.json()["error"]["code"] == "not_authenticated"
    client.force_login(user)
    assert client.get(address).status_code == 200


def test_a_viewer_looks_and_adds_nothing(viewer: Client) -> None:
    page = viewer.get("/styles/")
    assert page.status_code == 200
    assert "Paint something" not in page.content.decode()
    assert viewer.get("/styles/new/").status_code == 403
    before = Style.objects.count()
    file = SimpleUploadedFile("a.jpg", picture())
    assert viewer.post("/styles/new/", {"picture": file}).status_code == 403
    assert Style.objects.count() == before
    told = viewer.post("/styles/new/", {}, **JSON)
    assert told.json()["error"]["code"] == "not_allowed_to_create"


OTHERS = ["", "picture", "thumbnail"]
ACTS = ["change/", "share/", "delete/"]


def test_what_is_private_is_not_there_for_others(other: Client, style: Style) -> None:
    for part in OTHERS:
        assert other.get(f"/styles/{style.pk}/{part}").status_code == 404
    for part in ACTS:
        assert other.post(f"/styles/{style.pk}/{part}").status_code == 404
    assert style.name not in names(other.get("/styles/"))


def test_who_may_use_a_style_may_not_change_it(
    other: Client, style: Style, group: Group, signed_in: Client
) -> None:
    signed_in.post(f"/styles/{style.pk}/share/", {"audience": str(group.pk)})
    assert other.get(f"/styles/{style.pk}/").status_code == 200
    assert other.get(f"/styles/{style.pk}/thumbnail").status_code == 200
    for part in ("share/", "delete/"):
        assert other.post(f"/styles/{style.pk}/{part}").status_code == 403


# --------------------------------------------------------------------------- the gallery
def test_the_gallery_begins_with_what_comes_along(signed_in: Client) -> None:
    page = signed_in.get("/styles/")
    text = page.content.decode()
    built_in = Style.objects.exclude(key="")
    assert built_in.exists()
    assert set(names(page)) == set(built_in.values_list("name", flat=True))
    assert "Sightline" in text
    assert "Fast" in text


def test_a_network_without_a_picture_says_so(signed_in: Client) -> None:
    fast = Style.objects.exclude(network="").first()
    assert fast is not None
    page = signed_in.get("/styles/", {"only": "fast"})
    assert "Its picture comes with its first use" in page.content.decode()
    assert f"/styles/{fast.pk}/thumbnail" not in page.content.decode()
    assert signed_in.get(f"/styles/{fast.pk}/thumbnail").status_code == 404


def test_it_is_searched_narrowed_and_ordered(
    signed_in: Client, user: Any, other_user: Any, style: Style
) -> None:
    add(other_user, "Zebra crossing", is_public=True, use_count=9)
    assert names(signed_in.get("/styles/", {"q": "peel"})) == ["Peeling paint"]
    assert names(signed_in.get("/styles/", {"only": "mine"})) == ["Peeling paint"]
    assert names(signed_in.get("/styles/", {"only": "shared"})) == ["Zebra crossing"]
    assert names(signed_in.get("/styles/"))[0] == "Zebra crossing"
    by_name = names(signed_in.get("/styles/", {"order": "name"}))
    assert by_name.index("Peeling paint") < by_name.index("Zebra crossing")
    assert signed_in.get("/styles/", {"only": "x", "order": "x", "q": "\x00"}).status_code == 200


def test_it_has_pages_and_htmx_gets_the_list(signed_in: Client, user: Any, style: Style) -> None:
    rows = [Style(owner=user, name=f"Wall {number:02}") for number in range(30)]
    Style.objects.bulk_create(rows)
    query = {"only": "mine", "order": "name"}
    assert len(names(signed_in.get("/styles/", query))) == 24
    second = signed_in.get("/styles/", {**query, "page": "2"}, **HTMX)
    assert names(second)[-1] == "Wall 29"
    text = second.content.decode()
    assert "<html" not in text
    assert "only=mine" in text
    assert "HX-Request" in second.headers["Vary"]
    assert names(signed_in.get("/styles/", {**query, "page": "99"}))


EMPTY = [
    ({"only": "mine"}, "You have added no style yet"),
    ({"only": "shared"}, "Nobody has shared a style with you yet"),
    ({"q": "qqqq"}, "No style matches"),
]


@pytest.mark.parametrize(("query", "sentence"), EMPTY)
def test_empty_lists_say_what_to_do(
    signed_in: Client, query: dict[str, str], sentence: str
) -> None:
    assert sentence in signed_in.get("/styles/", query).content.decode()


# --------------------------------------------------------------------------- pictures
@pytest.mark.parametrize("part", ["picture", "thumbnail"])
def test_pictures_are_kept_by_the_browser_of_one_user(
    signed_in: Client, style: Style, part: str
) -> None:
    pattern = Style.objects.filter(network="").exclude(key="").first()
    assert pattern is not None
    for shown in (style, pattern):
        answer = signed_in.get(f"/styles/{shown.pk}/{part}")
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.content[:2] == b"\xff\xd8"
        assert answer.headers["Cache-Control"].startswith("private, max-age=")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        etag = {"HTTP_IF_NONE_MATCH": answer.headers["ETag"]}
        again = signed_in.get(f"/styles/{shown.pk}/{part}", **etag)
        assert again.status_code == 304
        assert not again.content


def test_a_style_without_its_file_is_not_found(signed_in: Client, style: Style) -> None:
    style.picture.storage.delete(style.picture.name)
    assert signed_in.get(f"/styles/{style.pk}/picture").status_code == 404
    assert signed_in.get(f"/styles/{style.pk}/").status_code == 200


# --------------------------------------------------------------------------- new ones
def test_a_style_is_added(signed_in: Client, user: Any) -> None:
    assert signed_in.get("/styles/new/").status_code == 200
    file = SimpleUploadedFile("old_wall.jpg", picture())
    answer = signed_in.post("/styles/new/", {"picture": file, "description": "Flaking blue"})
    made = Style.objects.get(owner=user)
    assert answer.headers["Location"] == f"/styles/{made.pk}/"
    assert (made.name, made.description) == ("old wall", "Flaking blue")
    assert not made.is_public
    page = signed_in.get(answer.headers["Location"]).content.decode()
    assert "Only you can see it" in page
    assert "only you" in page


def test_a_script_is_told_where_it_is(signed_in: Client, user: Any) -> None:
    file = SimpleUploadedFile("a.png", picture(form="PNG"))
    answer = signed_in.post("/styles/new/", {"picture": file, "name": "Rust"}, **JSON)
    assert answer.status_code == 201
    made = Style.objects.get(owner=user)
    assert answer.json() == {"id": str(made.pk), "name": "Rust", "url": f"/styles/{made.pk}/"}


REFUSED = [
    ({"picture": b"hello"}, 415, "picture"),
    ({"picture": b""}, 400, "picture"),
    ({"picture": picture()[:400]}, 422, "picture"),
    ({"picture": picture(20, 200)}, 422, "picture"),
    ({"picture": picture(1, 1, form="PNG")}, 422, "picture"),
    ({}, 400, "picture"),
    ({"picture": picture(), "name": "n" * 81}, 400, "name"),
    ({"picture": picture(), "description": "d" * 501}, 400, "description"),
]


@pytest.mark.parametrize(("sent", "status", "field"), REFUSED)
def test_what_is_refused_is_said_beside_its_field(
    signed_in: Client, user: Any, sent: dict[str, Any], status: int, field: str
) -> None:
    def form() -> dict[str, Any]:
        if "picture" not in sent:
            return dict(sent)
        return {**sent, "picture": SimpleUploadedFile("a.jpg", sent["picture"])}

    told = signed_in.post("/styles/new/", form(), **JSON)
    assert told.status_code == status
    sentence = told.json()["error"]["fields"][field]
    assert sentence.endswith(".")
    page = signed_in.post("/styles/new/", form())
    assert page.status_code == status
    assert page.context["form"].errors[field]
    assert not Style.objects.filter(owner=user).exists()


def test_what_was_typed_stays_after_a_refusal(signed_in: Client) -> None:
    page = signed_in.post("/styles/new/", {"name": "Rust & <b>", "description": "Red"})
    text = page.content.decode()
    assert "Rust &amp; &lt;b&gt;" in text
    assert "Choose the picture to paint like." in text


# --------------------------------------------------------------------------- one style
def test_the_page_of_a_style_shows_what_was_painted(
    signed_in: Client, user: Any, other_user: Any, style: Style
) -> None:
    painted(user, style, name="Harbour")
    painted(user, style, name="Waiting", state="queued")
    painted(other_user, style, name="Secret")
    page = signed_in.get(f"/styles/{style.pk}/")
    text = page.content.decode()
    assert "Harbour" in text
    assert "Waiting" not in text
    assert "Secret" not in text
    assert f"/styles/create/?style={style.pk}" in text
    assert "not yet" in text


def test_what_comes_along_can_only_be_painted_with(signed_in: Client) -> None:
    built_in = Style.objects.exclude(key="").first()
    assert built_in is not None
    text = signed_in.get(f"/styles/{built_in.pk}/").content.decode()
    assert "Paint with it" in text
    assert "share-dialog" not in text
    assert "delete-dialog" not in text
    for part in ACTS:
        assert signed_in.post(f"/styles/{built_in.pk}/{part}").status_code == 403


def test_it_is_renamed_and_described(signed_in: Client, style: Style) -> None:
    answer = signed_in.post(f"/styles/{style.pk}/change/", {"name": "Old door", "description": "x"})
    assert answer.headers["Location"] == f"/styles/{style.pk}/"
    style.refresh_from_db()
    assert (style.name, style.description) == ("Old door", "x")


@pytest.mark.parametrize("name", ["", "n" * 81, "\x07"])
def test_a_bad_name_is_said_beside_its_field(signed_in: Client, style: Style, name: str) -> None:
    page = signed_in.post(f"/styles/{style.pk}/change/", {"name": name, "description": "kept"})
    assert page.status_code == 400
    assert page.context["form"].errors["name"]
    text = page.content.decode()
    assert "kept" in text
    assert '<details class="style-edit" open>' in text
    told = signed_in.post(f"/styles/{style.pk}/change/", {"name": name}, **JSON)
    assert told.status_code == 400
    assert told.json()["error"]["fields"]["name"]
    style.refresh_from_db()
    assert style.name == "Peeling paint"


def test_it_is_shared_with_a_group_with_everybody_and_with_nobody(
    signed_in: Client, other: Client, style: Style, group: Group
) -> None:
    address = f"/styles/{style.pk}/"
    for audience, sees in ((str(group.pk), 200), ("", 404), ("everybody", 200), ("", 404)):
        assert signed_in.post(f"{address}share/", {"audience": audience}).status_code == 302
        assert other.get(address).status_code == sees
    foreign = Group.objects.create(name="Elsewhere")
    for audience in (str(foreign.pk), "nonsense", "9" * 40):
        told = signed_in.post(f"{address}share/", {"audience": audience}, **JSON)
        assert told.json()["error"]["code"] == "unknown_group"
    page = signed_in.post(f"{address}share/", {"audience": "nonsense"}, follow=True)
    assert page.redirect_chain == [(address, 302)]
    assert "Choose a group" in page.content.decode()


def test_a_deleted_style_leaves_its_results(signed_in: Client, user: Any, style: Style) -> None:
    result = painted(user, style)
    answer = signed_in.post(f"/styles/{style.pk}/delete/", follow=True)
    assert answer.redirect_chain == [("/styles/", 302)]
    assert "is deleted" in answer.content.decode()
    assert not Style.objects.filter(pk=style.pk).exists()
    card = signed_in.get(f"/styles/results/{result.pk}/card/").content.decode()
    assert "Peeling paint" in card
    assert signed_in.post(f"/styles/{style.pk}/delete/").status_code == 404


def test_an_administrator_takes_away_what_everybody_sees(style: Style, client: Client) -> None:
    client.force_login(make_user("root", "administrator"))
    assert client.post(f"/styles/{style.pk}/delete/").status_code == 404
    Style.objects.filter(pk=style.pk).update(is_public=True)
    text = client.get(f"/styles/{style.pk}/").content.decode()
    assert "delete-dialog" in text
    assert "share-dialog" not in text
    assert client.post(f"/styles/{style.pk}/delete/").status_code == 302
    assert AuditEntry.objects.filter(action="deleted", object_id=str(style.pk)).exists()


# --------------------------------------------------------------------------- results
def test_results_are_searched_and_narrowed(signed_in: Client, user: Any, style: Style) -> None:
    painted(user, style, name="Harbour")
    painted(user, style, name="Bridge", state="failed")
    painted(user, add(user, "Rust"), name="Clip", kind="video")
    page = "/styles/results/"
    assert names(signed_in.get(page)) == ["Clip", "Bridge", "Harbour"]
    assert names(signed_in.get(page, {"q": "harb"})) == ["Harbour"]
    assert names(signed_in.get(page, {"q": "rust"})) == ["Clip"]
    assert names(signed_in.get(page, {"status": "failed"})) == ["Bridge"]
    assert names(signed_in.get(page, {"kind": "video"})) == ["Clip"]
    narrowed = signed_in.get(page, {"style": str(style.pk)})
    assert names(narrowed) == ["Bridge", "Harbour"]
    assert "In Peeling paint" in narrowed.content.decode()
    assert len(names(signed_in.get(page, {"status": "x", "kind": "x", "style": "x"}))) == 3
    part = signed_in.get(page, {"q": "zzz"}, **HTMX).content.decode()
    assert "No result matches" in part
    assert "<html" not in part


CARDS = [
    ("done", ["12 s", "Peeling paint", "?painted="]),
    ("running", ["Running", "<progress", "0.4", "?before"]),
    ("queued", ["Next in the queue", "<progress", "?before"]),
    ("failed", ["Failed", "It broke."]),
    ("cancelled", ["Stopped", "12 s"]),
]


@pytest.mark.parametrize(("state", "parts"), CARDS)
def test_a_card_says_how_it_stands(
    signed_in: Client, user: Any, style: Style, state: str, parts: list[str]
) -> None:
    result = painted(user, style, state=state)
    result.job.error_message = "It broke." if state == "failed" else ""
    result.job.save()
    card = signed_in.get(f"/styles/results/{result.pk}/card/").content.decode()
    assert f'data-status="{state}"' in card
    for part in parts:
        assert part in card, part


WORDS = [
    (Place(1, None), "Next in the queue"),
    (Place(3, 12.0), "Number 3 · 15 s"),
    (Place(2, 110.0), "Number 2 · 2 min"),
    (Place(9, 5400.0), "Number 9 · 1.5 h"),
]


@pytest.mark.parametrize(("place", "words"), WORDS)
def test_places_are_said_in_few_words(place: Place, words: str) -> None:
    assert in_words(place) == words


TIMES = [(0.0, "0.1 s"), (0.42, "0.4 s"), (12.5, "12 s"), (60.0, "1 min"), (75.0, "1 min 15 s")]


@pytest.mark.parametrize(("seconds", "words"), [*TIMES, (3700.0, "1 h 1 min"), (7200.0, "2 h")])
def test_times_are_said_as_people_do(seconds: float, words: str) -> None:
    assert took(seconds) == words


def test_a_card_of_a_removed_picture_asks_for_none(
    signed_in: Client, user: Any, style: Style
) -> None:
    result = painted(user, style)
    Upload.objects.update(removed_at=result.created_at)
    card = signed_in.get(f"/styles/results/{result.pk}/card/").content.decode()
    assert "was removed" in card
    assert "<img" not in card


def test_a_page_of_results_takes_few_queries(
    signed_in: Client, user: Any, style: Style, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        painted(user, style, name=f"Nr {number}")
    with django_assert_max_num_queries(12):
        signed_in.get("/styles/results/")
    with django_assert_max_num_queries(12):
        signed_in.get("/styles/")


def test_several_are_deleted_as_far_as_they_are_ones_own(
    signed_in: Client, user: Any, other_user: Any, style: Style
) -> None:
    mine = [painted(user, style, name=name) for name in ("a", "b", "c")]
    foreign = painted(other_user, style)
    ids = [str(mine[0].pk), str(mine[1].pk), str(foreign.pk), "nonsense", SOMEBODY]
    answer = signed_in.post("/styles/results/delete/", {"id": ids}, follow=True)
    assert answer.redirect_chain == [("/styles/results/", 302)]
    assert "2 results deleted." in answer.content.decode()
    assert set(Restyling.objects.values_list("pk", flat=True)) == {mine[2].pk, foreign.pk}


def test_others_see_results_that_are_shared(
    user: Any, other: Client, style: Style, group: Group
) -> None:
    result = painted(user, style, shared_with=group)
    painted(user, style, name="Private")
    page = other.get("/styles/results/")
    assert names(page) == ["Harbour"]
    text = page.content.decode()
    assert "by ada" in text
    assert "Studio" in text
    assert 'name="id"' not in text
    assert other.get(f"/styles/results/{result.pk}/card/").status_code == 200


def test_empty_results_say_what_to_do(signed_in: Client, viewer: Client) -> None:
    assert "Nothing painted yet" in signed_in.get("/styles/results/").content.decode()
    text = viewer.get("/styles/results/").content.decode()
    assert "Nothing has been shared with you yet" in text
    assert signed_in.get(f"/styles/results/{uuid.uuid4()}/card/").status_code == 404
    told = signed_in.get(f"/styles/{SOMEBODY}/", **JSON)
    assert told.status_code == 404
