"""Asking the networks about the frames of several cameras at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from vision.engine import Engine
from vision.pipeline.config import PipelineConfig
from vision.pipeline.hiding import what_to_ask
from vision.pipeline.pipeline import Looked, Prepared


class Query(NamedTuple):
    """What cameras must agree in for their frames to share a call."""

    model: str
    confidence: float
    iou: float
    classes: tuple[int, ...] | None
    input_size: int | None


class Ask(NamedTuple):
    """One camera's frames, and what is looked for in them."""

    prepared: Prepared
    query: Query


def query_of(config: PipelineConfig) -> Query:
    """Return what the detector is asked for.

    Raises:
        ModelError: ``unknown_model``.
    """
    confidence, classes = what_to_ask(config)
    return Query(config.model, confidence, config.iou, classes, config.input_size)


def look_together(
    engine: Engine, asks: Sequence[Ask], config: PipelineConfig
) -> list[Looked | Exception]:
    """Return what the networks find in each camera's frames, in order, or why they do not.

    Frames of one query travel in one call, whatever camera they are of. When that fails each
    camera is asked about alone, so that one does not fail the others.

    Args:
        engine: Finds the objects.
        asks: At least one.
        config: Anyone's; only its priority counts.
    """
    groups: dict[Query, list[int]] = defaultdict(list)
    for number, ask in enumerate(asks):
        if ask.prepared.detect:
            groups[ask.query].append(number)
    answers: list[Looked | Exception] = [Looked(ask.prepared, {}, {}) for ask in asks]
    for members in groups.values():
        together = [asks[member] for member in members]
        for member, answer in zip(members, _look(engine, together, config), strict=True):
            answers[member] = answer
    return answers


def _look(
    engine: Engine, asks: Sequence[Ask], config: PipelineConfig
) -> Sequence[Looked | Exception]:
    """Ask about frames of one query."""
    try:
        found = engine.detect(
            [ask.prepared.frames[at].image for ask in asks for at in ask.prepared.detect],
            **asks[0].query._asdict(),
            priority=config.priority,
        )
    except Exception as error:
        if len(asks) == 1:
            return [error]
    else:
        for detections in found:
            detections.mask = None
        rest = iter(found)
        return [
            Looked(ask.prepared, dict(zip(ask.prepared.detect, rest, strict=False)), {})
            for ask in asks
        ]
    return [_look(engine, [ask], config)[0] for ask in asks]
