"""Visits of people who turn out to be one, or two after all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recognition.services.profiles import merge_profiles, undo_merge
from tests.integration.retail.conftest import NOON, Shop, make_shop
from video_analysis.retail.models import Visit
from video_analysis.retail.services import close_visits, note_sighting, recount_visits
from video_analysis.retail.services.merging import join_visits


def visit(shop: Shop, who: Any, begin: float, end: float | None, **values: Any) -> Visit:
    last = NOON + timedelta(seconds=begin + 10 if end is None else end)
    made = Visit.objects.create(
        area=shop.area,
        profile=who,
        entry=NOON + timedelta(seconds=begin),
        last_seen=last,
        exit=None if end is None else last,
        sightings=1,
        **values,
    )
    recount_visits([who.pk])
    return made


CASES = [
    ("apart", [(0, 10)], [(20, 30)], 2),
    ("overlapping", [(0, 20)], [(10, 30)], 1),
    ("one in the other", [(0, 100)], [(10, 30), (40, 50)], 1),
    ("both open", [(0, None)], [(500, None)], 1),
    ("one open, the other long over", [(500, None)], [(0, 30)], 2),
    ("none", [], [], 0),
]


@pytest.mark.parametrize(
    ("ada", "grace", "left"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_visits_at_the_same_time_become_one(
    ada: list[Any], grace: list[Any], left: int, shop: Shop, user: Any
) -> None:
    for who, times in ((shop.ada, ada), (shop.grace, grace)):
        for begin, end in times:
            visit(shop, who, begin, end)
    shop.ada.refresh_from_db()
    shop.grace.refresh_from_db()
    merge_profiles(actor=user, target=shop.ada, source=shop.grace)
    shop.ada.refresh_from_db()
    assert Visit.objects.filter(profile=shop.ada).count() == left == shop.ada.visit_count


def test_visits_are_held_in_the_order_of_all_who_hold_several(shop: Shop) -> None:
    """Or a merge and somebody of the staff who serves would wait for each other."""
    visit(shop, shop.ada, 20, 40)
    visit(shop, shop.grace, 0, 10)
    with CaptureQueriesContext(connection) as queries:
        join_visits(shop.ada.pk, shop.grace.pk)
    (held,) = [one["sql"] for one in queries if "ORDER BY" in one["sql"]]
    assert held.split("ORDER BY")[1].split()[0] == f'"{Visit._meta.db_table}"."id"'


def test_the_joined_visit_has_what_both_had(shop: Shop, user: Any) -> None:
    visit(shop, shop.ada, 0, 20, interactions=1)
    visit(shop, shop.grace, 10, None, waiting_seconds=30, interactions=2)
    merge_profiles(actor=user, target=shop.ada, source=shop.grace)
    joined = Visit.objects.get()
    assert (joined.entry, joined.exit) == (NOON, None)
    assert (joined.waiting_seconds, joined.interactions, joined.sightings) == (40, 2, 2)


@pytest.mark.django_db(transaction=True)
def test_who_is_taken_out_again_has_their_visits_back(user: Any) -> None:

    shop = make_shop()
    note_sighting(shop.news(shop.ada, begin=0))
    close_visits()
    note_sighting(shop.news(shop.grace, begin=5000))
    merge = merge_profiles(actor=user, target=shop.ada, source=shop.grace)
    back = undo_merge(actor=user, merge=merge)
    shop.ada.refresh_from_db()
    back.refresh_from_db()
    assert [shop.ada.visit_count, back.visit_count] == [1, 1]
    assert Visit.objects.get(profile=back).entry == NOON + timedelta(seconds=5000)
