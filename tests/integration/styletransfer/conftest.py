"""Pictures, painters that are done at once, and a random network for a fast style."""

import functools
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group

from common.inference import close_engine
from common.jobs import registry
from styletransfer.models import Restyling, Style
from styletransfer.services import painting, running
from tests.integration.conftest import make_user
from tests.integration.styletransfer.makers import Hook, add, restyle
from tests.integration.styletransfer.painters import FakePainter, save
from tests.made_videos import make_clip
from tests.vision.style_networks import TransformerNet, export_as_published
from vision.style import gatys
from vision.style.features import random_weights

_numbers = itertools.count()
made_once = functools.cache(random_weights)


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


@pytest.fixture
def fast_engine(fast: None) -> Iterator[None]:
    """The process's own engine, which has that network and no other."""
    close_engine()
    yield
    close_engine()


@pytest.fixture
def chief(db: None) -> Any:
    """An administrator."""
    return make_user("grace", "administrator")


@pytest.fixture
def team(user: Any, other_user: Any) -> Group:
    """A group of two."""
    made = Group.objects.create(name="Studio")
    made.user_set.add(user, other_user)
    return made


@pytest.fixture
def own_style(user: Any) -> Style:
    """A picture that ``user`` has added."""
    return add(user)


@pytest.fixture
def candy(db: None) -> Style:
    """The fast style whose network is here."""
    return Style.objects.get(key="fast:candy")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[FakePainter]:
    """Slow jobs are painted by painters that are done at once; those that were made, in order."""
    made: list[FakePainter] = []

    def create(config: Any) -> FakePainter:
        made.append(FakePainter(config))
        return made[-1]

    monkeypatch.setattr(running, "create_gatys", create)
    return made


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs, and nobody hears of jobs but who is told."""
    monkeypatch.setattr("common.jobs.services.ring", lambda job: True)


@pytest.fixture
def news(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What open pages are told: group and message."""
    told: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        "styletransfer.services.events.publish",
        lambda group, payload: told.append((group, dict(payload))),
    )
    return told


@pytest.fixture
def lightly(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Painters of one thread each, since tests run beside each other; features are made once."""
    settings.SIGHTLINE_THREADS = 1
    monkeypatch.setattr(gatys, "random_weights", made_once)


@pytest.fixture
def waiting(user: Any, own_style: Style) -> Restyling:
    """A slow painting that nobody has begun, of ten steps."""
    return restyle(user, own_style, steps=10)


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[Hook], list[FakePainter]]:
    """Has something happen at every step of painters that are done at once."""

    def hook_into(hook: Hook) -> list[FakePainter]:
        made: list[FakePainter] = []

        def create(config: Any) -> FakePainter:
            painter = FakePainter(config)
            painter.hook = lambda step: (hook(step), None)[1]
            made.append(painter)
            return painter

        monkeypatch.setattr(running, "create_gatys", create)
        return made

    return hook_into


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Three frames."""
    return make_clip(tmp_path / "clip.mp4", seconds=0.3)


@pytest.fixture
def kind() -> Iterator[str]:
    """A name for a kind of job that is forgotten afterwards."""
    name = f"test.paint.{next(_numbers)}"
    yield name
    registry._handlers.pop(name, None)
    registry._observers.pop(name, None)
