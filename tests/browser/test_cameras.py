"""Cameras in a browser: added and tested, drawn on with mouse, finger and keys, imported."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Server
from vision.analytics.regions import (
    FEWEST_POINTS,
    LEAST_AREA,
    LEAST_LENGTH,
    MOST_POINTS,
    RegionError,
    check_line,
    check_polygon,
)
from vision.encoding.video import VideoWriter

CLIP = "browser/walk.mp4"
SQUARE = ((0.2, 0.2), (0.6, 0.2), (0.6, 0.7), (0.2, 0.7))
# A picture is asked of the camera that is looked at as long as it has none yet.
NO_PICTURE_YET = "status of 503"
SQUARES = {"Shelf": [list(point) for point in SQUARE]}
CAMERAS: dict[str, dict[str, Any]] = {
    "Drawn on": SQUARES,  # tests leave it as it was
    "Keys": SQUARES,
    "Both draw": SQUARES,
    "Bow tie": {},
    "Fingers": {},
    "Yard": {"Gate": SQUARES["Shelf"]},
}
# Switched off: who looks at them would only take the time of the others here.
MADE = """
import json
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from common.models import Account
from video_analysis.cameras.services.cameras import create_camera
from video_analysis.cameras.services.regions import replace_regions
made = {{"cameras": {{}}}}
admin = get_user_model().objects.get(username="admin")
for name, zones in {cameras!r}.items():
    camera = create_camera(actor=admin, name=name, address="loop:{clip}", enabled=False)
    drawn = [{{"name": key, "polygon": points}} for key, points in zones.items()]
    replace_regions(actor=admin, camera=camera, zones=drawn)
    made["cameras"][name] = camera.pk
