"""A film with exact ground truth, painted frame by frame: any length, nothing stored."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from vision.structures import Frame
from vision.synthetic.backdrop import make_backdrop
from vision.synthetic.painter import Painter
from vision.synthetic.truth import GroundTruth
from vision.synthetic.walkers import Walker, walkers_of

__all__ = ["LightJump", "Scene", "quiet_scene"]

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
# Walks are a little longer than people can be seen: this leaves 5% of the frames to them.
_QUIET_PAUSE = 17.0


@dataclass(frozen=True, slots=True)
class LightJump:
    """A lamp that is switched: from this moment on the light has this strength."""

    at: float
    gain: float


@dataclass(frozen=True)
class Scene:
    """People who walk through a picture. Iterating paints it anew, always the same.

    Attributes:
        seed: Chooses backdrop, people, paths and noise.
        seconds: Length.
        rate: Frames per second.
        size: Width and height in pixels.
        people: How many are in the picture at a time, about.
        pause: How long a place stays empty between two people, as a multiple of a walk.
        first: Seconds until the first person may set out.
        pillar: Whether a pillar stands in the way.
        shadows: Whether people darken the floor at their feet.
        noise: Standard deviation of the sensor's noise in levels.
        drift: 0..1, by how much the light slowly rises and falls.
        drift_seconds: Period of that.
        jumps: Moments at which the light changes at once, in order.
    """

    seed: int = 1
    seconds: float = 10.0
    rate: float = 25.0
    size: tuple[int, int] = (640, 480)
    people: int = 4
    pause: float = 0.1
    first: float = 0.0
    pillar: bool = True
    shadows: bool = True
    noise: float = 2.0
    drift: float = 0.0
    drift_seconds: float = 60.0
    jumps: tuple[LightJump, ...] = ()

    def __len__(self) -> int:
        return round(self.seconds * self.rate)

    def __iter__(self) -> Iterator[tuple[Frame, GroundTruth]]:
        backdrop = make_backdrop(*self.size, seed=self.seed, pillar=self.pillar)
        painter = Painter(backdrop, seed=self.seed, noise=self.noise, shadows=self.shadows)
        cast = _Cast(self)
        for index in range(len(self)):
            time = index / self.rate
            image, truth = painter.paint(cast.present(time), index, time, self.light_at(time))
            wall_clock = _BEGINNING + timedelta(seconds=time)
            yield Frame(image, index, time, wall_clock, f"synthetic-{self.seed}"), truth

    def light_at(self, time: float) -> float:
        """Return the strength of the light, 1 at the beginning."""
        lamps = next((jump.gain for jump in reversed(self.jumps) if time >= jump.at), 1.0)
        return lamps * (1.0 + self.drift * math.sin(2 * math.pi * time / self.drift_seconds))

    def empty(self) -> NDArray[np.uint8]:
        """Return the picture without people, noise and changes of light, (H, W, 3) BGR."""
        return make_backdrop(*self.size, seed=self.seed, pillar=self.pillar).image


def quiet_scene(*, seed: int = 1, seconds: float = 600.0, rate: float = 10.0) -> Scene:
    """Return a scene in which someone is on the way in about 5% of the frames.

    One person at a time, rarely; the rest is noise and light that slowly drifts.
    """
    return Scene(
        seed=seed,
        seconds=seconds,
        rate=rate,
        people=1,
        pause=_QUIET_PAUSE,
        first=20.0,
        pillar=False,
        drift=0.15,
    )


class _Cast:
    """Who is in the scene: one running walk per slot, followed by the slot's next."""

    def __init__(self, scene: Scene) -> None:
        rng = np.random.default_rng([scene.seed, 4])
        self._slots = [
            walkers_of(
                slot,
                scene.people,
                seed=scene.seed,
                size=scene.size,
                pause=scene.pause,
                first=scene.first + float(rng.uniform(0, 1.5)) * slot,
            )
            for slot in range(scene.people)
        ]
        self._walkers = [next(slot) for slot in self._slots]

    def present(self, time: float) -> list[Walker]:
        """Return who is on the way at this time, which never goes back."""
        for at, slot in enumerate(self._slots):
            while self._walkers[at].end <= time:
                self._walkers[at] = next(slot)
        return [walker for walker in self._walkers if walker.start <= time]
