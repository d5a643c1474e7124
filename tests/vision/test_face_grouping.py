"""Visitors without a name: together when alike, never by a chain."""

import numpy as np
import pytest

from vision.errors import VisionError
from vision.faces.grouping import assign
from vision.faces.structures import EMBEDDING_SIZE, Embeddings

A, B = 4, 2


def at(*places: float) -> Embeddings:
    rows = np.zeros((len(places), EMBEDDING_SIZE), np.float32)
    rows[:, 0] = places
    return rows


@pytest.mark.parametrize(
    ("faces", "owners", "visitor"),
    [
        pytest.param([], [], None, id="the first face of all"),
        pytest.param([0.0], [A], A, id="the same face again"),
        pytest.param([0.4], [A], A, id="alike"),
        pytest.param([0.55], [A], None, id="not alike enough"),
        pytest.param([0.4, 0.2], [A, B], B, id="the nearer of two"),
        pytest.param([0.2, 0.2], [A, B], B, id="of equals the first one"),
        pytest.param([0.1, 0.4, 0.55], [A, A, A], A, id="near on average"),
        pytest.param([0.0, 0.3, 0.7], [A, A, A], None, id="one face is of somebody else"),
        pytest.param([0.3, 0.7, 0.35], [A, A, B], B, id="the nearest face does not decide"),
    ],
)
def test_whose_visitor_a_face_is(faces, owners, visitor) -> None:
    assert assign(at(0.0)[0], at(*faces), np.array(owners, np.int64)) == visitor


def test_a_chain_of_faces_does_not_join_two_people() -> None:
    faces, owners = at(0.0), np.array([1])
    for place in np.arange(0.1, 2.0, 0.1):
        visitor = assign(at(place)[0], faces, owners) or int(owners.max()) + 1
        faces, owners = np.concatenate((faces, at(place))), np.append(owners, visitor)
    spread = {owner: np.ptp(faces[owners == owner, 0]) for owner in set(owners)}
    assert len(spread) > 2
    assert max(spread.values()) <= 0.6 + 1e-6


def test_people_who_come_again_are_the_same_visitors() -> None:
    rng = np.random.default_rng(3)
    people = rng.normal(0, 0.07, (12, EMBEDDING_SIZE))
    faces = np.empty((0, EMBEDDING_SIZE), np.float32)
    owners, given = np.empty(0, np.int64), []
    order = rng.permutation(np.repeat(np.arange(12), 6))
    for person in order:
        face = (people[person] + rng.normal(0, 0.025, EMBEDDING_SIZE)).astype(np.float32)
        visitor = assign(face, faces, owners)
        given.append(len(set(owners.tolist())) if visitor is None else visitor)
        faces, owners = np.vstack((faces, face)), np.append(owners, given[-1])
    assert len(set(given)) == 12
    assert len(set(zip(order.tolist(), given, strict=True))) == 12


@pytest.mark.parametrize(
    ("probe", "faces", "owners"),
    [
        pytest.param(np.zeros(64), at(0.1), [A], id="a probe of another size"),
        pytest.param(np.full(128, np.nan), at(0.1), [A], id="a probe of no numbers"),
        pytest.param(np.empty(0), at(0.1), [A], id="no probe"),
        pytest.param(np.zeros(128), np.zeros((1, 64)), [A], id="faces of another size"),
        pytest.param(np.zeros(128), at(0.1, 0.2), [A], id="too few owners"),
    ],
)
def test_what_is_no_embedding_is_refused(probe, faces, owners) -> None:
    with pytest.raises(VisionError) as refused:
        assign(probe, faces, np.array(owners, np.int64))
    assert refused.value.code == "bad_embedding"
