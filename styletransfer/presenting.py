"""What the pages show of a painting, and offer to whoever wants one, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.urls import reverse

from common.accounts.roles import may_create
from styletransfer.models import Restyling, Style
from styletransfer.selectors import list_styles
from styletransfer.services.options import (
    DEFAULT_SIZE,
    DEFAULT_STEPS,
    SIZES,
    RestyleOptions,
)
from styletransfer.services.queueing import estimate_seconds, queue_place, seconds_left
from styletransfer.services.stored import preview_of
from vision.sources.examples import find_example
from vision.style.levels import levels
from vision.style.memory import free_memory
from vision.style.sizes import largest_size
from vision.weights.style_cards import STYLE_CARDS

MIB: Final = 1024 * 1024
MOST_STYLES: Final = 60  # shown at once; what is not among them is searched for
SEARCHED_FROM: Final = 12
LEAST_SIZE: Final = 160
FAST_SIZE: Final = 2048  # of a picture; more is the size of the file itself
LARGEST_SIZE: Final = 2048
MOST_STEPS: Final = 500
NUMBER_BYTES: Final = 4
MEMORY_SHARE: Final = 0.8  # as the painter itself leaves something to others
MODELS: Final = {
    "vgg19": "VGG19",
    "random-vgg19": "random features",
}


def new_preset() -> dict[str, Any]:
    """The options that a new painting begins with."""
    return _preset(RestyleOptions(size=DEFAULT_SIZE, steps=DEFAULT_STEPS), full_size=True)


def preset_of(restyling: Restyling) -> dict[str, Any]:
    """The options that a painting was made with, as the form takes them."""
    fast = restyling.way == Restyling.Way.FAST
    default = RestyleOptions()
    options = RestyleOptions(
        size=restyling.size or DEFAULT_SIZE,
        steps=default.steps if fast else restyling.steps,
        style_weight=default.style_weight if fast else restyling.style_weight,
        keep_colours=restyling.keep_colours,
        start=restyling.start,
        start_network=restyling.start_network,
        seed=restyling.seed,
    )
    return _preset(options, full_size=restyling.size is None)


def _preset(options: RestyleOptions, *, full_size: bool) -> dict[str, Any]:
    return {
        "size": options.size,
        "full_size": full_size,
        "steps": options.steps,
        "style_weight": f"{options.style_weight:g}",
        "keep_colours": options.keep_colours,
        "start": str(options.start),
        "start_network": options.start_network,
        "seed": options.seed,
    }


def offered(user: Any, *, query: str, chosen: Style | None) -> dict[str, Any]:
    """The styles to choose from, the chosen one among them and first."""
    rows = list_styles(user, query=query)
    shown = list(rows[: MOST_STYLES + 1])
    more = len(shown) > MOST_STYLES
    nothing = not shown
    shown = shown[:MOST_STYLES]
    if chosen is not None:
        shown = [chosen, *(style for style in shown if style.pk != chosen.pk)]
    return {
        "styles": shown,
        "chosen": chosen,
        "more": more,
        "nothing": nothing,
        "searched": more or bool(query) or len(shown) > SEARCHED_FROM,
        "query": query,
    }


def form_limits() -> dict[str, Any]:
    """What the form offers at most, and what its script must know beforehand."""
    largest = offered_size()
    return {
        "least_size": LEAST_SIZE,
        "largest_size": largest,
        "fast_size": FAST_SIZE,
        "most_steps": MOST_STEPS,
        "step_seconds": step_seconds(largest),
        "max_bytes": settings.SIGHTLINE_MAX_UPLOAD_BYTES,
        "max_video_bytes": settings.SIGHTLINE_MAX_VIDEO_BYTES,
        "max_file": _in_mib(settings.SIGHTLINE_MAX_UPLOAD_BYTES),
        "max_video": _in_mib(settings.SIGHTLINE_MAX_VIDEO_BYTES),
    }


def step_seconds(largest: int) -> list[tuple[int, float]] | None:
    """Seconds of a step by the longer side of a square picture; None as long as nobody can say.

    A mean over a hundred, of which some are coarse and cheaper.
    """
    pace = estimate_seconds(width=1000, height=1000, steps=1)
    if pace is None:
        return None
    table = []
    for side in range(32, largest + 1, 32):
        work = sum(scale**2 * count for scale, count in levels(100, side, side)) / 100
        table.append((side, round(pace * work * side**2 / 1e6, 6)))
    return table


def offered_size() -> int:
    """The longer side of the largest picture that would fit into the memory free now.

    It is what a square one takes; the painter judges the picture itself, and says what fits.
    """
    fits = largest_size(int(free_memory() * MEMORY_SHARE), number_bytes=NUMBER_BYTES)
    return max(LEAST_SIZE, min(fits, LARGEST_SIZE, SIZES[1]) // 16 * 16)


def _in_mib(size: int) -> str:
    mib = size / MIB
    return f"{mib / 1024:.3g} GiB" if mib >= 1024 else f"{mib:.3g} MiB"


def networks() -> list[tuple[str, str]]:
    """Name and title of the networks that may paint a beginning."""
    return [(card.name, card.title) for card in STYLE_CARDS.values()]


def has_example() -> bool:
    """Whether there is a picture to begin with."""
    return find_example() is not None


def state_of(restyling: Restyling) -> dict[str, Any]:
    """How far a painting is: all that its page shows of it while it waits and is painted."""
    job = restyling.job
    place = queue_place(restyling) if restyling.status == Restyling.Status.QUEUED else None
    running = restyling.status == Restyling.Status.RUNNING
    slow = restyling.way == Restyling.Way.SLOW
    preview = preview_of(restyling) if running else None
    step = steps_so_far(restyling)
    return {
        "id": str(restyling.pk),
        "status": restyling.status,
        "progress": round(float(job.progress), 3),
        "message": job.message,
        "error": {"code": job.error_code, "message": job.error_message} if job.error_code else None,
        "has_result": restyling.result_id is not None,
        "cancelling": bool(job.cancel_requested) and not restyling.is_finished,
        "place": place.place if place else None,
        "seconds": place.seconds if place else None,
        "step": step,
        "steps": restyling.steps,
        "losses": restyling.losses,
        "preview": preview.number if preview else None,
        "seconds_left": seconds_left(restyling, step=step) if running and slow else None,
    }


def steps_so_far(restyling: Restyling) -> int:
    """How many steps were made, also while it is being painted; of a video, frames."""
    if restyling.kind == Restyling.Kind.VIDEO:
        return restyling.frames
    newest = int(restyling.losses[-1][0]) if restyling.losses else 0
    return newest if restyling.status == Restyling.Status.RUNNING else restyling.steps_made


def painted_by(restyling: Restyling) -> str:
    """What has painted, in a word or two."""
    card = STYLE_CARDS.get(restyling.model)
    return f"{card.title} network" if card else MODELS.get(restyling.model, restyling.model)


def facts_of(restyling: Restyling) -> list[tuple[str, str]]:
    """What was asked for, line by line."""
    slow = restyling.way == Restyling.Way.SLOW
    size = f"{restyling.size} pixels at most" if restyling.size else "as the file"
    lines = [("Longer side", size)]
    if slow:
        lines += [
            ("Steps", f"{restyling.steps:,}"),
            ("Style weight", f"{restyling.style_weight:g}"),
            ("Begins with", _start(restyling)),
        ]
    lines.append(("Colours", "of the picture" if restyling.keep_colours else "of the style"))
    if slow and restyling.start == Restyling.Start.NOISE:
        lines.append(("Seed", str(restyling.seed)))
    return lines


def _start(restyling: Restyling) -> str:
    card = STYLE_CARDS.get(restyling.start_network)
    if restyling.start == Restyling.Start.FAST and card:
        return f"what {card.title} makes of it"
    return {"noise": "noise"}.get(restyling.start, "the picture")


def remedy_of(restyling: Restyling) -> Mapping[str, str] | None:
    """Where whoever reads of a failure may go: a smaller size, or other options."""
    again = f"{reverse('styles:create')}?again={restyling.pk}"
    if restyling.job.error_code == "out_of_memory":
        smaller = max(LEAST_SIZE, (restyling.size or LARGEST_SIZE) * 2 // 3 // 16 * 16)
        return {"label": "Paint it smaller", "url": f"{again}&size={smaller}"}
    return {"label": "Other options", "url": again}


def frames_per_second(restyling: Restyling) -> float | None:
    """How fast a video was painted."""
    if not restyling.frames or restyling.seconds <= 0:
        return None
    return restyling.frames / restyling.seconds


def may_paint_again(restyling: Restyling, user: Any) -> bool:
    """Whether ``user``, who may change it, may have the same file painted anew."""
    return may_create(user) and restyling.upload.removed_at is None
