"""The admin finds videos and shows them; it changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from detector.models import DetectionSession
from video_analysis.models import VideoAnalysis

pytestmark = pytest.mark.django_db

LIST = "/admin/video_analysis/videoanalysis/"


@pytest.fixture
def boss(client: Client, django_user_model: Any) -> Client:
    client.force_login(django_user_model.objects.create_superuser("root", password="x"))
    return client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, True),
        ({"q": "street"}, True),
        ({"q": "ada"}, True),
        ({"q": "nobody"}, False),
        ({"motion__exact": "1"}, True),
        ({"session__job__state__exact": "failed"}, False),
        ({"tracker": "sort"}, False),
        ({"o": "1.2.-3.5.7.8"}, True),
    ],
)
def test_videos_are_found(
    boss: Client, video_session: DetectionSession, query: dict[str, str], found: bool
) -> None:
    answer = boss.get(LIST, query)
    assert answer.status_code == 200
    assert len(answer.context["cl"].result_list) == int(found)


def test_a_video_is_found_by_its_id_and_looked_at(
    boss: Client, video_session: DetectionSession
) -> None:
    answer = boss.get(LIST, {"q": str(video_session.pk)})
    assert len(answer.context["cl"].result_list) == 1
    page = boss.get(f"{LIST}{video_session.pk}/change/")
    assert page.status_code == 200
    assert "bytetrack" in page.content.decode()


def test_nothing_is_added_changed_or_deleted(boss: Client, video_session: DetectionSession) -> None:
    assert boss.get(f"{LIST}add/").status_code == 403
    assert boss.post(f"{LIST}{video_session.pk}/change/", {"tracker": "sort"}).status_code == 403
    assert boss.post(f"{LIST}{video_session.pk}/delete/", {"post": "yes"}).status_code == 403
    assert VideoAnalysis.objects.get().tracker == "bytetrack"


def test_a_session_is_deleted_with_its_video(boss: Client, video_session: DetectionSession) -> None:
    path = f"/admin/detector/detectionsession/{video_session.pk}/delete/"
    assert boss.get(path).status_code == 200
    assert boss.post(path, {"post": "yes"}).status_code == 302
    assert not VideoAnalysis.objects.exists()


def test_a_person_is_deleted_with_their_videos(
    boss: Client, video_session: DetectionSession, user: Any
) -> None:
    path = f"/admin/auth/user/{user.pk}/delete/"
    assert boss.get(path).status_code == 200
    assert boss.post(path, {"post": "yes"}).status_code == 302
    assert not get_user_model().objects.filter(pk=user.pk).exists()
    assert not VideoAnalysis.objects.exists()


def test_the_list_asks_for_all_videos_at_once(
    boss: Client, make_video_session: Any, django_assert_num_queries: Any
) -> None:
    make_video_session()
    boss.get(LIST)
    with CaptureQueriesContext(connection) as one:
        boss.get(LIST)
    make_video_session()
    with django_assert_num_queries(len(one)):
        boss.get(LIST)
