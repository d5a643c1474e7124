"""People over REST: who they are, and forgetting them."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recognition.models import FaceSample, Profile
from recognition.services.consent import publish_consent_text, record_consent
from tests.integration.recognition.made_people import (  # noqa: F401
    NOBODY,
    PEOPLE,
    administrator,
    check_refused,
    make_person,
    of,
    operator,
    post_picture,
)

pytestmark = [pytest.mark.django_db]


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
