"""One decision for a track: better than that of any frame, and a question where faces disagree."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from vision.errors import VisionError
from vision.faces.matching import DEFAULT_RULES, FaceMatch, GalleryArrays, search
from vision.faces.structures import EMBEDDING_SIZE, Embeddings, FaceQuality
from vision.faces.voting import KEPT, TrackVotes, weigh

GOOD = FaceQuality(size=160, sharpness=0.9, yaw=0.05, pitch=0.05, roll=2)
FAIR = FaceQuality(size=60, sharpness=0.5, yaw=0.3, pitch=0.1, roll=5)
BAD = FaceQuality(size=24, sharpness=0.1, yaw=0.7, pitch=0.3, roll=20)
ANNA, BEN = 5, 8


def at(*places: float) -> Embeddings:
    rows = np.zeros((len(places), EMBEDDING_SIZE), np.float32)
    rows[:, 0] = places
    return rows


def people(**negatives: float) -> GalleryArrays:
    """Anna is at 0 and Ben at 1."""
    faces = at(*negatives.values())
    owners = np.full(len(faces), ANNA)
    return GalleryArrays(
        np.array([ANNA, BEN]), at(0.0, 1.0), negatives=faces, negative_owners=owners
    )


def votes(*places: float, quality: FaceQuality = FAIR, apart: float = 0.5) -> TrackVotes:
    track = TrackVotes()
    for index, face in enumerate(at(*places)):
        track.add(face, quality, index * apart)
    return track


@pytest.mark.parametrize(
    ("places", "state", "owner"),
    [
        pytest.param([0.3, 0.3, 0.3], "known", ANNA, id="all agree"),
        pytest.param([0.3, 0.4, 0.45, 0.3, 0.9], "known", ANNA, id="one blurred away to Ben"),
        pytest.param([0.3, 0.3, 0.3, 0.75, 0.8], "uncertain", ANNA, id="two names"),
        pytest.param([0.1, 0.1, 0.9, 0.9], "uncertain", ANNA, id="half and half"),
        pytest.param([0.55, 0.56, 0.4], "unknown", None, id="between two"),
        pytest.param([-0.55, -0.55, -0.58], "uncertain", ANNA, id="near enough to ask"),
        pytest.param([-0.4, -0.7, -0.8, -0.75], "unknown", None, id="one lucky frame"),
        pytest.param([-0.8, -0.8, -0.8], "unknown", None, id="nobody"),
    ],
)
def test_who_a_track_is(places, state, owner) -> None:
    # The middle of two people who are 1 apart is within 0.5 of both; the margin keeps it open.
    gallery = people() if places[0] != 0.55 else GalleryArrays(np.array([ANNA]), at(-0.2))
    match = votes(*places).decide(gallery, DEFAULT_RULES)
    assert match is not None
    assert (match.state, match.owner) == (state, owner)


def test_a_track_without_faces_is_undecided() -> None:
    assert TrackVotes().decide(people(), DEFAULT_RULES) is None


def test_an_empty_gallery_knows_nobody() -> None:
    empty = GalleryArrays(np.empty(0, np.int64), np.empty((0, EMBEDDING_SIZE), np.float32))
    assert votes(0.1, quality=GOOD).decide(empty, DEFAULT_RULES) is None
    match = votes(0.1, 0.1, 0.1).decide(empty, DEFAULT_RULES)
    assert match is not None
    assert match.state == "unknown"


@pytest.mark.parametrize(
    ("track", "decided"),
    [
        pytest.param(votes(0.3, 0.3), False, id="two faces"),
        pytest.param(votes(0.3, 0.3, 0.3, apart=0.04), False, id="three neighbouring frames"),
        pytest.param(votes(0.3, 0.3, 0.3, apart=0.2), True, id="three faces over 0.4 seconds"),
        pytest.param(votes(0.3, quality=GOOD), True, id="one very good face, close"),
        pytest.param(votes(0.3, quality=BAD), False, id="one bad face, close"),
        pytest.param(votes(0.45, quality=GOOD), False, id="one very good face, not so close"),
        pytest.param(votes(0.3, 0.9, quality=GOOD), False, id="two good faces of two people"),
    ],
)
def test_when_it_is_enough(track: TrackVotes, decided: bool) -> None:
    match = track.decide(people(), DEFAULT_RULES)
    assert (match is not None) == decided
    assert match is None or match.owner == ANNA


def test_a_single_face_needs_a_large_margin() -> None:
    near = GalleryArrays(np.array([ANNA, BEN]), at(0.0, 0.7))
    assert votes(0.3, quality=GOOD).decide(near, DEFAULT_RULES) is None
    match = votes(0.2, quality=GOOD).decide(near, DEFAULT_RULES)
    assert match is not None
    assert (match.state, match.distance) == ("known", pytest.approx(0.2))


@pytest.mark.parametrize(
    ("negative", "state", "owner"),
    [
        pytest.param(0.3, "unknown", None, id="said of such faces"),
        pytest.param(0.62, "uncertain", ANNA, id="said of some of them"),
        pytest.param(-0.9, "known", ANNA, id="said of quite another face"),
    ],
)
def test_what_somebody_said_counts(negative: float, state: str, owner: int | None) -> None:
    gallery = GalleryArrays(
        np.array([ANNA]), at(0.0), negatives=at(negative), negative_owners=np.array([ANNA])
    )
    match = votes(0.2, 0.2, 0.25, 0.35, 0.45).decide(gallery, DEFAULT_RULES)
    assert match is not None
    assert (match.state, match.owner) == (state, owner)


def test_good_faces_count_more() -> None:
    track = TrackVotes()
    for index in range(4):
        track.add(at(0.75)[0], BAD, index)
        track.add(at(0.2)[0], GOOD, index + 0.5)
    match = track.decide(people(), DEFAULT_RULES)
    assert match is not None
    assert (match.state, match.owner) == ("known", ANNA)
    assert match.distance == pytest.approx(0.2)


@pytest.mark.parametrize(
    "worse",
    [
        pytest.param(FaceQuality(40, 0.9, 0.05, 0.05, 2), id="smaller"),
        pytest.param(FaceQuality(160, 0.4, 0.05, 0.05, 2), id="less sharp"),
        pytest.param(FaceQuality(160, 0.9, -0.6, 0.05, 2), id="turned"),
        pytest.param(FaceQuality(160, 0.9, 0.05, 0.6, 2), id="looks up"),
        pytest.param(FaceQuality(160, 0.9, 0.05, 0.05, -40), id="tilted"),
    ],
)
def test_the_worse_a_face_is_seen_the_less_it_counts(worse: FaceQuality) -> None:
    assert 0 < weigh(worse) < weigh(GOOD) <= 1


@pytest.mark.parametrize("value", [0.0, -5.0, math.nan, math.inf, 1e9])
def test_strange_qualities_have_weights(value: float) -> None:
    assert 0 < weigh(FaceQuality(value, value, value, value, value)) <= 1


def test_the_faces_that_are_kept_are_good_and_spread_over_time() -> None:
    track = TrackVotes()
    for index in range(400):  # 16 seconds at 25 frames; a good look in one of them
        close = 200 <= index < 225
        track.add(at(index / 1000)[0], GOOD if close else FAIR, index / 25)
    times = [face.timestamp for face in track.faces]
    assert (len(track), track.seen) == (KEPT, 400)
    assert times == sorted(times)
    assert times[-1] - times[0] > 8
    assert max(np.diff(times)) < 5
    assert min(np.diff(times)) >= 0.2
    assert sum(8 <= time < 9 for time in times) >= 2
    assert track.best is not None
    assert track.best.quality == GOOD


def test_of_one_moment_the_better_face_is_kept() -> None:
    track = TrackVotes()
    assert track.add(at(0.1)[0], FAIR, 1.0)
    assert track.add(at(0.2)[0], GOOD, 1.0)
    assert not track.add(at(0.3)[0], BAD, 1.0)
    (face,) = track.faces
    assert face.embedding[0] == np.float32(0.2)


def test_a_face_is_a_copy() -> None:
    face, track = at(0.1)[0], TrackVotes()
    track.add(face, GOOD, 0)
    face[:] = 9
    assert track.faces[0].embedding[0] == np.float32(0.1)


@pytest.mark.parametrize("size", [0, 64, 512])
def test_embeddings_of_a_wrong_size_are_refused(size: int) -> None:
    track = TrackVotes()
    with pytest.raises(VisionError) as refused:
        track.add(np.zeros(size, np.float32), GOOD, 0)
    assert refused.value.code == "bad_embedding"
    assert len(track) == 0


def test_too_few_to_decide_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="never suffice"):
        TrackVotes(keep=2)


# People are as far apart as the faces of different people in the shared data (0.79 on average,
# 0.58 at least); a frame lies 0.3 to 0.7 from the sample, the farther the worse it is seen.
PEOPLE, TRACKS, FRAMES = 40, 100, 12


def _simulate(*, strangers: bool, seed: int) -> tuple[NDArray, NDArray, float]:
    """Return shares of right, wrong and asked answers of frames, of tracks, and of tracks with any
    wrong frame."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 0.79 / math.sqrt(2 * EMBEDDING_SIZE), (PEOPLE + TRACKS, EMBEDDING_SIZE))
    gallery = GalleryArrays(np.arange(PEOPLE), centres[:PEOPLE].astype(np.float32))
    frames, tracks, any_wrong = np.zeros(3), np.zeros(3), 0
    for number in range(TRACKS):
        person = PEOPLE + number if strangers else number % PEOPLE
        # Strangers who look like somebody are what matters: about half way there.
        part = rng.uniform(0.3, 0.55) if strangers else 0
        centre = centres[person] * (1 - part) + centres[number % PEOPLE] * part
        faces, sharpness = _faces(rng, centre)
        votes = TrackVotes()
        for index, face in enumerate(faces):
            votes.add(face, FaceQuality(100, sharpness[index], 0, 0, 0), index * 0.25)
        right = None if strangers else person
        single = np.stack([_answer(m, right) for m in search(gallery, faces, DEFAULT_RULES)])
        frames += single.mean(axis=0)
        any_wrong += single[:, 1].any()
        tracks += _answer(votes.decide(gallery, DEFAULT_RULES), right)
    return frames / TRACKS, tracks / TRACKS, any_wrong / TRACKS


