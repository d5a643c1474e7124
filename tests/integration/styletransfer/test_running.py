"""The work on a painting: what comes of it, and what open pages are told meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from common.models import Job
from common.previews import Preview
from common.storage.work import work_root
from styletransfer.models import Restyling, Style
from styletransfer.services import progress
from styletransfer.services.stored import preview_of
from tests.integration.styletransfer.makers import (
    Hook,
    again,
    bytes_of,
    decode,
    distance,
    media,
    picture,
    pixels_of,
    restyle,
    run_job,
)
from tests.integration.styletransfer.painters import FakePainter
from vision.style.patterns import PATTERNS

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("silent", "lightly"),
]
State = Job.State
News = list[tuple[str, dict[str, Any]]]
STYLE = {"styles": 1, "style-thumbnails": 1}
BEFORE = {"uploads": 1, "thumbnails": 1, **STYLE}
PAINTED = {**BEFORE, "derived": 2}


# Slow, for real


@pytest.mark.slow
def test_a_picture_is_painted_step_by_step(user: Any, own_style: Style) -> None:
    made = run_job(restyle(user, own_style, steps=20))
    assert (made.status, made.job.error_message, made.job.progress) == ("done", "", 1.0)
    assert pixels_of(made).shape == (48, 64, 3)
    assert (made.width, made.height, made.steps_made) == (64, 48, 20)
    assert (made.model, made.device) == ("random-vgg19", "cpu")
    assert made.seconds > 0
    assert made.finished_at is not None
    assert [step for step, _ in made.losses] == list(range(1, 21))
    losses = [loss for _, loss in made.losses]
    assert losses[-1] < 0.7 * losses[0]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    before = decode(picture(64, 48))
    assert distance(pixels_of(made), before) > 3
    assert media() == PAINTED
    assert list(work_root().iterdir()) == []
    assert made.thumbnail is not None
    with made.thumbnail.file.open("rb") as file:
        assert decode(file.read()).shape[1] <= 512


@pytest.mark.slow
def test_the_same_seed_paints_the_same_picture_and_another_one_does_not(
    user: Any, own_style: Style
) -> None:
    one, same, other = (
        run_job(restyle(user, own_style, start="noise", seed=seed)) for seed in (5, 5, 6)
    )
    assert bytes_of(one) == bytes_of(same)
    assert one.losses == same.losses
    assert distance(pixels_of(one), pixels_of(other)) > 1


@pytest.mark.slow
@pytest.mark.parametrize("weight", [1e-3, 1e6])
def test_the_extremes_of_weights_are_painted(user: Any, own_style: Style, weight: float) -> None:
    made = run_job(restyle(user, own_style, style_weight=weight))
    assert (made.status, made.job.error_message) == ("done", "")
    assert all(np.isfinite(loss) for _, loss in made.losses)


@pytest.mark.slow
def test_a_pattern_that_comes_along_is_painted_like(user: Any) -> None:
    style = Style.objects.get(key=next(iter(PATTERNS)))
    made = run_job(restyle(user, style, keep_colours=True))
    assert (made.status, made.style_name) == ("done", style.name)
    assert media() == {"uploads": 1, "thumbnails": 1, "derived": 2}


def test_options_reach_the_painter(
    user: Any, own_style: Style, quick: list[FakePainter], settings: Any
) -> None:
    wishes = {"size": 80, "steps": 7, "style_weight": 2.5, "keep_colours": True, "seed": 9}
    made = run_job(restyle(user, own_style, **wishes, start="noise"))
    options = quick[0].options
    assert {name: getattr(options, name) for name in wishes} == wishes
    assert options.start == "noise"
    assert pixels_of(made).shape == (60, 80, 3)


def test_losses_that_are_no_numbers_are_left_out(
    waiting: Restyling, quick: list[FakePainter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither JSON nor a page could read them."""
    see = progress.StepWatcher.see
    monkeypatch.setattr(
        progress.StepWatcher,
        "see",
        lambda self, told: see(
            self, replace(told, loss=float("nan") if told.step % 2 else told.loss)
        ),
    )
    made = run_job(waiting)
    assert (made.status, made.steps_made) == ("done", 10)
    assert [step for step, _ in made.losses] == [2, 4, 6, 8, 10]


def test_a_long_curve_is_thinned_out() -> None:
    losses = [[float(step), 1.0 / step] for step in range(1, 2001)]
    kept = progress.curve(losses)
    assert (len(kept), kept[0], kept[-1]) == (200, losses[0], losses[-1])
    assert progress.curve(losses[:200]) == losses[:200]
    assert progress.curve([]) == []


# What pages are told


def test_steps_losses_and_previews_are_told(
    waiting: Restyling,
    quick: list[FakePainter],
    news: News,
    team: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Restyling.objects.filter(pk=waiting.pk).update(shared_with=team)
    for name in ("TELL_SECONDS", "SHOW_SECONDS", "NOTE_SECONDS"):
        monkeypatch.setattr(progress, name, 0.0)
    shown: list[Preview] = []
    monkeypatch.setattr(progress, "write_preview", lambda name, preview: shown.append(preview))
    run_job(waiting)
    owner, groups = news[0][0], {group for group, _ in news}
    assert len(groups) == 2
    own = [message for group, message in news if group == owner]
    states = [one["status"] for one in own if one["type"] == "restyling"]
    assert (states[0], states[-1]) == ("running", "done")
    steps = [one for one in own if one["type"] == "restyling.step"]
    assert [one["step"] for one in steps] == list(range(1, 11))
    assert [one["preview"] for one in steps] == list(range(1, 11))
    told = [pair for one in steps for pair in one["losses"]]
    assert told == [[step, round(10.0 / step, 6)] for step in range(1, 11)]
    assert all(one["seconds_left"] >= 0 for one in steps)
    assert steps[-1]["seconds_left"] == 0
    assert {one["id"] for one in own} == {str(waiting.pk)}
    assert [preview.number for preview in shown] == list(range(1, 11))
    assert decode(shown[-1].jpeg).shape == (48, 64, 3)
    theirs = [message for group, message in news if group != owner]
    assert {message["but"] for message in theirs} == {waiting.owner_id}
    assert [{**one, "but": 0} for one in theirs] == [{**one, "but": 0} for one in own]


def test_in_a_hurry_pages_are_told_little(
    waiting: Restyling, quick: list[FakePainter], news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "TELL_SECONDS", 60.0)
    monkeypatch.setattr(progress, "SHOW_SECONDS", 60.0)
    run_job(waiting)
    steps = [one for _, one in news if one["type"] == "restyling.step"]
    assert len(steps) <= 1
    preview = preview_of(waiting)
    assert preview is None or preview.number == 1


def test_a_page_that_comes_later_finds_the_curve(
    waiting: Restyling, at_step: Callable[[Hook], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TELL_SECONDS", "SHOW_SECONDS", "NOTE_SECONDS"):
        monkeypatch.setattr(progress, name, 0.0)
    found: list[Any] = []
    at_step(lambda step: found.append((len(again(waiting).losses), preview_of(waiting))))
    run_job(waiting)
    assert [losses for losses, _ in found] == list(range(10))
    assert [preview and preview.number for _, preview in found] == [None, *range(1, 10)]
