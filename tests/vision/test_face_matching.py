"""Search in a gallery: as a plain loop would, and never a guess."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.errors import VisionError
from vision.faces.calibration import probability
from vision.faces.matching import DEFAULT_RULES, FaceMatch, GalleryArrays, MatchRules, search
from vision.faces.structures import EMBEDDING_SIZE, Embeddings

RULES = MatchRules(threshold=0.5, margin=0.06, uncertain=0.6)
ANNA, BEN, CLEO = 7, 3, 11


def at(*places: float) -> Embeddings:
    """Embeddings on one line: their distances are the differences."""
    rows = np.zeros((len(places), EMBEDDING_SIZE), np.float32)
    rows[:, 0] = places
    return rows


def gallery(*samples: tuple[int, float], **more: object) -> GalleryArrays:
    owners = np.array([owner for owner, _ in samples], np.int64)
    return GalleryArrays(owners, at(*(place for _, place in samples)), **more)  # type: ignore[arg-type]


def by_loop(arrays: GalleryArrays, probe: Embeddings, rules: MatchRules) -> FaceMatch:
    """The same rules, one sample after the other."""
    nearest: dict[int, float] = {}
    for owner, sample in zip(arrays.owners.tolist(), arrays.embeddings, strict=True):
        distance = float(np.linalg.norm(sample.astype(float) - probe.astype(float)))
        nearest[owner] = min(nearest.get(owner, np.inf), distance)
    for owner, face in zip(arrays.negative_owners.tolist(), arrays.negatives, strict=True):
        away = float(np.linalg.norm(face.astype(float) - probe.astype(float)))
        if owner in nearest and away <= nearest[owner]:
            del nearest[owner]
    ranked = sorted(nearest, key=lambda owner: (nearest[owner], owner))
    if not ranked:
        return FaceMatch("unknown")
    best, other = ranked[0], ranked[1] if len(ranked) > 1 else None
    distance, threshold = nearest[best], arrays.thresholds.get(best, rules.threshold)
    if distance > max(threshold, rules.uncertain):
        return FaceMatch("unknown", None, distance, probability(distance))
    clear = other is None or nearest[other] - distance >= rules.margin
    return FaceMatch(
        "known" if distance <= threshold and clear else "uncertain",
        best,
        distance,
        probability(distance),
        other,
        None if other is None else nearest[other],
    )


@pytest.mark.parametrize(
    ("samples", "more", "state", "owner", "runner_up"),
    [
        pytest.param([], {}, "unknown", None, None, id="empty gallery"),
        pytest.param([(ANNA, 0.3)], {}, "known", ANNA, None, id="one profile, no runner-up"),
        pytest.param([(ANNA, 0.55)], {}, "uncertain", ANNA, None, id="one profile, in doubt"),
        pytest.param([(ANNA, 0.7)], {}, "unknown", None, None, id="one profile, too far"),
        pytest.param([(ANNA, 0.3), (BEN, 0.8)], {}, "known", ANNA, BEN, id="clear margin"),
        pytest.param([(ANNA, 0.3), (BEN, 0.33)], {}, "uncertain", ANNA, BEN, id="no margin"),
        pytest.param([(ANNA, 0.3), (BEN, 0.3)], {}, "uncertain", BEN, ANNA, id="the same photo"),
        pytest.param(
            [(ANNA, 0.3), (ANNA, 0.3), (ANNA, 0.31)], {}, "known", ANNA, None,
            id="samples of one person are no runners-up",
        ),
        pytest.param(
            [(ANNA, 0.3)], {"thresholds": {ANNA: 0.2}}, "uncertain", ANNA, None,
            id="a stricter threshold of the profile",
        ),
        pytest.param(
            [(ANNA, 0.65)], {"thresholds": {ANNA: 0.7}}, "known", ANNA, None,
            id="a looser threshold of the profile",
        ),
        pytest.param(
            [(ANNA, 0.3), (BEN, 0.45)], {"thresholds": {ANNA: 0.2}}, "uncertain", ANNA, BEN,
            id="the nearest is asked about, the next one is not taken instead",
        ),
        pytest.param(
            [(ANNA, 0.3)], {"negatives": at(0.1), "negative_owners": np.array([ANNA])},
            "unknown", None, None, id="said not to be that person",
        ),
        pytest.param(
            [(ANNA, 0.3)], {"negatives": at(-0.4), "negative_owners": np.array([ANNA])},
            "known", ANNA, None, id="what was said is of a face farther away",
        ),
        pytest.param(
            [(ANNA, 0.3), (BEN, 0.4)], {"negatives": at(0.1), "negative_owners": np.array([ANNA])},
            "known", BEN, None, id="not Anna, so Ben",
        ),
        pytest.param(
            [(ANNA, 0.3)], {"negatives": at(0.1), "negative_owners": np.array([CLEO])},
            "known", ANNA, None, id="said of somebody who has no samples",
        ),
    ],
)  # fmt: skip
def test_who_a_face_is(samples, more, state, owner, runner_up) -> None:
    (match,) = search(gallery(*samples, **more), at(0.0), RULES)
    assert (match.state, match.owner, match.runner_up) == (state, owner, runner_up)


def test_no_probes_have_no_answers() -> None:
    assert search(gallery((ANNA, 0.1)), np.empty((0, EMBEDDING_SIZE), np.float32), RULES) == []
    assert search(gallery(), np.empty((0, 0), np.float32), RULES) == []


def test_the_unknown_get_no_name() -> None:
    (match,) = search(gallery((ANNA, 0.7), (BEN, 0.8)), at(0.0), RULES)
    assert match.owner is None
    assert match.runner_up is None
    assert match.distance == pytest.approx(0.7)
    assert match.probability == probability(match.distance)


def test_equal_vectors_are_exactly_at_distance_zero() -> None:
    rng = np.random.default_rng(1)
    faces = rng.normal(0, 0.12, (500, EMBEDDING_SIZE)).astype(np.float32)
    matches = search(GalleryArrays(np.arange(500), faces), faces, RULES)
    assert [match.owner for match in matches] == list(range(500))
    assert {match.distance for match in matches} == {0.0}


def test_a_hair_decides_who_is_nearer() -> None:
    faces = np.full((2, EMBEDDING_SIZE), 0.1, np.float32)
    faces[0, 0] = np.nextafter(np.float32(0.1), np.float32(1))
    (match,) = search(GalleryArrays(np.array([ANNA, BEN]), faces), faces[1:], RULES)
    assert (match.owner, match.distance, match.runner_up) == (BEN, 0.0, ANNA)
    assert match.runner_up_distance is not None
    assert match.runner_up_distance > 0


def test_many_probes_are_searched_in_parts() -> None:
    rng = np.random.default_rng(2)
    faces = rng.normal(0, 0.12, (30_000, EMBEDDING_SIZE)).astype(np.float32)
    arrays = GalleryArrays(np.arange(30_000) // 3, faces)
    asked = rng.integers(0, 30_000, 600)
    assert [match.owner for match in search(arrays, faces[asked], RULES)] == list(asked // 3)


GRID = st.sampled_from([0.0, 0.01, 0.02, 0.1, 0.3, 0.5])


@st.composite
def questions(draw) -> tuple[GalleryArrays, Embeddings]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    people = rng.normal(0, 0.09, (draw(st.integers(1, 8)), EMBEDDING_SIZE))

    def faces(count: int) -> tuple[np.ndarray, Embeddings]:
        owners = rng.integers(0, len(people), count)
        spread = rng.normal(0, draw(GRID) / 8, (count, EMBEDDING_SIZE))
        return owners, (people[owners] + spread).astype(np.float32)

    owners, samples = faces(draw(st.integers(0, 40)))
    negative_owners, negatives = faces(draw(st.integers(0, 8)))
    own = {int(owner): float(rng.uniform(0.1, 0.9)) for owner in owners[: draw(st.integers(0, 3))]}
    # Some probes are samples, so that distances of nothing and ties occur.
    probes = np.concatenate((faces(draw(st.integers(0, 5)))[1], samples[:3], negatives[:2]))
    return GalleryArrays(owners, samples, own, negatives, negative_owners), probes


@settings(max_examples=150, deadline=None)
@given(questions(), st.builds(MatchRules, GRID, GRID, GRID))
def test_search_says_what_a_plain_loop_says(question, rules: MatchRules) -> None:
    arrays, probes = question
    matches = search(arrays, probes, rules)
    expected = [by_loop(arrays, probe, rules) for probe in probes]
    assert [replace(m, distance=None, probability=None, runner_up_distance=None)
            for m in matches] == [
        replace(m, distance=None, probability=None, runner_up_distance=None) for m in expected
    ]  # fmt: skip
    for match, wanted in zip(matches, expected, strict=True):
        assert match.distance == pytest.approx(wanted.distance, abs=1e-12)
        assert match.runner_up_distance == pytest.approx(wanted.runner_up_distance, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=30), st.integers(0, 29))
def test_distances_are_numbers_whatever_the_embeddings(places: list[float], index: int) -> None:
    owners = np.arange(len(places))
    probe = at(places[index % len(places)])
    (match,) = search(GalleryArrays(owners, at(*places)), probe, RULES)
    assert match.distance == 0.0


@pytest.mark.parametrize(
    "probes",
    [
        pytest.param(np.zeros((1, 127), np.float32), id="127 numbers"),
        pytest.param(np.zeros((2, 512), np.float32), id="512 numbers"),
        pytest.param(np.zeros(EMBEDDING_SIZE, np.float32), id="a row alone"),
        pytest.param(np.zeros((1, 1, EMBEDDING_SIZE), np.float32), id="three dimensions"),
        pytest.param(np.full((1, EMBEDDING_SIZE), np.nan, np.float32), id="no numbers"),
        pytest.param(np.full((1, EMBEDDING_SIZE), -np.inf, np.float32), id="endless"),
        pytest.param(np.full((1, EMBEDDING_SIZE), 1e30, np.float32), id="too long to be squared"),
        pytest.param(np.full((1, EMBEDDING_SIZE), "x"), id="letters"),
    ],
)
def test_what_is_no_embedding_is_refused_as_probe_and_as_sample(probes) -> None:
    for people in (gallery(), gallery((ANNA, 0.1))):
        with pytest.raises(VisionError) as refused:
            search(people, probes, RULES)
        assert refused.value.code == "bad_embedding"
    with pytest.raises(VisionError) as refused:
        GalleryArrays(np.zeros(len(probes), np.int64), probes)
    assert refused.value.code == "bad_embedding"


def test_every_embedding_has_an_owner() -> None:
    with pytest.raises(VisionError, match="2 embeddings, but 1 owners"):
        GalleryArrays(np.array([ANNA]), at(0.1, 0.2))
    with pytest.raises(VisionError, match="0 embeddings, but 1 owners"):
        GalleryArrays(np.array([ANNA]), at(0.1), negative_owners=np.array([ANNA]))


def test_the_gallery_does_not_follow_what_it_was_made_of() -> None:
    owners, faces = np.array([BEN, ANNA]), at(0.4, 0.1)
    arrays = GalleryArrays(owners, faces)
    faces[:] = 9
    owners[:] = CLEO
    assert search(arrays, at(0.1), RULES)[0].owner == ANNA


def test_the_usual_rules_ask_before_they_know() -> None:
    assert DEFAULT_RULES.threshold < DEFAULT_RULES.uncertain
    assert probability(DEFAULT_RULES.threshold) > 0.9
    assert 0 < DEFAULT_RULES.margin < DEFAULT_RULES.threshold
