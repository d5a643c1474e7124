"""Scripted people with exact joints: what a recogniser is tuned on, tested with and measured by.

A body is a stick figure in three dimensions, in body heights: to its left, forwards, upwards. A
camera that looks at it from any side, and a little from above, sees it without perspective.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.structures import Frame

__all__ = ["OTHER", "SCRIPTS", "Camera", "ScriptedMoment", "play", "random_camera"]

Floats = NDArray[np.float64]
Rotations = tuple[float, float]

OTHER: Final = "other"
"""The truth about people who do none of the activities."""

_START = datetime(2026, 1, 1, tzinfo=UTC)
_SWAP = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


@dataclass(frozen=True, slots=True)
class Camera:
    """How a scripted person is seen.

    Attributes:
        rate: Frames per second.
        body_height: Pixels.
        yaw: Degrees that the person is turned: 0 faces the camera, 90 walks to the right.
        pitch: Degrees that the camera looks down.
        noise: Standard deviation of every joint's coordinates, in body heights.
        dropout: 0..1: how many joints are missed.
        mirrored: Left and right exchanged, as a webcam's picture often is.
        upper_body: The picture ends below the hips, so that no leg is seen.
        without_joints: Only boxes are given.
        shift: (x, y) pixels added to everything.
        seed: Of noise, missed joints, proportions and tempo.
    """

    rate: float = 25.0
    body_height: float = 200.0
    yaw: float = 40.0
    pitch: float = 10.0
    noise: float = 0.01
    dropout: float = 0.0
    mirrored: bool = False
    upper_body: bool = False
    without_joints: bool = False
    shift: tuple[float, float] = (0.0, 0.0)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ScriptedMoment:
    """One frame of a script.

    Attributes:
        detections: One person with joints, track 1.
        frame: Its timestamp counts; the picture is empty.
        truth: What the person does; None within two seconds of a change.
    """

    detections: sv.Detections
    frame: Frame
    truth: str | None


@dataclass(frozen=True, slots=True)
class _Pose:
    """Angles in degrees, positions in body heights; pairs are left, right.

    Thighs and arms swing forwards (positive) from hanging; knees bend backwards; elbows forwards;
    arms may be lifted sideways. ``fall`` tips the whole body over, around its feet.
    """

    thighs: Rotations = (0.0, 0.0)
    knees: Rotations = (0.0, 0.0)
    lean: float = 0.0
    arms: Rotations = (5.0, 5.0)
    sideways: Rotations = (6.0, 6.0)
    elbows: Rotations = (12.0, 12.0)
    fall: float = 0.0
    forwards: float = 0.0
    across: float = 0.0


def _stand(time: float, tempo: float) -> _Pose:
    sway = float(np.sin(time * tempo))
    return _Pose(lean=2 * sway, across=0.01 * sway)


def _walk(time: float, tempo: float) -> _Pose:
    swing = float(np.sin(2 * np.pi * 0.9 * tempo * time))
    lift = float(np.cos(2 * np.pi * 0.9 * tempo * time))
    return _Pose(
        thighs=(25 * swing, -25 * swing),
        knees=(10 + 45 * max(lift, 0), 10 + 45 * max(-lift, 0)),
        arms=(-20 * swing, 20 * swing),
        lean=4,
        forwards=0.75 * tempo * time,
    )


def _run(time: float, tempo: float) -> _Pose:
    swing = float(np.sin(2 * np.pi * 1.4 * tempo * time))
    lift = float(np.cos(2 * np.pi * 1.4 * tempo * time))
    return _Pose(
        thighs=(15 + 40 * swing, 15 - 40 * swing),
        knees=(25 + 65 * max(lift, 0), 25 + 65 * max(-lift, 0)),
        arms=(-40 * swing, 40 * swing),
        elbows=(90, 90),
        lean=12,
        forwards=2.3 * tempo * time,
    )


def _sit(time: float, tempo: float) -> _Pose:
    down = float(np.clip(time / (0.9 / tempo), 0, 1))
    sway = float(np.sin(time * tempo))
    return _Pose(
        thighs=(86 * down, 82 * down),
        knees=(84 * down, 80 * down),
        arms=(25 * down, 30 * down),
        elbows=(12 + 40 * down, 12 + 40 * down),
        lean=float(25 * np.sin(np.pi * down) + 8 * down + 4 * sway),
    )


def _sit_bent(time: float, tempo: float) -> _Pose:
    sitting = _sit(time, tempo)
    return replace(sitting, lean=sitting.lean + 22 * float(np.clip(time - 1.5, 0, 1)))


def _fall(time: float, tempo: float) -> _Pose:
    down = float(np.clip(time / (0.7 / tempo), 0, 1)) ** 2
    return _Pose(
        fall=86 * down,
        thighs=(35 * down, 10 * down),
        knees=(40 * down, 15 * down),
        arms=(5 + 60 * down, 5 + 30 * down),
    )


def _raise(time: float, tempo: float) -> _Pose:
    up = float(np.clip(time / (0.6 / tempo), 0, 1))
    sway = float(np.sin(time * tempo))
    return _Pose(sideways=(6 + 145 * up, 6 + 140 * up), elbows=(15, 15), lean=2 * sway)


def _wave(time: float, tempo: float) -> _Pose:
    up = float(np.clip(time / (0.5 / tempo), 0, 1))
    swing = float(np.sin(2 * np.pi * 1.8 * tempo * time))
    # A bent, lifted arm: the forearm points up and goes to and fro in the plane of the body.
    return _Pose(sideways=(6, 6 + 64 * up), elbows=(12, -(80 + 40 * swing) * up))


def _crouch(time: float, tempo: float) -> _Pose:
    down = float(np.clip(time / (0.8 / tempo), 0, 1))
    return _Pose(
        thighs=(105 * down, 95 * down),
        knees=(145 * down, 140 * down),
        lean=35 * down,
        arms=(5 + 50 * down, 5 + 45 * down),
    )


def _bend(time: float, tempo: float) -> _Pose:
    down = float(np.clip(time / (0.8 / tempo), 0, 1))
    return _Pose(lean=85 * down, arms=(5 - 40 * down, 5 - 40 * down), thighs=(-8 * down, -8 * down))


def _stay(time: float, tempo: float) -> _Pose:
    """Shift about within half a body height."""
    away = 0.25 * float(np.sin(2 * np.pi * time / 14 * tempo))
    return replace(_stand(time, tempo), across=away)


Script = tuple[tuple[str, float, Callable[[float, float], _Pose]], ...]

SCRIPTS: Final[dict[str, Script]] = {
    "standing": (("standing", 6.0, _stand),),
    "walking": (("walking", 6.0, _walk),),
    "running": (("running", 5.0, _run),),
    "sitting": (("standing", 3.0, _stand), ("sitting", 5.0, _sit)),
    "sitting bent forwards": (("sitting", 6.0, _sit_bent),),
    "fallen": (("standing", 3.0, _stand), ("fallen", 5.0, _fall)),
    "fallen after walking": (("walking", 3.5, _walk), ("fallen", 5.0, _fall)),
    "hands_up": (("standing", 3.0, _stand), ("hands_up", 5.0, _raise)),
    "waving": (("standing", 3.0, _stand), ("waving", 5.0, _wave)),
    "crouching": (("standing", 2.5, _stand), (OTHER, 4.0, _crouch)),
    "bending down": (("standing", 2.5, _stand), (OTHER, 4.0, _bend)),
    "loitering": (("standing", 30.0, _stay), ("loitering", 8.0, _stay)),
}
"""What is played: label, seconds and movement of each part."""

_REACTION = 2.0  # seconds after a change that count for nothing: about a window


def random_camera(seed: int, *, rate: float = 25.0) -> Camera:
    """Return a camera drawn from everything that may vary, noise of 1 to 3% included."""
    rng = np.random.default_rng([seed, round(rate)])
    return Camera(
        rate=rate,
        body_height=float(rng.uniform(60, 600)),
        yaw=float(rng.uniform(-180, 180)),
        pitch=float(rng.uniform(0, 25)),
        noise=float(rng.uniform(0.01, 0.03)),
        dropout=float(rng.choice([0.0, 0.05, 0.15])),
        mirrored=bool(rng.integers(2)),
        shift=(float(rng.uniform(0, 500)), float(rng.uniform(0, 300))),
        seed=seed,
    )


def play(name: str, camera: Camera) -> Iterator[ScriptedMoment]:
    """Play a script of ``SCRIPTS`` before a camera.

    Who waves is turned by at most 45° from the camera, as one waves to somebody.
    """
    rng = np.random.default_rng([camera.seed, 7])
    tempo = float(rng.uniform(0.85, 1.15))
    build = rng.uniform(0.95, 1.05, 6)
    script, start, shift = SCRIPTS[name], 0.0, (0.0, 0.0)
    index = 0
    for label, seconds, movement in script:
        yaw = _facing(camera.yaw, label)
        pose = movement(0.0, tempo)
        while index / camera.rate < start + seconds:
            time = index / camera.rate - start
            pose = movement(time, tempo)
            moved = replace(pose, forwards=pose.forwards + shift[0], across=pose.across + shift[1])
            body = _project(_joints(moved, build), yaw, camera.pitch)
            reacting = time < _REACTION and (start > 0 or index / camera.rate < _REACTION)
            reacting = reacting and label != "loitering"
            yield _see(body, camera, rng, index, None if reacting else label)
            index += 1
        start, shift = start + seconds, (shift[0] + pose.forwards, shift[1] + pose.across)
        if label == "standing" and len(script) > 1 and script[1][0] == "loitering":
            shift = (0.0, 0.0)


def _facing(yaw: float, label: str) -> float:
    if label == "waving":
        return yaw % 90 - 45
    return yaw


def _joints(pose: _Pose, build: Floats) -> Floats:
    """Return (17, 3) joints: to the left, forwards, upwards, the feet near the origin."""
    torso, thigh, shin, arm, forearm = np.array([0.29, 0.245, 0.245, 0.17, 0.15]) * build[:5]
    legs = [_leg(pose, side, thigh, shin) for side in (0, 1)]
    ground = min(leg[1][2] for leg in legs) - 0.04
    joints = np.zeros((17, 3))
    lean = np.radians(pose.lean)
    up = np.array([0.0, np.sin(lean), np.cos(lean)])
    ahead = np.array([0.0, np.cos(lean), -np.sin(lean)])
    for side, sign in ((0, 1.0), (1, -1.0)):
        out = np.array([sign, 0.0, 0.0])
        shoulder = up * torso + out * 0.11 * build[5]
        elbow, wrist = _arm(pose, side, arm, forearm)
        joints[1 + side] = up * (torso + 0.125) + ahead * 0.05 + out * 0.018
        joints[3 + side] = up * (torso + 0.115) + out * 0.04
        joints[5 + side] = shoulder
        joints[7 + side] = shoulder + elbow * [sign, 1, 1]
        joints[9 + side] = shoulder + (elbow + wrist) * [sign, 1, 1]
        joints[11 + side] = out * 0.07
        joints[13 + side] = out * 0.07 + legs[side][0]
        joints[15 + side] = out * 0.07 + legs[side][1]
    joints[0] = up * (torso + 0.105) + ahead * 0.07
    joints[:, 2] -= ground
    place: Floats = np.array([pose.across, pose.forwards, 0.0])
    return _tipped(joints, pose.fall) + place


def _leg(pose: _Pose, side: int, thigh: float, shin: float) -> tuple[Floats, Floats]:
    """Return knee and ankle from the hip."""
    first = np.radians(pose.thighs[side])
    second = first - np.radians(pose.knees[side])
    knee = thigh * np.array([0.0, np.sin(first), -np.cos(first)])
    return knee, knee + shin * np.array([0.0, np.sin(second), -np.cos(second)])


def _arm(pose: _Pose, side: int, arm: float, forearm: float) -> tuple[Floats, Floats]:
    """Return elbow from shoulder and wrist from elbow, for a left arm."""
    swing, aside = np.radians(pose.arms[side]), np.radians(pose.sideways[side])
    bend = np.radians(pose.elbows[side])
    elbow = arm * np.array(
        [np.sin(aside), np.sin(swing) * np.cos(aside), -np.cos(swing) * np.cos(aside)]
    )
    if bend < 0:  # within the plane of the body
        return elbow, forearm * np.array([np.sin(aside - bend), 0.0, -np.cos(aside - bend)])
    further = swing + bend
    wrist = forearm * np.array(
        [np.sin(aside), np.sin(further) * np.cos(aside), -np.cos(further) * np.cos(aside)]
    )
    return elbow, wrist


def _tipped(joints: Floats, degrees: float) -> Floats:
    """Turn a body over to its left, around its feet."""
    angle = np.radians(degrees)
    left, up = joints[:, 0], joints[:, 2] - 0.04
    turned = joints.copy()
    turned[:, 0] = left * np.cos(angle) + up * np.sin(angle)
    turned[:, 2] = up * np.cos(angle) - left * np.sin(angle) + 0.04 + 0.1 * np.sin(angle)
    return turned


def _project(joints: Floats, yaw: float, pitch: float) -> Floats:
    """Return (17, 2) image coordinates in body heights, y downwards."""
    turn, tilt = np.radians(yaw), np.radians(pitch)
    left, forwards, up = joints.T
    x = left * np.cos(turn) + forwards * np.sin(turn)
    nearer = forwards * np.cos(turn) - left * np.sin(turn)
    return np.stack((x, nearer * np.sin(tilt) - up * np.cos(tilt)), axis=1)


def _see(
    body: Floats, camera: Camera, rng: np.random.Generator, index: int, truth: str | None
) -> ScriptedMoment:
    if camera.mirrored:
        body = body[_SWAP] * [-1.0, 1.0]
    noisy = body + rng.normal(0, camera.noise, body.shape)
    confidence = np.where(rng.random(17) < camera.dropout, 0.1, rng.uniform(0.6, 1.0, 17))
    if camera.upper_body:
        confidence[13:] = 0.05
        body = body[:13]
    points = noisy * camera.body_height + camera.shift
    margins = np.array([[0.05, 0.06], [0.05, 0.04]])
    low, high = body.min(axis=0) - margins[0], body.max(axis=0) + margins[1]
    jitter = rng.normal(0, camera.noise / 2, 4)
    box = (np.concatenate((low, high)) + jitter) * camera.body_height + camera.shift * 2
    detections = sv.Detections(
        xyxy=box[None].astype(np.float32),
        confidence=np.array([0.9], np.float32),
        class_id=np.array([0]),
        tracker_id=np.array([1]),
        data={"class_name": np.array(["person"])},
    )
    if not camera.without_joints:
        joints = np.concatenate((points, confidence[:, None]), axis=1)
        detections.data["keypoints"] = joints[None].astype(np.float32)
    return ScriptedMoment(detections, _frame(index, camera.rate), truth)


_PICTURE = np.zeros((1, 1, 3), np.uint8)


def _frame(index: int, rate: float) -> Frame:
    time = index / rate
    return Frame(_PICTURE, index, time, _START + timedelta(seconds=time), "scripted")
