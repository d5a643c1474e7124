"""``manage.py analyze_video``: the annotated video, statistics, tracks; all of it or nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import pytest
from django.core.management import CommandError, call_command

from tests.integration.detector.conftest import FakeEngine
from tests.made_videos import make_clip
from tests.processes import ROOT, environment, wait_until
from tests.vision.video_samples import sound_only
from vision.encoding.motchallenge import parse_motchallenge
from vision.errors import VisionError

pytestmark = pytest.mark.once  # needs no server


def run(*arguments: Any) -> str:
    out = io.StringIO()
    call_command("analyze_video", *(str(argument) for argument in arguments), stdout=out)
    return out.getvalue()


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_video_and_statistics_are_written(clip: Path, engine: FakeEngine, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "er" / "out.mp4"
    printed = run(clip, out)
    assert files(out.parent) == ["out.json", "out.mp4"]
    with av.open(str(out)) as written:
        assert written.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in written.decode(video=0)) == 20
    told = json.loads(out.with_suffix(".json").read_text())
    assert (told["file"]["name"], told["file"]["frames"]) == ("street.mp4", 20)
    assert (told["model"], told["statistics"]["tracks"]) == ("yolov8n", 2)
    assert [row["number"] for row in told["tracks"]] == [1, 2]
    assert told["options"]["styles"] == ["boxes", "trails"]
    assert "20 frames" in printed
    assert "person: 1 track" in printed
    assert str(out) in printed


FORMS = [".csv", ".json", ".txt"]


@pytest.mark.parametrize("suffix", FORMS)
def test_tracks_are_written_in_the_form_that_the_name_says(
    clip: Path, engine: FakeEngine, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"tracks{suffix}"
    statistics = tmp_path / "s.json"
    run(clip, tmp_path / "out.mp4", "--tracks", path, "--statistics", statistics)
    assert files(tmp_path) == sorted(["out.mp4", "s.json", path.name])
    text = path.read_text("utf-8-sig")
    total = sum(row["points"] for row in json.loads(statistics.read_text())["tracks"])
    if suffix == ".csv":
        assert len(list(csv.DictReader(io.StringIO(text)))) == total
    elif suffix == ".txt":
        assert len(parse_motchallenge(text)) == total
    else:
        frames = json.loads(text)["frames"]
        assert sum(len(frame["objects"]) for frame in frames) == total


def test_options_reach_the_engine_and_the_result(
    clip: Path, engine: FakeEngine, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    run(
        *(clip, out, "--tasks", "tracking,motion", "--classes", "dog", "--every", "5"),
        *("--tracker", "iou", "--styles", "none", "--pixels-per-metre", "10", "--gate"),
        *("--confidence", "0.6", "--iou", "0.5", "--motion-method", "difference"),
        *("--minimum-area", "0.01", "--between", "predict", "--model", "yolov8s"),
    )
    told = json.loads(out.with_suffix(".json").read_text())
    assert told["options"] == {
        "model": "yolov8s",
        "confidence": 0.6,
        "iou": 0.5,
        "classes": ["dog"],
        "tasks": ["tracking", "motion"],
        "styles": ["none"],
        "tracker": "iou",
        "every": 5,
        "between": "predict",
        "motion_method": "difference",
        "minimum_area": 0.01,
        "gate": True,
        "pixels_per_metre": 10.0,
    }
    assert {call["model"] for call in engine.calls} == {"yolov8s"}
    assert {row["class"] for row in told["tracks"]} <= {"dog"}
    assert told["statistics"]["motion"]["events"] >= 1
    assert all(row["mean_speed_mps"] is not None for row in told["tracks"])


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("out.avi",), "must end in .mp4"),
    (("out.mp4", "--tracks", "t.xml"), "must end in .json, .csv, .txt"),
    (("out.mp4", "--statistics", "out.mp4"), "must be different"),
    (("street.mp4",), "must be different"),
    (("out.mp4", "--tracker", "psychic"), "tracker must be one of"),
    (("out.mp4", "--every", "x"), "every must be a whole number"),
    (("out.mp4", "--classes", "unicorn"), "unicorn"),
    (("out.mp4", "--model", "yolov0"), "yolov0"),
    (("out.mp4", "--tasks", "dance"), "tasks must be of"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_mistakes_are_told_before_any_work(
    engine: FakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "street.mp4")
    with pytest.raises(CommandError, match=said):
        run("street.mp4", *arguments)
    assert files(tmp_path) == ["street.mp4"]
    assert engine.calls == []


BAD = {
    "no file": (lambda folder: folder / "none.mp4", "There is no file"),
    "a folder": (lambda folder: folder, "There is no file"),
    "text": (lambda folder: _text(folder / "a.mp4"), "not a video"),
    "sound only": (lambda folder: sound_only(folder / "a.mp4"), "no (video|picture)"),
}


def _text(path: Path) -> Path:
    path.write_text("I am a video.")
    return path


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_video_is_told_and_leaves_nothing(
    engine: FakeEngine, tmp_path: Path, case: str
) -> None:
    make, said = BAD[case]
    source = make(tmp_path)
    before = files(tmp_path)
    with pytest.raises(CommandError, match=f"(?i){said}"):
        run(source, tmp_path / "new" / "out.mp4")
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (VisionError("engine_closed", "It does not work."), "It does not work", 1),
        (KeyboardInterrupt(), "nothing was written", 130),
        (OSError(28, "No space left on device"), "No space left", 1),
    ],
)
def test_what_goes_wrong_half_way_leaves_what_was_there(
    clip: Path, engine: FakeEngine, tmp_path: Path, error: BaseException, said: str, code: int
) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("the one before")

    def fail() -> None:
        if len(engine.calls) == 3:
            raise error

    engine.before = fail
    with pytest.raises(CommandError, match=said) as caught:
        run(clip, out, "--tracks", tmp_path / "sub" / "t.csv")
    assert caught.value.returncode == code
    assert files(tmp_path) == ["out.mp4"]
    assert out.read_text() == "the one before"


def test_where_nobody_may_write_it_is_said(clip: Path, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="could not be written"):
        run(clip, tmp_path / "file" / "out.mp4")


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_ctrl_c_ends_a_real_run_and_leaves_nothing(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", seconds=60, width=640, height=480)
    out = tmp_path / "out"
    variables = environment(tmp_path / "home")
    command = [sys.executable, "manage.py", "analyze_video", str(source), str(out / "o.mp4")]
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever runs the tests in the background has it ignored, and all below would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    wait_until(lambda: any(path.stat().st_size for path in out.rglob("*.mp4")), 120)
    time.sleep(0.3)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to all of them
    printed, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    assert errors.strip().endswith("CommandError: Interrupted; nothing was written."), errors
    assert printed == ""
    assert not out.exists()
    assert not (tmp_path / "home" / "data" / "db.sqlite3").exists()


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.weights
@pytest.mark.timeout(240)
@pytest.mark.usefixtures("real_engine")
def test_bottles_are_counted(test_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    printed = run(
        *(test_data / "videos" / "bottle-detection.mp4", out, "--every", "12"),
        *("--classes", "bottle", "--tracker", "sort"),
    )
    told = json.loads(out.with_suffix(".json").read_text())
    assert told["statistics"]["frames"] == 1189
    assert told["statistics"]["classes"]["bottle"]["tracks"] >= 2
    assert "bottle" in printed
