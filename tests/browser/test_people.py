"""People in a browser: enrolled by photos and by webcam, recognised, reviewed, merged, erased."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import FLAGS, PATIENCE_MS, Server

pytestmark = [pytest.mark.data, pytest.mark.weights]

CLEARED = """
from recognition.models import Profile
from recognition.services.gallery import note_change
from django.db import transaction
with transaction.atomic():
    note_change(list(Profile.objects.values_list("pk", flat=True)))
    Profile.objects.all().delete()
"""
# Faces of real people, and doubts about them that are made up; who was known before is gone.
KNOWN = """
from pathlib import Path
from django.contrib.auth import get_user_model
from common.inference.faces import find_faces
from recognition.index import Match
from recognition.services.profiles import create_profile
from recognition.services.reviews import open_review
from recognition.services.samples import enrol_picture
from vision.faces.structures import quality_of
admin = get_user_model().objects.get(username="admin")
people = {{}}
for name, photos in {people!r}.items():
    profile = people[name] = create_profile(actor=admin, kind="customer", name=name)
    for photo in photos:
        data = Path({folder!r}, photo).read_bytes()
        enrol_picture(actor=admin, profile=profile, data=data, source="upload", confirm=True)
    print(profile.pk)
for number, (name, photo) in enumerate({doubts!r}):
    found = find_faces(Path({folder!r}, photo).read_bytes(), crops=True)
    open_review(
        origin="picture", origin_id=f"doubt-{{number}}", place="Entrance", model=found.embedder,
        embedding=found.faces.data["embedding"][0], crop=found.crops[0],
        quality=quality_of(found.faces, 0).as_data(),
        match=Match("uncertain", people[name].pk, 0.55, 0.6), asked_by=admin,
    )
