"""One-pass styles: any size, no bands at the edges, the numbers of the published network."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from style_networks import (
    TransformerNet,
    as_torch_paints,
    export_as_published,
    make_card,
    noise,
)

from vision.errors import ModelError, PictureError, WeightsError
from vision.style.feed_forward import FeedForwardStylizer
from vision.style.framing import plan_framing
from vision.style.network import largest_side, needed_memory
from vision.style.structures import StyleProgress
from vision.weights import WeightsStore
from vision.weights.cards import WeightsFile
from vision.weights.style_cards import get_style_card

Image = NDArray[np.uint8]

pytestmark = pytest.mark.once

SIZES = ((224, 224), (64, 96), (101, 67), (16, 300), (130, 18))


@pytest.fixture(scope="module")
def network() -> TransformerNet:
    return TransformerNet.random(seed=3)


@pytest.fixture(scope="module")
def published(network: TransformerNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network as the zoo publishes its own: opset 9, 224 x 224."""
    return export_as_published(network, tmp_path_factory.mktemp("style") / "random-9.onnx")


@pytest.fixture(scope="module")
def store(published: Path, tmp_path_factory: pytest.TempPathFactory) -> WeightsStore:
    return WeightsStore(tmp_path_factory.mktemp("cache"), [published.parent], allow_download=False)


@pytest.fixture(scope="module")
def stylizer(published: Path, store: WeightsStore) -> FeedForwardStylizer:
    return FeedForwardStylizer(make_card(published), store, threads=2, precision="fp32")


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_pictures_of_any_size_are_painted_as_torch_paints_them(
    height: int, width: int, network: TransformerNet, stylizer: FeedForwardStylizer
) -> None:
    image = noise(height, width)
    made = stylizer.stylize(image)
    framing = plan_framing(height, width, margin=0, multiple=4)
    wanted = as_torch_paints(network, framing.add(image)).clip(0, 255)
    wanted = wanted[0, :height, :width, ::-1]
    assert made.image.shape == image.shape
    assert made.image.dtype == np.uint8
    # Half a level from rounding; a value that lies between two may go to either.
    assert np.abs(made.image - wanted).max() <= 0.5 + 1e-3


def test_half_of_the_digits_move_colours_little(
    published: Path, store: WeightsStore, stylizer: FeedForwardStylizer
) -> None:
    image = noise(96, 128)
    rough = FeedForwardStylizer(make_card(published), store, threads=2, precision="bf16")
    apart = np.abs(rough.stylize(image).image.astype(int) - stylizer.stylize(image).image)
    assert apart.mean() < 1.5


STACKS = """
import ctypes, sys
import numpy as np
from pathlib import Path
from vision.style.network import StyleNetwork

class Stack(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

def stack_for_signals():
    stack = Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack)) == 0
    return stack.at, stack.size

before = stack_for_signals()
network = StyleNetwork(Path(sys.argv[1]), threads=2)
network.run(np.zeros((1, 64, 64, 3), np.uint8))
assert stack_for_signals() == before, (before, stack_for_signals())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_the_callers_stack_for_signals_is_left_alone(published: Path) -> None:
    """OpenVINO's own is too small: the next Ctrl-C would end the process."""
    command = [sys.executable, "-c", STACKS, str(published)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_result_says_what_made_it(stylizer: FeedForwardStylizer) -> None:
    told: list[StyleProgress] = []
    made = stylizer.stylize(noise(64, 64), None, on_progress=told.append)
    assert (made.model, made.device, made.stopped) == ("random", "cpu", False)
    assert made.losses.shape == (0,)
    assert made.seconds > 0
    assert [(one.step, one.steps, one.loss) for one in told] == [(1, 1, None)]
    assert np.array_equal(told[0].picture(), made.image)


def test_it_is_deterministic_and_ignores_a_style(stylizer: FeedForwardStylizer) -> None:
    image = noise(70, 90)
    first = stylizer.stylize(image).image
    assert np.array_equal(first, stylizer.stylize(image, noise(40, 40, 9)).image)
    stylizer.stylize(noise(90, 70))  # what is painted in between changes nothing
    assert np.array_equal(first, stylizer.stylize(image).image)


def test_the_picture_that_is_given_is_left_alone(stylizer: FeedForwardStylizer) -> None:
    image = noise(64, 64)
    before = image.copy()
    made = stylizer.stylize(image)
    assert np.array_equal(image, before)
    kept = made.image.copy()
    stylizer.stylize(noise(64, 64, 5))
    assert np.array_equal(made.image, kept), "a result must not live in the network's memory"


def test_arrays_need_not_be_contiguous(stylizer: FeedForwardStylizer) -> None:
    large = noise(128, 192)
    for view in (large[::2, ::2], large[:, ::-1], large[:64, :96], large[..., ::-1]):
        wanted = stylizer.stylize(np.ascontiguousarray(view)).image
        assert np.array_equal(stylizer.stylize(view).image, wanted)


def test_threads_may_share_one(stylizer: FeedForwardStylizer) -> None:
    images = [noise(48 + 16 * (seed % 3), 64, seed) for seed in range(6)]
    wanted = [stylizer.stylize(image).image for image in images]
    made: dict[int, Image] = {}

    def paint(index: int) -> None:
        made[index] = stylizer.stylize(images[index]).image

    threads = [threading.Thread(target=paint, args=(index,)) for index in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(made[index], wanted[index]) for index in range(len(images)))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (np.zeros((64, 64), np.uint8), "bad_array"),
        (np.zeros((64, 64, 4), np.uint8), "bad_array"),
        (np.zeros((64, 64, 3), np.float32), "bad_array"),
        (np.zeros((0, 64, 3), np.uint8), "bad_array"),
        ([[1, 2, 3]], "bad_array"),
        (np.zeros((1, 1, 3), np.uint8), "too_small"),
        (np.zeros((15, 400, 3), np.uint8), "too_small"),
    ],
)
def test_what_is_no_picture_is_refused(
    content: Any, code: str, stylizer: FeedForwardStylizer
) -> None:
    with pytest.raises(PictureError) as error:
        stylizer.stylize(content)
    assert error.value.code == code