user, _ = get_user_model().objects.get_or_create(username="victor")
Account.objects.update_or_create(user=user, defaults={{"role": "viewer"}})
store = SessionStore()
store[SESSION_KEY] = str(user.pk)
store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
store[HASH_SESSION_KEY] = user.get_session_auth_hash()
store.save()
made["cookie"] = {{"name": settings.SESSION_COOKIE_NAME, "value": store.session_key}}
print(json.dumps(made))
"""
CLEARED = """
from video_analysis.cameras.models import Area, Camera
Camera.objects.all().delete()
Area.objects.all().delete()
"""


@pytest.fixture(scope="module")
def made(server: Server) -> Iterator[dict[str, Any]]:
    """Cameras by their names, and the cookie of a viewer; all cameras are gone afterwards."""
    path = Path(server.environment["SIGHTLINE_DATA_DIR"]) / "cameras" / CLIP
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, width=640, height=360, rate=10.0) as writer:
        for number in range(20):
            picture = np.full((360, 640, 3), 90, np.uint8)
            picture[100:200, 20 * number : 20 * number + 80] = 230
            writer.write(picture, number / 10)
    yield json.loads(server.shell(MADE.format(cameras=CAMERAS, clip=CLIP)))
    server.shell(CLEARED)


@pytest.fixture
def cameras(made: dict[str, Any]) -> dict[str, int]:
    """The numbers of the cameras in `CAMERAS`."""
    numbers: dict[str, int] = made["cameras"]
    return numbers


@pytest.fixture(autouse=True)
def clip(made: dict[str, Any]) -> None:
    """The looping file is there."""


class Editor:
    """The page on which zones and lines are drawn."""

    def __init__(self, page: Any, camera: int | str) -> None:
        self.page = page
        page.goto(f"/cameras/{camera}/regions/" if isinstance(camera, int) else camera)
        page.wait_for_selector("[data-picture]:not([hidden])")

    @property
    def stored(self) -> dict[str, Any]:
        """What the server has."""
        found: dict[str, Any] = self.page.evaluate(
            """fetch(location.pathname, {headers: {Accept: "application/json"}})
            .then((response) => response.json())"""
        )
        return found

    @property
    def shapes(self) -> Any:
        return self.page.locator("[data-select]")

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the picture lies on the screen."""
        box = self.page.locator("[data-stage]").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def click(self, *points: tuple[float, float]) -> None:
        for x, y in points:
            self.page.mouse.click(*self.place(x, y))

    def pull(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*self.place(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(*end), steps=6)
        self.page.mouse.up()

    def draw(self, kind: str) -> None:
        self.page.get_by_role("button", name=f"Draw a {kind}").click()

    def save(self) -> None:
        self.page.get_by_role("button", name="Save", exact=True).click()
        expect(self.page.locator("[data-save-state]")).to_have_text("Saved")


def near(points: Any, wanted: Any, slack: float = 0.004) -> bool:
    return bool(np.allclose(np.asarray(points), np.asarray(wanted), atol=slack))


def test_a_camera_is_tested_added_and_drawn_on(page: Any, complaints: Any) -> None:
    complaints.expect(NO_PICTURE_YET)
    page.goto("/cameras/new/")
    page.get_by_label("Name", exact=True).fill("Front door")
    page.get_by_label("Address").fill(f"loop:{CLIP}")
    page.get_by_role("button", name="Test connection").click()
    shown = page.locator("[data-test-shown]")
    expect(shown).to_be_visible()
    assert shown.locator("img").evaluate("(e) => e.naturalWidth") == 640
    for fact in ("640 \u00d7 360", "h264", "10 fps"):
        expect(shown).to_contain_text(fact)
    page.get_by_role("button", name="Add camera").click()
    page.wait_for_url("**/regions/")
    editor = Editor(page, page.url)

    editor.draw("zone")
    editor.click(*SQUARE)
    expect(page.locator("[data-hint]")).to_contain_text("Click the first point or press Enter")
    editor.click(SQUARE[0])
    page.keyboard.type("Porch")
    page.get_by_label("Has stayed after (seconds)").fill("4.5")
    editor.draw("line")
    editor.pull((0.7, 0.3), (0.9, 0.8))
    page.keyboard.type("Step")
    page.get_by_role("button", name="Turn round").click()
    page.get_by_label("With the arrow").fill("home")
    expect(page.locator("[data-save-state]")).to_have_text("Not saved")
    editor.save()

    again = Editor(page, page.url)
    expect(again.shapes).to_have_count(2)
    expect(page.locator(".region")).to_have_count(2)
    (zone,), (line,) = again.stored["zones"], again.stored["lines"]
    assert (zone["name"], zone["threshold_sec"]) == ("Porch", 4.5)
    assert near(zone["polygon"], SQUARE)
    assert (line["name"], line["forward"], line["backward"]) == ("Step", "home", "out")
    assert near(line["points"], [(0.9, 0.8), (0.7, 0.3)])
    page.goto("/cameras/?q=front")
    row = page.locator(".camera-row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("1 zone")
    expect(row).to_contain_text("1 line")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "address"),
        ("loop:browser/nothing.mp4", "nothing.mp4"),
        ("file:///etc/passwd", "is not accepted"),
        ("http://169.254.169.254/latest", "may not have"),
    ],
    ids=["empty", "missing", "file", "metadata"],
)
def test_a_wrong_address_is_told_before_it_is_saved(
    page: Any, complaints: Any, address: str, reason: str
) -> None:
    complaints.expect("status of 400", "status of 422")
    page.goto("/cameras/new/")
    page.get_by_label("Address").fill(address)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("[data-test-failed]")).to_contain_text(reason)
    expect(page.locator("[data-test-shown]")).to_be_hidden()
    expect(page.get_by_label("Address")).to_have_value(address)


def test_a_test_can_be_given_up(page: Any) -> None:
    page.route("**/cameras/test/", lambda route: None)  # a camera that never answers
    page.goto("/cameras/new/")
    page.get_by_label("Address").fill("rtsp://192.0.2.1/x")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("[data-test-progress]")).to_be_visible()
    expect(page.locator("[data-test-clock]")).to_contain_text("s")
    page.locator("[data-test-cancel]").click()
    expect(page.locator("[data-test-clock]")).to_have_text("Cancelled.")
    expect(page.get_by_role("button", name="Test connection")).to_be_enabled()
    page.unroute_all(behavior="ignoreErrors")


