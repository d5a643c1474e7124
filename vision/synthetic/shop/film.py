"""The shop as its cameras see it, all at the same time, painted frame by frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vision.structures import Frame
from vision.synthetic.shop.painter import ShopPainter
from vision.synthetic.shop.plan import VIEWS, View
from vision.synthetic.shop.visitors import Visitor, visitors_of
from vision.synthetic.truth import GroundTruth

__all__ = ["Shop", "ShopFilm"]

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Shop:
    """A while in a small shop. Its four films are of the same people at the same time.

    Nobody is there at the beginning and at the end, so films can be shown over and over.

    Attributes:
        seed: Chooses people, paths and noise.
        seconds: Length.
        rate: Frames per second.
        noise: Standard deviation of the sensor's noise in levels.
    """

    seed: int = 1
    seconds: float = 80.0
    rate: float = 12.0
    noise: float = 1.0

    @property
    def visitors(self) -> tuple[Visitor, ...]:
        """Who comes; ``person`` is the id that ground truth has in every camera."""
        return visitors_of(self.seed, self.seconds)

    def films(self, *, pictures: bool = True) -> "list[ShopFilm]":
        """Return the four films; without pictures only their ground truth is worked out."""
        return [ShopFilm(self, view, pictures) for view in VIEWS]


@dataclass(frozen=True)
class ShopFilm:
    """What one camera sees. Iterating paints it anew, always the same.

    Attributes:
        shop: Where it hangs.
        view: What it sees.
        pictures: Whether frames have pictures; otherwise these are black and shared.
    """

    shop: Shop
    view: View
    pictures: bool = True

    def __len__(self) -> int:
        return round(self.shop.seconds * self.shop.rate)

    def __iter__(self) -> Iterator[tuple[Frame, GroundTruth]]:
        shop, number = self.shop, VIEWS.index(self.view)
        painter = ShopPainter(
            self.view, seed=10 * shop.seed + number, noise=shop.noise, pictures=self.pictures
        )
        visitors = shop.visitors
        for index in range(len(self)):
            time = index / shop.rate
            present = [one for one in visitors if one.start <= time < one.end]
            image, truth = painter.paint(present, index, time)
            wall_clock = _BEGINNING + timedelta(seconds=time)
            yield Frame(image, index, time, wall_clock, self.view.name), truth
