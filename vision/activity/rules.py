"""What speaks for each activity: a table of small functions over a person's last seconds.

Every rule answers with a score 0..1, which is 0.6 where it begins to hold, and with its reason.
Lengths are body heights, so that one table serves every camera.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from vision.activity.types import UNSURE
from vision.activity.window import Hand, Summary

__all__ = ["CERTAIN", "RULES", "RuleSettings", "Verdict", "judge"]

CERTAIN: Final = 0.6
"""Below this confidence nothing is claimed."""

_STILL_CERTAIN = 0.5
_WITHOUT_POSE = 0.75  # what a box alone can tell is worth this share
_FEWEST_SAMPLES = 4
_SHORTEST = 0.6  # seconds
_STANDING_STILL = 0.16  # body heights per second


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """What users may set.

    Attributes:
        loitering_seconds: Who stays in one place for so long, loiters.
    """

    loitering_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule's answer.

    Attributes:
        label: An activity, or ``"unsure"``.
        score: 0..1.
        reason: What it was judged by.
        lasting: Whether the time for which it holds belongs to the reason.
    """

    label: str
    score: float
    reason: str
    lasting: bool = True


Rule = Callable[[Summary, RuleSettings], Verdict]


def ramp(value: float, low: float, high: float) -> float:
    """Return 0 up to ``low``, 1 from ``high``, and what lies between; NaN gives 0."""
    if not value > low:
        return 0.0
    return min(1.0, (value - low) / (high - low))


def unless(value: float, low: float, high: float) -> float:
    """Return 1 up to ``low`` and 0 from ``high``; what is not known contradicts nothing."""
    return 1.0 - ramp(value, low, high)


def fallen(seen: Summary, settings: RuleSettings) -> Verdict:
    """The torso lies, and the whole body is low: who bends down still stands on long legs."""
    if not seen.looked:
        low = unless(seen.box_height, 0.40, 0.65) * ramp(seen.box_ratio, 1.0, 1.5)
        return Verdict("fallen", low * _WITHOUT_POSE, "the box is low and wide")
    if math.isnan(seen.lean):
        return Verdict("fallen", 0.0, "hips or shoulders are out of sight")
    down = unless(seen.leg_drop, 0.30, 0.42)
    score = ramp(seen.lean, 48, 63) * unless(seen.extent, 0.45, 0.62) * down
    # Who lies along the line of sight has no angle, but neither do they have any height.
    flat = 0.0
    if not math.isnan(seen.leg_drop):
        flat = unless(seen.extent, 0.44, 0.62) * unless(seen.torso_rise, 0.13, 0.20)
        flat *= 0.9 * down
    if flat > score:
        return Verdict("fallen", flat, f"the whole body is {seen.extent:.2f} body heights high")
    return Verdict("fallen", score, f"torso {seen.lean:.0f}° from upright")


def waving(seen: Summary, settings: RuleSettings) -> Verdict:
    """A raised hand goes to and fro."""
    scores = [_waves(hand) for hand in seen.hands]
    best = max(scores)
    swings = seen.hands[scores.index(best)].swings
    calm = unless(seen.speed, 1.2, 1.6) * unless(seen.lean, 50, 75)
    return Verdict(
        "waving", best * calm, f"a raised hand turned back {swings} times", lasting=False
    )


def _waves(hand: Hand) -> float:
    return ramp(hand.over_shoulder, -0.12, 0.0) * ramp(hand.swings, 0.5, 3.5)


def hands_up(seen: Summary, settings: RuleSettings) -> Verdict:
    """Both hands are above the eyes, or one is well above the head."""
    left, right = (hand.over_head for hand in seen.hands)
    both = min(ramp(left, -0.06, 0.03), ramp(right, -0.06, 0.03))
    one = 0.75 * max(ramp(left, 0.0, 0.15), ramp(right, 0.0, 0.15))
    upright = unless(seen.lean, 50, 75)
    reason = "both hands at or above the head" if both >= one else "one hand high above the head"
    return Verdict("hands_up", max(both, one) * upright, reason)


def running(seen: Summary, settings: RuleSettings) -> Verdict:
    """Faster than anybody walks; legs that fold at every step tell it at lower speeds too."""
    folded = 0.0 if math.isnan(seen.leg_drop) else 0.5 * unless(seen.leg_drop, 0.35, 0.42)
    speed = seen.speed + (folded if seen.speed > 0.8 and seen.steps >= 2 else 0.0)
    score = ramp(speed, 0.95, 1.6) * unless(seen.lean, 50, 75) * _worth(seen)
    return Verdict("running", score, _pace(seen))