def test_a_refused_camera_keeps_what_was_typed(page: Any, complaints: Any) -> None:
    complaints.expect("status of 400")
    page.goto("/cameras/new/")
    page.get_by_label("Name", exact=True).fill("Nowhere")
    page.get_by_label("Address").fill("ftp://somewhere")
    page.get_by_label("People only").check()
    page.get_by_role("button", name="Add camera").click()
    expect(page.locator("#id_address-more")).to_be_visible()
    expect(page.get_by_label("Address")).to_be_focused()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Nowhere")
    expect(page.get_by_label("People only")).to_be_checked()
    expect(page.locator("[data-classes]")).to_be_hidden()


def test_points_are_pulled_inserted_and_taken_back(page: Any, cameras: dict[str, int]) -> None:
    editor = Editor(page, cameras["Drawn on"])
    editor.click((0.4, 0.4))
    expect(page.locator(".shape-item.is-chosen")).to_contain_text("Shelf")
    editor.pull(SQUARE[2], (0.8, 0.9))
    editor.pull((0.4, 0.2), (0.4, 0.1))  # the middle of the first edge
    expect(page.locator("[data-point-button]")).to_have_count(5)
    editor.pull((0.5, 0.5), (0.55, 0.45))
    editor.save()
    wanted = [(0.25, 0.15), (0.45, 0.05), (0.65, 0.15), (0.85, 0.85), (0.25, 0.65)]
    assert near(editor.stored["zones"][0]["polygon"], wanted)
    for _ in range(3):
        page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    editor.save()
    assert near(editor.stored["zones"][0]["polygon"], SQUARE)
    page.get_by_role("button", name="Redo").click()
    expect(page.locator("[data-save-state]")).to_have_text("Not saved")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-save-state]")).to_have_text("Saved")


def test_everything_can_be_done_with_keys(page: Any, cameras: dict[str, int]) -> None:
    editor = Editor(page, cameras["Keys"])
    editor.shapes.first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Point 2").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Insert")
    expect(page.locator("[data-point-button]")).to_have_count(5)
    page.keyboard.press("Delete")
    expect(page.locator("[data-point-button]")).to_have_count(4)
    page.keyboard.press("Control+s")
    expect(page.locator("[data-save-state]")).to_have_text("Saved")
    moved = [SQUARE[0], (0.595, 0.25), *SQUARE[2:]]
    assert near(editor.stored["zones"][0]["polygon"], moved, 1e-6)

    page.get_by_role("button", name="Draw a zone").focus()
    page.keyboard.press("Enter")
    corners = ((), ("Shift+ArrowRight", 4), ("Shift+ArrowDown", 4), ("Shift+ArrowLeft", 4))
    for way in corners:
        for _ in range(way[1] if way else 0):
            page.keyboard.press(way[0])
        page.keyboard.press("Space")
    page.keyboard.press("Space")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    expect(editor.shapes).to_have_count(2)
    page.keyboard.press("Control+s")
    expect(page.locator("[data-save-state]")).to_have_text("Saved")
    made = [(0.5, 0.5), (0.7, 0.5), (0.7, 0.7), (0.5, 0.7)]
    assert near(editor.stored["zones"][1]["polygon"], made, 1e-6)

    page.get_by_role("button", name="Draw a line").click()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(page.locator(".sketch")).to_have_count(0)
    expect(editor.shapes).to_have_count(2)
    editor.shapes.nth(1).focus()
    page.keyboard.press("Delete")
    expect(editor.shapes).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(editor.shapes).to_have_count(2)


