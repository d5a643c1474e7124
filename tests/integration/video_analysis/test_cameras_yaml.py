"""Documents that cannot be imported: every mistake is named, with its line."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from video_analysis.cameras.documents.blanking import blank_document
from video_analysis.cameras.documents.judging import judge
from video_analysis.cameras.documents.schema import document_schema
from video_analysis.cameras.errors import DocumentError
from video_analysis.cameras.models import Camera, Zone

HEAD = "cameras:\n  - name: Entrance\n    inputs: rtsp://192.168.1.20/stream\n"

# The document, then "line path" of every mistake, and what one of the sentences says.
BAD: dict[str, tuple[str, list[str], str]] = {
    "empty": ("", ["0 document"], "empty"),
    "only a comment": ("# nothing\n", ["0 document"], "empty"),
    "a word": ("cameras", ["1 document"], "mapping"),
    "no cameras": ("version: 1\n", ["1 cameras"], "missing"),
    "another version": ("version: 2\ncameras: []\n", ["1 version"], "must be 1"),
    "a mapping of cameras": ("cameras: {a: 1}\n", ["1 cameras"], "list"),
    "no name": ("cameras:\n  - inputs: usb:0\n", ["2 cameras.0.name"], "missing"),
    "no inputs": ("cameras:\n  - name: A\n", ["2 cameras.0.inputs"], "missing"),
    "unknown key": (HEAD + "    fsp: 5\n", ["4 cameras.0.fsp"], "did you mean fps?"),
    "unknown key on top": (HEAD + "camera: 5\n", ["4 camera"], "did you mean cameras?"),
    "unknown key of a zone": (
        HEAD + "    zones:\n      - name: A\n        polygon: [[0,0],[1,0],[1,1]]\n"
        "        threshhold_sec: 5\n",
        ["7 cameras.0.zones.0.threshhold_sec"],
        "did you mean threshold_sec?",
    ),
    "key twice": (HEAD + "    fps: 5\n    fps: 6\n", ["5 cameras.0.fps"], "line 4 already"),
    "name twice": (
        HEAD + HEAD.removeprefix("cameras:\n"),
        ["4 cameras.1.name"],
        "line 2 already",
    ),
    "zone twice": (
        HEAD + "    zones:\n" + "      - {name: A, polygon: [[0,0],[1,0],[1,1]]}\n" * 2,
        ["6 cameras.0.zones.1.name"],
        "line 5 already",
    ),
    "a number that is none": (HEAD + "    fps: .nan\n", ["4 cameras.0.fps"], "no number"),
    "without end": (HEAD + "    fps: .inf\n", ["4 cameras.0.fps"], "no number"),
    "a long number": (HEAD + f"    fps: {'9' * 99_999}\n", ["4 cameras.0.fps"], "too long"),
    "too fast": (HEAD + "    fps: 60\n", ["4 cameras.0.fps"], "from 0.2 to 30"),
    "a word for a number": (HEAD + "    fps: fast\n", ["4 cameras.0.fps"], "a number"),
    "half a hit": (HEAD + "    tracker_min_hits: 2.5\n", ["4 cameras.0.tracker_min_hits"], "whole"),
    "a word for yes": (HEAD + "    hide_people: maybe\n", ["4 cameras.0.hide_people"], "true or"),
    "faces of whom": (HEAD + "    faces: mine\n", ["4 cameras.0.faces"], "(empty), consented"),
    "an area without a name": (
        "cameras: []\nareas:\n  - {mood: yes}\n",
        ["3 areas.0.name"],
        "miss",
    ),
    "unknown key of an area": (
        "areas:\n  - name: Shop\n    recognize: yes\ncameras: []\n",
        ["3 areas.0.recognize"],
        "did you mean recognise?",
    ),
    "a word for a switch": (
        "areas:\n  - name: Shop\n    mood: often\ncameras: []\n",
        ["3 areas.0.mood"],
        "true or",
    ),
    "away too long": (
        "areas:\n  - name: Shop\n    absence_minutes: 1441\ncameras: []\n",
        ["3 areas.0.absence_minutes"],
        "from 1 to 1440",
    ),
    "area twice": (
        "areas:\n  - {name: Shop}\n  - {name: Shop}\ncameras: []\n",
        ["3 areas.1.name"],
        "There is an area 'Shop' in line 2",
    ),
    "a number for a name": (
        "cameras:\n  - {name: 7, inputs: usb:0}\n",
        ["2 cameras.0.name"],
        "quo",
    ),
    "no tracker": (HEAD + "    tracker: best\n", ["4 cameras.0.tracker"], "bytetrack"),
    "a class that is none": (HEAD + "    classes: [1]\n", ["4 cameras.0.classes.0"], "text"),
    "two points": (
        HEAD + "    zones:\n      - name: A\n        polygon: [[0, 0], [1, 1]]\n",
        ["6 cameras.0.zones.0.polygon"],
        "at least 3",
    ),
    "a point outside": (
        HEAD + "    zones:\n      - name: A\n        polygon:\n          - [0, 0]\n"
        "          - [1, 0]\n          - [1, 1.5]\n",
        ["9 cameras.0.zones.0.polygon.2.1"],
        "from 0 to 1",
    ),
    "two inputs": (
        "cameras:\n  - name: A\n    inputs: [usb:0, usb:1]\n",
        ["3 cameras.0.inputs"],
        "at most 1",
    ),
    "no YAML": ("cameras: [\n  - name: x\n", ["2 document"], "no YAML"),
    "tabs": ("cameras:\n\t- name: x\n", ["2 document"], "no YAML"),
    "two documents": ("cameras: []\n---\ncameras: []\n", ["2 document"], "more than one"),
    "an anchor": ("cameras: &a []\n", ["1 document"], "Anchors"),
    "an alias": ("cameras: *a\n", ["1 document"], "Anchors"),
    "a tag": ("cameras: !!python/object/apply:os.system [id]\n", ["1 document"], "Tags"),
    "a tag of ours": ("cameras: !secret x\n", ["1 document"], "Tags"),
    "a list for a key": ("? [a]\n: 1\ncameras: []\n", ["1 document"], "a word"),
    "a merge": (
        "cameras:\n  - <<: {a: 1}\n    name: A\n    inputs: usb:0\n",
        ["2 cameras.0.<<"],
        "<<",
    ),
    "deep": ("cameras: " + "[" * 2000 + "]" * 2000, ["1 document"], "deeply"),
    "NUL": ("cameras: []\n\0", ["0 document"], "characters"),
}


def mistakes(text: str | bytes) -> DocumentError:
    with pytest.raises(DocumentError) as refused:
        judge(text)
    return refused.value


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_with_its_line(case: str) -> None:
    text, expected, said = BAD[case]
    error = mistakes(text)
    assert [f"{p.line} {p.path or 'document'}" for p in error.problems] == expected
    assert said in error.message
    assert (error.status, error.code) == (400, "bad_document")
    assert set(error.fields) == {place.split(" ", 1)[1] for place in expected}


def test_lines_are_those_of_the_file_whatever_ends_them() -> None:
    text = (HEAD + "    fsp: 5\n").replace("\n", "\r\n").encode("utf-8-sig")
    assert [problem.line for problem in mistakes(text).problems] == [4]


def test_all_mistakes_are_named_at_once_in_their_order() -> None:
    error = mistakes(HEAD + "    fps: 99\n    color: red\n    tracker: best\n    colour: red\n")
    assert [problem.line for problem in error.problems] == [4, 5, 6, 7]
    assert "4 mistakes" in error.message


def test_of_very_many_mistakes_twenty_are_named() -> None:
    error = mistakes(HEAD + "".join(f"    key{number}: 1\n" for number in range(50)))
    assert (len(error.problems), error.more) == (20, 30)
    assert "50 mistakes" in error.message
    assert [problem.line for problem in error.problems] == list(range(4, 24))


def test_a_password_is_never_repeated() -> None:
    error = mistakes(HEAD + f"    password: [{'Secret-1'}]\n    username: {'Secret-1' * 99}\n")
    assert "Secret-1" not in error.message + str(error.fields)


@pytest.mark.parametrize("kind", [str, bytes])
def test_a_large_document_is_refused_before_it_is_read(kind: Any) -> None:
    text = HEAD + "#" * (1024 * 1024)
    assert "1024 KiB" in mistakes(text.encode() if kind is bytes else text).message


def test_bytes_that_are_no_text_are_refused() -> None:
    assert "UTF-8" in mistakes(b"cameras: \xff\xfe").message


def test_a_thousand_cameras_are_taken_and_not_one_more() -> None:
    one = "  - {{name: C{0}, inputs: usb:0}}\n"
    text = "cameras:\n" + "".join(one.format(number) for number in range(1001))
    assert "at most 1000" in mistakes(text).message
    found = judge(text[: text.rindex("  - ")])
    assert len(found.value["cameras"]) == 1000


def test_an_alias_bomb_costs_nothing() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    )
    began = time.perf_counter()
    assert "Anchors" in mistakes(bomb).message
    assert time.perf_counter() - began < 10  # written out, it is gigabytes


def test_words_that_look_like_something_else_stay_words() -> None:
    text = HEAD + "    area: 2024-01-31\n    username: ''\n    groups: ['007', \"yes\"]\n"
    (camera,) = judge(text).value["cameras"]
    assert (camera["area"], camera["groups"]) == ("2024-01-31", ["007", "yes"])


def test_the_example_of_the_documentation_is_taken() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "cameras.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    assert [camera["name"] for camera in judge(example).value["cameras"]] == ["Entrance", "Yard"]


def test_the_schema_is_one_and_says_what_the_models_say() -> None:
    schema = document_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    camera = schema["$defs"]["camera"]["properties"]
    zone = schema["$defs"]["zone"]["properties"]
    for name, part in camera.items():
        assert part["description"]
        if "default" in part and name != "classes":
            assert part["default"] == getattr(Camera(), name)
    assert (camera["fps"]["minimum"], camera["fps"]["maximum"]) == (0.2, 30.0)
    assert zone["threshold_sec"]["default"] == Zone().threshold_sec


def test_groups_of_all_kinds_are_judged_quickly() -> None:
    groups = ", ".join(str(n) if n % 2 else f"a{n}" for n in range(12_000))
    began = time.monotonic()
    with pytest.raises(DocumentError):
        judge(f"{HEAD}    groups: [{groups}]\n")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("piece", ["{user,", "[", "key=", "user", "-", " ", "a\n", "x://key"])
def test_nonsense_goes_back_quickly(piece: str) -> None:
    began = time.monotonic()
    blank_document(piece * (1_000_000 // len(piece)))
    assert time.monotonic() - began < 10


def test_a_group_that_is_named_twice_is_told() -> None:
    with pytest.raises(DocumentError, match="something twice") as refused:
        judge(f"{HEAD}    groups: [a, b, a]\n")
    assert [problem.line for problem in refused.value.problems] == [4]


def test_more_values_than_anybody_needs_are_refused() -> None:
    with pytest.raises(DocumentError, match="more than 250,000 values"):
        judge(f"{HEAD}    groups: [{'1,' * 250_000}]\n")
