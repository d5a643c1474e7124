"""Engine tests: a store of seeded random networks, real ones where they are at hand."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from networks import use_ultralytics

from vision.benchmark.networks import write_random_weights
from vision.engine import Engine, EngineConfig
from vision.weights import WeightsStore


@pytest.fixture(scope="session")
def random_weights(shared_folder: Path) -> Path:
    """A folder with ``yolov8n.pt`` and ``yolov8n-seg.pt`` of seeded random weights."""
    use_ultralytics(shared_folder)
    folder = shared_folder / "weights"
    with FileLock(shared_folder / "weights.lock"):
        for name in ("yolov8n", "yolov8n-seg"):
            if not (folder / f"{name}.pt").exists():
                write_random_weights(name, folder)
    return folder


@pytest.fixture(scope="session")
def cache_dir(shared_folder: Path) -> Path:
    """Exports of this test run; every network is exported once."""
    return shared_folder / "cache"


@pytest.fixture(scope="session")
def random_store(random_weights: Path, cache_dir: Path) -> WeightsStore:
    """A store that holds the random networks and never uses the network."""
    return WeightsStore(cache_dir / "weights", [random_weights], allow_download=False)


@pytest.fixture
def make_engine(random_store: WeightsStore, cache_dir: Path) -> Iterator[Callable[..., Engine]]:
    """Build engines over the random networks; all are closed after the test."""
    engines: list[Engine] = []

    def make(**options: Any) -> Engine:
        config = {"cache_dir": cache_dir, "weights": random_store, "threads": 2, **options}
        engines.append(Engine(EngineConfig(**config)))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture(scope="session")
def load_peer(shared_folder: Path) -> Callable[[Path], Any]:
    """Load a checkpoint with ultralytics, once per file."""
    use_ultralytics(shared_folder)
    loaded: dict[Path, Any] = {}

    def load(path: Path) -> Any:
        from ultralytics import YOLO

        if path not in loaded:
            loaded[path] = YOLO(path)
        return loaded[path]

    return load
