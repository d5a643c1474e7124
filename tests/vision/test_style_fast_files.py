"""Files of one-pass styles: cards, graphs for any size, margins, memory, and what is refused."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from style_networks import (
    TransformerNet,
    as_torch_paints,
    export_as_published,
    noise,
    with_computed_enlarging,
)

from vision.errors import ModelError
from vision.style.framing import fitted_size, plan_framing, reduce_picture
from vision.style.graphs import load_for_any_size, needed_margin
from vision.style.memory import free_memory
from vision.style.network import StyleNetwork
from vision.weights.style_cards import STYLE_CARDS, get_style_card

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def network() -> TransformerNet:
    return TransformerNet.random(seed=3)


@pytest.fixture(scope="module")
def published(network: TransformerNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network as the zoo publishes its own: opset 9, 224 x 224."""
    return export_as_published(network, tmp_path_factory.mktemp("style") / "random-9.onnx")


@pytest.mark.parametrize("computed", [False, True], ids=["constant", "computed"])
def test_the_published_graph_paints_any_size_as_torch_does(
    computed: bool, network: TransformerNet, published: Path, tmp_path: Path
) -> None:
    path = published
    if computed:  # factors of enlarging follow from the size that the exporter saw
        path = with_computed_enlarging(published, tmp_path / "computed-9.onnx")
    model = load_for_any_size(path)
    onnx.checker.check_model(model)
    session = ort.InferenceSession(model.SerializeToString())
    for height, width in ((224, 224), (64, 96), (100, 68), (16, 300)):
        pixels = noise(height, width)[None]
        wanted = as_torch_paints(network, pixels)
        values = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32)
        (painted,) = session.run(None, {"input1": values})
        assert wanted.std() > 8, "a flat picture proves nothing"
        assert np.abs(painted.transpose(0, 2, 3, 1) - wanted).max() < 1e-3


def test_the_published_graph_itself_paints_one_size_only(published: Path) -> None:
    session = ort.InferenceSession(published)
    assert session.get_inputs()[0].shape == [1, 3, 224, 224]
    with pytest.raises(Exception, match="Got invalid dimensions"):
        session.run(None, {"input1": np.zeros((1, 3, 64, 96), np.float32)})


def test_networks_that_reflect_need_no_margin(published: Path) -> None:
    assert needed_margin(load_for_any_size(published)) == 0


def test_the_five_cards_are_of_one_network_and_different_styles() -> None:
    assert list(STYLE_CARDS) == ["candy", "mosaic", "pointilism", "rain-princess", "udnie"]
    hashes = {card.sha256 for card in STYLE_CARDS.values()}
    assert len(hashes) == 5
    assert all(len(bytes.fromhex(value)) == 32 for value in hashes)
    assert {card.bytes for card in STYLE_CARDS.values()} == {6_728_029}
    assert {card.licence for card in STYLE_CARDS.values()} == {"BSD-3-Clause"}
    assert all(card.url.startswith("https://") for card in STYLE_CARDS.values())
    assert get_style_card("udnie").title == "Udnie"
    with pytest.raises(ModelError, match="candy, mosaic, pointilism, rain-princess, udnie"):
        get_style_card("picasso")


@given(st.integers(1, 200), st.integers(1, 200), st.sampled_from((0, 7, 40)))
def test_what_is_added_is_taken_off_exactly(height: int, width: int, margin: int) -> None:
    image = np.random.default_rng(height * 1000 + width).integers(
        0, 256, (height, width, 3), np.uint8
    )
    framing = plan_framing(height, width, margin=margin, multiple=4)
    framed = framing.add(image)
    assert framed.flags.c_contiguous
    assert framed.shape[1] % 4 == framed.shape[2] % 4 == 0
    assert min(framing.below, framing.right, framing.margin) >= margin or margin == 0
    assert framed.shape[1] < max(16, height + 2 * margin) + 4
    assert framed.shape[2] < max(16, width + 2 * margin) + 4
    assert np.array_equal(framing.remove(framed), image)
    if margin and height > margin:
        above = framed[0, margin - 1 :: -1][:margin, margin : margin + width, ::-1]
        assert np.array_equal(above, image[1 : margin + 1])


