"""Interleaved timing: machines are shared and noisy, so only ratios of one run are claimed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Rates:
    """Pictures per second of one contender, one figure a round."""

    name: str
    rounds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def milliseconds(self) -> float:
        """Median time of one picture."""
        return 1000.0 / self.median


def measure_interleaved(
    contenders: Mapping[str, Callable[[], int]], *, rounds: int, warmup: int = 1
) -> dict[str, Rates]:
    """Run the contenders in turn, ``rounds`` times; each call returns how many items it did."""
    for _ in range(warmup):
        for run in contenders.values():
            run()
    rates = {name: Rates(name) for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            started = time.perf_counter()
            done = run()
            rates[name].rounds.append(done / (time.perf_counter() - started))
    return rates


def ratio(ours: Rates, peer: Rates) -> float:
    """Median of the round-by-round ratios: drift of the machine cancels within a round."""
    return statistics.median(a / b for a, b in zip(ours.rounds, peer.rounds, strict=True))


def spread(values: Sequence[float]) -> str:
    return f"{min(values):.3g} to {max(values):.3g}"
