"""Who may see what."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.http import Http404

from common.models import Job
from common.permissions import OwnerRule, can, get_visible_or_404, register_rule, visible


@pytest.fixture
def job(user: Any) -> Job:
    return Job.objects.create(kind="test", owner=user)


@pytest.mark.parametrize("verb", ["view", "change", "delete"])
def test_only_the_owner_may(user: Any, other_user: Any, job: Job, verb: Any) -> None:
    assert can(user, verb, job)
    assert not can(other_user, verb, job)
    assert not can(AnonymousUser(), verb, job)


def test_a_superuser_is_nobody_special(job: Job, django_user_model: Any) -> None:
    root = django_user_model.objects.create_superuser("root", password="x")
    assert not can(root, "view", job)
    assert not visible(root, Job.objects.all()).exists()


def test_a_disabled_owner_may_nothing(user: Any, job: Job) -> None:
    user.is_active = False
    assert not can(user, "view", job)
    assert not visible(user, Job.objects.all()).exists()


def test_lists_hold_what_may_be_viewed(user: Any, other_user: Any, job: Job) -> None:
    assert list(visible(user, Job.objects.all())) == [job]
    assert not visible(other_user, Job.objects.all()).exists()
    assert not visible(AnonymousUser(), Job.objects.all()).exists()


def test_what_is_somebody_elses_does_not_exist(user: Any, other_user: Any, job: Job) -> None:
    assert get_visible_or_404(user, Job.objects.all(), pk=job.pk) == job
    with pytest.raises(Http404):
        get_visible_or_404(other_user, Job.objects.all(), pk=job.pk)


def test_a_model_without_a_rule_is_a_mistake_not_an_open_door(user: Any) -> None:
    with pytest.raises(LookupError):
        can(user, "view", Group())
    with pytest.raises(LookupError):
        visible(user, Group.objects.all())


def test_a_model_has_one_rule() -> None:
    with pytest.raises(ValueError, match="has a permission rule"):
        register_rule(Job, OwnerRule())


def test_an_owner_may_be_some_steps_away(user: Any, other_user: Any, job: Job) -> None:
    class Step:
        def __init__(self, parent: Any) -> None:
            self.parent = parent

    rule = OwnerRule("parent__owner")
    assert rule.allows(user, "view", Step(job))
    assert not rule.allows(other_user, "view", Step(job))
