"""YAML text to plain values, with the line that each stands in. Loads nothing but plain values."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml

from video_analysis.cameras.errors import DocumentError, Problem

MOST_BYTES: Final = 1024 * 1024
MOST_NODES: Final = 250_000  # values, keys, lists and mappings
DEEPEST: Final = 12
LONGEST_NUMBER: Final = 64

# The same classes as `yaml.safe_load` knows, from libyaml where it is there.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX: Final = "tag:yaml.org,2002:"
_PLAIN: Final = tuple(f"{_PREFIX}{name}" for name in ("str", "map", "seq"))

Path: TypeAlias = tuple[str | int, ...]


@dataclass
class Located:
    """A document as plain values.

    Attributes:
        value: Lists, dicts with text as keys, text, numbers, booleans and None.
        lines: From 1, by the path of a value; of a mapping's value the line of its key.
        problems: What is wrong with the text as such.
    """

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of a value, or of the nearest one around it; 0 where there is none."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


def read(text: str | bytes) -> Located:
    """Read one YAML document.

    Raises:
        DocumentError: It is too long, is no YAML, or uses what could make a short text large.
    """
    plain = _decode(text)
    try:
        refuse_tricks(plain)
        node = yaml.compose(plain, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise _no_yaml(error) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise _refusal("This is no YAML: it holds characters that may not be in it.") from None
    found = Located()
    if node is None:
        raise _refusal("The document is empty.")
    found.lines[()] = _line_of(node)
    found.value = _plain(node, (), found)
    return found


def path_text(path: Path) -> str:
    """Return a path as errors name it: ``cameras.0.fps``."""
    return ".".join(str(step) for step in path)


def _decode(text: str | bytes) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="replace"))
    if size > MOST_BYTES:
        raise _refusal(f"The document is larger than {MOST_BYTES // 1024} KiB.")
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refusal("The document is no text in UTF-8.") from None


def refuse_tricks(text: str) -> None:
    """Look at the events alone, before anything is built of them."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = _line_of(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal("Anchors and aliases (& and *) are not taken: write it out.", line)
        tag = getattr(event, "tag", None)
        if tag and tag not in (*_PLAIN, "!"):
            raise _refusal("Tags (!…) are not taken: write plain values.", line)
        nodes += isinstance(event, yaml.NodeEvent)
        if nodes > MOST_NODES:
            raise _refusal(f"The document holds more than {MOST_NODES:,} values.", line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _refusal("The document is nested too deeply.", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _plain(node: yaml.Node, path: Path, found: Located) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, found)
    if isinstance(node, yaml.SequenceNode):
        values = []
        for number, entry in enumerate(node.value):
            found.lines[(*path, number)] = _line_of(entry)
            values.append(_plain(entry, (*path, number), found))
        return values
    try:
        return _scalar(node)
    except ValueError as error:
        _complain(found, node, path, str(error))
        return None


def _mapping(node: yaml.MappingNode, path: Path, found: Located) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            _complain(found, key_node, path, "A key must be a word.")
            continue
        key = key_node.value
        inner = (*path, key)
        if key in values:
            first = found.line(inner)
            text = f"{shown(key)} is given twice; it stands in line {first} already."
            _complain(found, key_node, inner, text)
            continue
        found.lines[inner] = _line_of(key_node)
        values[key] = _plain(value_node, inner, found)
    return values


def _scalar(node: yaml.Node) -> Any:
    kind, text = node.tag.removeprefix(_PREFIX), str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("yes", "true", "on")
    if kind not in ("int", "float"):
        return text  # dates, too: they are words here
    if len(text) > LONGEST_NUMBER:
        raise ValueError("This number is too long.")
    number = _number(node, kind)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that can be used.")
    return number


def _number(node: yaml.Node, kind: str) -> Any:
    constructor = yaml.constructor.SafeConstructor()
    try:
        make = getattr(constructor, f"construct_yaml_{kind}")
        return make(node)
    except (ValueError, OverflowError):
        raise ValueError(f"{node.value} is no number.") from None


def shown(value: Hashable) -> str:
    """Return a value from outside, quoted and short enough for a sentence."""
    text = value if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _complain(found: Located, node: yaml.Node, path: Path, message: str) -> None:
    line = _line_of(node)
    found.problems.append(Problem(line=line, path=path_text(path), message=message))


def _line_of(part: yaml.Node | yaml.Event) -> int:
    mark = part.start_mark
    return mark.line + 1 if mark is not None else 0


def _refusal(message: str, line: int = 0) -> DocumentError:
    return DocumentError([Problem(line=line, path="", message=message)])


def _no_yaml(error: yaml.MarkedYAMLError) -> DocumentError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 0
    what = error.problem or error.context or "it cannot be read"
    if "expected a single document" in (error.context or ""):
        what = "there is more than one document in it"
    return _refusal(f"This is no YAML: {what}.", line)