def test_a_longer_side_reduces_and_never_enlarges(published: Path, store: WeightsStore) -> None:
    stylizer = FeedForwardStylizer(make_card(published), store, threads=2, longer_side=80)
    assert stylizer.stylize(noise(100, 160)).image.shape == (50, 80, 3)
    assert stylizer.stylize(noise(40, 60)).image.shape == (40, 60, 3)


def test_too_large_a_picture_is_told_the_size_that_fits(
    published: Path, store: WeightsStore
) -> None:
    memory = needed_memory(400, 600)
    stylizer = FeedForwardStylizer(make_card(published), store, threads=2, memory=memory)
    with pytest.raises(ModelError, match="the largest is 600 pixels") as error:
        stylizer.stylize(np.zeros((1000, 1500, 3), np.uint8))
    assert error.value.code == "out_of_memory"
    assert stylizer.stylize(noise(400, 600)).image.shape == (400, 600, 3)
    tight = FeedForwardStylizer(make_card(published), store, threads=2, memory=1000)
    with pytest.raises(ModelError, match="too little for any size"):
        tight.stylize(noise(16, 16))


@given(st.integers(16, 20_000), st.integers(16, 20_000), st.integers(10**8, 10**11))
def test_the_largest_side_fits(height: int, width: int, memory: int) -> None:
    side = largest_side(height, width, memory)
    scale = side / max(height, width)
    assert needed_memory(int(height * scale), int(width * scale)) <= memory


def test_only_the_file_of_the_card_is_opened(published: Path, store: WeightsStore) -> None:
    with pytest.raises(WeightsError) as error:
        FeedForwardStylizer(make_card(published, sha256="0" * 64), store)
    assert error.value.code == "weights_hash_mismatch"
    with pytest.raises(WeightsError) as error:
        FeedForwardStylizer(get_style_card("candy"), store)
    assert error.value.code == "weights_missing"


def test_nothing_heavy_is_imported_before_a_network_is_chosen() -> None:
    code = "import sys, vision.style, vision.weights.style_cards; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "openvino", "onnx", "onnxruntime", "av"}.isdisjoint(done.stdout.split())


GROWTH = """
import sys, numpy as np
from pathlib import Path
from vision.style.network import StyleNetwork

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

network = StyleNetwork(Path(sys.argv[1]), threads=2)
before = peak()
network.run(np.zeros((1, 512, 768, 3), np.uint8))
print(peak() - before)
"""


@pytest.mark.slow
def test_the_estimate_of_memory_is_about_right(tmp_path: Path) -> None:
    full = export_as_published(TransformerNet.random(seed=3, width=32), tmp_path / "full.onnx")
    command = [sys.executable, "-c", GROWTH, str(full)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 0.5 < int(done.stdout) / needed_memory(512, 768) < 1.0


@pytest.fixture(scope="module")
def edgy(weights_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> FeedForwardStylizer:
    """A trained network that continues pictures with zeros."""
    name = "style_rain_princess.onnx"
    if not (weights_dir / name).is_file():
        pytest.skip("needs the weights of a trained style network")
    known = json.loads((weights_dir / "MANIFEST.json").read_text())[name]
    card = WeightsFile("edgy", name, "", known["sha256"], known["bytes"], known["licence"])
    cache = WeightsStore(tmp_path_factory.mktemp("edgy"), [weights_dir], allow_download=False)
    return FeedForwardStylizer(card, cache, threads=2)


@pytest.mark.weights
def test_edges_show_no_bands(edgy: FeedForwardStylizer) -> None:
    """A picture that goes on at its edges is painted there as in the middle of a larger one."""
    large = noise(192, 192, 4)
    image = np.ascontiguousarray(large[48:144, 48:144])
    mirrored = cv2.copyMakeBorder(image, *[96] * 4, cv2.BORDER_REFLECT_101).astype(np.uint8)
    wanted = edgy.stylize(mirrored).image[96:-96, 96:-96].astype(float)
    apart = np.abs(edgy.stylize(image).image - wanted).mean(axis=2)
    edge = np.ones(apart.shape, bool)
    edge[8:-8, 8:-8] = False
    bare = edgy._network.run(np.ascontiguousarray(image[None, ..., ::-1]))[0, ..., ::-1]
    banded = np.abs(bare - wanted).mean(axis=2)
    assert edgy.stylize(image).image.shape == image.shape
    assert apart[edge].mean() < 0.5 * banded[edge].mean()
    assert apart[edge].mean() < 2 * apart[~edge].mean() + 2
