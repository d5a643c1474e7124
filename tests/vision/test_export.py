"""Exports: made once, by one process, verified, made again when damaged; and INT8."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vision.benchmark.networks import add_to_manifest, random_picture
from vision.engine import Engine
from vision.errors import ModelError
from vision.export import Exports, artifact, quantize
from vision.weights import WeightsStore, get_card

CARD = get_card("yolov8n")
PICTURES = [random_picture(180, 320, seed=seed) for seed in range(16)]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replace the export by one that writes a small file, and note every call."""
    calls: list[Path] = []

    def fake(weights: Path, target: Path, *, cache_dir: Path) -> None:
        calls.append(target)
        target.write_bytes(b"network of " + weights.read_bytes())

    monkeypatch.setattr(artifact, "export_network", fake)
    return calls


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "yolov8n.pt"
    path.write_bytes(b"weights")
    return path


def test_a_network_is_exported_once(tmp_path: Path, weights: Path, counted: list[Path]) -> None:
    first = Exports(tmp_path).network(CARD, weights)
    again = Exports(tmp_path).network(CARD, weights)
    assert first == again
    assert first.path.read_bytes() == b"network of weights"
    assert len(counted) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"network of weightz"),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        lambda path: (path.parent / "export.json").write_text("{"),
        lambda path: (path.parent / "export.json").write_text("[]"),
        lambda path: (path.parent / "export.json").unlink(),
    ],
)
def test_a_damaged_export_is_made_again(
    damage: Callable[[Path], object], tmp_path: Path, weights: Path, counted: list[Path]
) -> None:
    exports = Exports(tmp_path)
    damage(exports.network(CARD, weights).path)
    assert exports.network(CARD, weights).path.read_bytes() == b"network of weights"
    assert len(counted) == 2


def test_other_weights_and_versions_have_their_own_export(
    tmp_path: Path, weights: Path, counted: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = Exports(tmp_path)
    paths = {exports.network(CARD, weights).path}
    weights.write_bytes(b"other weights")
    paths.add(exports.network(CARD, weights).path)
    monkeypatch.setattr(artifact, "EXPORTER_VERSION", 9999)
    paths.add(exports.network(CARD, weights).path)
    assert len(paths) == len(counted) == 3


def test_a_failing_export_leaves_nothing_behind(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(weights: Path, target: Path, *, cache_dir: Path) -> None:
        target.write_bytes(b"half")
        raise ModelError("export_failed", "No.")

    monkeypatch.setattr(artifact, "export_network", broken)
    with pytest.raises(ModelError):
        Exports(tmp_path).network(CARD, weights)
    left = [path for path in (tmp_path / "exports").iterdir() if path.suffix != ".lock"]
    assert left == []


@pytest.mark.slow
def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(ModelError, match=r"yolov8n\.pt cannot be exported") as caught:
        Exports(tmp_path).network(CARD, weights)
    assert caught.value.code == "export_failed"


@pytest.mark.slow
def test_a_checkpoint_that_runs_code_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    target = tmp_path / "proof"

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(target),))

    path = tmp_path / "yolov8n.pt"
    torch.save({"model": Hostile()}, path)
    with pytest.raises(ModelError, match="cannot be exported"):
        Exports(tmp_path).network(CARD, path)
    assert not target.exists()


EXPORT_IN_PROCESS = """
import sys
from pathlib import Path
from vision.export import Exports, artifact
from vision.weights import get_card

original = artifact.export_network
def noting(weights, target, *, cache_dir):
    print("exported", flush=True)
    original(weights, target, cache_dir=cache_dir)
artifact.export_network = noting
print(Exports(Path(sys.argv[1])).network(get_card("yolov8n"), Path(sys.argv[2])).path)
"""


@pytest.mark.slow
def test_two_processes_export_once(tmp_path: Path, random_weights: Path) -> None:
    root = Path(artifact.__file__).resolve().parents[2]
    command = [sys.executable, "-c", EXPORT_IN_PROCESS, tmp_path, random_weights / "yolov8n.pt"]
    children = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    outputs = [child.communicate(timeout=150)[0].splitlines() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert outputs[0][-1] == outputs[1][-1]
    assert sum(lines.count("exported") for lines in outputs) == 1


def test_too_few_pictures_are_refused(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(ModelError, match="at least 16 pictures; 3 were given") as caught:
        quantize(CARD, weights, PICTURES[:3], tmp_path)
    assert caught.value.code == "too_few_pictures"


@pytest.mark.slow
def test_one_quantisation_serves_every_bucket(
    random_store: WeightsStore,
    random_weights: Path,
    cache_dir: Path,
    make_engine: Callable[..., Engine],
) -> None:
    progress: list[tuple[int, int | None]] = []
    weights_file = random_weights / "yolov8n.pt"
    quantize(
        CARD, weights_file, iter(PICTURES), cache_dir, lambda done, of: progress.append((done, of))
    )
    assert progress[-1] == (16, 16)
    engine = make_engine(precision="int8")
    assert engine.describe("yolov8n").precision == "int8"
    reference = make_engine(precision="fp32")
    for size in [(180, 320), (320, 180), (250, 330)]:
        picture = random_picture(*size, seed=40)
        (rough,) = engine.detect([picture], confidence=0.4)
        (exact,) = reference.detect([picture], confidence=0.4)
        # Random weights are no test of accuracy; that it finds about as much is.
        assert 0.3 * len(exact) < len(rough) < 3 * len(exact)


@pytest.mark.slow
def test_a_new_checkpoint_needs_a_new_quantisation(
    tmp_path: Path, random_weights: Path, cache_dir: Path
) -> None:
    other = tmp_path / "yolov8n.pt"
    other.write_bytes((random_weights / "yolov8n.pt").read_bytes() + b"\\0")
    add_to_manifest(other)
    assert Exports(cache_dir).quantized(CARD, other) is None
