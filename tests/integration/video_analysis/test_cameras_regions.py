"""Zones and lines: what is drawn, what is refused, and what stays the same when all are saved."""

from __future__ import annotations

from typing import Any

import pytest

from common.models import AuditEntry
from tests.integration.conftest import make_user
from tests.integration.video_analysis.camera_rows import (
    ACROSS,
    BOW_TIE,
    SQUARE,
    make_camera,
    make_line,
    make_zone,
)
from video_analysis.cameras import services
from video_analysis.cameras.errors import ChangedMeanwhileError, ConfigurationError, GoneError
from video_analysis.cameras.models import Camera, CountingLine, Zone
from video_analysis.cameras.services import noting

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Any:
    return make_user("anna", "administrator")


@pytest.fixture
def camera(admin: Any) -> Camera:
    return make_camera(admin)


def zone(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "polygon": SQUARE, **values}


def line(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "points": ACROSS, **values}


BAD_ZONES: dict[str, Any] = {
    "name": zone(" "),
    "name-long": zone("x" * 101),
    "polygon-two points": zone("A", polygon=SQUARE[:2]),
    "polygon-crossing": zone("A", polygon=BOW_TIE),
    "polygon-outside": zone("A", polygon=[[0, 0], [1.2, 0], [1, 1]]),
    "polygon-no area": zone("A", polygon=[[0, 0], [0.5, 0.5], [1, 1]]),
    "polygon-words": zone("A", polygon=[["a", "b"]] * 3),
    "polygon-text": zone("A", polygon="square"),
    "polygon-nan": zone("A", polygon=[[float("nan"), 0], [1, 0], [1, 1]]),
    "polygon-huge": zone("A", polygon=[[10**400, 0], [1, 0], [1, 1]]),
    "polygon-nothing": zone("A", polygon=None),
    "polygon-too many": zone("A", polygon=[[i / 100, 0] for i in range(65)]),
    "threshold_sec-zero": zone("A", threshold_sec=0),
    "threshold_sec-nan": zone("A", threshold_sec=float("nan")),
    "threshold_sec-huge": zone("A", threshold_sec=10**400),
    "threshold_sec-word": zone("A", threshold_sec="soon"),
    "colour-unknown": zone("A", colour="red"),
    "id-unknown": zone("A", id=999_999),
    "id-word": zone("A", id="one"),
    "id-list": zone("A", id=[1]),
}
BAD_LINES: dict[str, Any] = {
    "points-one": line("A", points=ACROSS[:1]),
    "points-short": line("A", points=[[0.5, 0.5], [0.5, 0.501]]),
    "points-outside": line("A", points=[[-1, 0.5], [1, 0.5]]),
    "forward-empty": line("A", forward=""),
    "backward-long": line("A", backward="x" * 33),
    "backward-same": line("A", forward="In", backward="in "),
}