def sitting(seen: Summary, settings: RuleSettings) -> Verdict:
    """The thighs do not hang, the torso is upright, and the person stays where they are."""
    if not seen.has_legs:
        return Verdict("sitting", 0.0, "the legs are out of sight")
    still = unless(seen.speed, 0.2, 0.5) * unless(seen.lean, 40, 65)
    # Who lies along the line of sight has no hanging thighs either.
    still *= ramp(seen.torso_rise, 0.10, 0.17)
    score = unless(seen.thigh_drop, 0.10, 0.19) * unless(seen.leg_drop, 0.40, 0.50) * still
    return Verdict(
        "sitting", score, f"knees only {seen.thigh_drop:.2f} body heights below the hips"
    )


def loitering(seen: Summary, settings: RuleSettings) -> Verdict:
    """A long stay in one place, of somebody who could as well go on."""
    if seen.looked and not seen.has_legs:
        return Verdict("loitering", 0.0, "the legs are out of sight")
    stays = seen.stayed / settings.loitering_seconds
    score = ramp(stays, 0.985, 1.01) * (1.0 if seen.has_pose else 0.8)
    reason = f"has stayed in one place for {seen.stayed:.0f} s"
    return Verdict("loitering", score * unless(seen.speed, 0.9, 1.3), reason, lasting=False)


def walking(seen: Summary, settings: RuleSettings) -> Verdict:
    """The feet move on, or take turns while the person comes straight towards the camera."""
    moves = ramp(seen.speed, 0.10, 0.30)
    steps = 0.75 * ramp(seen.steps, 0.5, 2.0)
    score = max(moves, steps) * unless(seen.speed, 1.2, 1.6) * unless(seen.lean, 50, 75)
    if steps > moves:
        return Verdict("walking", score * _worth(seen), f"{seen.steps + 1} steps", lasting=False)
    return Verdict("walking", score * _worth(seen), _pace(seen))


def standing(seen: Summary, settings: RuleSettings) -> Verdict:
    """Upright on straight legs, and hardly moving."""
    still = unless(seen.speed, 0.08, 0.28)
    if not seen.looked:
        tall = ramp(seen.box_height, 0.75, 0.9) * unless(seen.box_ratio, 0.5, 0.9)
        return Verdict("standing", still * tall * _WITHOUT_POSE, "an upright box stays in place")
    if not seen.has_legs:
        return Verdict("standing", 0.0, "the legs are out of sight")
    straight = ramp(seen.thigh_drop, 0.10, 0.19) * unless(seen.lean, 30, 60)
    feet = unless(seen.steps, 1.0, 3.0)
    return Verdict("standing", still * straight * feet, f"upright, legs straight, {_pace(seen)}")


RULES: Final[tuple[Rule, ...]] = (
    *(fallen, waving, hands_up, running),
    *(sitting, loitering, walking, standing),
)
"""By precedence: the first that is certain is what a person is said to do."""


def judge(seen: Summary, settings: RuleSettings, believed: str = UNSURE) -> Verdict:
    """Return the first certain activity, or ``"unsure"`` with what came nearest.

    Args:
        seen: A person's last seconds.
        settings: What users may set.
        believed: What the person was last said to do: to go on with it needs a little less.
    """
    if seen.samples < _FEWEST_SAMPLES or seen.span < _SHORTEST:
        if seen.stayed >= settings.loitering_seconds:
            return loitering(seen, settings)
        reason = f"only {seen.samples} sightings in {seen.span:.1f} s"
        return Verdict(UNSURE, 0.0, reason, lasting=False)
    best = Verdict(UNSURE, 0.0, "nothing fits", lasting=False)
    for rule in RULES:
        verdict = rule(seen, settings)
        if verdict.score >= CERTAIN:
            return verdict
        if verdict.label == believed and verdict.score >= _STILL_CERTAIN:
            return replace(verdict, score=CERTAIN)
        if verdict.score > best.score:
            best = verdict
    reason = f"perhaps {best.label.replace('_', ' ')}: {best.reason}"
    if seen.looked and not seen.has_legs:
        reason = "the legs are out of sight" if seen.has_pose else "no joints are seen"
    elif best.label == UNSURE:
        reason = best.reason
    return Verdict(UNSURE, best.score, reason, lasting=False)


def _pace(seen: Summary) -> str:
    if seen.speed < _STANDING_STILL:
        return "hardly moving"
    return f"moves {seen.speed:.1f} body heights/s"


def _worth(seen: Summary) -> float:
    return 1.0 if seen.has_pose else _WITHOUT_POSE
