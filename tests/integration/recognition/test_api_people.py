"""People over REST: who they are, their faces, what they agree to, and forgetting them."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from common.audit.models import AuditEntry
from recognition.models import Consent, FaceSample, NegativeEvidence, Profile, ProfileMerge
from recognition.services.consent import publish_consent_text, record_consent
from tests.integration.conftest import make_user
from tests.integration.detector.conftest import picture
from tests.integration.recognition.made_people import (  # noqa: F401
    add_face,
    administrator,
    check_refused,
    faces,
    lines,
    made,
    make_person,
    operator,
    post_picture,
    token_client,
    viewer,
)
from tests.made_faces import EMBEDDER, FakeFaces

pytestmark = [pytest.mark.django_db]
PEOPLE = "/api/people/"
NOBODY = uuid.UUID(int=7)


def of(profile: Any, rest: str = "") -> str:
    return f"{PEOPLE}{getattr(profile, 'pk', profile)}/{rest}"


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["results"]]


class TestTheList:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", ["Ada Lovelace", "Alan Turing", "Grace Hopper"]),
            ("q=ada", ["Ada Lovelace"]),
            ("q=lovelace+ada", ["Ada Lovelace"]),
            ("q=navy.mil", ["Grace Hopper"]),
            ("q=nobody", []),
            ("q=%00ada", ["Ada Lovelace"]),
            ("q=%25", []),
            ("kind=staff", ["Grace Hopper"]),
            ("kind=customer&q=a", ["Ada Lovelace", "Alan Turing"]),
            ("order=newest", ["Grace Hopper", "Alan Turing", "Ada Lovelace"]),
            ("page_size=2", ["Ada Lovelace", "Alan Turing"]),
        ],
    )
    def test_people_are_searched_and_sorted(
        self, operator: Any, query: str, expected: list[str]
    ) -> None:
        make_person("Ada Lovelace")
        make_person("Alan Turing")
        make_person("Grace Hopper", kind="staff", email="grace@navy.mil")
        assert names(operator.get(f"{PEOPLE}?{query}")) == expected

    def test_nobody_is_a_list_too(self, operator: Any) -> None:
        assert operator.get(PEOPLE).json() == {"next": None, "previous": None, "results": []}

    @pytest.mark.parametrize("order", ["name", "newest"])
    def test_pages_show_everybody_once_while_people_come(self, operator: Any, order: str) -> None:
        for number in range(7):
            make_person(f"Ada {number % 2}")
        seen, path = [], f"{PEOPLE}?page_size=3&order={order}"
        while path:
            page = operator.get(path).json()
            seen += [row["id"] for row in page["results"]]
            path = page["next"]
        assert len(seen) == len(set(seen)) == 7

    @pytest.mark.parametrize(
        ("query", "field"),
        [("kind=cat", "kind"), ("order=age", "order"), (f"q={'a' * 300}", "q")],
        ids=["kind", "order", "q"],
    )
    def test_what_makes_no_sense_is_refused(self, operator: Any, query: str, field: str) -> None:
        answer = operator.get(f"{PEOPLE}?{query}")
        check_refused(answer, 400, "invalid")
        assert set(answer.json()["error"]["fields"]) == {field}

    def test_a_cursor_that_was_made_up_is_not_found(self, operator: Any) -> None:
        assert operator.get(f"{PEOPLE}?cursor=cD1ub25zZW5zZQ==").status_code in (200, 404)
        assert operator.get(f"{PEOPLE}?cursor=zzz").status_code == 404

    def test_it_takes_as_many_queries_for_many_as_for_few(self, operator: Any) -> None:
        publish_consent_text(actor=None, text="I agree.")

        def queries() -> int:
            with CaptureQueriesContext(
                connection,
            ) as caught:
                operator.get(PEOPLE)
            return len(caught)

        record_consent(actor=None, profile=make_person("Ada", 1))
        few = queries()
        for number in range(2, 12):
            record_consent(actor=None, profile=make_person(f"Ada {number}", number))
        assert queries() == few


class TestOnePerson:
    def test_they_are_added_read_and_changed(self, operator: Any) -> None:
        answer = operator.post(PEOPLE, {"name": "Ada", "email": "ada@example.org"})
        assert answer.status_code == 201, answer.content
        made = answer.json()
        assert made == {
            "id": made["id"],
            "kind": "customer",
            "name": "Ada",
            "email": "ada@example.org",
            "photo": None,
            "preferences": "",
            "notes": "",
            "threshold": None,
            "consent": None,
            "samples": 0,
            "visit_count": 0,
            "last_visit_at": None,
            "revision": made["revision"],
            "created_at": made["created_at"],
        }
        read = operator.get(of(made["id"]))
        assert read.json() == made
        assert read["ETag"] == f'"{made["revision"]}"'
        changed = operator.patch(of(made["id"]), {"kind": "staff", "threshold": 0.45})
        assert changed.status_code == 200, changed.content
        assert changed.json() == {
            **made,
            "kind": "staff",
            "threshold": 0.45,
            "revision": changed.json()["revision"],
        }
        assert changed.json()["revision"] > made["revision"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "name"),
            ({"name": ""}, "name"),
            ({"name": "   "}, "name"),
            ({"name": "a" * 201}, "name"),
            ({"name": "Ada", "kind": "cat"}, "kind"),
            ({"name": "Ada", "email": "nothing"}, "email"),
            ({"name": "Ada", "notes": "a" * 4001}, "notes"),
            ({"name": "Ada", "threshold": 0.1}, "threshold"),
            ({"name": "Ada", "threshold": 1}, "threshold"),
            ({"name": "Ada", "threshold": "NaN"}, "threshold"),
            ({"name": ["Ada"]}, "name"),
            ([], "request"),
        ],
        ids=lambda value: json.dumps(value)[:40],
    )
    def test_what_makes_nobody_is_refused(self, operator: Any, body: Any, field: str) -> None:
        answer = operator.post(PEOPLE, body)
        check_refused(answer, 400, "invalid")
        assert field in answer.json()["error"]["fields"]
        assert not Profile.objects.exists()

    @pytest.mark.parametrize("how", ["body", "header", "weak header"])
    def test_two_who_change_somebody_at_once_do_not_undo_each_other(
        self, operator: Any, how: str
    ) -> None:
        ada = make_person("Ada")
        assert operator.patch(of(ada), {"notes": "First."}).status_code == 200
        seen = ada.revision
        body: dict[str, Any] = {"notes": "Second."}
        headers = {}
        if how == "body":
            body["revision"] = seen
        else:
            headers["If-Match"] = f'{"W/" if how == "weak header" else ""}"{seen}"'
        answer = operator.patch(of(ada), body, headers=headers)
        check_refused(answer, 409, "changed_meanwhile")
        ada.refresh_from_db()
        assert ada.notes == "First."
        headers = {"If-Match": f'"{ada.revision}"'}
        assert operator.patch(of(ada), {"notes": "2"}, headers=headers).status_code == 200

    @pytest.mark.parametrize("header", ['"x"', "1, 2", '"-1"', '"99999999999999"'])
    def test_an_etag_that_is_none_is_refused(self, operator: Any, header: str) -> None:
        answer = operator.patch(of(make_person("Ada")), {}, headers={"If-Match": header})
        check_refused(answer, 400, "invalid")

    def test_whoever_is_unknown_is_not_found(self, operator: Any, administrator: Any) -> None:
        for method, path in [
            ("get", of(NOBODY)),
            ("patch", of(NOBODY)),
            ("get", of(NOBODY, "photo.jpg")),
            ("get", of(NOBODY, "samples/")),
            ("delete", of(NOBODY, f"samples/{NOBODY}/")),
            ("get", of(NOBODY, f"samples/{NOBODY}/crop.jpg")),
            ("post", of(NOBODY, "samples/move/")),
            ("post", of(NOBODY, "split/")),
            ("get", of(NOBODY, "merges/")),
            ("post", of(NOBODY, "merges/")),
            ("post", of(NOBODY, f"merges/{NOBODY}/undo/")),
            ("get", of(NOBODY, "consent/")),
            ("post", of(NOBODY, "consent/")),
            ("post", of(NOBODY, "consent/withdraw/")),
        ]:
            check_refused(getattr(operator, method)(path), 404, "not_found")
        for path in (of(NOBODY, "samples/"), of(NOBODY, "negatives/")):
            check_refused(post_picture(operator, path), 404, "not_found")
        check_refused(administrator.delete(of(NOBODY)), 404, "not_found")
        check_refused(administrator.get(of(NOBODY, "export.zip")), 404, "not_found")

    def test_everything_about_them_is_exported(self, administrator: Any, operator: Any) -> None:
        ada = make_person("Ada", 1)
        check_refused(operator.get(of(ada, "export.zip")), 403, "permission_denied")
        answer = administrator.get(of(ada, "export.zip"))
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
        assert "no-store" in answer["Cache-Control"]
        with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as file:
            assert file.testzip() is None
            assert any(name.endswith(".json") for name in file.namelist())


class TestErasing:
    def test_an_administrator_forgets_somebody_and_gets_the_report(
        self, administrator: Any
    ) -> None:
        ada, grace = make_person("Ada Lovelace", 1), make_person("Grace", 2)
        answer = administrator.delete(of(ada))
        assert answer.status_code == 200, answer.content
        report = answer.json()
        assert (report["subject"], report["reason"]) == (str(ada.pk), "request")
        assert all(report[name] for name in ("finished_at", "erased", "checks"))
        assert "Lovelace" not in answer.content.decode()
        assert list(Profile.objects.values_list("pk", flat=True)) == [grace.pk]
        assert not FaceSample.objects.filter(profile=ada.pk).exists()
        again = administrator.get(f"{PEOPLE}erasures/{report['id']}/")
        assert again.json() == report
        assert administrator.get(f"{PEOPLE}erasures/").json()["results"] == [report]

    def test_operators_do_not(self, operator: Any) -> None:
        ada = make_person("Ada")
        check_refused(operator.delete(of(ada)), 403, "permission_denied")
        check_refused(operator.get(f"{PEOPLE}erasures/"), 403, "permission_denied")
        assert Profile.objects.filter(pk=ada.pk).exists()

    def test_a_flag_that_is_none_is_refused(self, administrator: Any) -> None:
        ada = make_person("Ada")
        check_refused(administrator.delete(f"{of(ada)}?originals=perhaps"), 400, "invalid")
        assert Profile.objects.filter(pk=ada.pk).exists()

    def test_a_report_that_is_unknown_is_not_found(self, administrator: Any) -> None:
        check_refused(administrator.get(f"{PEOPLE}erasures/{NOBODY}/"), 404, "not_found")


class TestFaces:
    def test_a_photo_is_enrolled_shown_and_deleted(self, operator: Any, faces: FakeFaces) -> None:
        ada = make_person("Ada")
        faces.scene = [made(1)]
        answer = post_picture(operator, of(ada, "samples/"))
        assert answer.status_code == 201, answer.content
        sample = answer.json()
        assert (sample["profile"], sample["source"]) == (str(ada.pk), "api")
        assert (sample["model"], sample["quality"]["size"]) == (EMBEDDER, 100.0)
        assert operator.get(of(ada, "samples/")).json()["results"] == [sample]
        crop = operator.get(sample["crop"])
        assert (crop["Content-Type"], crop["Cache-Control"]) == ("image/jpeg", "private, no-store")
        assert Image.open(io.BytesIO(b"".join(crop))).size == (150, 150)
        person = operator.get(of(ada)).json()
        assert person["samples"] == 1
        assert operator.get(person["photo"])["Content-Type"] == "image/jpeg"
        assert operator.delete(of(ada, f"samples/{sample['id']}/")).status_code == 204
        assert not FaceSample.objects.exists()
        check_refused(operator.get(sample["crop"]), 404, "not_found")

    @pytest.mark.parametrize(
        ("scene", "code"),
        [([], "no_face"), ([made(1), made(2, place=1)], "several_faces")],
        ids=["nobody", "two"],
    )
    def test_a_photo_shows_one_face(
        self, operator: Any, faces: FakeFaces, scene: Any, code: str
    ) -> None:
        ada = make_person("Ada")
        faces.scene = scene
        check_refused(post_picture(operator, of(ada, "samples/")), 422, code)
        assert not FaceSample.objects.exists()

    def test_a_photo_is_one_persons_only(self, operator: Any, faces: FakeFaces) -> None:
        ada, grace = make_person("Ada"), make_person("Grace")
        faces.scene = [made(1)]
        assert post_picture(operator, of(ada, "samples/")).status_code == 201
        check_refused(post_picture(operator, of(grace, "samples/")), 409, "same_photo")
        other = picture(320, 240)
        check_refused(post_picture(operator, of(grace, "samples/"), other), 409, "looks_like")
        sure = post_picture(operator, of(grace, "samples/"), other, confirm="true")
        assert sure.status_code == 201, sure.content

    @pytest.mark.parametrize(
        ("data", "status", "code"),
        [
            (b"", 400, "empty_file"),
            (b"not a picture", 415, "not_a_picture"),
            (picture()[:-2000], 422, "truncated_picture"),
        ],
        ids=["empty", "text", "truncated"],
    )
    @pytest.mark.parametrize("rest", ["samples/", "negatives/"])
    def test_bad_files_are_refused(
        self, operator: Any, faces: FakeFaces, rest: str, data: bytes, status: int, code: str
    ) -> None:
        ada = make_person("Ada")
        check_refused(post_picture(operator, of(ada, rest), data), status, code)
        check_refused(operator.post(of(ada, rest), {}, format="multipart"), 400, "missing_image")

    def test_a_flag_that_is_none_is_refused(self, operator: Any, faces: FakeFaces) -> None:
        ada = make_person("Ada")
        faces.scene = [made(1)]
        answer = post_picture(operator, of(ada, "samples/"), confirm="perhaps")
        check_refused(answer, 400, "invalid")

    def test_faces_are_given_to_somebody_else(self, operator: Any) -> None:
        ada, grace = make_person("Ada", 1), make_person("Grace", 2)
        wrong = add_face(ada, 2, distance=0.2)
        body = {"samples": [str(wrong.pk)], "to": str(grace.pk)}
        answer = operator.post(of(ada, "samples/move/"), body)
        assert answer.status_code == 200, answer.content
        assert (answer.json()["id"], answer.json()["samples"]) == (str(grace.pk), 2)
        assert ada.samples.count() == 1

    def test_faces_become_a_person_of_their_own(self, operator: Any) -> None:
        ada = make_person("Ada", 1)
        wrong = add_face(ada, 2)
        body = {"samples": [str(wrong.pk)], "name": "Grace"}
        answer = operator.post(of(ada, "split/"), body)
        assert answer.status_code == 201, answer.content
        assert (answer.json()["name"], answer.json()["samples"]) == ("Grace", 1)

    @pytest.mark.parametrize(
        ("rest", "body", "code"),
        [
            ("samples/move/", {"samples": [str(NOBODY)]}, "invalid"),
            ("samples/move/", {"samples": [], "to": str(NOBODY)}, "invalid"),
            ("samples/move/", {"samples": ["x"], "to": str(NOBODY)}, "invalid"),
            ("samples/move/", {"samples": [str(NOBODY)], "to": str(NOBODY)}, "unknown_person"),
            ("split/", {"samples": [str(NOBODY)], "name": "Grace"}, "unknown_sample"),
            ("split/", {"samples": [str(NOBODY)], "name": ""}, "invalid"),
            ("merges/", {}, "invalid"),
            ("merges/", {"source": "x"}, "invalid"),
            ("merges/", {"source": str(NOBODY)}, "unknown_person"),
        ],
        ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:60],
    )
    def test_ids_that_are_none_are_named(
        self, operator: Any, rest: str, body: Any, code: str
    ) -> None:
        check_refused(operator.post(of(make_person("Ada", 1), rest), body), 400, code)

    def test_somebody_elses_sample_is_not_there(self, operator: Any) -> None:
        ada, grace = make_person("Ada", 1), make_person("Grace", 2)
        sample = grace.samples.get()
        check_refused(operator.delete(of(ada, f"samples/{sample.pk}/")), 404, "not_found")
        check_refused(operator.get(of(ada, f"samples/{sample.pk}/crop.jpg")), 404, "not_found")
        assert grace.samples.exists()

    def test_not_this_person_is_remembered(self, operator: Any, faces: FakeFaces) -> None:
        ada = make_person("Ada", 1)
        faces.scene = [made(1, distance=0.45)]
        recognised = post_picture(operator, "/api/recognize/").json()["faces"][0]
        assert recognised["profile"] == str(ada.pk)
        answer = post_picture(operator, of(ada, "negatives/"))
        assert answer.status_code == 201, answer.content
        assert answer.json()["profile"] == str(ada.pk)
        recognised = post_picture(operator, "/api/recognize/").json()["faces"][0]
        assert recognised["state"] != "known"

    @pytest.mark.parametrize(
        ("face", "status", "code"),
        [
            (None, 422, "several_faces"),
            ("0", 201, None),
            ("1", 201, None),
            ("2", 422, "no_face"),
            ("-1", 400, "invalid"),
            ("x", 400, "invalid"),
        ],
    )
    def test_of_several_faces_one_says_which(
        self, operator: Any, faces: FakeFaces, face: Any, status: int, code: str | None
    ) -> None:
        ada = make_person("Ada", 1)
        faces.scene = [made(1), made(2, place=1)]
        fields = {} if face is None else {"face": face}
        answer = post_picture(operator, of(ada, "negatives/"), **fields)
        assert answer.status_code == status, answer.content
        assert code in (None, answer.json().get("error", {}).get("code"))
        assert NegativeEvidence.objects.exists() == (status == 201)

    def test_a_photo_without_a_face_denies_nobody(self, operator: Any, faces: FakeFaces) -> None:
        ada = make_person("Ada", 1)
        check_refused(post_picture(operator, of(ada, "negatives/")), 422, "no_face")


class TestMerging:
    def test_two_become_one_and_two_again(self, operator: Any) -> None:
        ada, countess = make_person("Ada", 1), make_person("Countess Lovelace", 2)
        answer = operator.post(of(ada, "merges/"), {"source": str(countess.pk)})
        assert answer.status_code == 201, answer.content
        merge = answer.json()
        assert (merge["name"], merge["source_id"]) == ("Countess Lovelace", str(countess.pk))
        assert operator.get(of(ada)).json()["samples"] == 2
        check_refused(operator.get(of(countess)), 404, "not_found")
        assert operator.get(of(ada, "merges/")).json()["results"] == [merge]
        undo = operator.post(of(ada, f"merges/{merge['id']}/undo/"))
        assert undo.status_code == 200, undo.content
        assert (undo.json()["name"], undo.json()["samples"]) == ("Countess Lovelace", 1)
        assert ProfileMerge.objects.get().undone_at is not None
        again = operator.post(of(ada, f"merges/{merge['id']}/undo/"))
        assert again.status_code == 409, again.content

    def test_nobody_is_merged_with_themselves(self, operator: Any) -> None:
        ada = make_person("Ada", 1)
        answer = operator.post(of(ada, "merges/"), {"source": str(ada.pk)})
        assert answer.status_code in (400, 409), answer.content
        assert ada.samples.count() == 1

    def test_a_merge_of_somebody_else_is_not_there(self, operator: Any) -> None:
        ada, grace = make_person("Ada", 1), make_person("Grace", 2)
        other = make_person("Alan", 3)
        merge = operator.post(of(ada, "merges/"), {"source": str(grace.pk)}).json()
        path = of(other, f"merges/{merge['id']}/undo/")
        check_refused(operator.post(path), 404, "not_found")


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
