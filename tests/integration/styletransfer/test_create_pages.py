"""The page that asks for a painting: what it offers, what it takes, and its fast preview."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from common.models import DerivedFile, Job, Upload
from common.uploads.services import remove_pictures
from styletransfer import presenting
from styletransfer.models import Restyling, Style
from styletransfer.selectors import find_style
from tests.integration.conftest import make_user
from tests.integration.styletransfer.makers import add, decode, picture, restyle, rows
from tests.made_videos import make_clip

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("silent")]

PAGE = "/styles/create/"
JSON = {"HTTP_ACCEPT": "application/json"}
GLASS = "stained-glass"


def file_of(data: bytes, name: str = "street.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "application/octet-stream")


def send(client: Client, **fields: Any) -> Any:
    """Post the form as the page's script does; a picture and a pattern unless None is given."""
    form = {"image": file_of(picture()), "style": GLASS, **fields}
    given = {name: value for name, value in form.items() if value is not None}
    return client.post(PAGE, given, **JSON)


def made(response: Any) -> Restyling:
    assert response.status_code == 201, response.content
    body = response.json()
    assert body["url"] == f"/styles/results/{body['id']}/"
    return Restyling.objects.select_related("job", "upload").get(pk=body["id"])


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, (response.status_code, response.content)
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == code, error
    assert error["message"].endswith((".", "?"))
    return error


@pytest.fixture
def viewer(db: None) -> Client:
    """The browser of somebody who may only look."""
    client = Client()
    client.force_login(make_user("eve", "viewer"))
    return client


# --------------------------------------------------------------------------- the form
def test_only_those_who_may_create_get_the_form(client: Client, viewer: Client) -> None:
    assert client.get(PAGE).url == f"/accounts/login/?next={PAGE}"
    assert client.get(PAGE, **JSON).status_code == 401
    assert viewer.get(PAGE).status_code == 403
    assert send(viewer).status_code == 403
    assert viewer.post("/styles/preview/", **JSON).status_code == 403
    assert viewer.get("/styles/example/").status_code == 403
    assert rows()["Restyling"] == 0


def test_the_form_offers_styles_options_and_an_example(signed_in: Client, user: Any) -> None:
    add(user, name="Peeling paint")
    response = signed_in.get(PAGE)
    page = response.content.decode()
    for name in ("Peeling paint", "Stained glass", "Candy"):
        assert f'data-name="{name}"' in page
    assert page.count("data-fast>") + page.count("data-fast ") == 5
    assert response.context["limits"]["step_seconds"] is None  # nothing was painted here yet
    assert response.context["limits"]["largest_size"] >= presenting.LEAST_SIZE
    example = signed_in.get("/styles/example/")
    assert example.status_code == 200
    assert example["Content-Type"] == "image/jpeg"
    assert decode(example.content).shape[2] == 3


def test_an_address_may_name_a_style_and_what_is_to_be_painted_again(
    signed_in: Client, user: Any, own_style: Style
) -> None:
    before = restyle(user, own_style, steps=7, style_weight=31, keep_colours=True, size=500)
    page = signed_in.get(f"{PAGE}?again={before.pk}")
    assert page.context["again"] == before
    assert page.context["chosen"] == own_style
    assert page.context["preset"] == {
        "size": 500,
        "full_size": False,
        "steps": 7,
        "style_weight": "31",
        "keep_colours": True,
        "start": "content",
        "start_network": "",
        "seed": 0,
    }
    assert f"/styles/results/{before.pk}/before" in page.content.decode()
    smaller = signed_in.get(f"{PAGE}?again={before.pk}&size=320")
    assert smaller.context["preset"]["size"] == 320
    assert signed_in.get(f"{PAGE}?style={own_style.pk}").context["chosen"] == own_style


def test_a_session_is_fetched_by_the_page_itself(signed_in: Client) -> None:
    session = uuid.UUID(int=7)
    page = signed_in.get(f"{PAGE}?session={session}").content.decode()
    assert f'data-session-picture="/sessions/{session}/picture"' in page


@pytest.mark.parametrize(
    "query", ["again=7", f"again={uuid.UUID(int=7)}", "style=x", "session=../"]
)
def test_an_address_that_makes_no_sense_leaves_an_ordinary_form(
    signed_in: Client, query: str
) -> None:
    response = signed_in.get(f"{PAGE}?{query}&size=99999999")
    assert response.status_code == 200
    assert (response.context["again"], response.context["chosen"]) == (None, None)
    assert response.context["session_id"] is None


def test_what_others_have_painted_is_not_offered_again(
    signed_in: Client, other_user: Any, own_style: Style
) -> None:
    foreign = restyle(other_user, own_style)
    assert signed_in.get(f"{PAGE}?again={foreign.pk}").context["again"] is None
    assert send(signed_in, image=None, again=str(foreign.pk)).status_code == 404


def test_a_picture_that_was_removed_cannot_be_painted_again(
    signed_in: Client, user: Any, own_style: Style
) -> None:
    before = restyle(user, own_style)
    Job.objects.filter(pk=before.job_id).update(state="done")
    remove_pictures(uploads=[before.upload])
    assert signed_in.get(f"{PAGE}?again={before.pk}").context["again"] is None
    refused(send(signed_in, image=None, again=str(before.pk)), 409, "picture_removed")