def _faces(rng: np.random.Generator, centre: NDArray) -> tuple[Embeddings, NDArray]:
    look = rng.normal(0, 0.33 / math.sqrt(EMBEDDING_SIZE), EMBEDDING_SIZE)
    sharpness = rng.uniform(0.2, 0.9, FRAMES)
    noise = rng.normal(0, 1 / math.sqrt(EMBEDDING_SIZE), (FRAMES, EMBEDDING_SIZE))
    blur = (0.6 - 0.5 * sharpness)[:, None]
    return (centre + look + blur * noise).astype(np.float32), sharpness


def _answer(match: FaceMatch | None, person: int | None) -> NDArray:
    is_known = match is not None and match.state == "known"
    right = match is not None and is_known and match.owner == person
    is_asked = match is not None and match.state == "uncertain"
    return np.array([right or (person is None and not is_known), is_known and not right, is_asked])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_tracks_are_known_more_often_than_frames_and_never_more_wrongly(seed: int) -> None:
    frames, tracks, _ = _simulate(strangers=False, seed=seed)
    assert tracks[0] > frames[0] + 0.1
    assert tracks[1] <= frames[1]
    assert tracks[2] < frames[2]


def test_strangers_like_somebody_are_taken_for_them_less_often_than_if_any_frame_could() -> None:
    shares = [_simulate(strangers=True, seed=seed) for seed in (4, 5)]
    by_any_frame = sum(share for _, _, share in shares)
    by_vote = sum(tracks[1] for _, tracks, _ in shares)
    assert by_any_frame > 0
    assert by_vote < by_any_frame / 2
