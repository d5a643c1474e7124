"""What people agree to, and who does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from common.audit.models import AuditEntry
from recognition.errors import ConflictError, InvalidError
from recognition.models import Consent, ConsentText, Profile
from recognition.services.consent import (
    current_text,
    has_consent,
    publish_consent_text,
    record_consent,
    withdraw_consent,
)
from recognition.services.profiles import create_profile

pytestmark = pytest.mark.django_db

MakePerson = Callable[..., Profile]


def test_each_text_is_a_version_and_the_same_again_is_none(user: Any) -> None:
    assert current_text() is None
    first = publish_consent_text(actor=user, text=" I agree.\r\nReally. ")
    again = publish_consent_text(actor=user, text="I agree.\nReally.")
    second = publish_consent_text(actor=user, text="I agree to more.")
    assert (first.version, again.pk, second.version) == (1, first.pk, 2)
    assert first.text == "I agree.\nReally."
    assert current_text() == second
    assert AuditEntry.objects.filter(details__change="consent text published").count() == 2


@pytest.mark.parametrize("text", ["", " \n\x00 ", "x" * 20_001], ids=["empty", "blank", "long"])
def test_a_text_that_is_none_is_refused(user: Any, text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        publish_consent_text(actor=user, text=text)
    assert set(caught.value.fields) == {"text"}
    assert not ConsentText.objects.exists()


def test_without_a_text_nobody_can_agree(user: Any) -> None:
    made = create_profile(actor=user, kind="customer", name="Ada")
    with pytest.raises(ConflictError) as caught:
        record_consent(actor=user, profile=made)
    assert (caught.value.status, caught.value.code) == (409, "no_consent_text")
    assert withdraw_consent(actor=user, profile=made) is None


def test_an_agreement_says_who_when_and_to_what(user: Any) -> None:
    made = create_profile(actor=user, kind="customer", name="Ada")
    publish_consent_text(actor=user, text="I agree.")
    moment = timezone.now() - timedelta(days=3)
    given = record_consent(actor=user, profile=made, given_at=moment)
    assert (given.given_at, given.recorded_by, given.recorded_by_name) == (moment, user, "ada")
    assert given.text.version == 1
    assert has_consent(made.pk)
    assert record_consent(actor=user, profile=made) == given  # there is nothing new to agree to
    with pytest.raises(InvalidError) as caught:
        record_consent(actor=user, profile=made, given_at=timezone.now() + timedelta(hours=1))
    assert set(caught.value.fields) == {"given_at"}


def test_a_new_text_takes_the_place_of_the_old_one(user: Any) -> None:
    made = create_profile(actor=user, kind="customer", name="Ada")
    publish_consent_text(actor=user, text="I agree.")
    old = record_consent(actor=user, profile=made)
    publish_consent_text(actor=user, text="I agree to more.")
    assert has_consent(made.pk)  # to the old one
    new = record_consent(actor=user, profile=made)
    old.refresh_from_db()
    assert old.withdrawn_at is not None
    assert (new.text.version, new.withdrawn_at) == (2, None)
    assert Consent.objects.count() == 2


def test_who_withdraws_can_agree_again(user: Any) -> None:
    made = create_profile(actor=user, kind="customer", name="Ada")
    publish_consent_text(actor=user, text="I agree.")
    record_consent(actor=user, profile=made)
    ended = withdraw_consent(actor=user, profile=made)
    assert ended is not None
    assert ended.withdrawn_at is not None
    assert ended.withdrawn_by_name == "ada"
    assert not has_consent(made.pk)
    assert withdraw_consent(actor=user, profile=made) is None
    record_consent(actor=user, profile=made)
    assert has_consent(made.pk)
    told = AuditEntry.objects.filter(object_id=str(made.pk)).order_by("id")
    changes = [entry.details.get("change") for entry in told]
    assert changes == ["created", "consent given", "consent withdrawn", "consent given"]


@pytest.mark.parametrize("days", [0, 1, 400], ids=["then", "before", "long before"])
def test_an_agreement_from_before_it_was_withdrawn_does_not_count(user: Any, days: int) -> None:
    made = create_profile(actor=user, kind="customer", name="Ada")
    publish_consent_text(actor=user, text="I agree.")
    record_consent(actor=user, profile=made, given_at=timezone.now() - timedelta(days=500))
    ended = withdraw_consent(actor=user, profile=made)
    assert ended is not None
    assert ended.withdrawn_at is not None
    given_at = ended.withdrawn_at - timedelta(days=days)
    with pytest.raises(InvalidError) as caught:
        record_consent(actor=user, profile=made, given_at=given_at)
    assert set(caught.value.fields) == {"given_at"}
    assert not has_consent(made.pk)
    record_consent(actor=user, profile=made, given_at=timezone.now())
    assert has_consent(made.pk)


def test_an_agreement_to_a_newer_text_may_be_of_the_same_day(user: Any) -> None:
    made = create_profile(actor=user, kind="customer", name="Ada")
    moment = timezone.now() - timedelta(days=3)
    for text in ("One.", "Two.", "Three."):
        publish_consent_text(actor=user, text=text)
        record_consent(actor=user, profile=made, given_at=moment)
    assert Consent.objects.get(withdrawn_at=None).text.version == 3


@pytest.mark.django_db(transaction=True)
def test_two_who_write_down_the_same_agreement_write_it_once(user: Any) -> None:
    made = create_profile(actor=user, kind="customer", name="Ada")
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            start.wait(5)
            publish_consent_text(actor=user, text=f"Version {number % 2}")
            record_consent(actor=user, profile=made)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures
    assert Consent.objects.filter(withdrawn_at=None).count() == 1
    versions = sorted(ConsentText.objects.values_list("version", flat=True))
    assert versions == list(range(1, len(versions) + 1))