def test_what_is_no_zone_is_told_at_once_and_not_saved(
    page: Any, cameras: dict[str, int], complaints: Any
) -> None:
    complaints.expect("status of 400")
    editor = Editor(page, cameras["Bow tie"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    editor.draw("zone")
    editor.click((0.2, 0.2), (0.6, 0.6), (0.6, 0.2), (0.2, 0.6))
    page.keyboard.press("Enter")
    problem = page.locator(".shape-problem")
    expect(problem).to_have_text("The edges 1–2 and 3–4 cross. Move a point.")  # noqa: RUF001
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toast.is-error")).to_contain_text("cross")
    assert "POST" not in asked
    answer = page.evaluate(
        """(polygon) => {
          const data = JSON.parse(document.querySelector("#regions-data").textContent);
          const body = new FormData();
          body.append("revision", data.stored.revision);
          body.append("regions", JSON.stringify({zones: [{name: "A", polygon}], lines: []}));
          const headers = {"X-CSRFToken": document.querySelector("meta[name=csrf-token]").content};
          return fetch(data.url, {method: "POST", body, headers}).then((answer) => answer.status);
        }""",
        [[0.2, 0.2], [0.6, 0.6], [0.6, 0.2], [0.2, 0.6]],
    )
    assert answer == 400
    page.get_by_label("Name", exact=True).fill("")
    editor.pull((0.6, 0.6), (0.3, 0.1))
    expect(problem).to_have_text("It needs a name.")


def test_what_others_saved_meanwhile_is_told_and_nothing_is_lost(
    new_page: Callable[..., Any], cameras: dict[str, int], complaints: Any
) -> None:
    complaints.expect("status of 409")
    mine, theirs = (Editor(new_page(), cameras["Both draw"]) for _ in range(2))
    theirs.click((0.4, 0.4))
    theirs.page.get_by_label("Name", exact=True).fill("Theirs")
    theirs.save()
    mine.click((0.4, 0.4))
    mine.page.get_by_label("Name", exact=True).fill("Mine")
    mine.page.get_by_role("button", name="Save", exact=True).click()
    notice = mine.page.locator("[data-conflict]")
    expect(notice).to_contain_text("Nothing of yours is lost")
    notice.get_by_role("button", name="Show theirs").click()
    expect(mine.shapes).to_contain_text("Theirs")
    mine.page.get_by_role("button", name="Undo").click()
    expect(mine.shapes).to_contain_text("Mine")
    mine.save()
    (zone,) = mine.stored["zones"]
    assert zone["name"] == "Mine"

    theirs.page.get_by_label("Name", exact=True).fill("Once more")
    theirs.page.get_by_role("button", name="Save", exact=True).click()
    theirs.page.get_by_role("button", name="Save mine over it").click()
    expect(theirs.page.locator("[data-save-state]")).to_have_text("Saved")
    (after,) = theirs.stored["zones"]
    assert (after["id"], after["name"]) == (zone["id"], "Once more")


def test_who_leaves_with_unsaved_changes_is_asked(page: Any, cameras: dict[str, int]) -> None:
    editor = Editor(page, cameras["Drawn on"])
    editor.click((0.4, 0.4))
    page.get_by_label("Name", exact=True).fill("Other")
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_role("link", name="Settings").click()
    expect(page.locator("[data-save-state]")).to_have_text("Not saved")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("link", name="Settings").click()
    page.wait_for_url("**/edit/")
    assert asked == ["beforeunload"]


def test_fingers_draw_and_pull(new_page: Callable[..., Any], cameras: dict[str, int]) -> None:
    phone = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    editor = Editor(phone, cameras["Fingers"])
    editor.draw("zone")
    for point in (*SQUARE, (0.21, 0.22)):
        phone.touchscreen.tap(*editor.place(*point))
    expect(editor.shapes).to_have_count(1)
    session = phone.context.new_cdp_session(phone)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [dict(zip("xy", editor.place(*point), strict=True)) for point in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", SQUARE[2])
    for step in range(1, 5):
        touch("touchMove", (0.6 + 0.05 * step, 0.7 + 0.05 * step))
    touch("touchEnd")
    editor.save()
    wanted = [SQUARE[0], SQUARE[1], (0.8, 0.9), SQUARE[3]]
    assert near(editor.stored["zones"][0]["polygon"], wanted, 0.012)


def shapes_to_judge() -> list[list[tuple[float, float]]]:
    """Shapes that touch and cross in every way, small ones, and some that are right."""
    chosen = random.Random(5)
    on_grid = [
        [(chosen.randint(0, 4) / 4, chosen.randint(0, 4) / 4) for _ in range(2 + number % 6)]
        for number in range(300)
    ]
    free = [
        [(chosen.random(), chosen.random()) for _ in range(3 + number % 4)] for number in range(200)
    ]
    small = [
        [(0.5 + chosen.random() / 30, 0.5 + chosen.random() / 30) for _ in range(3)]
        for _ in range(100)
    ]
    return [[], *on_grid, *free, *small, [(n / 99, (n * 7 % 5) / 9) for n in range(70)]]


def test_the_page_judges_shapes_as_the_server_does(page: Any, cameras: dict[str, int]) -> None:
    Editor(page, cameras["Drawn on"])
    shapes = shapes_to_judge()
    limits = {
        "fewest": FEWEST_POINTS,
        "most": MOST_POINTS,
        "area": LEAST_AREA,
        "length": LEAST_LENGTH,
    }
    judged = page.evaluate(
        """async ([shapes, limits]) => {
          const { lineProblem, polygonProblem } = await import("/static/js/cameras/geometry.js");
          return shapes.map((points) => [
            polygonProblem(points, limits), points.length === 2 ? lineProblem(points, limits) : "",
          ]);
        }""",
        [shapes, limits],
    )
    for points, (polygon, line) in zip(shapes, judged, strict=True):
        assert (polygon == "") is _is_fine(check_polygon, points), (points, polygon)
        if len(points) == 2:
            assert (line == "") is _is_fine(check_line, points), (points, line)
    assert {polygon == "" for polygon, _ in judged} == {True, False}


def _is_fine(check: Callable[[Any], None], points: Any) -> bool:
    try:
        check(points)
    except RegionError:
        return False
    return True


DOCUMENT = f"""\
cameras:
  - name: Imported
    inputs: loop:{CLIP}
    enabled: false
    fsp: 5
"""


def test_a_document_is_judged_corrected_and_taken_in(page: Any) -> None:
    page.goto("/cameras/import/")
    text = page.get_by_label("YAML")
    text.fill(DOCUMENT)
    page.get_by_role("button", name="See what would change").click()
    problem = page.locator(".problems li")
    expect(problem).to_contain_text("Line 5")
    expect(problem).to_contain_text("fsp")
    expect(page.locator(".code-lines .is-wrong")).to_have_text("5")
    problem.get_by_role("button").click()
    expect(text).to_be_focused()
    assert text.evaluate("(e) => e.value.slice(e.selectionStart, e.selectionEnd)") == "    fsp: 5"
    page.keyboard.type("    fps: 5")
    expect(page.locator("#import-plan")).to_be_empty()
    page.get_by_role("button", name="See what would change").click()
    expect(page.locator(".plan-table tbody tr")).to_contain_text("Imported")
    page.get_by_role("button", name="Do it").click()
    page.wait_for_url("**/cameras/")
    expect(page.locator(".toast")).to_contain_text("1 added, 0 changed")
    with page.expect_download() as download:
        page.get_by_text("File", exact=True).click()
        page.get_by_role("link", name="Export YAML").click()
    assert "name: Imported" in Path(download.value.path()).read_text()


def test_a_file_is_read_and_judged_at_once(page: Any, tmp_path: Path) -> None:
    (tmp_path / "cameras.yaml").write_text(DOCUMENT)
    page.goto("/cameras/import/")
    page.set_input_files("#import-file", tmp_path / "cameras.yaml")
    expect(page.locator(".problems li")).to_contain_text("Line 5")


def test_the_list_switches_and_deletes(page: Any, cameras: dict[str, int]) -> None:
    page.goto("/cameras/?q=yard")
    row = page.locator(".camera-row")
    expect(row.locator(".status")).to_have_text("Switched off")
    row.get_by_role("switch").check()
    expect(row.locator(".status")).not_to_have_text("Switched off")
    row.get_by_role("switch").uncheck()
    expect(row.locator(".status")).to_have_text("Switched off")
    page.get_by_role("button", name="Delete Yard").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 zone")
    dialog.get_by_role("button", name="Keep it").click()
    expect(row).to_have_count(1)
    page.get_by_role("button", name="Delete Yard").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator(".toast")).to_contain_text("“Yard” is deleted.")
    expect(page.locator(".camera-name", has_text="Yard")).to_have_count(0)


def test_areas_are_made_and_chosen(page: Any, cameras: dict[str, int]) -> None:
    page.goto("/cameras/")
    page.get_by_role("button", name="Areas").click()
    dialog = page.get_by_role("dialog")
    for name in ("Ground floor", "Ground floor"):
        dialog.get_by_label("New area").fill(name)
        dialog.get_by_role("button", name="Add").click()
        expect(dialog.get_by_label("Name of Ground floor")).to_be_visible()
    expect(dialog.locator(".error-text")).to_contain_text("already")
    dialog.get_by_label("Name of Ground floor").fill("First floor")
    dialog.get_by_role("button", name="Rename").click()
    expect(dialog.get_by_label("Name of First floor")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    page.goto(f"/cameras/{cameras['Drawn on']}/edit/")
    page.get_by_label("Area").select_option(label="First floor")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved")
    page.goto("/cameras/")
    page.get_by_label("Area", exact=True).select_option(label="First floor")
    expect(page.locator(".camera-row")).to_have_count(1)
    expect(page.locator(".camera-row")).to_contain_text("First floor")


def test_what_may_be_done_with_faces_is_set_and_told(page: Any, cameras: dict[str, int]) -> None:
    page.goto("/cameras/")
    page.get_by_role("button", name="Areas").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("New area").fill("Counter")
    dialog.get_by_role("button", name="Add").click()
    row = dialog.locator(".area-row", has=page.get_by_label("Name of Counter"))
    row.get_by_text("Faces: nobody is recognised").click()
    row.get_by_label("Recognise people").check()
    row.get_by_label("A visit ends after").fill("20")
    row.get_by_role("button", name="Save").click()
    expect(row.get_by_text("Saved.")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Areas").click()
    row.get_by_text("Faces: people who have agreed are recognised").click()
    expect(row.get_by_label("Recognise people")).to_be_checked()
    expect(row.get_by_label("A visit ends after")).to_have_value("20")
    page.goto(f"/cameras/{cameras['Drawn on']}/edit/")
    page.get_by_label("Whose faces pictures show").select_option(label="Nobody's")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("note")).to_contain_text("Faces are blurred in every picture")
    page.get_by_label("Whose faces pictures show").select_option(label="Everybody's")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("note")).to_have_count(0)


def test_viewers_are_turned_away(
    new_page: Callable[..., Any], server: Server, made: dict[str, Any], complaints: Any
) -> None:
    complaints.expect("status of 403")
    page = new_page(anonymous=True)
    page.context.add_cookies([{**made["cookie"], "url": server.url}])
    for address in ("", "new/", "import/", f"{made['cameras']['Drawn on']}/regions/"):
        assert page.goto(f"/cameras/{address}").status == 403
        expect(page.get_by_text("Drawn on")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_sticks_out_at_any_width(
    new_page: Callable[..., Any], cameras: dict[str, int], scheme: str, width: int
) -> None:
    mobile = width < 500
    page = new_page(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
        has_touch=mobile,
        is_mobile=mobile,
    )
    addresses = (
        "",
        "new/",
        "import/",
        f"{cameras['Drawn on']}/edit/",
        f"{cameras['Drawn on']}/regions/",
    )
    for address in addresses:
        page.goto(f"/cameras/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    page.locator("[data-select]").first.click()
    expect(page.locator(".shape-details")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