"""
AMY = ["bbt/amy/amy1.png", "bbt/amy/amy2.png"]
OBAMA = ["known/train/obama/obama.jpg"]
RAJ = ["bbt/raj/raj1.png", "bbt/raj/raj2.png"]


@pytest.fixture
def faces(test_data: Path) -> Path:
    """The folder of faces."""
    return test_data / "faces"


@pytest.fixture(scope="module", autouse=True)
def nobody_left(server: Server) -> Iterator[None]:
    """Nobody is known afterwards."""
    yield
    server.shell(CLEARED)


@pytest.fixture
def know(server: Server, faces: Path) -> Callable[..., list[str]]:
    """Enrols people by names and photos, and nobody else; answers with their ids.

    Doubts are pairs: who it may be, and the photo.
    """

    def act(*doubts: tuple[str, str], **people: list[str]) -> list[str]:
        code = KNOWN.format(people=people, doubts=doubts, folder=str(faces))
        return server.shell(CLEARED + code).splitlines()

    return act


def is_loaded(image: Any) -> bool:
    return bool(image.evaluate("(image) => image.decode().then(() => image.naturalWidth > 1)"))


def test_somebody_is_enrolled_by_photos_and_bad_ones_say_why(page: Any, faces: Path) -> None:
    page.goto("/people/")
    expect(page.get_by_role("heading", name="Nobody is known yet")).to_be_visible()
    page.get_by_role("link", name="Add the first person").click()
    page.set_input_files(
        "#photo-input",
        [faces / OBAMA[0], faces / "known/test/obama_and_biden.jpg", faces / "two_people.jpg"],
    )
    photos = page.locator(".photo")
    expect(photos.nth(0)).to_contain_text("A good photo")
    expect(photos.nth(1)).to_contain_text("faces in this picture")
    photos.nth(2).get_by_role("button").click()
    expect(photos).to_have_count(2)
    expect(page.locator("#tray-summary")).to_contain_text("1 good photo")
    # Without a name nothing is saved, and the page says what is missing.
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Give a name")).to_be_visible()
    page.get_by_label("Name").fill("Barack")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/people/*-*/")
    expect(page.get_by_role("heading", name="Barack")).to_be_visible()
    assert is_loaded(page.locator(".samples img"))
    assert is_loaded(page.locator(".person-who img"))


@pytest.fixture
def complaints(complaints: Any) -> Any:
    """A refusal is an answer; the browser writes each of them down."""
    complaints.expect("status of 400", "status of 409", "status of 415", "status of 422")
    return complaints


def test_a_face_of_somebody_who_is_known_asks_before_it_is_added(
    page: Any, faces: Path, know: Callable[..., list[str]]
) -> None:
    know(Barack=OBAMA)
    page.goto("/people/new/")
    page.get_by_label("Name").fill("Somebody")
    page.set_input_files("#photo-input", faces / "known/train/obama/obama2.jpg")
    expect(page.locator(".photo")).to_contain_text("Looks like Barack")
    page.get_by_role("button", name="Save").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("looks like Barack")
    asked.get_by_role("button", name="Leave this photo out").click()
    expect(page.locator(".photo")).to_contain_text("Left out")
    page.get_by_role("link", name="Go to the person").click()
    expect(page.get_by_text("Without a photo nobody can be recognised")).to_be_visible()


def test_a_face_unlike_the_others_of_a_person_asks_before_it_is_added(
    page: Any, faces: Path, know: Callable[..., list[str]]
) -> None:
    [barack] = know(Barack=OBAMA)
    page.goto(f"/people/{barack}/photos/")
    page.set_input_files("#photo-input", faces / "known/train/biden/biden.jpg")
    expect(page.locator(".photo")).to_contain_text("A good photo")
    page.get_by_role("button", name="Save").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Is this the same person?")
    expect(asked).to_contain_text("does not look like the other photos")
    asked.get_by_role("button", name="Yes, add it here").click()
    expect(page).to_have_url(re.compile(rf"/people/{barack}/$"))


@pytest.fixture(scope="module")
def film(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody who moves before a camera, as a file of JPEGs."""
    source = Image.open(test_data / "faces/known/train/biden/biden.jpg").convert("RGB")
    scale = max(640 / source.width, 480 / source.height) * 1.1
    wide = source.resize((int(source.width * scale), int(source.height * scale)))
    buffer = io.BytesIO()
    for number in range(60):
        left = (wide.width - 640) * number // 60
        moment = wide.crop((left, number // 6, left + 640, number // 6 + 480))
        moment.save(buffer, "JPEG", quality=92)
    path = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    path.write_bytes(buffer.getvalue())
    return path


@pytest.fixture
def with_camera(
    browser: Any, chromium_path: str, film: Path, server: Server, signed_in: dict[str, Any]
) -> Iterator[Any]:
    """A page of a browser that has a camera."""
    fake = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    launched = browser.browser_type.launch(executable_path=chromium_path, args=[*FLAGS, *fake])
    context = launched.new_context(base_url=server.url, storage_state=signed_in)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    launched.close()


def test_somebody_is_enrolled_by_webcam(with_camera: Any, know: Callable[..., list[str]]) -> None:
    know()  # nobody: the face before the camera must not be like somebody's
    page = with_camera
    page.goto("/people/new/")
    page.get_by_label("Name").fill("Joe")
    page.get_by_text("Webcam", exact=True).click()
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("[data-say].enrol-say")).to_contain_text(re.compile(r"\w"))
    five = page.get_by_text("Five good pictures. The camera is off.")
    expect(five).to_be_visible(timeout=90_000)  # a second apart, each judged by the engine
    assert page.evaluate("() => document.querySelector('#enrol-webcam video').srcObject === null")
    expect(page.locator(".photo")).to_have_count(5)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/people/*-*/", timeout=60_000)
    expect(page.locator(".sample").first).to_contain_text("Webcam")


def test_without_https_the_webcam_explains_itself(page: Any) -> None:
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page.goto("/people/new/")
    page.get_by_text("Webcam", exact=True).click()
    expect(page.get_by_text("make run TLS=1")).to_be_visible()
    expect(page.get_by_role("button", name="Start the camera")).to_be_hidden()


def test_a_picture_is_recognised_and_a_face_is_named_from_there(
    page: Any, faces: Path, know: Callable[..., list[str]]
) -> None:
    know(Barack=OBAMA)
    page.goto("/people/recognise/")
    page.set_input_files("#recognise-input", faces / "known/test/obama_and_biden.jpg")
    known = page.locator(".found-face.is-known")
    expect(known).to_have_count(1)
    expect(known).to_contain_text(re.compile(r"Barack.*%"))
    # The box lies over the face in the picture, which is a part of it.
    box, image = (
        page.locator(".face-box.is-known").bounding_box(),
        page.locator("[data-picture]").bounding_box(),
    )
    assert image["x"] < box["x"] < box["x"] + box["width"] < image["x"] + image["width"]
    assert 0.02 < box["width"] / image["width"] < 0.3
    page.get_by_role("button", name="This is").first.click()
    page.get_by_role("combobox").fill("Joe")
    page.get_by_role("button", name="Add and enrol").click()
    expect(page.get_by_text("Enrolled: Joe.")).to_be_visible()
    expect(page.locator(".found-face.is-known")).to_have_count(2)
    page.get_by_role("button", name="Not Barack").click()
    expect(page.get_by_text("Noted: this face is not Barack.")).to_be_visible()
    expect(page.locator(".found-face.is-known")).to_have_count(1)


def test_a_picture_that_is_none_is_said_and_nothing_breaks(page: Any, tmp_path: Path) -> None:
    odd = tmp_path / "odd.jpg"
    odd.write_bytes(b"this is no picture")
    page.goto("/people/recognise/")
    page.set_input_files("#recognise-input", odd)
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("picture")


def test_the_queue_is_answered_by_keys_and_the_next_comes_at_once(
    page: Any, server: Server, know: Callable[..., list[str]]
) -> None:
    doubts = [("Amy", "amy/amy5.png"), ("Amy", "raj/raj5.png"), ("Raj", "amy/amy4.png")]
    know(*((name, f"bbt/{photo}") for name, photo in doubts), Amy=AMY, Raj=RAJ)
    page.goto("/people/reviews/")
    expect(page.get_by_text("3 faces to decide on")).to_be_visible()
    assert is_loaded(page.locator(".review-face img"))
    page.keyboard.press("y")
    expect(page.get_by_text("2 faces to decide on")).to_be_visible()
    page.keyboard.press("s")
    page.get_by_role("combobox").fill("Ra")
    page.get_by_role("option", name="Raj").click()
    page.get_by_role("button", name="It is this person").click()
    expect(page.get_by_text("1 face to decide on")).to_be_visible()
    # Letters in the field are no answers.
    page.keyboard.press("s")
    page.get_by_role("combobox").fill("nobody")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
    states = server.shell(
        "from recognition.models import FaceReview\n"
        "print(*FaceReview.objects.order_by('created_at').values_list('state', flat=True))"
    )
    assert states.split() == ["confirmed", "reassigned", "rejected"]


def test_two_people_at_the_queue_do_not_collide(
    page: Any, new_page: Callable[..., Any], know: Callable[..., list[str]]
) -> None:
    know(("Amy", "bbt/amy/amy5.png"), Amy=AMY)
    other = new_page()
    for one in (page, other):
        one.goto("/people/reviews/")
        expect(one.get_by_text("1 face to decide on")).to_be_visible()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("heading", name="That was the last one")).to_be_visible()
    other.get_by_role("button", name="No", exact=False).first.click()
    expect(other.get_by_text("Somebody else has answered this already")).to_be_visible()


