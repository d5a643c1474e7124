"""Who sees, finds and changes which styles."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied
from django.http import Http404

from common.models import AuditEntry
from common.permissions import VERBS, can
from styletransfer.errors import InvalidError, StyleError
from styletransfer.models import Style
from styletransfer.selectors import find_style, get_style, list_styles
from styletransfer.services.built_in import built_in_styles
from styletransfer.services.styles import share_style
from tests.integration.conftest import make_user
from tests.integration.styletransfer.makers import (
    add,
)
from vision.style.patterns import PATTERNS
from vision.weights.style_cards import STYLE_CARDS

pytestmark = pytest.mark.django_db


# Who sees and changes them

NONE: set[str] = set()
ALL, LOOK = set(VERBS), {"view"}
# Of a style that is for whom: what each may do.
ALLOWED: dict[str, dict[str, set[str]]] = {
    "": {"owner": ALL, "member": NONE, "stranger": NONE, "chief": NONE},
    "team": {"owner": ALL, "member": LOOK, "stranger": NONE, "chief": NONE},
    "everybody": {"owner": ALL, "member": LOOK, "stranger": LOOK, "chief": {"view", "delete"}},
    "built-in": {"owner": LOOK, "member": LOOK, "stranger": LOOK, "chief": LOOK},
}


@pytest.mark.parametrize("audience", ALLOWED)
def test_who_may_do_what(
    audience: str, user: Any, other_user: Any, chief: Any, team: Group, own_style: Style
) -> None:
    style = own_style
    if audience == "built-in":
        style = Style.objects.get(key=next(iter(PATTERNS)))
    elif audience:
        text = str(team.pk) if audience == "team" else audience
        share_style(style=style, user=user, audience=text)
    stranger, viewer = make_user("zoe"), make_user("eve", "viewer")
    team.user_set.add(viewer)
    people = {"owner": user, "member": other_user, "stranger": stranger, "chief": chief}
    style = Style.objects.get(pk=style.pk)
    for who, person in people.items():
        allowed = {verb for verb in VERBS if can(person, verb, style)}
        assert allowed == ALLOWED[audience][who], who
        assert (style in list_styles(person)) == ("view" in allowed), who
        for verb in VERBS:
            if verb in allowed:
                assert get_style(person, style.pk, verb) == style
                continue
            with pytest.raises(PermissionDenied if "view" in allowed else Http404):
                get_style(person, style.pk, verb)
    assert can(viewer, "view", style) == (audience != "")
    off = make_user("off")
    off.is_active = False
    for nobody in (AnonymousUser(), off):
        assert not any(can(nobody, verb, style) for verb in VERBS)
        assert not list_styles(nobody).exists()


def test_sharing_goes_to_a_group_to_everybody_and_back(
    user: Any, own_style: Style, team: Group
) -> None:
    for audience, group, is_public in (
        (str(team.pk), team, False),
        ("everybody", None, True),
        (str(team.pk), team, False),
        ("", None, False),
        ("", None, False),
    ):
        shared = share_style(style=own_style, user=user, audience=audience)
        own_style.refresh_from_db()
        assert (own_style.shared_with, own_style.is_public) == (group, is_public)
        assert (shared.shared_with, shared.is_public) == (group, is_public)
    lines = AuditEntry.objects.filter(action=AuditEntry.Action.SHARED).order_by("pk")
    assert [(line.details["before"], line.details["group"]) for line in lines] == [
        (None, "Studio"),
        ("Studio", "everybody"),
        ("everybody", "Studio"),
        ("Studio", None),
    ]


@pytest.mark.parametrize(
    "audience", ["other", "0", "-1", "all", "\u0661", "9" * 12, "Studio", "1.0"]
)
def test_a_style_is_shared_with_no_group_of_others(
    user: Any, own_style: Style, audience: str
) -> None:
    other = Group.objects.create(name="Others")
    wished = str(other.pk) if audience == "other" else audience
    with pytest.raises(InvalidError) as error:
        share_style(style=own_style, user=user, audience=wished)
    assert error.value.code == "unknown_group"
    own_style.refresh_from_db()
    assert (own_style.shared_with, own_style.is_public) == (None, False)


@pytest.mark.parametrize("who", ["other_user", "chief"])
def test_only_the_owner_shares(who: str, own_style: Style, request: Any) -> None:
    with pytest.raises(StyleError, match="deleted"):
        share_style(style=own_style, user=request.getfixturevalue(who), audience="everybody")
    own_style.refresh_from_db()
    assert not own_style.is_public


def test_a_group_that_goes_takes_nothing_with_it(
    user: Any, other_user: Any, own_style: Style, team: Group
) -> None:
    share_style(style=own_style, user=user, audience=str(team.pk))
    team.delete()
    own_style.refresh_from_db()
    assert own_style.shared_with is None
    assert own_style not in list_styles(other_user)


# Lists


def test_lists_are_filtered_and_ordered(user: Any, other_user: Any) -> None:
    wave = add(user, name="Zebra wave", description="of the sea")
    rain = add(other_user, name="Aardvark rain")
    share_style(style=rain, user=other_user, audience="everybody")
    add(other_user, name="hidden wave")
    Style.objects.filter(pk=rain.pk).update(use_count=7)
    assert list(list_styles(user, only="mine")) == [wave]
    assert list(list_styles(user, only="shared")) == [rain]
    assert {style.network for style in list_styles(user, only="fast")} == set(STYLE_CARDS)
    assert list(list_styles(user, query="WAVE sea")) == [wave]
    assert not list_styles(user, query="wave rain").exists()
    assert list_styles(user).first() == rain
    assert list_styles(user, order="newest")[0] == rain
    names = [style.name for style in list_styles(user, order="name")]
    assert (names[0], names[-1]) == ("Aardvark rain", "Zebra wave")
    assert len(names) == len(built_in_styles()) + 2


def test_a_style_is_named_by_id_key_or_name(user: Any, other_user: Any, own_style: Style) -> None:
    assert find_style(user, str(own_style.pk)) == own_style
    assert find_style(user, f" {own_style.pk.hex} ") == own_style
    assert find_style(user, "NIGHT SKY") == own_style
    for built in built_in_styles():
        assert find_style(user, built.key).key == built.key
    for text in ("", "none", "\0", "x" * 5000, own_style.pk.hex[:-1], "%", "fast:"):
        with pytest.raises(InvalidError) as error:
            find_style(user, text)
        assert error.value.code == "unknown_style"
    for text in (str(own_style.pk), "night sky"):
        with pytest.raises(InvalidError):
            find_style(other_user, text)


def test_of_several_of_one_name_it_is_ones_own(user: Any, other_user: Any) -> None:
    key = next(iter(PATTERNS))
    for name in ("Sky", key):
        popular = add(other_user, name=name)
        share_style(style=popular, user=other_user, audience="everybody")
        Style.objects.filter(pk=popular.pk).update(use_count=99)
    assert find_style(user, "sky").owner == other_user
    mine = add(user, name="sky")
    assert find_style(user, "Sky") == mine
    # Nobody takes the place of what comes with Sightline by calling something so.
    assert find_style(user, key).key == key
