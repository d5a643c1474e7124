"""Pictures are painted step by step, and what cannot be painted is refused."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from style_pictures import content_picture, painter, style_picture

import vision
from vision.errors import PictureError, VisionError
from vision.style import GatysOptions, StyleProgress, Stylizer
from vision.style.levels import levels, share_done

CONTENT, STYLE = content_picture(), style_picture()


def test_the_painter_is_a_stylizer(tmp_path: Path) -> None:
    paints: Stylizer = painter(tmp_path)
    assert (paints.model, paints.device) == ("random-vgg19", "cpu")
    paints.close()
    paints.close()
    with pytest.raises(VisionError) as refused:
        paints.stylize(CONTENT, STYLE)
    assert refused.value.code == "closed"


def test_the_loss_goes_down_and_the_picture_changes(tmp_path: Path) -> None:
    done = painter(tmp_path, steps=20).stylize(CONTENT, STYLE)
    assert done.image.shape == CONTENT.shape
    assert done.image.dtype == np.uint8
    assert done.losses.shape == (20,)
    assert done.losses.dtype == np.float64
    assert done.losses[-1] < done.losses[0] / 3
    assert np.abs(done.image.astype(int) - CONTENT).mean() > 10
    assert (done.stopped, done.model, done.device) == (False, "random-vgg19", "cpu")
    assert done.seconds > 0


def test_more_style_is_nearer_to_the_style(tmp_path: Path) -> None:
    changes = [
        np.abs(
            painter(tmp_path, steps=15, style_weight=weight).stylize(CONTENT, STYLE).image
            - CONTENT.astype(int)
        ).mean()
        for weight in (0.1, 1000.0)
    ]
    assert changes[0] * 1.5 < changes[1]


@pytest.mark.parametrize("start", ["content", "noise"])
def test_the_same_seed_gives_the_same_picture(tmp_path: Path, start: str) -> None:
    first, again = (
        painter(tmp_path, steps=4, start=start, seed=7).stylize(CONTENT, STYLE) for _ in range(2)
    )
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.losses, again.losses)
    other = painter(tmp_path, steps=4, start=start, seed=8).stylize(CONTENT, STYLE)
    assert np.array_equal(first.image, other.image) == (start == "content")


def test_a_given_start_is_begun_with(tmp_path: Path) -> None:
    paints = painter(tmp_path, steps=1, start="picture")
    black = np.zeros((10, 10, 3), np.uint8)
    done = paints.stylize(CONTENT, STYLE, start=black)
    assert done.image.shape == CONTENT.shape
    assert done.image.mean() < 20
    for options, start in ((GatysOptions(start="picture"), None), (GatysOptions(), black)):
        with pytest.raises(VisionError) as refused:
            paints.stylize(CONTENT, STYLE, options=options, start=start)
        assert refused.value.code == "bad_option"


# Progress


def test_every_step_is_told(tmp_path: Path) -> None:
    told: list[StyleProgress] = []
    pictures = []

    def look(progress: StyleProgress) -> None:
        told.append(progress)
        pictures.append(progress.picture())

    done = painter(tmp_path, steps=6).stylize(CONTENT, STYLE, on_progress=look)
    assert [(one.step, one.steps) for one in told] == [(step, 6) for step in range(1, 7)]
    assert [one.loss for one in told] == list(done.losses)
    assert np.array_equal(pictures[-1], done.image)
    assert all(one.shape == CONTENT.shape and one.dtype == np.uint8 for one in pictures)


@pytest.mark.parametrize("end", [1, 5])
def test_work_can_be_ended_and_the_best_is_kept(tmp_path: Path, end: int) -> None:
    best = {}

    def look(progress: StyleProgress) -> bool:
        best["picture"] = progress.picture()
        return progress.step < end

    done = painter(tmp_path, steps=500).stylize(CONTENT, STYLE, on_progress=look)
    assert done.stopped
    assert len(done.losses) == end
    assert np.array_equal(done.image, best["picture"])
    assert not np.array_equal(done.image, CONTENT)


def test_what_a_callback_raises_is_raised_and_others_can_paint(tmp_path: Path) -> None:
    paints = painter(tmp_path, steps=3)

    def fail(_: StyleProgress) -> None:
        raise KeyError("on purpose")

    before = torch.get_num_threads()
    with pytest.raises(KeyError):
        paints.stylize(CONTENT, STYLE, on_progress=fail)
    assert torch.get_num_threads() == before
    assert len(paints.stylize(CONTENT, STYLE).losses) == 3


def test_threads_wait_for_one_another(tmp_path: Path) -> None:
    paints = painter(tmp_path, steps=2)
    wanted = paints.stylize(CONTENT, STYLE).image
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(paints.stylize(CONTENT, STYLE).image))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert all(np.array_equal(image, wanted) for image in found)


@pytest.mark.parametrize(
    ("steps", "height", "width", "wanted"),
    [
        pytest.param(150, 100, 900, [(1.0, 150)], id="too low to be halved"),
        pytest.param(9, 512, 512, [(1.0, 9)], id="too few steps"),
        pytest.param(60, 256, 256, [(0.5, 3), (1.0, 57)], id="small"),
        pytest.param(150, 900, 384, [(0.5, 60), (1.0, 90)], id="halved once"),
        pytest.param(150, 768, 999, [(0.25, 24), (0.5, 36), (1.0, 90)], id="halved twice"),
    ],
)
def test_large_pictures_are_painted_coarse_to_fine(steps, height, width, wanted) -> None:
    assert levels(steps, height, width) == wanted
    assert sum(count for _, count in wanted) == steps


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (24, 0.0125), (60, 0.1), (150, 1.0)])
def test_coarse_steps_are_a_small_share_of_the_work(step: int, share: float) -> None:
    plan = [(0.25, 24), (0.5, 36), (1.0, 90)]
    assert share_done(plan, step) == pytest.approx(share, abs=0.005)


def test_coarse_to_fine_tells_pictures_of_full_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision.style.levels._COARSE", ((128, 0.4),))
    content = content_picture(128, 130)
    shapes, losses = set(), []

    def look(progress: StyleProgress) -> bool:
        shapes.add(progress.picture().shape)
        losses.append(progress.loss)
        return progress.step < 8

    done = painter(tmp_path, steps=12, size=None).stylize(content, STYLE, on_progress=look)
    assert len(levels(12, 128, 130)) == 2
    assert shapes == {content.shape}
    assert min(losses[5:]) < losses[0]
    assert done.stopped


# Sizes and arrays


@pytest.mark.parametrize(
    ("shape", "size", "wanted"),
    [
        ((48, 64), None, (48, 64)),
        ((48, 64), 32, (24, 32)),
        ((64, 48), 40, (40, 30)),
        ((48, 64), 500, (48, 64)),
        ((16, 16), 512, (16, 16)),
        ((17, 35), 512, (17, 35)),
    ],
)
def test_results_have_the_longer_side_that_is_wished(tmp_path, shape, size, wanted) -> None:
    done = painter(tmp_path, steps=1, size=size).stylize(content_picture(*shape), STYLE)
    assert done.image.shape == (*wanted, 3)


@pytest.mark.parametrize("shape", [(1, 1), (15, 400), (400, 15)])
@pytest.mark.parametrize("which", ["content", "style"])
def test_what_is_too_small_is_refused(tmp_path: Path, shape, which: str) -> None:
    pictures = {"content": CONTENT, "style": STYLE, which: np.zeros((*shape, 3), np.uint8)}
    with pytest.raises(PictureError) as refused:
        painter(tmp_path, steps=1).stylize(**pictures)
    assert refused.value.code == "too_small"


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(np.zeros((48, 64), np.uint8), id="one channel"),
        pytest.param(np.zeros((48, 64, 4), np.uint8), id="alpha"),
        pytest.param(np.zeros((48, 64, 3), np.float32), id="floats"),
        pytest.param(np.zeros((0, 64, 3), np.uint8), id="empty"),
        pytest.param(None, id="none"),
    ],
)
@pytest.mark.parametrize("which", ["content", "style"])
def test_what_is_no_picture_is_refused(tmp_path: Path, bad, which: str) -> None:
    with pytest.raises(PictureError) as refused:
        painter(tmp_path, steps=1).stylize(**{"content": CONTENT, "style": STYLE, which: bad})
    assert refused.value.code == "bad_array"


def test_arrays_may_lie_in_memory_as_they_like(tmp_path: Path) -> None:
    paints = painter(tmp_path, steps=2)
    wanted = paints.stylize(CONTENT, STYLE).image
    turned = np.asfortranarray(CONTENT)
    spread = np.zeros((48, 128, 3), np.uint8)
    spread[:, ::2] = CONTENT
    before = turned.copy()
    for content in (turned, spread[:, ::2], CONTENT[::-1][::-1]):
        assert np.array_equal(paints.stylize(content, STYLE).image, wanted)
    assert np.array_equal(turned, before)


@pytest.mark.parametrize("value", [0, 124, 255])
def test_pictures_of_one_colour_are_painted(tmp_path: Path, value: int) -> None:
    flat = np.full((40, 40, 3), value, np.uint8)
    for content, style in ((flat, STYLE), (CONTENT, flat), (flat, flat)):
        for keep in (False, True):
            paints = painter(tmp_path, steps=2, keep_colours=keep)
            assert np.isfinite(paints.stylize(content, style).losses).all()


# Colours


def chroma(image: np.ndarray) -> np.ndarray:
    """Blue and red without luminance (ITU-R BT.601), in units of 0..255."""
    values = image.astype(np.float64)
    light = values @ (0.114, 0.587, 0.299)
    return np.stack((values[:, :, 0] - light, values[:, :, 2] - light), axis=2)


def test_the_contents_colours_are_kept(tmp_path: Path) -> None:
    # Of small chroma: where there is room for it at any luminance, it is kept to the rounding.
    content = (content_picture() * 0.25 + 95).astype(np.uint8)
    kept, free = (
        painter(tmp_path, steps=15, keep_colours=keep).stylize(content, STYLE).image
        for keep in (True, False)
    )
    inside = (kept.min(axis=2) > 0) & (kept.max(axis=2) < 255)
    assert inside.mean() > 0.6
    assert np.abs(chroma(kept) - chroma(content))[inside].max() < 1.5
    assert np.abs(chroma(free) - chroma(content)).mean() > 4
    assert np.abs(kept.astype(int) - content).mean() > 5


def test_hues_do_not_turn_where_there_is_no_room(tmp_path: Path) -> None:
    done = painter(tmp_path, steps=10, keep_colours=True).stylize(CONTENT, STYLE)
    before, after = chroma(CONTENT), chroma(done.image)
    lengths = np.linalg.norm(before, axis=2) * np.linalg.norm(after, axis=2)
    strong = (np.linalg.norm(after, axis=2) > 25) & (np.linalg.norm(before, axis=2) > 25)
    assert strong.any()
    assert ((before * after).sum(axis=2)[strong] / lengths[strong]).min() > 0.99


# Options


@pytest.mark.parametrize(
    "bad",
    [
        *({"steps": value} for value in (0, 2001, 1.5, True, "9")),
        *({"style_weight": value} for value in (0, -1, float("nan"), float("inf"), "1", True)),
        *({"size": value} for value in (15, 8193, 99.5)),
        *({"seed": value} for value in (-1, 2**63, 0.5)),
        {"start": "middle"},
    ],
)
def test_bad_options_are_named(bad: dict) -> None:
    with pytest.raises(VisionError) as refused:
        GatysOptions(**bad)
    assert refused.value.code == "bad_option"
    assert next(iter(bad)) in refused.value.message


@pytest.mark.parametrize("bad", [{"device": "tpu"}, {"precision": "fp8"}, {"features": "mine"}])
def test_what_does_not_exist_is_refused(tmp_path: Path, bad: dict) -> None:
    with pytest.raises(VisionError) as refused:
        painter(tmp_path, **bad)
    assert refused.value.code == "unknown_backend"


def test_bfloat16_paints_as_well(tmp_path: Path) -> None:
    found = [
        painter(tmp_path, steps=20, precision=precision).stylize(CONTENT, STYLE).losses.min()
        for precision in ("fp32", "bf16")
    ]
    assert found[1] == pytest.approx(found[0], rel=0.2)


def test_importing_styles_imports_no_runtime() -> None:
    code = "import sys, json, vision.style; print(json.dumps(sorted(sys.modules)))"
    root = Path(vision.__file__).resolve().parents[1]
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], cwd=root))
    assert not {"torch", "torchvision", "cv2", "onnxruntime", "openvino"} & set(loaded)
