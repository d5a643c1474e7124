"""``manage.py demo``: cameras with zones and a line, loaded again without a trace, and removed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection

from tests.integration.conftest import make_user
from video_analysis.cameras import cleaning
from video_analysis.cameras.models import Area, Camera
from video_analysis.cameras.services.cameras import create_camera
from video_analysis.services.live import demo

pytestmark = pytest.mark.django_db
SECONDS = 0.5  # of film: what these tests look at is not in the pictures


@pytest.fixture(autouse=True)
def short_films(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Path:
    monkeypatch.setattr(demo, "SECONDS", SECONDS)
    settings.SIGHTLINE_CAMERA_FILES = tmp_path / "cameras"
    return tmp_path / "cameras" / "shop"


@pytest.fixture
def films(short_films: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files that stand for the films: most tests need none that play."""
    short_films.mkdir(parents=True)
    for view in demo.NAMES:
        (short_films / f"{view}.mp4").write_bytes(b"film")
    monkeypatch.setattr("vision.synthetic.shop.clips.are_current", lambda folder, shop: True)
    return short_films


def load(*arguments: str) -> str:
    out = io.StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def everything() -> list[Any]:
    return [
        (
            camera.pk,
            camera.name,
            camera.address,
            camera.revision,
            sorted(camera.zones.values_list("pk", "name", "threshold_sec")),
            sorted(camera.lines.values_list("pk", "name", "forward", "backward")),
        )
        for camera in Camera.objects.order_by("pk")
    ]


@pytest.mark.slow
@pytest.mark.once
def test_films_are_rendered_once(short_films: Path) -> None:
    assert "4 cameras, 4 of them new; films rendered" in load()
    written = {path.name: path.stat().st_mtime_ns for path in short_films.glob("*.mp4")}
    assert sorted(written) == ["aisle.mp4", "checkout.mp4", "entrance.mp4", "overlap.mp4"]
    assert "0 of them new; films there already" in load()
    again = {path.name: path.stat().st_mtime_ns for path in short_films.glob("*.mp4")}
    assert again == written


def test_cameras_look_at_the_films_and_have_what_they_are_asked_for(films: Path) -> None:
    load()
    cameras = {camera.name: camera for camera in Camera.objects.all()}
    assert sorted(cameras) == ["Shop aisle", "Shop checkout", "Shop entrance", "Shop queue"]
    entrance, checkout = cameras["Shop entrance"], cameras["Shop checkout"]
    assert entrance.address == "loop:shop/entrance.mp4"
    assert entrance.area is not None
    assert entrance.area.name == "Demo shop"
    line = entrance.lines.get()
    assert (line.name, line.forward, line.backward) == ("Door", "in", "out")
    (x1, y1), (x2, y2) = line.points
    assert x1 < 0.4 < 0.6 < x2
    assert y1 == pytest.approx(y2, abs=0.01)
    assert checkout.zones.get().threshold_sec == 6.0
    for camera in cameras.values():
        assert camera.fps == 12
        assert camera.people_only
        assert not camera.groups.exists()
        assert camera.zones.exists()


def test_loading_again_changes_nothing(films: Path) -> None:
    load()
    before = everything()
    load()
    assert everything() == before


def test_a_demo_that_somebody_changed_is_set_back_but_for_name_and_groups(films: Path) -> None:
    load()
    camera = Camera.objects.get(address="loop:shop/aisle.mp4")
    camera.zones.all().delete()
    group = Group.objects.create(name="guards")
    camera.groups.add(group)
    Camera.objects.filter(pk=camera.pk).update(name="Corridor", enabled=False)
    load()
    camera.refresh_from_db()
    assert camera.enabled
    assert camera.name == "Corridor"
    assert camera.groups.get() == group
    assert camera.zones.get().name == "Shelves"


def test_removing_leaves_other_cameras_and_their_area(films: Path) -> None:
    load()
    area = Area.objects.get()
    own = create_camera(actor=None, name="Yard", address="rtsp://192.168.1.9/live", area=area)
    before = own.revision
    assert "4 cameras removed" in load("--remove")
    assert Camera.objects.get() == own
    own.refresh_from_db()
    assert (own.area, own.revision) == (area, before)
    assert not films.exists()
    assert "0 cameras removed" in load("--remove")


def test_removing_takes_the_area_that_is_empty(films: Path) -> None:
    load()
    load("--remove")
    assert not Area.objects.exists()
    assert not Camera.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_recordings_are_removed_in_short_transactions(
    films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.install_demo()
    inside = []

    def note(camera_id: int) -> int:
        inside.append(connection.in_atomic_block)
        return 0

    monkeypatch.setitem(cleaning._cleaners, "noted", note)
    demo.remove_demo()
    # Each camera twice: at leisure, and once more for what came until its row was held.
    assert inside == [False, True] * 4


def test_another_camera_of_the_same_name_is_not_touched(films: Path) -> None:
    own = create_camera(actor=None, name="Shop aisle", address="rtsp://192.168.1.9/live")
    with pytest.raises(CommandError, match="another camera called 'Shop aisle'"):
        load()
    assert Camera.objects.get() == own
    assert not Area.objects.exists()


def test_only_administrators_see_the_demo(films: Path) -> None:
    from common.permissions import visible

    load()
    administrator, operator = make_user("eve", "administrator"), make_user("ada")
    assert visible(administrator, Camera.objects.all()).count() == 4
    assert visible(operator, Camera.objects.all()).count() == 0
