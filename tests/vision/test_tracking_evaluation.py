"""Measures of trackers: equal to TrackEval, and sensible where there is little to measure."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import supervision as sv

from vision.encoding.motchallenge import frames_of_rows, parse_motchallenge
from vision.errors import VisionError
from vision.evaluation.tracking import (
    COMBINED,
    TrackedSequence,
    TrackingMetrics,
    evaluate_sequences,
)
from vision.evaluation.tracking_folder import read_sequences
from vision.evaluation.tracking_run import detect_sequence, evaluate_tracker, track
from vision.tracking import TRACKERS
from vision.tracking.iou import box_iou

SHARES = ("HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDP", "IDR")
COUNTS = {"IDSW": "IDSW", "Frag": "Frag", "MT": "MT", "PT": "PT", "ML": "ML"} | {
    name: f"CLR_{name}" for name in ("TP", "FP", "FN")
}


def by_trackeval(truth: list[sv.Detections], results: list[sv.Detections]) -> dict[str, float]:
    trackeval = pytest.importorskip("trackeval")
    true_ids, found_ids = _numbers(truth), _numbers(results)
    data: dict[str, Any] = {
        "num_timesteps": len(truth),
        "gt_ids": true_ids,
        "tracker_ids": found_ids,
        "num_gt_ids": len(np.unique(np.concatenate(true_ids))),
        "num_tracker_ids": len(np.unique(np.concatenate(found_ids))),
        "num_gt_dets": sum(map(len, true_ids)),
        "num_tracker_dets": sum(map(len, found_ids)),
        "similarity_scores": [box_iou(a.xyxy, b.xyxy) for a, b in zip(truth, results, strict=True)],
    }
    figures: dict[str, float] = {}
    for metric in (
        trackeval.metrics.HOTA(),
        trackeval.metrics.CLEAR({"PRINT_CONFIG": False}),
        trackeval.metrics.Identity({"PRINT_CONFIG": False}),
    ):
        answer = metric.eval_sequence(data)
        figures |= {key: float(np.mean(value)) for key, value in answer.items()}
    return figures


def _numbers(frames: list[sv.Detections]) -> list[np.ndarray]:
    ids = [np.empty(0, int) if frame.tracker_id is None else frame.tracker_id for frame in frames]
    known = np.unique(np.concatenate(ids))
    return [np.searchsorted(known, part) for part in ids]


def assert_equal(ours: TrackingMetrics, theirs: dict[str, float]) -> None:
    for name in SHARES:
        assert 100 * getattr(ours, name) == pytest.approx(100 * theirs[name], abs=0.1), name
    for name, key in COUNTS.items():
        assert getattr(ours, name) == theirs[key], name


@pytest.mark.data
@pytest.mark.parametrize("source", ["tracker_test.txt", *TRACKERS])
def test_equal_to_trackeval(source: str, test_data: Path) -> None:
    (sequence,) = read_sequences(test_data / "mot" / "TUD-Campus")
    assert sequence.truth is not None
    assert sequence.detections is not None
    if source in TRACKERS:
        results, _ = track(source, sequence.detections, sequence.blank_frames(), rate=sequence.rate)
    else:
        rows = parse_motchallenge((test_data / "mot" / "TUD-Campus" / source).read_text())
        results = frames_of_rows(rows, sequence.frames)
    answers = evaluate_sequences({"a": TrackedSequence(sequence.truth, results)})
    assert_equal(answers["a"], by_trackeval(sequence.truth, results))
    assert answers[COMBINED] == answers["a"]


@pytest.mark.data
def test_trackers_are_as_good_as_they_were(test_data: Path) -> None:
    (sequence,) = read_sequences(test_data / "mot" / "TUD-Campus")
    assert sequence.detections is not None
    for name in TRACKERS:
        (row,) = evaluate_tracker(name, [(sequence, sequence.detections)])
        assert row.metrics is not None
        assert row.metrics.HOTA > 0.43, name
        assert row.metrics.IDF1 > 0.57, name
        assert row.frames_per_second > 0


@pytest.mark.data
def test_sequences_without_ground_truth_are_counted(test_data: Path) -> None:
    sequences = read_sequences(test_data / "mot")
    assert [sequence.name for sequence in sequences] == [
        "ADL-Rundle-6",
        "ETH-Sunnyday",
        "KITTI-17",
        "TUD-Campus",
        "Venice-2",
    ]
    short = sequences[2]
    assert short.detections is not None
    (row,) = evaluate_tracker("iou", [(short, short.detections)])
    assert row.metrics is None
    assert (row.frames, row.tracks > 5, row.boxes > 400) == (145, True, True)


def boxes(*ids: int, shift: float = 0.0) -> sv.Detections:
    corners = [(100.0 * i + shift, 10, 100 * i + 50 + shift, 110) for i in ids]
    return sv.Detections(
        xyxy=np.array(corners, np.float32).reshape(-1, 4), tracker_id=np.array(ids, int)
    )


@pytest.mark.parametrize(
    ("truth", "results", "expected"),
    [
        ([], [], (0, 0, 0, 0)),
        ([boxes(), boxes()], [boxes(), boxes()], (0, 0, 0, 0)),
        ([boxes(1, 2)] * 3, [boxes()] * 3, (0, 0, 6, 0)),
        ([boxes()] * 3, [boxes(1)] * 3, (0, 3, 0, 0)),
        ([boxes(1, 2)] * 3, [boxes(1, 2)] * 3, (6, 0, 0, 0)),
        ([boxes(1)] * 3, [boxes(1, 3)] * 3, (3, 3, 0, 0)),
    ],
    ids=["no frames", "nothing there", "no tracks", "no truth", "perfect", "too much"],
)
def test_little_to_measure(
    truth: list[sv.Detections],
    results: list[sv.Detections],
    expected: tuple[int, int, int, int],
) -> None:
    metrics = evaluate_sequences({"a": TrackedSequence(truth, results)})["a"]
    assert expected == (metrics.TP, metrics.FP, metrics.FN, metrics.IDSW)
    assert all(math.isfinite(getattr(metrics, name)) for name in SHARES)
    assert metrics.frames == len(truth)
    if expected == (6, 0, 0, 0):
        assert metrics.HOTA == metrics.MOTA == metrics.IDF1 == pytest.approx(1)


def test_no_sequences() -> None:
    answers = evaluate_sequences({})
    assert list(answers) == [COMBINED]
    assert answers[COMBINED].HOTA == 0


def test_a_switch_counts() -> None:
    swapped = boxes(1, 2)
    swapped.tracker_id = np.array([2, 1])
    frames = TrackedSequence([boxes(1, 2)] * 10, [boxes(1, 2)] * 5 + [swapped] * 5)
    metrics = evaluate_sequences({"a": frames})["a"]
    assert metrics.IDSW == 2
    assert pytest.approx(1 - 2 / 20) == metrics.MOTA
    assert pytest.approx(0.5) == metrics.IDF1


def test_ignored_boxes_are_neither_right_nor_wrong() -> None:
    ignored = [boxes(3).xyxy] * 3
    results = [boxes(1, 3, shift=2)] * 3
    plain = evaluate_sequences({"a": TrackedSequence([boxes(1)] * 3, results)})["a"]
    kind = evaluate_sequences({"a": TrackedSequence([boxes(1)] * 3, results, ignored)})["a"]
    assert (plain.FP, kind.FP) == (3, 0)
    assert kind.TP == 3


def test_unequal_frames_and_missing_ids_are_refused() -> None:
    with pytest.raises(ValueError, match="2 frames of truth"):
        evaluate_sequences({"a": TrackedSequence([boxes(1)] * 2, [boxes(1)])})
    nameless = sv.Detections(xyxy=np.ones((1, 4), np.float32))
    with pytest.raises(ValueError, match="tracker_id"):
        evaluate_sequences({"a": TrackedSequence([nameless], [boxes(1)])})


def write_sequence(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / {"det": "det/det.txt", "gt": "gt/gt.txt"}.get(name, "seqinfo.ini")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


INFO = "[Sequence]\nname=s\nframeRate=14\nseqLength=9\nimDir=img1\n"


def test_a_folder_with_classes_and_seqinfo(tmp_path: Path) -> None:
    truth = "1,1,0,0,9,9,1,1,1\n1,2,20,0,9,9,0,1,1\n1,3,40,0,9,9,0,8,1\n2,4,0,0,9,9,1,3,1\n"
    write_sequence(tmp_path / "s", gt=truth, det="1,-1,0,0,9,9,0.9\n", info=INFO)
    (tmp_path / "notes.txt").write_text("no sequence")
    (sequence,) = read_sequences(tmp_path)
    assert (sequence.name, sequence.rate, sequence.frames) == ("s", 14, 9)
    assert sequence.truth is not None
    assert sequence.ignored is not None
    assert [len(frame) for frame in sequence.truth] == [1] + [0] * 8
    assert [len(frame) for frame in sequence.ignored] == [1] + [0] * 8
    assert len(list(sequence.blank_frames())) == 9
    assert not sequence.has_pictures


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "no_sequences"),
        ({"det": "1,2,3\n"}, "bad_motchallenge"),
        ({"det": "", "info": "no ini"}, "bad_seqinfo"),
        ({"det": "", "info": "[Sequence]\nseqLength=many\n"}, "bad_seqinfo"),
        ({"det": "", "info": "[Sequence]\nframeRate=0\n"}, "bad_seqinfo"),
    ],
    ids=["empty", "bad line", "bad ini", "bad length", "bad rate"],
)
def test_bad_folders(files: dict[str, str], code: str, tmp_path: Path) -> None:
    write_sequence(tmp_path, **files)
    with pytest.raises(VisionError) as caught:
        read_sequences(tmp_path)
    assert caught.value.code == code
    with pytest.raises(VisionError):
        read_sequences(tmp_path / "missing")


def test_two_sequences_are_combined(tmp_path: Path) -> None:
    line = "{k},{i},{x},10,50,100,1\n"
    text = "".join(line.format(k=k, i=1, x=100 + k) for k in range(1, 11))
    for name in ("a", "b"):
        write_sequence(tmp_path / name, gt=text, det=text.replace(",1,1", ",-1,1"))
    pairs = [(item, item.detections or []) for item in read_sequences(tmp_path)]
    rows = evaluate_tracker("centroid", pairs)
    assert [row.sequence for row in rows] == ["a", "b", COMBINED]
    assert rows[2].frames == 20
    assert rows[2].metrics is not None
    assert rows[2].metrics.TP == 18
    assert rows[2].metrics.FN == 2


@pytest.mark.parametrize("name", ["bytetrack", "botsort"])
def test_a_sequence_that_is_only_a_video(name: str, tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "clip" / "clip.avi"
    path.parent.mkdir()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for k in range(6):
        writer.write(np.full((48, 64, 3), 40 * k, np.uint8))
    writer.release()
    (sequence,) = read_sequences(tmp_path)
    found = detect_sequence(sequence, lambda images: [boxes(1) for _ in images])
    (row,) = evaluate_tracker(name, [(sequence, found)])
    assert (row.sequence, row.frames, row.tracks, row.boxes) == ("clip", 6, 1, 5)
    assert sequence.rate == pytest.approx(10)


def test_detecting_needs_pictures(tmp_path: Path) -> None:
    write_sequence(tmp_path, det="1,-1,0,0,9,9,0.9\n")
    (sequence,) = read_sequences(tmp_path)
    with pytest.raises(VisionError) as caught:
        detect_sequence(sequence, lambda images: [])
    assert caught.value.code == "no_pictures"


def test_pictures_are_detected_in_order(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "img1").mkdir()
    for k in range(1, 11):
        image = np.full((20, 30, 3), 10 * k, np.uint8)
        cv2.imwrite(str(tmp_path / "img1" / f"{k:06}.png"), image)

    def detect(images: Any) -> list[sv.Detections]:
        assert len(images) <= 8
        return [boxes(int(image[0, 0, 0])) for image in images]

    (sequence,) = read_sequences(tmp_path)
    found = detect_sequence(sequence, detect)
    assert [frame.xyxy[0, 0] for frame in found] == [1000 * k for k in range(1, 11)]