def test_a_search_answers_with_the_styles_alone_and_keeps_the_chosen_one(
    signed_in: Client, user: Any
) -> None:
    chosen = add(user, name="Chosen")
    page = signed_in.get(f"{PAGE}?q=glass&style={chosen.pk}", HTTP_HX_REQUEST="true")
    assert "<html" not in page.content.decode()
    assert [style.name for style in page.context["styles"]] == ["Chosen", "Stained glass"]
    nothing = signed_in.get(f"{PAGE}?q=zebra", HTTP_HX_REQUEST="true").content.decode()
    assert "No style is called so." in nothing


def test_many_styles_are_shown_in_part_and_searched_for(
    signed_in: Client, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presenting, "MOST_STYLES", 5)
    page = signed_in.get(PAGE)
    assert len(page.context["styles"]) == 5
    assert page.context["searched"]
    assert "search for others" in page.content.decode()


def test_how_long_it_takes_follows_from_what_others_took(
    signed_in: Client, user: Any, own_style: Style
) -> None:
    before = restyle(user, own_style, steps=100)
    Job.objects.filter(pk=before.job_id).update(state="done")
    facts = {"seconds": 50.0, "steps_made": 100, "width": 200, "height": 200}
    Restyling.objects.filter(pk=before.pk).update(**facts)
    table = dict(signed_in.get(PAGE).context["limits"]["step_seconds"])
    # 200 x 200 pixels are painted at one size: half a second a step.
    assert table[192] == pytest.approx(0.5 * (192 / 200) ** 2, rel=1e-3)
    assert table[160] < table[192] < table[512]


def test_the_size_offered_is_what_the_free_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    for free, size in ((0, presenting.LEAST_SIZE), (10**12, presenting.LARGEST_SIZE)):
        monkeypatch.setattr(presenting, "free_memory", lambda free=free: free)
        assert presenting.offered_size() == size
    monkeypatch.setattr(presenting, "free_memory", lambda: 2 * 10**9)
    assert presenting.LEAST_SIZE < presenting.offered_size() < presenting.LARGEST_SIZE


# --------------------------------------------------------------------------- what it takes
def test_a_picture_and_a_style_become_a_painting_that_waits(signed_in: Client, user: Any) -> None:
    wishes = {"size": 200, "steps": 12, "style_weight": "250", "start": "noise", "seed": 5}
    painting = made(send(signed_in, keep_colours="1", full_size="1", **wishes))
    assert (painting.status, painting.way, painting.source) == ("queued", "slow", "browser")
    assert (painting.owner, painting.name) == (user, "street")
    assert (painting.size, painting.steps, painting.style_weight) == (200, 12, 250.0)
    assert (painting.start, painting.seed, painting.keep_colours) == ("noise", 5, True)


def test_a_browser_without_scripts_is_led_to_the_result(signed_in: Client) -> None:
    form = {"image": file_of(picture()), "style": GLASS}
    response = signed_in.post(PAGE, form)
    assert response.status_code == 302
    assert response.url == f"/styles/results/{Restyling.objects.get().pk}/"
    assert signed_in.post(PAGE, {"style": GLASS}).url == "/styles/"


@pytest.mark.parametrize(("full", "size"), [("1", None), (None, 320)])
def test_a_fast_style_keeps_the_size_of_the_file_unless_another_is_wished(
    signed_in: Client, full: str | None, size: int | None
) -> None:
    painting = made(send(signed_in, style="fast:candy", size=320, full_size=full))
    assert (painting.way, painting.size, painting.steps) == ("fast", size, 0)


def test_a_picture_may_come_with_its_own_style(signed_in: Client, user: Any) -> None:
    own = file_of(picture(seed=3), "autumn_leaves.jpg")
    painting = made(send(signed_in, style=None, style_image=own))
    assert painting.style is not None
    assert (painting.style.owner, painting.style.name) == (user, "autumn leaves")
    assert painting.style_name == "autumn leaves"


def test_a_style_goes_with_the_painting_that_was_refused(signed_in: Client) -> None:
    own = {"style": None, "style_image": file_of(picture(seed=3), "leaves.jpg")}
    error = refused(send(signed_in, image=file_of(b"no picture"), **own), 415, "not_a_picture")
    assert set(error["fields"]) == {"image"}
    own["style_image"] = file_of(picture(seed=3), "leaves.jpg")
    refused(send(signed_in, steps="10^6", **own), 400, "invalid")
    assert rows() == dict.fromkeys(("Upload", "Restyling", "Job", "DerivedFile", "Style"), 0)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"Dear all,", 415, "not_a_picture"),
        (b"", 400, "empty_file"),
        (picture(1, 1, format="PNG"), 422, "too_small"),
        (picture()[:400], 422, "truncated_picture"),
    ],
)
def test_what_is_no_style_is_refused_beside_its_field(
    signed_in: Client, data: bytes, status: int, code: str
) -> None:
    response = send(signed_in, style=None, style_image=file_of(data))
    assert set(refused(response, status, code)["fields"]) == {"style_image"}
    assert rows()["Restyling"] == rows()["Style"] == 0


