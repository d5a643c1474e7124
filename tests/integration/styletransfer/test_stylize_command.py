"""``manage.py stylize``: pictures and videos, what it prints, what it refuses, what it leaves."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from django.core.management import CommandError

from styletransfer.services import painting
from tests.integration.styletransfer.painters import FakePainter, read, run, save
from tests.made_videos import make_clip
from tests.processes import installation
from vision.style import GatysConfig, GatysOptions, Stylized

pytestmark = pytest.mark.once  # needs no server


def ctrl_c() -> None:
    """What Python does in the main thread when the signal comes; this process has many threads."""
    handler = signal.getsignal(signal.SIGINT)
    assert callable(handler)
    handler(signal.SIGINT, None)


@pytest.mark.slow
def test_a_picture_is_painted_step_by_step(content: Path, style: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    told = run(content, style, out, "--steps", 3, "--size", 32, "--seed", 5, "--keep-colours")
    assert read(out).shape == (24, 32, 3)
    assert "step 1 of 3  loss " in told
    assert "step 3 of 3  loss " in told
    assert "random features: VGG19's weights are not installed\n" in told
    assert f"{out}: 32 x 24, 3 steps in " in told
    assert sorted(tmp_path.iterdir()) == sorted([content, style, out])


def test_options_reach_the_painter(
    content: Path, style: Path, tmp_path: Path, painters: list[FakePainter]
) -> None:
    run(content, style, tmp_path / "a.png")
    run(
        *(content, style, tmp_path / "b.png", "--steps", 7, "--size", 99, "--style-weight", 2.5),
        *("--seed", 4, "--keep-colours"),
    )
    assert painters[0].options == GatysOptions()
    assert painters[1].options == GatysOptions(
        steps=7, size=99, style_weight=2.5, seed=4, keep_colours=True
    )


def test_features_are_named_before_the_first_step(
    content: Path, style: Path, tmp_path: Path, painters: list[FakePainter]
) -> None:
    lines = run(content, style, tmp_path / "o.png", "--steps", 2).splitlines()
    assert lines[:4] == [
        "fetching VGG19: 50 of 100 MB",
        "fetching VGG19: 100 of 100 MB",
        "random features: VGG19's weights are not installed",
        "step 1 of 2  loss 10",
    ]
    assert lines[-1].endswith("2 steps in 1.5 s, loss 5, random-vgg19 on cpu")


def test_ctrl_c_keeps_the_best_so_far(
    content: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(config: Any) -> FakePainter:
        painter = FakePainter(config)
        painter.hook = lambda step: ctrl_c() if step == 3 else None
        return painter

    monkeypatch.setattr(painting, "create_gatys", create)
    before = signal.getsignal(signal.SIGINT)
    told = run(content, style, tmp_path / "o.png")
    assert "3 steps in 1.5 s (stopped early)" in told
    assert np.array_equal(read(tmp_path / "o.png"), np.minimum(read(content), 252) + 3)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_stops_at_once(
    content: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(step: int) -> None:
        ctrl_c()
        ctrl_c()

    def create(config: Any) -> FakePainter:
        painter = FakePainter(config)
        painter.hook = interrupt
        return painter

    monkeypatch.setattr(painting, "create_gatys", create)
    with pytest.raises(CommandError, match="Interrupted"):
        run(content, style, tmp_path / "o.png")
    assert sorted(tmp_path.iterdir()) == sorted([content, style])


@pytest.mark.slow
def test_ctrl_c_ends_a_real_run_with_its_best(content: Path, style: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.png"
    with installation(tmp_path / "home") as made:
        running = made.start("stylize", *map(str, (content, style, out)), "--steps", "2000")
        running.wait_for("step 1 of")
        os.kill(running.pid, signal.SIGINT)
        assert running.process.wait(60) == 0
        assert "(stopped early)" in running.output
    assert read(out).shape == (48, 64, 3)


@pytest.mark.slow
def test_ctrl_c_twice_ends_a_real_run_at_once(style: Path, tmp_path: Path) -> None:
    content, out = save(tmp_path / "large.png", 512, 512), tmp_path / "o.png"
    with installation(tmp_path / "home") as made:
        running = made.start("stylize", *map(str, (content, style, out)), "--size", "512")
        running.wait_for("step 1 of")
        os.kill(running.pid, signal.SIGINT)
        running.wait_for("Ctrl-C again stops at once")
        os.kill(running.pid, signal.SIGINT)
        assert running.process.wait(60) == 130
        assert "CommandError: Interrupted: nothing is written." in running.output
    assert not out.exists()


def test_ctrl_c_ends_fetching(
    content: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(config: Any) -> FakePainter:
        painter = FakePainter(config)
        painter.fetching = lambda: ctrl_c()
        return painter

    monkeypatch.setattr(painting, "create_gatys", create)
    with pytest.raises(CommandError, match="Interrupted"):
        run(content, style, tmp_path / "o.png")
    assert sorted(tmp_path.iterdir()) == sorted([content, style])


def test_what_does_not_fit_is_refused_before_anything_is_fetched(
    content: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[bool] = []
    create = painting.create_gatys

    def limited(config: GatysConfig) -> Any:
        painter = create(replace(config, memory=1))
        monkeypatch.setattr(painter, "prepare", lambda on_progress: fetched.append(True))
        return painter

    monkeypatch.setattr(painting, "create_gatys", limited)
    with pytest.raises(CommandError, match="does not fit into the memory"):
        run(content, style, tmp_path / "o.png")
    assert not fetched


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("suffix", [".jpg", ".PNG"])
def test_a_fast_style_needs_no_picture_of_it(suffix: str, content: Path, tmp_path: Path) -> None:
    out = tmp_path / f"o{suffix}"
    told = run(content, out, "--fast", "candy", "--size", 32)
    assert read(out).shape == (24, 32, 3)
    assert f"{out}: 32 x 24 in " in told
    assert "candy on cpu" in told
    magic = b"\xff\xd8\xff" if suffix == ".jpg" else b"\x89PNG"
    assert out.read_bytes().startswith(magic)


@pytest.mark.usefixtures("fast")
def test_a_fast_style_can_keep_the_colours(content: Path, tmp_path: Path) -> None:
    run(content, tmp_path / "a.png", "--fast", "candy")
    run(content, tmp_path / "b.png", "--fast", "candy", "--keep-colours")
    before, free, kept = (
        cv2.cvtColor(read(path), cv2.COLOR_BGR2YCrCb)[..., 1:].astype(int)
        for path in (content, tmp_path / "a.png", tmp_path / "b.png")
    )
    assert np.abs(kept - before).mean() < 0.5 * np.abs(free - before).mean()


@pytest.mark.usefixtures("fast")
def test_a_video_is_painted_in_a_fast_style(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=0.5)
    out = tmp_path / "o.mp4"
    told = run(clip, out, "--fast", "candy", "--size", 64)
    assert "frame 5 of 5" in told
    assert f"{out}: 64 x 48, 5 frames in " in told
    with av.open(str(out)) as container:
        assert len(list(container.decode(video=0))) == 5
    assert sorted(tmp_path.iterdir()) == sorted([clip, out])


@pytest.mark.usefixtures("fast")
def test_a_stopped_video_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=0.5)
    from vision.style.feed_forward import FeedForwardStylizer

    paint = FeedForwardStylizer.stylize

    def paint_and_stop(self: FeedForwardStylizer, *args: Any, **options: Any) -> Stylized:
        ctrl_c()
        return paint(self, *args, **options)

    monkeypatch.setattr(FeedForwardStylizer, "stylize", paint_and_stop)
    with pytest.raises(CommandError, match="Stopped after 1 frames; nothing is written"):
        run(clip, tmp_path / "o.mp4", "--fast", "candy")
    assert list(tmp_path.iterdir()) == [clip]


def test_force_replaces_a_file(
    content: Path, style: Path, tmp_path: Path, painters: list[FakePainter]
) -> None:
    out = tmp_path / "o.png"
    out.write_text("older")
    run(content, style, out, "--force", "--steps", 1)
    assert read(out).shape == (48, 64, 3)


def test_a_file_that_comes_meanwhile_is_kept(
    content: Path, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "o.png"

    def create(config: Any) -> FakePainter:
        painter = FakePainter(config)
        painter.hook = lambda step: None if out.exists() else bool(out.write_text("newer"))
        return painter

    monkeypatch.setattr(painting, "create_gatys", create)
    with pytest.raises(CommandError, match="has come to be there meanwhile"):
        run(content, style, out, "--steps", 2)
    assert out.read_text() == "newer"
    assert sorted(tmp_path.iterdir()) == sorted([content, style, out])


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.slow
def test_a_trained_network_is_painted_with_by_the_card_of_its_hash(
    weights_dir: Path, test_data: Path, tmp_path: Path, settings: Any
) -> None:
    """Weights that somebody brings stand in for a card's when the folder vouches for them."""
    trained = weights_dir / "style_rain_princess.onnx"
    if not trained.is_file():
        pytest.skip("needs the weights of a trained style network")
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "rain-princess-9.onnx").symlink_to(trained)
    known = json.loads((weights_dir / "MANIFEST.json").read_text())[trained.name]
    (folder / "MANIFEST.json").write_text(json.dumps({"rain-princess-9.onnx": known}))
    settings.VISION_WEIGHTS_DIR = str(folder)
    content = test_data / "styles" / "content_stata.jpg"
    run(content, tmp_path / "o.jpg", "--fast", "rain-princess", "--size", 160)
    painted = read(tmp_path / "o.jpg")
    plain = cv2.resize(read(content), painted.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert max(painted.shape) == 160
    assert np.abs(painted.astype(int) - plain).mean() > 20
