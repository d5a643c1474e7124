"""What comes with Sightline: patterns of its own, and the fast networks of the ONNX Model Zoo."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from django.apps import apps as installed
from django.apps.registry import Apps

from vision.style.patterns import PATTERNS
from vision.weights.style_cards import STYLE_CARDS

FAST: Final = "fast:"


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One style that nobody has added."""

    key: str
    name: str
    description: str
    network: str = ""


def built_in_styles() -> list[BuiltIn]:
    """Return them: those that anybody can wait for, and those that take a second."""
    patterns = [
        BuiltIn(pattern.key, pattern.title, pattern.description) for pattern in PATTERNS.values()
    ]
    networks = [
        BuiltIn(
            f"{FAST}{card.name}",
            card.title,
            "A network that paints in this one style within a second, videos too. "
            f"{card.bytes / 1e6:.0f} MB, fetched at the first use; {card.licence}.",
            card.name,
        )
        for card in STYLE_CARDS.values()
    ]
    return [*networks, *patterns]


def install_styles(*, apps: Apps = installed, **kwargs: Any) -> None:
    """Give what comes with Sightline its rows; takes the arguments of a signal.

    Names and descriptions follow the release; how often they were used stays.

    Args:
        apps: The models as the database has them: it may have been brought to an older state.
        kwargs: What else a signal says.
    """
    try:
        styles = apps.get_model("styletransfer", "Style").objects
    except LookupError:  # the table is not there yet, or no more
        return
    known = {style.key: style for style in styles.exclude(key="")}
    missing = []
    for built_in in built_in_styles():
        style = known.get(built_in.key)
        if style is None:
            missing.append(styles.model(**asdict(built_in)))
        elif (style.name, style.description) != (built_in.name, built_in.description):
            styles.filter(pk=style.pk).update(name=built_in.name, description=built_in.description)
    # Two processes may migrate at once.
    styles.bulk_create(missing, ignore_conflicts=True)