def test_people_are_merged_and_the_merge_is_undone(
    page: Any, know: Callable[..., list[str]]
) -> None:
    first, _ = know(Amy=AMY[:1], Amelia=AMY[1:])
    page.goto(f"/people/{first}/")
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Merge with another person").click()
    page.get_by_role("combobox", name="Who is the same person?").fill("Amel")
    page.get_by_role("option", name="Amelia").click()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".sample")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Amelia")).to_be_visible()
    page.goto(f"/people/{first}/")
    expect(page.locator(".sample")).to_have_count(1)


def test_chosen_photos_become_another_person(page: Any, know: Callable[..., list[str]]) -> None:
    (person,) = know(Amy=[*AMY, RAJ[0]])
    page.goto(f"/people/{person}/")
    page.locator(".sample input").first.check()
    page.get_by_role("button", name="Split off").first.click()
    page.get_by_label("Name of the new person").fill("Raj")
    page.get_by_role("dialog").get_by_role("button", name="Split off").click()
    expect(page.get_by_role("heading", name="Raj", exact=True)).to_be_visible()
    expect(page.locator(".sample")).to_have_count(1)


def test_details_are_edited_in_place_and_a_conflict_keeps_both(
    page: Any, new_page: Callable[..., Any], know: Callable[..., list[str]]
) -> None:
    (person,) = know(Amy=AMY[:1])
    other = new_page()
    for one in (page, other):
        one.goto(f"/people/{person}/")
        one.get_by_role("button", name="Edit").click()
        one.get_by_label("Notes").fill("likes" if one is page else "dislikes")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#person-details")).to_contain_text("likes")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("alert").filter(visible=True)).to_contain_text("Somebody else")
    expect(other.get_by_label("Notes")).to_have_value("dislikes")


def test_somebody_is_erased_and_the_report_proves_it(
    page: Any, server: Server, know: Callable[..., list[str]]
) -> None:
    (person,) = know(Amy=AMY)
    page.goto(f"/people/{person}/")
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Erase").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Samples: 2")
    asked.get_by_label("I mean it").check()
    asked.get_by_role("button", name="Erase").click()
    page.wait_for_url("**/people/erasures/*/")
    expect(page.get_by_text("Nothing of the person was found afterwards")).to_be_visible()
    assert "Amy" not in page.locator("main").inner_text()
    assert page.request.get(f"/people/{person}/").status == 404
    left = list(Path(server.environment["SIGHTLINE_DATA_DIR"]).glob("media/faces/**/*.jpg"))
    assert left == []


def test_many_are_imported_from_a_zip(
    page: Any, faces: Path, tmp_path: Path, know: Callable[..., list[str]]
) -> None:
    know()
    path = tmp_path / "people.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, photos in {"Amy": AMY, "Raj": RAJ}.items():
            for photo in photos:
                archive.write(faces / photo, f"{name}/{Path(photo).name}")
        archive.write(faces / "two_people.jpg", "Raj/several.jpg")
    page.goto("/people/import/")
    page.set_input_files("#import-file", path)
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/people/import/*-*/")
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    expect(page.locator("#import-job")).to_contain_text("2 of 2: 2 new")
    expect(page.locator("#import-job")).to_contain_text("several.jpg")
    page.get_by_role("link", name="Show the people").click()
    expect(page.locator(".person-card")).to_have_count(2)
    page.get_by_label("Search names").fill("am")
    expect(page.locator(".person-card")).to_have_count(1)


PAGES = ["/people/", "/people/new/", "/people/recognise/", "/people/reviews/", "/people/import/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_pages_without_scrolling_sideways(
    new_page: Callable[..., Any], know: Callable[..., list[str]], scheme: str
) -> None:
    (person,) = know(("Amy", "bbt/amy/amy5.png"), Amy=AMY)
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    for address in (*PAGES, f"/people/{person}/", "/people/privacy/"):
        page.goto(address)
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= 390, address