@pytest.mark.parametrize("case", BAD_ZONES)
def test_what_is_no_zone_is_refused_with_the_field(admin: Any, camera: Camera, case: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        services.replace_regions(actor=admin, camera=camera, zones=[zone("B"), BAD_ZONES[case]])
    assert f"zones.1.{case.split('-')[0]}" in refused.value.fields
    assert not Zone.objects.exists()
    assert Camera.objects.get().revision == 1


@pytest.mark.parametrize("case", BAD_LINES)
def test_what_is_no_line_is_refused_with_the_field(admin: Any, camera: Camera, case: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        services.replace_regions(actor=admin, camera=camera, lines=[BAD_LINES[case]])
    assert set(refused.value.fields) == {f"lines.0.{case.split('-')[0]}"}
    assert not CountingLine.objects.exists()


@pytest.mark.parametrize("entries", [["zone"], [None], [zone("A"), 3]], ids=["text", "none", "3"])
def test_what_is_no_object_is_refused(admin: Any, camera: Camera, entries: Any) -> None:
    with pytest.raises(ConfigurationError, match="object"):
        services.replace_regions(actor=admin, camera=camera, zones=entries)


def test_one_name_twice_and_too_many_are_refused(admin: Any, camera: Camera) -> None:
    with pytest.raises(ConfigurationError) as refused:
        services.replace_regions(actor=admin, camera=camera, zones=[zone("A"), zone(" A ")])
    assert set(refused.value.fields) == {"zones.1.name"}
    many = [zone(str(number)) for number in range(51)]
    with pytest.raises(ConfigurationError, match="at most 50"):
        services.replace_regions(actor=admin, camera=camera, zones=many)


def test_everything_is_saved_at_once_and_what_stays_keeps_its_id(
    admin: Any, camera: Camera
) -> None:
    till, gone = make_zone(admin, camera, "Till"), make_zone(admin, camera, "Gone")
    door = make_line(admin, camera, "Door")
    saved = services.replace_regions(
        actor=admin,
        camera=camera,
        zones=[{"id": till.pk, **zone("Checkout", threshold_sec=30)}, zone("Aisle")],
        lines=[line("Door", forward="north", backward="south")],
        revision=4,
    )
    assert saved.revision == 5
    zones = {row.name: row for row in Zone.objects.all()}
    assert set(zones) == {"Checkout", "Aisle"}
    assert (zones["Checkout"].pk, zones["Checkout"].threshold_sec) == (till.pk, 30.0)
    assert not Zone.objects.filter(pk=gone.pk).exists()
    assert CountingLine.objects.get().pk == door.pk  # found by its name
    entry = AuditEntry.objects.filter(object_type="cameras.camera").first()
    assert entry is not None
    assert entry.details == {
        "change": "drawn",
        "zones added": ["Aisle"],
        "zones changed": ["Checkout"],
        "zones deleted": ["Gone"],
        "lines changed": ["Door"],
    }


def test_two_zones_may_exchange_their_names(admin: Any, camera: Camera) -> None:
    first, second = make_zone(admin, camera, "A"), make_zone(admin, camera, "B")
    swapped = [{"id": first.pk, **zone("B")}, {"id": second.pk, **zone("A")}]
    services.replace_regions(actor=admin, camera=camera, zones=swapped)
    assert dict(Zone.objects.values_list("pk", "name")) == {first.pk: "B", second.pk: "A"}


def test_what_is_not_given_stays_and_an_empty_list_clears(admin: Any, camera: Camera) -> None:
    make_zone(admin, camera)
    make_line(admin, camera)
    services.replace_regions(actor=admin, camera=camera, zones=[])
    assert (Zone.objects.count(), CountingLine.objects.count()) == (0, 1)


def test_saving_what_is_there_changes_nothing(
    admin: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(noting.transaction, "on_commit", told.append)
    made = make_zone(admin, camera)
    told.clear()
    same = services.replace_regions(
        actor=admin, camera=camera, zones=[{"id": made.pk, **zone("Checkout")}]
    )
    assert (same.revision, told) == (2, [])


def test_another_cameras_zone_is_none_of_this_one(admin: Any, camera: Camera) -> None:
    other = make_zone(admin, make_camera(admin, "Other"))
    with pytest.raises(ConfigurationError):
        services.replace_regions(
            actor=admin, camera=camera, zones=[{"id": other.pk, **zone("Mine")}]
        )
    other.refresh_from_db()
    assert other.name == "Checkout"


def test_who_started_from_an_older_revision_is_refused(admin: Any, camera: Camera) -> None:
    services.update_camera(actor=admin, camera=camera, fps=5)
    with pytest.raises(ChangedMeanwhileError) as refused:
        services.replace_regions(actor=admin, camera=camera, zones=[zone("A")], revision=1)
    assert (refused.value.revision, refused.value.status) == (2, 409)
    assert not Zone.objects.exists()


def test_zones_and_lines_are_changed_singly_too(admin: Any, camera: Camera) -> None:
    made, crossed = make_zone(admin, camera), make_line(admin, camera)
    services.update_zone(actor=admin, zone=made, threshold_sec=20)
    services.update_line(actor=admin, line=crossed, forward="north")
    assert (Zone.objects.get().threshold_sec, CountingLine.objects.get().forward) == (20.0, "north")
    assert Camera.objects.get().revision == 5
    with pytest.raises(ConfigurationError, match="cross"):
        services.update_zone(actor=admin, zone=made, polygon=BOW_TIE)
    with pytest.raises(ConfigurationError):
        make_zone(admin, camera)  # the name is taken
    services.delete_zone(actor=admin, zone=made)
    services.delete_line(actor=admin, line=crossed)
    services.delete_line(actor=admin, line=crossed)  # twice is once
    assert Camera.objects.get().revision == 7
    with pytest.raises(GoneError):
        services.update_zone(actor=admin, zone=made, name="Back")
