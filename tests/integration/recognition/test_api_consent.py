"""What people agree to over REST, who may ask about them, and what the log says of it."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

import json
from typing import Any

import pytest

from common.audit.models import AuditEntry
from recognition.models import Consent, Profile
from recognition.services.consent import publish_consent_text
from tests.integration.conftest import make_user
from tests.integration.recognition.made_people import (  # noqa: F401
    NOBODY,
    PEOPLE,
    administrator,
    check_refused,
    faces,
    lines,
    made,
    make_person,
    of,
    operator,
    post_picture,
    token_client,
    viewer,
)
from tests.made_faces import FakeFaces

pytestmark = [pytest.mark.django_db]


class TestConsent:
    def test_it_is_given_and_withdrawn(self, operator: Any, administrator: Any) -> None:
        ada = make_person("Ada")
        check_refused(operator.post(of(ada, "consent/"), {}), 409, "no_consent_text")
        text = administrator.post(f"{PEOPLE}consent-texts/", {"text": "I agree."})
        assert (text.status_code, text.json()["version"]) == (201, 1)
        given = operator.post(of(ada, "consent/"), {})
        assert given.status_code == 201, given.content
        assert (given.json()["version"], given.json()["withdrawn_at"]) == (1, None)
        assert operator.get(of(ada)).json()["consent"]["version"] == 1
        withdrawn = operator.post(of(ada, "consent/withdraw/"))
        assert (withdrawn.status_code, withdrawn.json()["consent"]) == (200, None)
        (row,) = operator.get(of(ada, "consent/")).json()["results"]
        assert row["withdrawn_at"]
        assert row["withdrawn_by_name"] == "otto"

    @pytest.mark.parametrize(
        "moment", ["2999-01-01T00:00:00Z", "yesterday", "0001-01-01T00:00:00+14:00"]
    )
    def test_nobody_agrees_in_the_future_or_at_no_time(self, operator: Any, moment: str) -> None:
        publish_consent_text(actor=None, text="I agree.")
        answer = operator.post(of(make_person("Ada"), "consent/"), {"given_at": moment})
        check_refused(answer, 400, "invalid")
        assert not Consent.objects.exists()

    def test_texts_are_published_by_administrators(self, operator: Any, administrator: Any) -> None:
        path = f"{PEOPLE}consent-texts/"
        check_refused(operator.post(path, {"text": "No."}), 403, "permission_denied")
        for text in ("First.", "Second."):
            administrator.post(path, {"text": text})
        shown = operator.get(path).json()["results"]
        assert [(row["version"], row["text"]) for row in shown] == [(2, "Second."), (1, "First.")]

    @pytest.mark.parametrize("text", ["", "   ", "a" * 20_001, None])
    def test_a_text_says_something(self, administrator: Any, text: Any) -> None:
        answer = administrator.post(f"{PEOPLE}consent-texts/", {"text": text})
        check_refused(answer, 400, "invalid")


class TestWhoMay:
    @pytest.mark.parametrize(
        ("method", "rest"),
        [
            ("get", ""),
            ("patch", ""),
            ("delete", ""),
            ("get", "samples/"),
            ("get", "consent/"),
            ("get", "merges/"),
            ("get", "export.zip"),
            ("get", "photo.jpg"),
            ("post", "split/"),
        ],
    )
    def test_viewers_see_nobody(self, viewer: Any, method: str, rest: str) -> None:
        ada = make_person("Ada", 1)
        for path in (of(ada, rest), of(NOBODY, rest)):
            check_refused(getattr(viewer, method)(path), 403, "not_allowed_to_create")

    def test_viewers_have_no_list(self, viewer: Any) -> None:
        make_person("Ada")
        answer = viewer.get(PEOPLE)
        check_refused(answer, 403, "not_allowed_to_create")
        assert "Ada" not in answer.content.decode()

    def test_a_token_that_may_only_read_changes_nobody(self, db: None) -> None:
        ada = make_person("Ada", 1)
        client = token_client(make_user("anna", "administrator"), "read")
        assert client.get(of(ada)).status_code == 200
        for method, path in [
            ("patch", of(ada)),
            ("delete", of(ada)),
            ("post", PEOPLE),
            ("post", of(ada, "consent/")),
            ("post", of(ada, "consent/withdraw/")),
            ("post", of(ada, "merges/")),
            ("patch", f"{PEOPLE}privacy/"),
        ]:
            check_refused(getattr(client, method)(path, {}), 403, "scope_read_only")
        ada.refresh_from_db()
        assert ada.revision == Profile.objects.get().revision


class TestTheLog:
    @pytest.mark.parametrize(
        ("rest", "what"),
        [
            ("", "profile"),
            ("samples/", "samples"),
            ("consent/", "consent"),
            ("merges/", "merges"),
            ("photo.jpg", "photo"),
        ],
    )
    def test_whoever_looks_at_somebody_is_written_down(
        self, operator: Any, rest: str, what: str
    ) -> None:
        ada = make_person("Ada Lovelace", 1)
        before = AuditEntry.objects.count()
        assert operator.get(of(ada, rest)).status_code == 200
        (line,) = lines()[before:]
        assert (line.action, line.actor_name, line.object_id) == ("viewed", "otto", str(ada.pk))
        assert line.details == {"what": what}
        assert "Ada" not in line.object_name

    def test_a_list_is_one_line_with_how_many_it_showed(self, operator: Any) -> None:
        for name in ("Ada", "Grace"):
            make_person(name)
        before = AuditEntry.objects.count()
        operator.get(PEOPLE)
        (line,) = lines()[before:]
        assert line.details == {"what": "people", "count": 2}

    def test_no_line_ever_says_what_somebody_is_called(
        self, operator: Any, administrator: Any, faces: FakeFaces
    ) -> None:
        publish_consent_text(actor=None, text="I agree.")
        faces.scene = [made(1)]
        body = {"name": "Zebulon Quux", "email": "zeb@quux.example", "notes": "Quux likes tea."}
        person = operator.post(PEOPLE, body).json()["id"]
        post_picture(operator, of(person, "samples/"))
        post_picture(operator, "/api/recognize/")
        operator.patch(of(person), {"preferences": "Quux sits outside."})
        operator.post(of(person, "consent/"), {})
        other = operator.post(PEOPLE, {"name": "Also Quux"}).json()["id"]
        operator.post(of(person, "merges/"), {"source": other})
        operator.get(f"{PEOPLE}?q=quux")
        administrator.delete(of(person))
        written = list(AuditEntry.objects.values())
        assert len(written) > 8
        assert "quux" not in json.dumps(written, default=str).lower()
