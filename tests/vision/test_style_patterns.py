"""The patterns: the same every time, at any size, rich in colour and unlike one another."""

import itertools
import subprocess
import sys
import time
import zlib

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vision.style.patterns import PATTERNS, Pattern

Image = NDArray[np.uint8]

pytestmark = pytest.mark.once

SIDES = (64, 200, 768, 1024)


@pytest.fixture(scope="module")
def drawn() -> dict[str, Image]:
    return {key: pattern.draw(768) for key, pattern in PATTERNS.items()}


def test_there_are_six_with_a_title_and_a_sentence_each() -> None:
    assert list(PATTERNS) == [
        *("stained-glass", "night-strokes", "woodcut", "mosaic-tiles", "watercolour"),
        "great-waves",
    ]
    assert all(key == pattern.key for key, pattern in PATTERNS.items())
    assert len({pattern.title for pattern in PATTERNS.values()}) == 6
    for pattern in PATTERNS.values():
        assert pattern.title
        assert pattern.description.endswith(".")
        assert pattern.description.count(".") == 1


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=list(PATTERNS))
def test_a_pattern_is_a_square_picture_of_any_size(pattern: Pattern, side: int) -> None:
    picture = pattern.draw(side)
    assert (picture.shape, picture.dtype) == ((side, side, 3), np.uint8)
    assert picture.flags.c_contiguous


@pytest.mark.parametrize("key", PATTERNS)
def test_it_is_the_same_every_time(key: str, drawn: dict[str, Image]) -> None:
    picture = PATTERNS[key].draw(768)
    assert picture is not drawn[key], "who changes a picture must not change everybody's"
    assert np.array_equal(picture, drawn[key])


def test_it_is_the_same_in_another_process(drawn: dict[str, Image]) -> None:
    code = (
        "import zlib; from vision.style.patterns import PATTERNS;"
        "print(*(zlib.crc32(one.draw(768)) for one in PATTERNS.values()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [int(number) for number in done.stdout.split()] == [
        zlib.crc32(picture) for picture in drawn.values()
    ]


@pytest.mark.parametrize("key", PATTERNS)
def test_it_shows_the_same_at_every_size(key: str, drawn: dict[str, Image]) -> None:
    small = cv2.resize(drawn[key], (64, 64), interpolation=cv2.INTER_AREA).astype(int)
    for side in (128, 1024):
        again = cv2.resize(PATTERNS[key].draw(side), (64, 64), interpolation=cv2.INTER_AREA)
        assert np.abs(again - small).mean() < 4


@pytest.mark.parametrize("key", PATTERNS)
def test_it_is_rich_in_colour_and_texture(key: str, drawn: dict[str, Image]) -> None:
    picture = drawn[key]
    hue, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV))
    hues = np.bincount(hue[saturation > 80] // 15, minlength=12) / hue.size
    assert (hues > 0.01).sum() >= 3, "several colours"
    assert value.std() > 30, "light and dark"
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    assert cv2.Laplacian(grey, cv2.CV_32F).std() > 8, "texture"
    quarters = [grey[rows, columns] for rows in HALVES for columns in HALVES]
    assert all(quarter.std() > 12 for quarter in quarters), "no empty corner"


HALVES = (slice(0, 384), slice(384, 768))


def test_thumbnails_are_told_apart(drawn: dict[str, Image]) -> None:
    small = [
        cv2.resize(picture, (24, 24), interpolation=cv2.INTER_AREA).astype(int)
        for picture in drawn.values()
    ]
    for one, other in itertools.combinations(small, 2):
        assert np.abs(one - other).mean() > 25


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=list(PATTERNS))
def test_a_pattern_takes_less_than_half_a_second(pattern: Pattern) -> None:
    took = []
    for _ in range(3):
        began = time.thread_time()  # whatever else the machine does
        pattern.draw(768)
        took.append(time.thread_time() - began)
    assert min(took) < 0.5


def test_nothing_heavy_is_imported_for_them() -> None:
    code = "import sys, vision.style.patterns; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "openvino", "onnx", "onnxruntime", "av", "scipy"}.isdisjoint(
        done.stdout.split()
    )
