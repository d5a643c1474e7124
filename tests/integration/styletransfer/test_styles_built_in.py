"""Styles that come with Sightline: installed once, named by the release, with pictures."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from styletransfer.errors import StyleError
from styletransfer.models import Restyling, Style
from styletransfer.selectors import style_examples
from styletransfer.services import built_in, pictures
from styletransfer.services.built_in import BuiltIn, built_in_styles, install_styles
from styletransfer.services.pictures import style_image, style_jpeg
from tests.integration.styletransfer.makers import (
    decode,
    give_result,
    picture,
    restyle,
)
from vision.style.patterns import PATTERNS
from vision.weights.style_cards import STYLE_CARDS

pytestmark = pytest.mark.django_db


def facts() -> list[tuple[Any, ...]]:
    rows = Style.objects.exclude(key="").order_by("key")
    return list(rows.values_list("pk", "key", "name", "description", "network", "use_count"))


def test_what_comes_along_is_installed_once(user: Any) -> None:
    before = facts()
    assert {row[1] for row in before} == {*PATTERNS, *(f"fast:{name}" for name in STYLE_CARDS)}
    install_styles()
    assert facts() == before


def test_names_follow_the_release_and_uses_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    before = facts()
    Style.objects.filter(key="fast:candy").update(name="Sweets", use_count=5)
    Style.objects.filter(key="fast:udnie").delete()
    more = [*built_in_styles(), BuiltIn("fast:new", "New", "Newer.", "new")]
    monkeypatch.setattr(built_in, "built_in_styles", lambda: more)
    install_styles()
    after = {row[1]: row for row in facts()}
    assert len(after) == len(before) + 1
    for pk, key, *texts, count in before:
        assert after[key][2:5] == tuple(texts)
        assert (after[key][0] == pk) == (key != "fast:udnie")
        assert after[key][5] == (5 if key == "fast:candy" else count)
    assert after["fast:new"][2:] == ("New", "Newer.", "new", 0)


def test_a_database_without_the_table_gets_no_styles() -> None:
    class Empty:
        def get_model(self, *names: str) -> Any:
            raise LookupError(names)

    before = facts()
    install_styles(apps=Empty())  # type: ignore[arg-type]
    assert facts() == before


@pytest.mark.parametrize("key", ["pattern", "fast"])
def test_what_comes_along_has_pictures(
    key: str, user: Any, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MODELS_DIR = tmp_path
    if key == "pattern":
        style = Style.objects.get(key=next(iter(PATTERNS)))
        assert style_image(style).shape == (768, 768, 3)
    else:
        style = Style.objects.get(key="fast:candy")
        assert style_jpeg(style, small=False) is None
        with pytest.raises(StyleError, match="is not there"):
            style_image(style)
        (tmp_path / "styles").mkdir()
        (tmp_path / "styles" / "candy.jpg").write_bytes(picture(1024, 768))
    whole, small = (style_jpeg(style, small=small) for small in (False, True))
    assert whole is not None
    assert small is not None
    assert len(small) < len(whole)
    assert max(decode(small).shape) < max(decode(whole).shape)


def test_the_example_of_a_network_is_an_extra(
    settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """Where it cannot be kept, what somebody has asked for is not lost."""
    settings.MODELS_DIR = tmp_path / "file"
    (tmp_path / "file").write_text("no folder")
    example = tmp_path / "example.jpg"
    example.write_bytes(picture())
    painted = type("Painted", (), {"jpeg": picture()})
    monkeypatch.setattr("common.inference.paint_fast", lambda *args, **options: painted)
    monkeypatch.setattr(pictures, "find_example", lambda: example)
    pictures.show_network("candy")
    assert "could not be painted" in caplog.text
    settings.MODELS_DIR = tmp_path
    pictures.show_network("candy")
    assert [path.name for path in (tmp_path / "styles").iterdir()] == ["candy.jpg"]


def test_uses_are_counted_and_examples_shown_to_who_may_see_them(
    user: Any, other_user: Any, own_style: Style, team: Group
) -> None:
    first, _ = (restyle(user, own_style) for _ in range(2))
    own_style.refresh_from_db()
    assert own_style.use_count == 2
    assert not style_examples(user, own_style).exists()
    give_result(first)
    assert list(style_examples(user, own_style)) == [first]
    assert not style_examples(other_user, own_style).exists()
    Restyling.objects.filter(pk=first.pk).update(shared_with=team)
    assert list(style_examples(other_user, own_style)) == [first]
