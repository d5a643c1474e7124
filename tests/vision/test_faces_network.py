"""dlib's network: read from its own file, strictly, and computed as dlib computes it."""

from collections.abc import Callable
from pathlib import Path

import dlib
import numpy as np
import pytest

from vision.benchmark.networks import random_picture
from vision.errors import ModelError
from vision.faces.dlib_format import BLOCKS, read_face_network
from vision.faces.dlib_network import BATCHES, DlibNetwork
from vision.faces.dlib_thread import EMBEDDING_FILE, find_dlib_file

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def model_file() -> Path:
    return find_dlib_file(EMBEDDING_FILE)


@pytest.fixture(scope="module")
def model_bytes(model_file: Path) -> bytes:
    return model_file.read_bytes()


def test_the_network_has_29_convolutions_and_a_projection(model_file: Path) -> None:
    network = read_face_network(model_file)
    assert len(network.blocks) == len(BLOCKS) == 14
    assert network.first.weights.shape == (32, 3, 7, 7)
    assert network.blocks[-1][1].weights.shape == (256, 256, 3, 3)
    assert network.projection.shape == (256, 128)
    assert network.mean == pytest.approx((122.782, 117.001, 104.298))


def test_embeddings_equal_those_of_dlib(model_file: Path) -> None:
    chips = np.stack([random_picture(150, 150, seed) for seed in range(max(BATCHES))])
    network = DlibNetwork(model_file, threads=2)
    peer = dlib.face_recognition_model_v1(str(model_file))
    wanted = np.array(
        [peer.compute_face_descriptor(np.ascontiguousarray(chip[:, :, ::-1])) for chip in chips]
    )
    for batch in BATCHES:
        for alone in (True, False):
            ours = network.embed(chips[:batch], alone=alone)
            assert ours.shape == (batch, 128)
            assert np.linalg.norm(ours - wanted[:batch], axis=1).max() <= 1e-5


def change(data: bytes, at: int, to: bytes) -> bytes:
    return data[:at] + to + data[at + len(to) :]


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("nothing", lambda data: b""),
        ("text", lambda data: b"no network at all" * 100),
        ("zeros", lambda data: bytes(10_000)),
        ("cut off in the tags", lambda data: data[:100]),
        ("cut off in the numbers", lambda data: data[:1_000_000]),
        ("cut off by a byte", lambda data: data[:-1]),
        ("a byte too many", lambda data: data + b"\0"),
        ("another version", lambda data: change(data, 1, b"\x02")),
        ("another loss", lambda data: data.replace(b"loss_metric_2", b"loss_metric_3")),
        ("another layer", lambda data: data.replace(b"con_4", b"con_5", 1)),
        ("another order", lambda data: data.replace(b"affine_", b"relu_12", 1)),
        ("a number that is none", lambda data: change(data, 0x160, b"\x00\x00\xc0\x7f")),
        ("a length beyond reason", lambda data: change(data, 2, b"\x08" + b"\xff" * 8)),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_another_file_is_refused_in_words(
    tmp_path: Path, model_bytes: bytes, name: str, spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "network.dat"
    path.write_bytes(spoil(model_bytes))
    sentence = r"network\.dat is not dlib's face network: .*\.$"
    with pytest.raises(ModelError, match=sentence) as caught:
        read_face_network(path)
    assert caught.value.code == "bad_model_file", name


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    for path in (tmp_path / "none.dat", tmp_path):
        with pytest.raises(ModelError) as caught:
            read_face_network(path)
        assert caught.value.code == "bad_model_file"


def test_a_model_that_is_not_installed_is_named() -> None:
    with pytest.raises(ModelError, match=r"none\.dat") as caught:
        find_dlib_file("none.dat")
    assert caught.value.code == "face_models_missing"
