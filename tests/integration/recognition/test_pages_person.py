"""The page of one person: added, changed, agreed, merged, and what others show there."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from recognition.models import Profile
from recognition.services.consent import publish_consent_text
from tests.integration.conftest import make_user
from tests.integration.recognition.conftest import JSON, SOMEBODY
from video_analysis.cameras.models import Area
from video_analysis.cameras.services.cameras import create_camera
from video_analysis.models import Sighting
from video_analysis.retail.models import Visit

pytestmark = pytest.mark.django_db

DETAILS = {"kind": "customer", "name": "Ada", "email": "", "preferences": "", "notes": ""}


def test_somebody_is_added_with_a_consent(signed_in: Client, user: Any) -> None:
    publish_consent_text(actor=user, text="I agree.")
    made = signed_in.post("/people/new/", {**DETAILS, "consent": "true"}, **JSON)
    assert made.status_code == 201
    person = Profile.objects.get()
    assert made.json()["samples"] == f"/people/{person.pk}/samples/"
    assert person.consents.get().recorded_by == user


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        pytest.param({"name": " "}, "name", id="no-name"),
        pytest.param({"name": "x" * 201}, "name", id="long-name"),
        pytest.param({"email": "ada at home"}, "email", id="no-address"),
        pytest.param({"kind": "robot"}, "kind", id="no-kind"),
    ],
)
def test_what_makes_no_person_is_said_beside_its_field(
    signed_in: Client, wrong: dict[str, str], field: str
) -> None:
    refused = signed_in.post("/people/new/", {**DETAILS, **wrong}, **JSON)
    assert refused.status_code == 400
    assert list(refused.json()["error"]["fields"]) == [field]
    assert not Profile.objects.exists()


def test_a_consent_without_a_text_leaves_no_half_person(signed_in: Client) -> None:
    refused = signed_in.post("/people/new/", {**DETAILS, "consent": "true"}, **JSON)
    assert refused.status_code == 409
    assert not Profile.objects.exists()


def test_the_page_of_a_person_says_what_is_known(
    signed_in: Client, user: Any, make_person: Callable[..., Profile]
) -> None:
    publish_consent_text(actor=user, text="I agree to <this>.")
    ada = make_person("Ada", 1, samples=2, preferences="Window\nNo nuts")
    text = signed_in.get(f"/people/{ada.pk}/").content.decode()
    for part in ("Ada", "No consent", "Window<br>No nuts", "100 px", "I agree to &lt;this&gt;."):
        assert part in text
    assert text.count('name="samples"') == 2
    assert "Erase" not in text


def test_only_who_may_erase_is_offered_it(
    admin: Client, make_person: Callable[..., Profile]
) -> None:
    ada = make_person("Ada", 1)
    assert f"/people/{ada.pk}/erase/" in admin.get(f"/people/{ada.pk}/").content.decode()
    asked = admin.get(f"/people/{ada.pk}/erase/").content.decode()
    assert "Erase Ada?" in asked
    assert "Samples" in asked


def test_details_are_changed_in_their_place(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada = make_person("Ada", 1)
    place = f"/people/{ada.pk}/edit/"
    assert "<form" not in signed_in.get(place).content.decode()
    assert 'value="Ada"' in signed_in.get(place + "?open").content.decode()
    changes = {**DETAILS, "name": "Ada L.", "threshold": "0.5", "revision": ada.revision}
    saved = signed_in.post(place, changes)
    assert saved["HX-Trigger"] == "person-saved"
    ada.refresh_from_db()
    assert (ada.name, ada.threshold) == ("Ada L.", 0.5)


def test_a_change_of_somebody_else_is_told_and_nothing_typed_is_lost(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada = make_person("Ada", 1)
    before = ada.revision
    signed_in.post(f"/people/{ada.pk}/edit/", {**DETAILS, "notes": "first", "revision": before})
    again = {**DETAILS, "notes": "second", "revision": before}
    told = signed_in.post(f"/people/{ada.pk}/edit/", again)
    text = told.content.decode()
    assert "Somebody else has changed" in text
    assert "second" in text
    ada.refresh_from_db()
    assert ada.notes == "first"
    assert f'name="revision" value="{ada.revision}"' in text
    signed_in.post(f"/people/{ada.pk}/edit/", {**again, "revision": ada.revision})
    ada.refresh_from_db()
    assert ada.notes == "second"


@pytest.mark.parametrize("threshold", ["0.1", "0.9", "close"])
def test_a_threshold_out_of_range_is_said(
    signed_in: Client, make_person: Callable[..., Profile], threshold: str
) -> None:
    ada = make_person("Ada", 1)
    changes = {**DETAILS, "threshold": threshold, "revision": ada.revision}
    text = signed_in.post(f"/people/{ada.pk}/edit/", changes).content.decode()
    assert 'aria-invalid="true"' in text


def test_a_consent_is_recorded_and_withdrawn(
    signed_in: Client, user: Any, make_person: Callable[..., Profile]
) -> None:
    publish_consent_text(actor=user, text="I agree.")
    ada = make_person("Ada", 1)
    signed_in.post(f"/people/{ada.pk}/consent/", {"given": "true"})
    assert "Agreed to version 1" in signed_in.get(f"/people/{ada.pk}/").content.decode()
    signed_in.post(f"/people/{ada.pk}/consent/", {})
    assert "withdrawn" in signed_in.get(f"/people/{ada.pk}/").content.decode()
    assert ada.consents.get().withdrawn_at is not None


def test_people_are_merged_and_taken_apart(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada, twin = make_person("Ada", 1), make_person("Ada again", 1, samples=2)
    signed_in.post(f"/people/{ada.pk}/merge/", {"source": str(twin.pk)})
    text = signed_in.get(f"/people/{ada.pk}/").content.decode()
    assert "Ada again" in text
    assert ada.samples.count() == 3
    merge = ada.merges.get()
    back = signed_in.post(f"/people/{ada.pk}/merges/{merge.pk}/undo/")
    assert back["Location"] == f"/people/{twin.pk}/"
    assert ada.samples.count() == 1
    gone = signed_in.post(f"/people/{twin.pk}/merges/{merge.pk}/undo/")
    assert gone.status_code == 404


@pytest.mark.parametrize("source", ["", "nobody", "{self}"])
def test_a_merge_with_nobody_or_oneself_is_refused(
    signed_in: Client, make_person: Callable[..., Profile], source: str
) -> None:
    ada = make_person("Ada", 1)
    place = f"/people/{ada.pk}/merge/"
    answer = signed_in.post(place, {"source": source.format(self=ada.pk)}, follow=True)
    assert answer.redirect_chain[0][0] == f"/people/{ada.pk}/"
    assert "toast is-error" in answer.content.decode()
    assert ada.samples.count() == 1


def test_samples_are_moved_split_off_and_deleted(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada, alan = make_person("Ada", 1, samples=4), make_person("Alan", 2)
    first, second, third, _ = ada.samples.order_by("created_at", "id")
    place = f"/people/{ada.pk}/samples/"
    signed_in.post(place + "move/", {"samples": str(first.pk), "target": str(alan.pk)})
    assert alan.samples.count() == 2
    made = signed_in.post(place + "split/", {"samples": str(second.pk), "name": "Eve"})
    eve = Profile.objects.get(name="Eve")
    assert made["Location"] == f"/people/{eve.pk}/"
    signed_in.post(place + "delete/", {"samples": [str(third.pk), "odd", SOMEBODY]})
    assert ada.samples.count() == 1
    # Somebody else's are not touched through her page.
    signed_in.post(place + "delete/", {"samples": str(alan.samples.first().pk)})  # type: ignore[union-attr]
    assert alan.samples.count() == 2


def test_a_panel_of_another_app_stays_away_when_it_has_nothing(
    signed_in: Client, make_person: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    from recognition import profile_panels

    monkeypatch.setattr(profile_panels, "_panels", {})
    for name, found in (("none", None), ("some", {"what": "seen"})):
        profile_panels.register_profile_panel(
            profile_panels.ProfilePanel(name, "people/_face.html", lambda u, p, f=found: f)
        )
    ada = make_person("Ada", 1)
    page = signed_in.get(f"/people/{ada.pk}/")
    assert [part["name"] for part in page.context["panels"]] == ["some"]


@pytest.mark.parametrize("role", ["operator", "administrator"])
def test_visits_and_cameras_are_shown_to_who_watches_them(
    make_person: Callable[..., Profile], administrator: Any, role: str
) -> None:
    ada = make_person("Ada", 1)
    shop = Area.objects.create(name="Shop")
    camera = create_camera(actor=administrator, name="Door", address="usb:0", area=shop)
    Visit.objects.create(area=shop, profile=ada, waiting_seconds=75.0)
    Sighting.objects.create(camera=camera, track=uuid.uuid4(), state="known", profile=ada)
    Sighting.objects.create(camera=camera, track=uuid.uuid4(), state="uncertain", profile=ada)
    client = Client()
    client.force_login(administrator if role == "administrator" else make_user("sam"))
    text = client.get(f"/people/{ada.pk}/").content.decode()
    # No group of theirs watches the camera: an operator sees nothing of it.
    for part in ("here now", "waited 1:15", "Seen by", "1 time,", "1 day in half a year"):
        assert (part in text) == (role == "administrator")
