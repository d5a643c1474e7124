"""Faces of people over REST: photos, whose they are, and two people who are one."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from recognition.models import FaceSample, NegativeEvidence, ProfileMerge
from tests.integration.detector.conftest import picture
from tests.integration.recognition.made_people import (  # noqa: F401
    NOBODY,
    add_face,
    check_refused,
    faces,
    made,
    make_person,
    of,
    operator,
    post_picture,
)
from tests.made_faces import EMBEDDER, FakeFaces

pytestmark = [pytest.mark.django_db]


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
