"""Photographs and paintings, as people have them: what is painted has the one's colours and shapes.

Random features stand in for VGG19: they carry colours and edges, which is what is looked for here.
"""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from style_pictures import painter

from vision.style.feed_forward import FeedForwardStylizer
from vision.style.framing import reduce_picture
from vision.weights import WeightsStore
from vision.weights.cards import WeightsFile

Image = NDArray[np.uint8]

CONTENTS = ("content_stata.jpg", "content_face.jpg")
STYLES = ("la_muse.jpg", "rain_princess.jpg", "udnie.jpg")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("content", CONTENTS)
def test_a_photograph_takes_the_colours_of_a_painting_and_keeps_its_edges(
    content: str, style: str, test_data: Path, tmp_path: Path
) -> None:
    photo, painting = _load(test_data, content, 112), _load(test_data, style, 160)
    done = painter(tmp_path, steps=15, size=None, precision="auto").stylize(photo, painting)
    assert done.losses.min() < done.losses[0] / 3
    assert _colours_apart(done.image, painting) < 0.7 * _colours_apart(photo, painting)
    assert _edges_alike(done.image, photo) > _edges_alike(painting, photo) + 0.1


@pytest.mark.weights
def test_a_trained_network_paints_in_the_colours_that_it_has_learned(
    weights_dir: Path, test_data: Path, tmp_path: Path
) -> None:
    """Channels in the wrong order, or another range of values, would show here."""
    name = "style_rain_princess.onnx"
    if not (weights_dir / name).is_file():
        pytest.skip("needs the weights of a trained style network")
    known = json.loads((weights_dir / "MANIFEST.json").read_text())[name]
    card = WeightsFile("trained", name, "", known["sha256"], known["bytes"], known["licence"])
    store = WeightsStore(tmp_path, [weights_dir], allow_download=False)
    network = FeedForwardStylizer(card, store, threads=2)
    learned = _load(test_data, "rain_princess.jpg", 256)
    for content in CONTENTS:
        photo = _load(test_data, content, 256)
        painted = network.stylize(photo).image
        assert _colours_apart(painted, learned) < 0.5 * _colours_apart(photo, learned)
        assert _edges_alike(painted, photo) > 0.4
    network.close()


def _load(data: Path, name: str, side: int) -> Image:
    return reduce_picture(np.asarray(cv2.imread(str(data / "styles" / name)), np.uint8), side)


def _colours_apart(a: Image, b: Image) -> float:
    """How far the spread of colours of two pictures lies apart: their quantiles by channel."""
    steps = np.linspace(0.05, 0.95, 10)
    quantiles = [np.quantile(one.reshape(-1, 3), steps, axis=0) for one in (a, b)]
    return float(np.abs(quantiles[0] - quantiles[1]).mean())


def _edges_alike(a: Image, b: Image) -> float:
    """Correlation of where two pictures have edges, -1 to 1."""
    edges = []
    for one in (a, b):
        grey = cv2.resize(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY), (96, 96)).astype(np.float32)
        slopes = np.hypot(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1))
        edges.append(cv2.GaussianBlur(slopes, (5, 5), 0).ravel())
    return float(np.corrcoef(*edges)[0, 1])