def test_the_example_is_painted_without_a_file(signed_in: Client) -> None:
    painting = made(send(signed_in, image=None, example="1"))
    assert (painting.source, painting.upload.width) == ("example", 810)


def test_the_same_picture_is_painted_again_in_another_style(
    signed_in: Client, user: Any, own_style: Style
) -> None:
    before = restyle(user, own_style)
    painting = made(send(signed_in, image=None, again=str(before.pk), steps=20))
    assert painting.upload == before.upload
    assert (painting.style, painting.steps) == (find_style(user, GLASS), 20)
    assert Upload.objects.count() == 1


def test_a_video_is_taken_for_a_fast_style_alone(signed_in: Client, tmp_path: Any) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=1.0).read_bytes()
    slow = send(signed_in, image=None, video=file_of(clip, "clip.mp4"))
    assert set(refused(slow, 400, "video_needs_fast_style")["fields"]) == {"style"}
    fast = {"image": None, "style": "fast:candy", "full_size": "1"}
    painting = made(send(signed_in, video=file_of(clip, "clip.mp4"), **fast))
    assert (painting.kind, painting.size) == ("video", None)
    broken = send(signed_in, video=file_of(b"no video" * 50, "clip.mp4"), **fast)
    assert set(refused(broken, 415, "not_a_video")["fields"]) == {"image"}


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"image": None}, "missing_image", "image"),
        ({"style": None}, "missing_style", "style"),
        ({"style": "zebra"}, "unknown_style", "style"),
        ({"steps": "0"}, "invalid", "steps"),
        ({"steps": "1000000"}, "invalid", "steps"),
        ({"size": "huge"}, "invalid", "size"),
        ({"style_weight": "nan"}, "invalid", "style_weight"),
        ({"start": "fast"}, "invalid", "start_network"),
        ({"seed": "-1"}, "invalid", "seed"),
    ],
)
def test_wishes_that_make_no_sense_are_refused_beside_their_field(
    signed_in: Client, fields: dict[str, Any], code: str, field: str
) -> None:
    assert set(refused(send(signed_in, **fields), 400, code)["fields"]) == {field}
    assert rows()["Restyling"] == rows()["Upload"] == 0


def test_a_picture_of_a_gigabyte_is_refused_before_it_is_read(
    signed_in: Client, settings: Any
) -> None:
    settings.SIGHTLINE_MAX_UPLOAD_BYTES = 500
    error = refused(send(signed_in), 413, "file_too_large")
    assert set(error["fields"]) == {"image"}


def test_who_has_too_many_waiting_is_told_so(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("styletransfer.services.restylings.MOST_WAITING", 1)
    made(send(signed_in))
    response = send(signed_in)
    refused(response, 429, "too_many_waiting")
    assert int(response["Retry-After"]) > 0
    assert rows()["Upload"] == 1


# --------------------------------------------------------------------------- the preview
@pytest.mark.usefixtures("fast_engine")
def test_a_fast_style_shows_what_it_makes_of_a_reduced_picture(signed_in: Client) -> None:
    form = {"style": "fast:candy", "image": file_of(picture(400, 300))}
    response = signed_in.post("/styles/preview/", form, **JSON)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"] == "private, no-store"
    assert float(response["X-Worked-Ms"]) > 0
    painted = decode(response.content)
    assert painted.shape == (240, 320, 3)
    form |= {"image": file_of(picture(400, 300)), "keep_colours": "1"}
    in_its_colours = decode(signed_in.post("/styles/preview/", form, **JSON).content)
    assert abs(in_its_colours.astype(int) - painted).mean() > 1
    assert rows() == dict.fromkeys(("Upload", "Restyling", "Job", "DerivedFile", "Style"), 0)
    assert DerivedFile.objects.count() == 0


@pytest.mark.parametrize(
    ("style", "data", "status", "code"),
    [
        (GLASS, picture(), 400, "no_preview"),
        ("zebra", picture(), 400, "unknown_style"),
        ("fast:candy", None, 400, "missing_image"),
        ("fast:candy", b"no picture", 415, "not_a_picture"),
        ("fast:candy", b"0" * (2 * 1024 * 1024 + 1), 413, "file_too_large"),
    ],
)
@pytest.mark.usefixtures("fast_engine")
def test_what_cannot_be_tried_out_is_refused(
    signed_in: Client, style: str, data: bytes | None, status: int, code: str
) -> None:
    form: dict[str, Any] = {"style": style}
    if data is not None:
        form["image"] = file_of(data)
    refused(signed_in.post("/styles/preview/", form, **JSON), status, code)


@pytest.mark.usefixtures("fast_engine")
def test_a_network_that_cannot_be_had_is_said_so(signed_in: Client) -> None:
    form = {"style": "fast:udnie", "image": file_of(picture())}
    assert signed_in.post("/styles/preview/", form, **JSON).status_code == 503
