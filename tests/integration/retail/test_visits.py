"""Visits: opened, extended and closed by what cameras tell, and never counted twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from recognition.models import Profile
from tests.integration.retail.conftest import NOON, Shop, make_shop
from video_analysis.models import Visitor
from video_analysis.retail.models import Visit
from video_analysis.retail.services import (
    close_visits,
    close_visits_if_due,
    note_sighting,
    recount_visits,
)
from video_analysis.services.recognising.news import tell_sighting

SHARES = {"happy": 0.75, "neutral": 0.25}


def seconds(moment: Any) -> float | None:
    """Seconds since noon."""
    return None if moment is None else (moment - NOON).total_seconds()


def count_of(profile: Profile) -> int:
    profile.refresh_from_db()
    return profile.visit_count


def test_a_first_sighting_opens_a_visit_that_begins_with_it(shop: Shop) -> None:
    tell_sighting(shop.news(begin=3, end=5))
    visit = Visit.objects.get()
    assert (visit.profile, visit.area, visit.exit) == (shop.ada, shop.area, None)
    assert (seconds(visit.entry), seconds(visit.last_seen)) == (3, 5)
    assert (visit.sightings, visit.interactions, visit.waiting_seconds) == (1, 0, None)
    assert count_of(shop.ada) == 1
    assert seconds(shop.ada.last_visit_at) == 5


def test_the_same_news_again_changes_nothing(shop: Shop) -> None:
    news = shop.news(begin=0, end=5, mood=SHARES)
    shop.area.mood = True
    shop.area.save()
    for _ in range(3):
        note_sighting(news)
    assert (Visit.objects.get().sightings, len(Visit.objects.get().mood)) == (1, 1)
    assert count_of(shop.ada) == 1


def test_more_sightings_by_more_cameras_are_one_visit(shop: Shop) -> None:
    news = shop.news(begin=0, end=5)
    note_sighting(news)
    note_sighting(replace(news, at=NOON + timedelta(seconds=15)))
    note_sighting(shop.news(begin=10, end=200, camera_id=shop.till.pk))
    note_sighting(shop.news(begin=400, end=410))
    visit = Visit.objects.get()
    assert (seconds(visit.last_seen), visit.sightings, count_of(shop.ada)) == (410, 3, 1)


@pytest.mark.parametrize(
    ("begin", "visits"), [(305, 1), (306, 2)], ids=["within the absence", "after it"]
)
def test_who_comes_back_has_left_only_after_the_absence(
    begin: float, visits: int, shop: Shop
) -> None:
    note_sighting(shop.news(begin=0, end=5))
    note_sighting(shop.news(begin=begin, end=begin + 1))
    assert Visit.objects.filter(profile=shop.ada).count() == visits == count_of(shop.ada)
    if visits == 2:
        assert seconds(Visit.objects.order_by("entry")[0].exit) == 5


def test_a_long_sighting_is_no_absence(shop: Shop) -> None:
    """Nothing was told for long, e.g. as the database was away."""
    news = shop.news(begin=0, end=5)
    note_sighting(news)
    note_sighting(replace(news, at=NOON + timedelta(seconds=1000), ended=True))
    assert seconds(Visit.objects.get().last_seen) == 1000


def test_late_news_from_before_the_visit_is_a_visit_of_its_own(shop: Shop) -> None:
    note_sighting(shop.news(begin=1000, end=1005))
    late = shop.news(begin=0, end=5)
    for _ in range(2):
        note_sighting(late)
    earlier, later = Visit.objects.order_by("entry")
    assert (seconds(earlier.entry), seconds(earlier.exit), earlier.sightings) == (0, 5, 1)
    assert (seconds(later.entry), later.exit) == (1000, None)
    assert (count_of(shop.ada), seconds(shop.ada.last_visit_at)) == (2, 1005)


@pytest.mark.parametrize(
    ("now", "news", "leaving"),
    [
        pytest.param(400, (2, 4), 5, id="nothing new"),
        pytest.param(400, (2, 200), None, id="seen since"),
        pytest.param(5000, (2, 200), 200, id="seen since, long ago"),
    ],
)
def test_late_news_of_a_closed_visit_brings_it_back_only_if_it_may_go_on(
    now: float,
    news: tuple[float, float],
    leaving: float | None,
    shop: Shop,
    clock: Callable[[float], None],
) -> None:
    note_sighting(shop.news(begin=0, end=5))
    clock(400)
    close_visits()
    clock(now)
    note_sighting(shop.news(begin=news[0], end=news[1]))
    visit = Visit.objects.get()
    assert (seconds(visit.exit), seconds(visit.last_seen)) == (leaving, max(5, news[1]))


def test_late_news_belongs_to_the_visit_of_its_time(shop: Shop, clock: Any) -> None:
    for begin in (0, 1000, 2000):
        note_sighting(shop.news(begin=begin, end=begin + 5))
    clock(2010)
    note_sighting(shop.news(begin=1008, end=1100))
    visits = Visit.objects.order_by("entry")
    times = [(seconds(visit.entry), seconds(visit.exit)) for visit in visits]
    assert times == [(0, 5), (1000, 1100), (2000, None)]
    assert [visit.sightings for visit in visits] == [1, 2, 1]


def test_a_visit_begins_with_the_first_sighting_whoever_tells_first(shop: Shop) -> None:
    note_sighting(shop.news(begin=20, end=25))
    note_sighting(shop.news(shop.sam, begin=30))
    note_sighting(shop.news(begin=10, end=12, camera_id=shop.till.pk))
    visit = Visit.objects.get(profile=shop.ada)
    assert (seconds(visit.entry), visit.sightings, visit.waiting_seconds) == (10, 2, 15)


def test_a_camera_without_an_area_has_no_visits(shop: Shop) -> None:
    assert note_sighting(shop.news(area_id=None)) is None
    assert not Visit.objects.exists()


def test_who_was_erased_meanwhile_gets_no_visit(shop: Shop) -> None:
    news = shop.news()
    shop.ada.delete()
    assert note_sighting(news) is None
    assert not Visit.objects.exists()


def test_visitors_without_a_name_have_visits_of_their_own(shop: Shop) -> None:
    one, two = (Visitor.objects.create(area=shop.area, number=number) for number in (1, 2))
    for news in (shop.news(one), shop.news(two), shop.news(one, begin=20)):
        note_sighting(news)
    assert Visit.objects.count() == 2
    assert Visit.objects.get(visitor=one).sightings == 2


# ---------------------------------------------------------------- the end
def test_a_visit_ends_when_the_person_was_seen_last(
    shop: Shop, clock: Callable[[float], None]
) -> None:
    note_sighting(shop.news(begin=0, end=5))
    clock(305)
    assert close_visits() == 0
    clock(306)
    assert close_visits() == 1
    assert seconds(Visit.objects.get().exit) == 5
    assert close_visits() == 0


def test_a_visit_that_was_closed_too_early_goes_on(
    shop: Shop, clock: Callable[[float], None]
) -> None:
    note_sighting(shop.news(begin=0, end=5))
    clock(400)
    close_visits()
    note_sighting(shop.news(begin=200, end=450))
    visit = Visit.objects.get()
    assert (visit.exit, seconds(visit.last_seen), count_of(shop.ada)) == (None, 450, 1)


def test_several_processes_look_for_absent_people_once_in_ten_seconds(
    shop: Shop, clock: Callable[[float], None]
) -> None:
    note_sighting(shop.news())
    clock(1000)
    assert [close_visits_if_due() for _ in range(2)] == [1, 0]


# ---------------------------------------------------------------- service
def test_staff_have_presence_but_no_visits_as_customers(shop: Shop) -> None:
    note_sighting(shop.news(shop.sam, begin=0, end=5))
    assert Visit.objects.filter(profile=shop.sam).count() == 1
    assert count_of(shop.sam) == 0
    assert seconds(shop.sam.last_visit_at) == 5  # as long as they are kept counts from there


@pytest.mark.parametrize("first", ["customer", "staff"])
@pytest.mark.parametrize(("apart", "served"), [(10, 1), (11, 0)])
def test_staff_and_customer_within_ten_seconds_are_an_interaction(
    first: str, apart: float, served: int, shop: Shop
) -> None:
    order = [shop.ada, shop.sam] if first == "customer" else [shop.sam, shop.ada]
    note_sighting(shop.news(order[0], begin=0, end=100))
    note_sighting(shop.news(order[1], begin=100 + apart))
    visit = Visit.objects.get(profile=shop.ada)
    assert visit.interactions == served
    assert (visit.waiting_seconds is not None) == bool(served)
    assert Visit.objects.get(profile=shop.sam).interactions == 0


def test_waiting_ends_with_the_first_interaction_and_each_minute_apart_is_another(
    shop: Shop,
) -> None:
    ada, sam = shop.news(begin=0), shop.news(shop.sam, begin=40)
    note_sighting(ada)
    for at in (40, 50, 60, 120, 130, 191):
        for news in (ada, sam):
            note_sighting(replace(news, at=NOON + timedelta(seconds=at)))
    visit = Visit.objects.get(profile=shop.ada)
    assert (visit.waiting_seconds, visit.interactions) == (40, 2)
    assert seconds(visit.last_interaction_at) == 191


def test_staff_serve_everybody_who_is_there_and_nobody_of_another_area(shop: Shop) -> None:
    other = Shop(**vars(shop))
    other.area = type(shop.area).objects.create(name="Cellar")
    note_sighting(other.news(shop.grace, begin=0, end=20))
    for who in (shop.ada, shop.grace):
        note_sighting(shop.news(who, begin=0, end=20))
    note_sighting(shop.news(shop.sam, begin=21))
    counts = Visit.objects.values_list("area__name", "profile__name", "interactions")
    assert set(counts) == {
        ("Cellar", "Grace", 0),
        ("Shop", "Ada", 1),
        ("Shop", "Grace", 1),
        ("Shop", "Sam", 0),
    }


# ---------------------------------------------------------------- moods
@pytest.mark.parametrize(
    ("who", "mood", "kept"), [("ada", True, 2), ("ada", False, 0), ("sam", True, 0)]
)
def test_moods_are_kept_of_customers_and_only_where_that_is_on(
    who: str, mood: bool, kept: int, shop: Shop
) -> None:
    shop.area.mood = mood
    shop.area.save()
    news = shop.news(getattr(shop, who), mood=SHARES)
    for at in (0, 10, 20, 30, 40):
        note_sighting(replace(news, at=NOON + timedelta(seconds=at)))
    assert [point["shares"] for point in Visit.objects.get().mood] == [SHARES] * kept


def test_a_day_long_visit_keeps_a_bounded_number_of_moods(shop: Shop) -> None:
    shop.area.mood = True
    shop.area.save()
    news = shop.news(mood=SHARES)
    for minute in range(300):
        note_sighting(replace(news, at=NOON + timedelta(minutes=minute)))
    points = Visit.objects.get().mood
    assert 100 <= len(points) <= 240
    assert points[0]["at"] == NOON.isoformat()


# ---------------------------------------------------------------- who they are
def test_who_becomes_staff_has_no_visits_as_a_customer_any_more(shop: Shop) -> None:
    note_sighting(shop.news())
    for kind, count in (("staff", 0), ("customer", 1)):
        shop.ada.kind = kind
        shop.ada.save(update_fields=["kind"])
        assert count_of(shop.ada) == count


def test_nobody_is_counted_without_visits(shop: Shop) -> None:
    recount_visits([])
    recount_visits([shop.ada.pk])
    assert count_of(shop.ada) == 0


# ---------------------------------------------------------------- at once
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_runners_that_see_somebody_at_once_open_one_visit() -> None:
    shop = make_shop()
    visitor = Visitor.objects.create(area=shop.area, number=1)
    told = [shop.news(who, begin=number) for number in range(4) for who in (shop.ada, visitor)]
    told += [shop.news(shop.sam, begin=number) for number in range(4)]
    together = threading.Barrier(len(told))
    failures: list[BaseException] = []

    def tell(news: Any) -> None:
        try:
            together.wait(10)
            note_sighting(news)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=tell, args=(news,)) for news in told]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures
    assert Visit.objects.count() == 3
    assert Visit.objects.get(profile=shop.ada).sightings == 4
    assert count_of(shop.ada) == 1
