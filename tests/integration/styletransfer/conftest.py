"""Pictures, painters that are done at once, and a random network for a fast style."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from styletransfer.services import painting
from tests.integration.styletransfer.painters import FakePainter, save
from tests.vision.style_networks import TransformerNet, export_as_published


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return save(tmp_path / "content.png")


@pytest.fixture
def style(tmp_path: Path) -> Path:
    return save(tmp_path / "style.jpg", 80, 80, seed=1)


@pytest.fixture
def painters(monkeypatch: pytest.MonkeyPatch) -> list[FakePainter]:
    """The painters that were made, in order."""
    made: list[FakePainter] = []

    def create(config: Any) -> FakePainter:
        made.append(FakePainter(config))
        return made[-1]

    monkeypatch.setattr(painting, "create_gatys", create)
    return made


@pytest.fixture(scope="session")
def fast_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random network in the place of the style "candy"."""
    folder = tmp_path_factory.mktemp("styles")
    path = export_as_published(TransformerNet.random(seed=3), folder / "candy-9.onnx")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "MANIFEST.json").write_text(json.dumps({path.name: {"sha256": digest}}))
    return folder


@pytest.fixture
def fast(fast_weights: Path, settings: Any) -> None:
    settings.VISION_WEIGHTS_DIR = str(fast_weights)
