"""Every row about a person has somebody who erases, counts and exports it."""

from __future__ import annotations

import uuid

import pytest
from django.apps import apps
from django.db import models

from common.people import PersonData, all_person_data, register_person_data
from common.people import registry as registry_module
from common.storage.orphans import FOLDERS
from common.storage.registry import all_kept_files
from recognition.models import Profile
from recognition.services.checking import BY_ID_ONLY, person_keys
from video_analysis.models import Visitor


def models_about_people() -> list[str]:
    """Models with a key to a person or a visitor, or with the id of a person."""
    found = set()
    for model in apps.get_models():
        for field in model._meta.get_fields(include_hidden=True):
            points = isinstance(field, models.ForeignKey | models.ManyToManyField)
            if points and field.related_model in (Profile, Visitor):
                found.add(model._meta.label_lower)
            if getattr(field, "name", "") in ("profile_id", "visitor_id", "person_id"):
                found.add(model._meta.label_lower)
    return sorted(found)


@pytest.mark.parametrize("label", models_about_people())
def test_every_model_about_people_has_a_handler(label: str) -> None:
    handled = {model for data in all_person_data() for model in data.models}
    assert label in handled, (
        f"{label} points at people: register a common.people.PersonData that erases, counts and "
        "exports it, and name it in its models"
    )


def test_the_models_that_handlers_name_exist() -> None:
    for data in all_person_data():
        assert data.models
        for label in data.models:
            apps.get_model(label)


@pytest.mark.parametrize("label", ["recognition.profile", *models_about_people()])
def test_models_with_faces_or_keys_are_looked_at_afterwards(label: str) -> None:
    looked_at = {model._meta.label_lower for model, _ in person_keys()}
    excused = {model._meta.label_lower for model in BY_ID_ONLY}
    only_visitors = {"video_analysis.visitorface"}
    assert label in looked_at | excused | only_visitors


def test_the_profile_goes_last_and_after_everything_that_needs_it() -> None:
    order = [data.name for data in all_person_data()]
    assert order[-1] == "profiles"
    for earlier in ("pictures of events", "files of videos", "faces of visitors", "reviews"):
        assert order.index(earlier) < order.index("samples")
    assert order.index("pictures of events") < order.index("sightings")


def test_the_same_name_again_replaces_a_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "_registered", {})
    for count in (1, 2):
        register_person_data(
            PersonData(
                name="things",
                models=("recognition.profile",),
                erase=lambda person, count=count: {"things": count},
                remaining=lambda person: {},
                export=lambda person, writer: None,
            )
        )
    [data] = all_person_data()
    assert data.erase(uuid.uuid4()) == {"things": 2}
    assert (list(data.files(uuid.uuid4())), list(data.uploads(uuid.uuid4()))) == ([], [])


def test_every_folder_with_pictures_of_people_is_backed_up_and_swept() -> None:
    kept = {one.folder: one for one in all_kept_files()}
    for folder in ("people", "faces", "reviews"):
        assert kept[folder].swept
        assert folder not in FOLDERS


@pytest.mark.django_db
def test_nobody_has_nothing() -> None:
    nobody = uuid.uuid4()
    for data in all_person_data():
        assert not any(data.remaining(nobody).values())
        assert not any(data.erase(nobody).values())
        assert list(data.files(nobody)) == []
