"""Profiles: made, changed, split, merged and taken apart again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.http import Http404
from django.utils import timezone

from common.audit.models import AuditEntry
from recognition.errors import ChangedMeanwhileError, ConflictError, GoneError, InvalidError
from recognition.index import Match, match_faces
from recognition.models import Consent, FaceReview, GalleryChange, Profile, ProfileMerge
from recognition.selectors import profile_details, search_profiles
from recognition.services.consent import (
    has_consent,
    publish_consent_text,
    record_consent,
    withdraw_consent,
)
from recognition.services.gallery import current_version
from recognition.services.negatives import note_not_person
from recognition.services.profiles import (
    create_profile,
    merge_profiles,
    split_profile,
    undo_merge,
    update_profile,
)
from recognition.services.reviews import open_review
from recognition.services.samples import delete_sample
from tests.integration.recognition.conftest import give_sample
from tests.made_faces import EMBEDDER, face_of
from video_analysis.cameras.models import Area
from video_analysis.retail.models import Visit

pytestmark = pytest.mark.django_db

MakePerson = Callable[..., Profile]


def who(face: int) -> Any:
    [match] = match_faces([face_of(face, distance=0.02)], model=EMBEDDER)
    return match.profile_id if match.state == "known" else match.state


def files() -> set[str]:
    root = Path(default_storage.location)
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_a_profile_is_made_as_it_was_told(user: Any) -> None:
    made = create_profile(
        actor=user,
        kind="staff",
        name="  Ada\tLovelace ",
        email=" ada@example.org ",
        preferences="Tea\r\nno sugar\x00 ",
        notes="",
        threshold=0.45,
    )
    made.refresh_from_db()
    assert (made.kind, made.name, made.email) == ("staff", "Ada Lovelace", "ada@example.org")
    assert (made.preferences, made.threshold, made.revision) == ("Tea\nno sugar", 0.45, 1)
    assert made.created_by == user


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u200b\x07"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"kind": "ghost"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"email": "nowhere"}, "email"),
        ({"notes": "x" * 4001}, "notes"),
        ({"preferences": "x" * 4001}, "preferences"),
        ({"threshold": 0.1}, "threshold"),
        ({"threshold": 0.9}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_makes_no_profile_is_refused_by_field(
    user: Any, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        create_profile(actor=user, **{"kind": "customer", "name": "Ada", **values})
    assert set(caught.value.fields) == {field}
    assert caught.value.status == 400
    assert not Profile.objects.exists()


@pytest.mark.parametrize("name", ["=1+1", "Ada", "Œdipe", "李", "-", "'; DROP TABLE x; --"])
def test_a_name_may_be_anything_that_can_be_read(user: Any, name: str) -> None:
    made = create_profile(actor=user, kind="customer", name=name)
    assert Profile.objects.get(name=name) == made


def test_a_change_raises_the_revision_and_a_stale_one_is_refused(user: Any) -> None:
    made = create_profile(actor=user, kind="customer", name="Ada")
    changed = update_profile(actor=user, profile=made, revision=1, notes="Likes tea")
    assert (changed.revision, changed.notes, changed.name) == (2, "Likes tea", "Ada")
    with pytest.raises(ChangedMeanwhileError) as caught:
        update_profile(actor=user, profile=made, revision=1, notes="Likes coffee")
    assert (caught.value.status, caught.value.code) == (409, "changed_meanwhile")
    assert caught.value.revision == 2
    same = update_profile(actor=user, profile=made, revision=2, notes="Likes tea")
    assert same.revision == 2


def test_a_threshold_of_ones_own_reaches_the_index(make_person: MakePerson, user: Any) -> None:
    made = make_person("Ada", 1)
    far = face_of(1, distance=0.4)
    [match] = match_faces([far], model=EMBEDDER)
    assert match.state == "known"
    update_profile(actor=user, profile=made, threshold=0.3)
    [match] = match_faces([far], model=EMBEDDER)
    assert match.state != "known"


def test_a_deleted_profile_is_gone_for_all(user: Any, make_person: MakePerson) -> None:
    made, other = make_person("Ada", 1), make_person("Bob", 2)
    Profile.objects.filter(pk=made.pk).delete()
    acts: dict[str, Callable[[], Any]] = {
        "update": lambda: update_profile(actor=user, profile=made, notes="x"),
        "merge": lambda: merge_profiles(actor=user, target=made, source=other),
        "merge into": lambda: merge_profiles(actor=user, target=other, source=made),
        "split": lambda: split_profile(actor=user, profile=made, samples=[], name="Eve"),
        "consent": lambda: record_consent(actor=user, profile=made),
        "negative": lambda: note_not_person(
            actor=user, profile=made, embedding=face_of(3), model=EMBEDDER
        ),
    }
    for name, act in acts.items():
        with pytest.raises(GoneError):
            pytest.fail(f"{name}: {act()}")


def test_nothing_in_the_log_says_who_it_was(user: Any, make_person: MakePerson) -> None:
    made = make_person("Ada Lovelace", 1, email="ada@example.org", samples=2)
    update_profile(actor=user, profile=made, name="Augusta King", notes="Countess")
    split_profile(actor=user, profile=made, samples=[made.samples.first()], name="Lady Byron")
    told = json.dumps(list(AuditEntry.objects.values("object_name", "details")))
    for word in ("Ada", "Lovelace", "example.org", "Augusta", "Countess", "Byron"):
        assert word not in told
    names = set(AuditEntry.objects.values_list("object_name", flat=True))
    assert f"Person {made.pk.hex[:8]}" in names


def test_people_are_found_by_parts_of_name_or_address(
    user: Any, viewer: Any, make_person: MakePerson
) -> None:
    make_person("Ada Lovelace", 1, samples=2)
    make_person("Bob Marley", 2, email="bob@reggae.jm", kind="staff")
    cases = [
        ("", "", ["Ada Lovelace", "Bob Marley"]),
        ("love", "", ["Ada Lovelace"]),
        ("lace ada", "", ["Ada Lovelace"]),
        ("reggae", "", ["Bob Marley"]),
        ("", "staff", ["Bob Marley"]),
        ("ada", "staff", []),
        ("%", "", []),
        ("\x00", "", ["Ada Lovelace", "Bob Marley"]),
    ]
    for query, kind, expected in cases:
        found = search_profiles(user, query, kind)
        assert [profile.name for profile in found] == expected, (query, kind)
    assert [profile.sample_count for profile in search_profiles(user)] == [2, 1]
    assert not search_profiles(viewer).exists()
    with pytest.raises(Http404):
        profile_details(viewer, Profile.objects.first().pk)


def test_the_photo_is_the_best_face_and_goes_with_the_last(
    user: Any, make_person: MakePerson, django_capture_on_commit_callbacks: Any
) -> None:
    made = make_person("Ada", 1)
    assert made.photo.read() == b"face 1 at 0.0"
    with django_capture_on_commit_callbacks(execute=True):
        give_sample(made, 1, distance=0.3)
        made.refresh_from_db()
        assert made.photo.read() == b"face 1 at 0.0"
        better = give_sample(made, 1, quality={"size": 150.0, "sharpness": 1.0}, crop=b"best")
        made.refresh_from_db()
        assert made.photo.read() == b"best"
        delete_sample(actor=user, sample=better)
        made.refresh_from_db()
        assert made.photo.read() == b"face 1 at 0.0"
    assert len(files()) == 3  # two samples and the photo
    with django_capture_on_commit_callbacks(execute=True):
        for sample in made.samples.all():
            delete_sample(actor=user, sample=sample)
    made.refresh_from_db()
    assert not made.photo
    assert files() == set()
    assert who(1) == "unknown"


def test_a_split_makes_a_new_person_of_some_samples(user: Any, make_person: MakePerson) -> None:
    made = make_person("Ada", 1, kind="staff")
    wrong = give_sample(made, 2)
    other = split_profile(actor=user, profile=made, samples=[wrong], name=" Bob ")
    assert (other.name, other.kind) == ("Bob", "staff")
    assert (who(1), who(2)) == (made.pk, other.pk)
    other.refresh_from_db()
    assert other.photo.read() == b"face 2 at 0.0"
    for samples, error in (([], InvalidError), (list(made.samples.all()), ConflictError)):
        with pytest.raises(error):
            split_profile(actor=user, profile=made, samples=samples, name="Eve")
    with pytest.raises(InvalidError):
        split_profile(actor=user, profile=made, samples=[wrong], name="Eve")  # it is not theirs
    assert Profile.objects.count() == 2


def test_merged_people_are_one_and_can_be_taken_apart(
    user: Any, make_person: MakePerson, django_capture_on_commit_callbacks: Any
) -> None:
    ada = make_person("Ada", 1, samples=2, notes="Countess")
    augusta = make_person("Augusta", 2, email="king@example.org", notes="Poetry", threshold=0.4)
    Profile.objects.filter(pk=augusta.pk).update(visit_count=1, last_visit_at=timezone.now())
    area = Area.objects.create(name="Shop")
    visit = Visit.objects.create(area=area, profile=augusta, exit=timezone.now())
    match = Match("uncertain", augusta.pk, 0.55, 0.5, ada.pk, 0.58)
    review = open_review(
        origin="camera", origin_id="1", place="Door", embedding=face_of(9), model=EMBEDDER,
        crop=b"doubt", quality={}, match=match,
    )  # fmt: skip
    note_not_person(actor=user, profile=augusta, embedding=face_of(8), model=EMBEDDER)
    before = {pk: _facts(pk) for pk in (ada.pk, augusta.pk)}
    with django_capture_on_commit_callbacks(execute=True):
        merge = merge_profiles(actor=user, target=ada, source=augusta)
    assert not Profile.objects.filter(pk=augusta.pk).exists()
    assert (who(1), who(2)) == (ada.pk, ada.pk)
    visit.refresh_from_db()
    review.refresh_from_db()
    assert visit.profile == ada
    assert review.candidate == review.runner_up == ada
    merged = Profile.objects.get(pk=ada.pk)
    assert (merged.notes, merged.email, merged.visit_count) == ("Countess", "king@example.org", 1)
    assert merged.negatives.count() == 1
    with django_capture_on_commit_callbacks(execute=True):
        back = undo_merge(actor=user, merge=merge)
    assert back.pk == augusta.pk
    assert (who(1), who(2)) == (ada.pk, augusta.pk)
    visit.refresh_from_db()
    review.refresh_from_db()
    assert (visit.profile, review.candidate) == (back, back)
    assert review.runner_up == ada
    assert {pk: _facts(pk) for pk in (ada.pk, augusta.pk)} == before
    with pytest.raises(ConflictError):
        undo_merge(actor=user, merge=merge)
    names = {name for name in files() if name.startswith("people/")}
    assert names == {profile.photo.name for profile in Profile.objects.all()}


def _facts(pk: Any) -> dict[str, Any]:
    profile = Profile.objects.get(pk=pk)
    names = ("kind", "name", "email", "preferences", "notes", "threshold", "visit_count")
    return {
        **{name: getattr(profile, name) for name in names},
        "samples": set(profile.samples.values_list("pk", flat=True)),
        "negatives": profile.negatives.count(),
        "photo": profile.photo.read(),
        "created": (profile.created_at, profile.created_by),
    }


def test_nobody_is_merged_with_themselves(user: Any, make_person: MakePerson) -> None:
    made = make_person("Ada", 1)
    with pytest.raises(InvalidError):
        merge_profiles(actor=user, target=made, source=made)
    assert who(1) == made.pk


def test_merges_of_merges_can_be_undone_in_any_order(user: Any, make_person: MakePerson) -> None:
    for order in ((0, 1), (1, 0)):
        a, b, c = (make_person(name, face) for name, face in (("A", 1), ("B", 2), ("C", 3)))
        first = merge_profiles(actor=user, target=b, source=a)
        second = merge_profiles(actor=user, target=c, source=b)
        assert (who(1), who(2), who(3)) == (c.pk, c.pk, c.pk)
        for number in order:
            undo_merge(actor=user, merge=(first, second)[number])
        assert (who(1), who(2), who(3)) == (a.pk, b.pk, c.pk), order
        Profile.objects.all().delete()
        assert not ProfileMerge.objects.exists()


@pytest.mark.parametrize(
    ("target_gave", "source_gave", "withdrew", "holds"),
    [
        (None, None, None, False),
        (5, None, None, True),
        (None, 5, None, True),
        (5, 3, None, True),
        (5, None, 3, False),  # withdrawn by the other one later
        (3, None, 5, True),  # withdrawn by the other one before
    ],
    ids=["nobody", "target", "source", "both", "withdrawn-later", "withdrawn-before"],
)
def test_of_two_agreements_the_last_word_holds(
    user: Any,
    make_person: MakePerson,
    target_gave: int | None,
    source_gave: int | None,
    withdrew: int | None,
    holds: bool,
) -> None:
    target, source = make_person("Ada", 1), make_person("Augusta", 2)
    publish_consent_text(actor=user, text="I agree.")
    now = timezone.now()
    for profile, days in ((target, target_gave), (source, source_gave)):
        if days is not None:
            record_consent(actor=user, profile=profile, given_at=now - timedelta(days=days))
    if withdrew is not None:
        record_consent(actor=user, profile=source, given_at=now - timedelta(days=9))
        withdraw_consent(actor=user, profile=source)
        ended = Consent.objects.filter(profile=source)
        ended.update(withdrawn_at=now - timedelta(days=withdrew))
    before = {pk: has_consent(pk) for pk in (target.pk, source.pk)}
    merge = merge_profiles(actor=user, target=target, source=source)
    assert has_consent(target.pk) is holds
    [match] = match_faces([face_of(2)], model=EMBEDDER, consented_only=True)
    assert (match.state == "known") is holds
    undo_merge(actor=user, merge=merge)
    assert {pk: has_consent(pk) for pk in (target.pk, source.pk)} == before


def test_who_withdraws_while_merged_has_withdrawn_for_both(
    user: Any, make_person: MakePerson
) -> None:
    target, source = make_person("Ada", 1), make_person("Augusta", 2)
    publish_consent_text(actor=user, text="I agree.")
    for profile in (target, source):
        record_consent(actor=user, profile=profile)
    merge = merge_profiles(actor=user, target=target, source=source)
    withdraw_consent(actor=user, profile=target)
    undo_merge(actor=user, merge=merge)
    assert not has_consent(target.pk)
    assert not has_consent(source.pk)


def test_what_both_have_is_kept_once(user: Any, make_person: MakePerson) -> None:
    target, source = make_person("Ada", 1), make_person("Augusta", 2)
    shop, yard = Area.objects.create(name="Shop"), Area.objects.create(name="Yard")
    for area, profile in ((shop, target), (shop, source), (yard, source)):
        Visit.objects.create(area=area, profile=profile)
    merge_profiles(actor=user, target=target, source=source)
    visits = Visit.objects.filter(profile=target).values_list("area__name", flat=True)
    assert sorted(visits) == ["Shop", "Yard"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", range(3))
def test_two_who_merge_the_same_pair_in_both_directions_do_not_hang(
    user: Any, make_person: MakePerson, number: int
) -> None:
    a, b = make_person("A", 1), make_person("B", 2)
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def merge(target: Profile, source: Profile) -> None:
        start.wait(5)
        try:
            merge_profiles(actor=user, target=target, source=source)
            outcomes.append("merged")
        except GoneError:
            outcomes.append("gone")
        finally:
            connection.close()

    threads = [threading.Thread(target=merge, args=pair) for pair in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["gone", "merged"]
    [left] = Profile.objects.all()
    assert left.samples.count() == 2


def test_old_changes_go_and_the_index_follows_all_the_same(
    user: Any, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recognition.services.gallery.KEPT_VERSIONS", 3)
    made = make_person("Ada", 1)
    assert who(1) == made.pk
    for number in range(10):
        give_sample(made, 1, distance=0.01 * number)
    assert GalleryChange.objects.count() <= 7
    assert GalleryChange.objects.filter(version=current_version()).exists()
    make_person("Bob", 2)
    assert who(2) == Profile.objects.get(name="Bob").pk
    assert FaceReview.objects.count() == 0