@given(st.integers(1, 9999), st.integers(1, 9999), st.integers(16, 4000))
def test_fitted_sizes_keep_the_aspect(height: int, width: int, longest: int) -> None:
    high, wide = fitted_size(height, width, longest)
    assert max(high, wide) == min(longest, max(height, width))
    assert min(high, wide) >= 1
    scale = max(high, wide) / max(height, width)
    assert abs(high - max(1, height * scale)) <= 0.5
    assert abs(wide - max(1, width * scale)) <= 0.5
    assert fitted_size(height, width, None) == (height, width)


def test_a_picture_that_fits_is_not_copied() -> None:
    image = noise(30, 40)
    assert reduce_picture(image, 40) is image
    assert reduce_picture(image, None) is image


def _graph(shape: tuple[int | str, ...], kind: int = TensorProto.FLOAT, op: str = "Relu") -> bytes:
    ends = [helper.make_tensor_value_info(name, kind, shape) for name in ("a", "b")]
    node = helper.make_node(op, ["a"], ["b"])
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 9)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=4).SerializeToString()


BAD_FILES = {
    "empty": b"",
    "text": b"version https://git-lfs.github.com/spec/v1\n",
    "classifier": _graph((1, 1000)),
    "four channels": _graph((1, 4, 224, 224)),
    "doubles": _graph((1, 3, 224, 224), TensorProto.DOUBLE),
    "no such layer": _graph((1, 3, 224, 224), op="Unheard"),
    "two inputs": b"",
    "another size": b"",
}


def _two_inputs() -> bytes:
    model = onnx.load_from_string(_graph((1, 3, 224, 224)))
    model.graph.input.add().CopyFrom(model.graph.input[0])
    model.graph.input[1].name = "c"
    return bytes(model.SerializeToString())


def _another_size() -> bytes:
    model = onnx.load_from_string(_graph((1, 3, 224, 224), op="AveragePool"))
    model.graph.node[0].attribute.append(helper.make_attribute("kernel_shape", [2, 2]))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("name", BAD_FILES)
def test_files_that_hold_no_style_network_are_refused(name: str, tmp_path: Path) -> None:
    made = {"two inputs": _two_inputs, "another size": _another_size}
    path = tmp_path / "bad.onnx"
    path.write_bytes(made[name]() if name in made else BAD_FILES[name])
    with pytest.raises(ModelError, match=r"bad\.onnx is not a network") as error:
        StyleNetwork(path, threads=1)
    assert error.value.code == "bad_model_file"


MEMORIES = {
    "no container": ({}, 5000),
    "a container": (
        {"memory.max": "9000\n", "memory.current": "6000\n", "memory.stat": "inactive_file 500\n"},
        3500,
    ),
    "a container larger than the machine": (
        {"memory.max": "90000\n", "memory.current": "6000\n", "memory.stat": ""},
        5000,
    ),
    "no limit": (
        {"memory.max": "max\n", "memory.current": "6000\n", "memory.stat": ""},
        5000,
    ),
    "a limit that is passed": (
        {"memory.max": "10\n", "memory.current": "60\n", "memory.stat": ""},
        0,
    ),
    "nonsense": ({"memory.max": "many"}, 5000),
}


@pytest.mark.parametrize("name", MEMORIES)
def test_free_memory_is_what_machine_and_container_leave(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits, free = MEMORIES[name]
    machine = SimpleNamespace(available=5000)
    monkeypatch.setattr("vision.style.memory.psutil.virtual_memory", lambda: machine)
    for file, text in limits.items():
        (tmp_path / file).write_text(text)
    assert free_memory(tmp_path) == free
