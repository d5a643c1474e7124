"""Whose face it is, among the people of a picture."""

import numpy as np
import pytest

from vision.faces.people import faces_of_people

STANDING = (100, 50, 200, 350)
HEAD = (130, 60, 170, 110)


@pytest.mark.parametrize(
    ("faces", "people", "expected"),
    [
        pytest.param([], [], [], id="nothing"),
        pytest.param([HEAD], [], [-1], id="nobody"),
        pytest.param([], [STANDING], [], id="no face"),
        pytest.param([HEAD], [STANDING], [0], id="one of each"),
        pytest.param([(300, 60, 340, 110)], [STANDING], [-1], id="beside"),
        pytest.param([(185, 60, 225, 110)], [STANDING], [-1], id="half outside"),
        pytest.param([(146, 60, 154, 68)], [STANDING], [-1], id="too small to be theirs"),
        pytest.param([HEAD, (130, 200, 170, 250)], [STANDING], [0, -1], id="one face each"),
        pytest.param([HEAD], [(0, 0, 400, 400), STANDING], [1], id="whom it fits better"),
        pytest.param([HEAD], [STANDING, (95, 48, 205, 352)], [-1], id="could be either: nobody's"),
        pytest.param(
            [HEAD, (330, 60, 370, 110)],
            [(300, 50, 400, 350), STANDING],
            [1, 0],
            id="two people",
        ),
    ],
)
def test_a_face_belongs_to_whose_head_is_there(
    faces: list[tuple[int, ...]], people: list[tuple[int, ...]], expected: list[int]
) -> None:
    owners = faces_of_people(np.array(faces, float), np.array(people, float))
    assert owners.tolist() == expected
