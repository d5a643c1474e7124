"""Synthetic scenes: what the ground truth says is what was painted."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vision.evaluation.tracking_folder import read_sequences
from vision.structures import Frame
from vision.synthetic import (
    DetectorModel,
    GroundTruth,
    LightJump,
    Scene,
    looks,
    noisy_detections,
    quiet_scene,
    sprite_of,
    write_sequence,
)

CLEAN = Scene(seed=5, seconds=6, rate=5, size=(320, 240), people=2, noise=0, shadows=False)
NOBODY = Scene(seed=5, seconds=1, rate=10, size=(64, 48), people=0)


def moments(scene: Scene, count: int | None = None) -> list[tuple[Frame, GroundTruth]]:
    return list(islice(scene, count))


def test_there_are_enough_looks_and_no_two_are_the_same() -> None:
    everyone = looks()
    assert len(everyone) >= 24
    assert len(set(everyone)) == len(everyone)
    clothes = {(look.figure, look.coat, look.trousers) for look in everyone}
    assert len(clothes) == len(everyone)


def test_looks_differ_in_the_colours_of_coat_and_trousers() -> None:
    def clothes(image: NDArray[np.uint8]) -> NDArray[np.float64]:
        rows = len(image)
        middle = image[:, image.shape[1] // 4 : image.shape[1] * 3 // 4].astype(np.float64)
        return np.concatenate(
            [
                np.median(middle[rows * a // 10 : rows * b // 10], (0, 1))
                for a, b in ((2, 5), (7, 8))
            ]
        )

    seen = np.stack([clothes(sprite_of(look).image) for look in looks()])
    apart = np.abs(seen[:, None] - seen[None]).max(axis=2)
    assert np.median(apart) > 60


def test_a_mirrored_look_is_the_cut_out_the_other_way_round() -> None:
    first = looks()[0]
    there, back = sprite_of(first), sprite_of(replace(first, mirrored=not first.mirrored))
    assert np.array_equal(there.image, back.image[:, ::-1])
    assert np.array_equal(there.alpha, back.alpha[:, ::-1])


def test_clothes_leave_the_face_as_it_is() -> None:
    same_figure = [look for look in looks() if look.figure == 0 and not look.mirrored]
    faces = [sprite_of(look).image[:45] for look in same_figure]
    assert all(np.array_equal(faces[0], face) for face in faces)


@pytest.mark.parametrize(
    ("seconds", "rate", "frames"), [(0, 25, 0), (1, 25, 25), (2, 10, 20), (1, 0.5, 0), (0.1, 60, 6)]
)
def test_a_scene_has_the_asked_length(seconds: float, rate: float, frames: int) -> None:
    scene = replace(NOBODY, seconds=seconds, rate=rate)
    found = moments(scene)
    assert len(scene) == len(found) == frames
    assert [frame.timestamp for frame, _ in found] == [index / rate for index in range(frames)]


def test_a_scene_without_people_has_an_empty_truth() -> None:
    frame, truth = moments(NOBODY)[0]
    assert frame.image.shape == (48, 64, 3)
    assert len(truth) == 0
    assert truth.boxes.shape == (0, 4)
    assert len(truth.as_detections()) == 0


def test_a_long_scene_begins_at_once_and_stores_nothing() -> None:
    assert len(moments(Scene(seconds=1e7, size=(64, 48)), 3)) == 3


def test_the_same_seed_gives_the_same_film_and_another_seed_another() -> None:
    def film(seed: int) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        scene = Scene(seed=seed, seconds=1, rate=5, size=(160, 120), people=3)
        return [(frame.image, truth.boxes) for frame, truth in scene]

    first, again, other = film(1), film(1), film(2)
    for (image, boxes), (image_again, boxes_again) in zip(first, again, strict=True):
        assert np.array_equal(image, image_again)
        assert np.array_equal(boxes, boxes_again)
    assert not np.array_equal(first[-1][0], other[-1][0])


def test_boxes_are_around_the_painted_pixels() -> None:
    empty, compared = CLEAN.empty().astype(np.int16), 0
    for frame, truth in CLEAN:
        if len(truth) != 1 or truth.visible[0] < 0.97:
            continue
        painted = np.abs(frame.image.astype(np.int16) - empty).max(axis=2) > 6
        rows, columns = np.nonzero(painted)
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(truth.boxes[0] - seen).max() <= 3
        compared += 1
    assert compared >= 3


def test_visible_shares_follow_what_hides_people() -> None:
    scene = replace(CLEAN, seconds=30, rate=4, people=4)
    shares = np.concatenate([truth.visible for _, truth in scene])
    whole = np.concatenate([truth.visible for _, truth in replace(scene, people=1, pillar=False)])
    assert shares.min() < 0.3
    assert np.median(whole) == pytest.approx(1.0)
    assert shares.max() <= 1.0


def test_people_keep_their_ids_and_ids_are_not_given_twice() -> None:
    last: dict[int, float] = {}
    for _, truth in replace(CLEAN, seconds=40, rate=2, people=3):
        assert len(set(truth.ids.tolist())) == len(truth)
        for person in truth.ids.tolist():
            assert person >= 1
            # A person once gone does not come back.
            assert truth.timestamp - last.get(person, truth.timestamp) <= 1.0
            last[person] = truth.timestamp
    assert len(last) > 3


def test_people_walk_and_do_not_jump() -> None:
    steps = []
    before: dict[int, NDArray[np.float32]] = {}
    for _, truth in replace(CLEAN, rate=25):
        now = dict(zip(truth.ids.tolist(), truth.boxes, strict=True))
        steps += [
            float(np.hypot(*(now[person][2:] - before[person][2:]))) / CLEAN.size[1]
            for person in now.keys() & before.keys()
        ]
        before = now
    assert 0 < max(steps) < 0.04


def test_light_jumps_when_it_is_told_to() -> None:
    scene = replace(NOBODY, jumps=(LightJump(0.5, 0.5),), noise=0)
    means = [float(frame.image.mean()) for frame, _ in scene]
    assert means[4] == pytest.approx(means[0])
    assert means[5] == pytest.approx(means[0] / 2, rel=0.02)


def test_light_drifts_and_noise_is_as_strong_as_asked() -> None:
    scene = replace(NOBODY, seconds=1, drift=0.3, drift_seconds=4, noise=0)
    means = [float(frame.image.mean()) for frame, _ in scene]
    assert means[9] > 1.25 * means[0]
    first, second = (frame.image.astype(float) for frame, _ in islice(replace(NOBODY, noise=4), 2))
    assert (first - second).std() == pytest.approx(4 * 2**0.5, rel=0.1)


def test_a_quiet_scene_is_quiet() -> None:
    scene = replace(quiet_scene(seconds=1800, rate=1), size=(32, 24))
    occupied = np.mean([len(truth) > 0 for _, truth in scene])
    assert 0.04 < occupied < 0.06


def crowd(count: int = 400) -> GroundTruth:
    left = np.linspace(0, 500, count, dtype=np.float32)
    boxes = np.stack([left, left * 0 + 100, left + 80, left * 0 + 300], axis=1)
    visible = np.linspace(0, 1, count, dtype=np.float32)
    return GroundTruth(3, 0.12, np.arange(1, count + 1), boxes, visible)


def test_truth_becomes_detections_with_ids() -> None:
    truth = crowd(10)
    detections = truth.as_detections(least_visible=0.5)
    assert detections.tracker_id is not None
    assert detections.tracker_id.tolist() == [6, 7, 8, 9, 10]
    assert detections.data["class_name"].tolist() == ["person"] * 5


def test_a_noisy_detector_misses_who_is_hidden_and_sees_ghosts() -> None:
    truth = crowd()
    model = DetectorModel(false_positives=5.0)
    found = noisy_detections(truth, seed=1, size=(640, 480), model=model)
    again = noisy_detections(truth, seed=1, size=(640, 480), model=model)
    other = noisy_detections(truth, seed=2, size=(640, 480), model=model)
    assert np.array_equal(found.xyxy, again.xyxy)
    assert found.xyxy.shape != other.xyxy.shape or not np.array_equal(found.xyxy, other.xyxy)
    assert 0.4 * len(truth) < len(found) < 0.9 * len(truth)
    assert found.confidence is not None
    assert found.confidence.min() >= 0.25
    assert found.confidence.max() <= 1
    assert found.xyxy.min() >= 0
    assert found.xyxy[:, 2].max() <= 640


def test_a_perfect_detector_model_finds_everyone_in_view() -> None:
    truth = crowd()
    model = DetectorModel(jitter=0, recall=10, blind_below=0.5, false_positives=0)
    found = noisy_detections(truth, seed=1, size=(640, 480), model=model)
    assert np.array_equal(found.xyxy, truth.boxes[truth.visible >= 0.5])


def test_a_noisy_detector_of_an_empty_scene_finds_nobody() -> None:
    model = DetectorModel(false_positives=0)
    nobody = GroundTruth(
        0, 0.0, np.empty(0, np.int64), np.empty((0, 4), np.float32), np.empty(0, np.float32)
    )
    found = noisy_detections(nobody, seed=1, size=(64, 48), model=model)
    assert len(found) == 0


@pytest.mark.weights
@pytest.mark.slow
def test_a_real_detector_finds_the_people(weights_dir: Path, tmp_path: Path) -> None:
    from vision import load_detector

    found, present = 0, 0
    with load_detector(weights_dirs=[weights_dir], cache_dir=tmp_path) as detector:
        for frame, truth in Scene(seed=2, seconds=20, rate=2, people=4):
            people = truth.boxes[truth.visible >= 0.5]
            (seen,) = detector.detect([frame.image], classes=[0])
            present += len(people)
            found += sum(_overlaps(box, seen.xyxy) for box in people)
    assert present > 50
    assert found > 0.9 * present


def _overlaps(box: NDArray[np.float32], others: NDArray[np.float32]) -> bool:
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    both = np.prod(np.maximum(sides, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return bool((both / (areas + np.prod(box[2:] - box[:2]) - both) >= 0.5).any())


@pytest.mark.parametrize("video", [True, False])
def test_a_scene_is_written_as_a_sequence_that_can_be_read(tmp_path: Path, video: bool) -> None:
    scene = replace(CLEAN, seconds=4, rate=5, first=0.0)
    folder = write_sequence(scene, tmp_path / "walk", video=video)
    (sequence,) = read_sequences(folder)
    assert (sequence.name, sequence.rate, sequence.frames) == ("walk", 5.0, len(scene))
    assert sequence.has_pictures is video
    assert sequence.truth is not None
    for read, (_, truth) in zip(sequence.truth, scene, strict=True):
        ids = [] if read.tracker_id is None else read.tracker_id.tolist()
        assert sorted(ids) == sorted(truth.ids[truth.visible >= 0.1].tolist())
    assert sequence.detections is not None
    assert sum(map(len, sequence.detections)) > 0
    if video:
        assert len(list(sequence.read_frames())) == len(scene)
