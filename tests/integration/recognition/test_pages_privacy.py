"""The pages of privacy: the settings, the text that is agreed to, and the report of an erasure."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from recognition.models import ConsentText, ErasureReport

pytestmark = pytest.mark.django_db

SETTINGS = {
    "recognise_uploads": "true",
    "customer_days": "",
    "staff_days": "365",
    "sighting_days": "14",
    "review_days": "3",
    "visitor_hours": "12",
}


def test_privacy_is_set(admin: Client) -> None:
    assert admin.get("/people/privacy/").status_code == 200
    assert admin.post("/people/privacy/", SETTINGS).status_code == 302
    text = admin.get("/people/privacy/").content.decode()
    assert 'value="365"' in text
    assert 'name="uploads_need_consent" id="id_uploads_need_consent" value="true" auto' in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("visitor_hours", "25"),
        ("visitor_hours", ""),
        ("review_days", "91"),
        ("sighting_days", "0"),
        ("customer_days", "soon"),
    ],
)
def test_settings_that_make_no_sense_are_told(admin: Client, name: str, value: str) -> None:
    answer = admin.post("/people/privacy/", {**SETTINGS, name: value})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.content.decode()


def test_a_consent_text_is_published_and_never_changed(admin: Client) -> None:
    assert admin.post("/people/privacy/text/", {"text": "  "}).status_code == 400
    admin.post("/people/privacy/text/", {"text": "I agree.\r\nTruly."})
    admin.post("/people/privacy/text/", {"text": "I agree to more."})
    texts = list(ConsentText.objects.order_by("version").values_list("version", "text"))
    assert texts == [(1, "I agree.\nTruly."), (2, "I agree to more.")]


@pytest.mark.parametrize("found", [0, 3])
def test_the_report_of_an_erasure_says_what_is_left(admin: Client, found: int) -> None:
    report = ErasureReport.objects.create(
        subject=uuid.uuid4(),
        reason="request",
        finished_at="2026-01-02T03:04:05Z",
        erased={"samples": 5},
        checks=[
            {"code": "rows", "what": "Rows", "found": found, "must": True, "places": {"a": found}},
            {"code": "names", "what": "Names", "found": 1, "must": False, "places": {"b": 1}},
        ],
        backups=[{"file": "old.tar", "made_at": "2026-01-01T00:00:00+00:00", "is_here": True}],
    )
    text = admin.get(f"/people/erasures/{report.pk}/").content.decode()
    assert ("Something is left" in text) == bool(found)
    for part in ("Samples", "old.tar", "For you to judge"):
        assert part in text
