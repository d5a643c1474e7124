"""VGG19's weights: a file known by the first digits of its hash, and what paints without it."""

import hashlib
import http.server
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from style_pictures import content_picture, painter, style_picture
from test_style_gatys_losses import write_state

import vision.style.gatys as gatys
from vision.errors import WeightsError
from vision.style.features import random_weights
from vision.weights import WeightsStore
from vision.weights.cards import WeightsFile
from vision.weights.feature_cards import VGG19_FILE, vgg19_card

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def address() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/net.pth"
    server.shutdown()
    server.server_close()


def card(sha256: str, size: int = len(CONTENT), url: str = "") -> WeightsFile:
    return WeightsFile("net", "net.pth", url, sha256, size, "MIT")


def test_the_card_is_torchvisions() -> None:
    found = vgg19_card()
    assert found.file == VGG19_FILE == found.url.rsplit("/", 1)[1]
    assert found.url.startswith("https://")
    assert found.file == f"vgg19-{found.sha256}.pth"
    assert (found.bytes, found.licence) == (574_673_361, "BSD-3-Clause")


@pytest.mark.parametrize(
    ("sha256", "size", "right"),
    [
        pytest.param(DIGEST, len(CONTENT), True, id="whole hash"),
        pytest.param(DIGEST, 5, True, id="the whole hash says enough"),
        pytest.param(DIGEST[:8], len(CONTENT), True, id="first digits and size"),
        pytest.param(DIGEST[:8], len(CONTENT) + 1, False, id="another size"),
        pytest.param("0" * 8, len(CONTENT), False, id="other digits"),
        pytest.param(DIGEST[:7], len(CONTENT), False, id="too few digits"),
        pytest.param("", len(CONTENT), False, id="no digits"),
        pytest.param(DIGEST[1:9], len(CONTENT), False, id="digits from elsewhere"),
    ],
)
def test_first_digits_of_a_hash_need_the_size(
    tmp_path: Path, address: str, sha256: str, size: int, right: bool
) -> None:
    (tmp_path / "net.pth").write_bytes(CONTENT)
    store = WeightsStore(tmp_path / "cache", [tmp_path], require_https=False)
    assert (store.find(card(sha256, size)) is not None) == right
    if size == len(CONTENT):  # a longer or shorter one is given up on the way
        empty = WeightsStore(tmp_path / "other", require_https=False)
        if right:
            assert empty.fetch(card(sha256, size, address)).read_bytes() == CONTENT
            assert DIGEST in (tmp_path / "other" / "verified.json").read_text()
            assert empty.find(card(sha256, size)) is not None
        else:
            with pytest.raises(WeightsError) as refused:
                empty.fetch(card(sha256, size, address))
            assert refused.value.code == "weights_hash_mismatch"
            assert not (tmp_path / "other" / "net.pth").exists()


def test_without_weights_random_features_paint_and_say_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        paints = painter(tmp_path, features="auto", steps=1)
        assert paints.model == "random-vgg19"
        assert paints.prepare() == "random-vgg19"
        assert paints.stylize(content_picture(), style_picture()).model == "random-vgg19"
    assert caplog.text.count("Random features stand in for VGG19") == 1


def test_demanded_weights_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as refused:
        painter(tmp_path, features="vgg19").stylize(content_picture(), style_picture())
    assert refused.value.code == "weights_missing"
    assert VGG19_FILE in refused.value.message


def test_weights_that_are_there_paint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file of the same format stands for VGG19's; then a wrong one, which is passed over."""
    path = tmp_path / "cache" / VGG19_FILE
    path.parent.mkdir()
    write_state(path, random_weights(1))
    there = replace(
        vgg19_card(),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest()[:8],
        bytes=path.stat().st_size,
    )
    monkeypatch.setattr(gatys, "vgg19_card", lambda: there)
    paints = painter(tmp_path, features="auto", steps=2)
    assert paints.prepare() == "vgg19"
    trained = paints.stylize(content_picture(), style_picture())
    assert trained.model == "vgg19"
    untrained = painter(tmp_path, steps=2).stylize(content_picture(), style_picture())
    assert trained.losses[0] != untrained.losses[0]

    torch.save({"weight": torch.zeros(3)}, path)
    other = replace(there, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(gatys, "vgg19_card", lambda: other)
    with caplog.at_level(logging.WARNING):
        assert painter(tmp_path, features="auto").prepare() == "random-vgg19"
    assert "is not VGG19" in caplog.text
