"""Measures of telling faces apart: as a plain count says, with intervals; and folders of faces."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import supervision as sv
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom

from vision.errors import VisionError
from vision.evaluation.faces import identify, score_pairs, share_of
from vision.evaluation.faces_folder import read_pairs
from vision.evaluation.faces_pictures import embed_pictures
from vision.faces.matching import MatchRules
from vision.faces.structures import EMBEDDING_SIZE, no_faces

RULES = MatchRules(threshold=0.5, margin=0.06, uncertain=0.6)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        pytest.param(0, 0, 0.0, 1.0, id="of nothing"),
        pytest.param(0, 10, 0.0, 0.3085, id="none of ten"),
        pytest.param(1, 10, 0.0025, 0.4450, id="one of ten"),
        pytest.param(10, 10, 0.6915, 1.0, id="all of ten"),
        pytest.param(0, 1000, 0.0, 0.003682, id="none of a thousand"),
    ],
)
def test_intervals_are_those_of_the_books(count: int, of: int, low: float, high: float) -> None:
    share = share_of(count, of)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 300), st.data())
def test_at_the_ends_of_an_interval_the_count_has_a_chance_of_one_in_forty(of: int, data) -> None:
    count = data.draw(st.integers(0, of))
    share = share_of(count, of)
    assert share.low <= share.rate <= share.high
    if count:
        assert binom.sf(count - 1, of, share.low) == pytest.approx(0.025, abs=1e-6)
    if count < of:
        assert binom.cdf(count, of, share.high) == pytest.approx(0.025, abs=1e-6)


@st.composite
def some_pairs(draw) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rows = draw(
        st.lists(st.tuples(st.sampled_from([0.2, 0.4, 0.5, 0.6, 0.9]), st.booleans()), max_size=40)
    )
    rows += [(0.45, True), (0.7, False)]
    return np.array([d for d, _ in rows]), np.array([same for _, same in rows])


@settings(deadline=None)
@given(some_pairs(), st.floats(0.1, 1.0))
def test_errors_are_what_a_plain_count_says(pairs, threshold: float) -> None:
    distances, same = pairs
    point = score_pairs(distances, same, np.arange(len(same)) % 10).at(threshold)
    wrong = sum(d <= threshold and not s for d, s in zip(distances, same, strict=True))
    missed = sum(d > threshold and s for d, s in zip(distances, same, strict=True))
    assert (point.false_matches.number, point.false_non_matches.number) == (wrong, missed)
    assert point.accuracy == pytest.approx(1 - (wrong + missed) / len(same))


@settings(deadline=None)
@given(some_pairs())
def test_thresholds_from_data_do_what_they_say(pairs) -> None:
    distances, same = pairs
    score = score_pairs(distances, same, np.arange(len(same)) % 10)
    assert score.rare.false_matches.rate <= 0.001
    gaps = [
        abs(point.false_matches.rate - point.false_non_matches.rate)
        for point in score.curve([0.1, 0.3, 0.42, 0.47, 0.55, 0.65, 0.8, 1.0])
    ]
    mine = abs(score.equal.false_matches.rate - score.equal.false_non_matches.rate)
    assert mine <= min(gaps) + 1e-12


def test_one_false_match_in_a_thousand_is_allowed_for_a_thousand_pairs() -> None:
    impostor = np.linspace(0.5, 1.0, 2000)
    distances = np.concatenate((np.full(50, 0.3), impostor))
    score = score_pairs(distances, np.arange(2050) < 50, np.arange(2050) % 10)
    assert score.rare.false_matches.number == 2
    assert score.rare.threshold == pytest.approx(impostor[2], abs=1e-9)
    assert score.cross_validated == 1.0


@pytest.mark.parametrize("same", [[], [True, True], [False]])
def test_one_kind_of_pairs_says_nothing(same: list[bool]) -> None:
    with pytest.raises(VisionError) as refused:
        score_pairs(np.full(len(same), 0.5), np.array(same, bool), np.zeros(len(same), int))
    assert refused.value.code == "no_pairs"


def test_identification_takes_every_face_out_of_the_gallery() -> None:
    places = np.array([0.0, 0.1, 2.0, 2.45, 2.9, 5.0])
    faces = np.zeros((6, EMBEDDING_SIZE), np.float32)
    faces[:, 0] = places
    score = identify(faces, np.array([1, 1, 2, 2, 3, 4]), RULES)
    # 2.45 is as far from 2.0 as from 2.9, so somebody is asked; nobody is like 5.0.
    assert (score.known.number, score.known.of) == (3, 4)
    assert (score.asked.number, score.mistaken.number) == (1, 0)
    # Without their own others, 2.45 is taken for 2.9 and the other way round.
    assert (score.impostors.number, score.impostors.of) == (2, 6)


# Folders


def draw_picture(path: Path, *, size: int = 64) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size, size, 3), len(path.name), np.uint8))


def people(folder: Path, **counts: int) -> None:
    for name, count in counts.items():
        for number in range(count):
            draw_picture(folder / name / f"{name}_{number + 1:04d}.jpg")


def test_folders_of_people_are_compared_all_with_all(tmp_path: Path) -> None:
    people(tmp_path / "train", anna=2, ben=1)
    people(tmp_path / "test", anna=1)
    people(tmp_path, group=3)
    draw_picture(tmp_path / "stray.png")
    (tmp_path / "train" / "notes.txt").write_text("no picture")
    found = read_pairs(tmp_path, exclude={"group"})
    assert found.names == ("anna", "ben")
    assert len(found.pictures) == 4
    assert (len(found.pairs), found.same.sum()) == (6, 3)
    assert [entry.path.name for entry in found.left_out] == ["stray.png"]


def test_of_too_many_pairs_a_seeded_sample_is_taken(tmp_path: Path) -> None:
    people(tmp_path, anna=6, ben=6, cleo=6)
    samples = [read_pairs(tmp_path, most=40, seed=seed) for seed in (1, 1, 2)]
    for sample in samples:
        assert len(sample.pairs) == 40
        assert sample.same.sum() == 20
        assert len(np.unique(sample.pairs, axis=0)) == 40
        own = sample.identities[sample.pairs]
        assert ((own[:, 0] == own[:, 1]) == sample.same).all()
    assert (samples[0].pairs == samples[1].pairs).all()
    assert (samples[0].pairs != samples[2].pairs).any()


@pytest.mark.parametrize(
    "head", [pytest.param("2\t2\n", id="folds"), pytest.param("4\n", id="one fold"), ""]
)
def test_the_list_of_lfw_is_read(tmp_path: Path, head: str) -> None:
    people(tmp_path, Anna_A=3, Ben=2)
    draw_picture(tmp_path / "Cleo" / "Cleo_0001.png")
    lines = "Anna_A\t1\t2\nAnna_A 2 3\nAnna_A\t1\tBen\t2\nBen 1 Cleo 1\n\nBen 1 2\nBen 2 Cleo 1\n"
    (tmp_path / "pairs.txt").write_text(head + lines)
    found = read_pairs(tmp_path)
    assert found.is_central
    assert found.same.tolist() == [True, True, False, False, True, False]
    assert found.names == ("Anna_A", "Ben", "Cleo")
    assert [found.pictures[index].name for index in found.pairs[3]] == [
        "Ben_0001.jpg",
        "Cleo_0001.png",
    ]
    assert found.folds.tolist() == ([0, 0, 0, 0, 1, 1] if "\t" in head else [0, 1, 2, 3, 4, 5])


def test_pictures_that_the_list_names_in_vain_are_left_out(tmp_path: Path) -> None:
    people(tmp_path, anna=2, ben=1)
    (tmp_path / "pairs.txt").write_text("3\nanna 1 2\nanna 1 ben 1\nanna 1 7\nzoe 1 ben 1\n")
    found = read_pairs(tmp_path)
    assert found.same.tolist() == [True, False]
    assert [entry.path.name for entry in found.left_out] == ["anna_0007", "zoe_0001"]
    assert "Line 4" in found.left_out[0].reason


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        pytest.param("", "no_pairs", "no pairs", id="empty"),
        pytest.param("10 300\n", "no_pairs", "no pairs", id="only a head"),
        pytest.param("10 300\nanna 1 2\nhello\n", "bad_pairs", "line 3", id="one word"),
        pytest.param("2\nanna 1 2 3 4\n", "bad_pairs", "line 2", id="five words"),
        pytest.param("2\n\nanna one 2\n", "bad_pairs", "line 3", id="no number"),
        pytest.param("2\nanna 1 -2\n", "bad_pairs", "line 2", id="a negative number"),
        pytest.param("2\n../ben 1 2\n", "bad_pairs", "line 2", id="a way out of the folder"),
        pytest.param("2\n.. 1 ben 1\n", "bad_pairs", "line 2", id="the folder above"),
        pytest.param("2\nanna 1 1\n", "bad_pairs", "line 2", id="a picture with itself"),
        pytest.param("ten 300\nanna 1 2\n", "bad_pairs", "line 1", id="a head of words"),
        pytest.param("2\nanna 1 2\n", "no_pairs", "both kinds", id="one kind"),
        pytest.param("2\nzoe 1 2\nzoe 1 mia 1\n", "no_pairs", "both kinds", id="nothing is there"),
    ],
)
def test_lists_of_nonsense_are_refused_with_the_line(
    tmp_path: Path, text: str, code: str, told: str
) -> None:
    people(tmp_path, anna=2, ben=2)
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(VisionError, match=told) as refused:
        read_pairs(tmp_path)
    assert refused.value.code == code


def test_a_list_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(VisionError) as refused:
        read_pairs(tmp_path)
    assert refused.value.code == "bad_pairs"


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        pytest.param({}, "no folders with pictures", id="empty"),
        pytest.param({"anna": 3}, "All pictures are of anna", id="one person"),
        pytest.param({"anna": 1, "ben": 1}, "Nobody has two pictures", id="one picture each"),
    ],
)
def test_folders_without_pairs_are_refused(tmp_path: Path, counts, told: str) -> None:
    people(tmp_path, **counts)
    with pytest.raises(VisionError, match=told) as refused:
        read_pairs(tmp_path)
    assert refused.value.code == "no_pairs"


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VisionError, match="is no folder"):
        read_pairs(tmp_path / "missing")


class SeesBoxes:
    """A face engine that finds given boxes, and tells them apart by their left edge."""

    detector = embedder = "boxes"

    def __init__(self, *boxes: tuple[int, int, int, int]) -> None:
        self.boxes = boxes

    def detect(self, images, *, minimum_size: int = 20) -> list[sv.Detections]:
        found = sv.Detections(np.array(self.boxes, np.float32)) if self.boxes else no_faces()
        return [found for _ in images]

    def embed(self, image, faces: sv.Detections):
        return np.repeat(faces.xyxy[:, :1], EMBEDDING_SIZE, axis=1)


@pytest.mark.parametrize(
    ("boxes", "is_central", "chosen"),
    [
        pytest.param([], False, "No face was found.", id="nobody"),
        pytest.param([(3, 0, 43, 40)], False, 3, id="one"),
        pytest.param([(1, 0, 10, 12), (3, 0, 43, 40)], False, 3, id="somebody in the background"),
        pytest.param([(1, 0, 30, 35), (3, 0, 43, 40)], False, "It shows several people.", id="two"),
        pytest.param([(1, 0, 60, 40), (24, 24, 40, 40)], True, 24, id="in LFW the middle one"),
    ],
)
def test_whose_face_a_picture_shows(tmp_path: Path, boxes, is_central: bool, chosen) -> None:
    people(tmp_path, anna=2, ben=1)
    if is_central:
        (tmp_path / "pairs.txt").write_text("anna 1 2\nanna 1 ben 1\n")
    embedded = embed_pictures(SeesBoxes(*boxes), read_pairs(tmp_path))  # type: ignore[arg-type]
    if isinstance(chosen, str):
        assert {entry.reason for entry in embedded.left_out} == {chosen}
        assert not embedded.usable.any()
    else:
        assert embedded.embeddings[:, 0].tolist() == [chosen] * 3


def test_broken_pictures_are_named_and_left_out(tmp_path: Path) -> None:
    people(tmp_path, anna=2, ben=2)
    broken = tmp_path / "ben" / "ben_0001.jpg"
    broken.write_bytes(broken.read_bytes()[:200])
    (tmp_path / "ben" / "ben_0002.jpg").write_bytes(b"")
    told: list[tuple[int, int]] = []
    embedded = embed_pictures(
        SeesBoxes((3, 0, 43, 40)),  # type: ignore[arg-type]
        read_pairs(tmp_path),
        tell=lambda done, total: told.append((done, total)),
    )
    assert [entry.path.name for entry in embedded.left_out] == ["ben_0001.jpg", "ben_0002.jpg"]
    assert all(entry.reason for entry in embedded.left_out)
    assert embedded.usable.tolist() == [True, True, False, False]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
