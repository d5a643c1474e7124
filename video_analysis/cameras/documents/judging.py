"""Holding a document against the schema: every mistake as a sentence, with its line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from video_analysis.cameras.documents.lines import Located, Path, path_text, read, shown
from video_analysis.cameras.documents.schema import document_schema
from video_analysis.cameras.errors import DocumentError, Problem

__all__ = ["MOST_PROBLEMS", "judge", "raise_problems"]

MOST_PROBLEMS: Final = 20
_TYPES: Final = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "string": "text; put it into quotes",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "empty",
}


def judge(text: str | bytes) -> Located:
    """Read a document and return it, if the schema allows all of it.

    Raises:
        DocumentError: With up to 20 mistakes in the order of their lines.
    """
    found = read(text)
    problems = list(found.problems)
    broken = {problem.path for problem in problems}
    for error in _validator().iter_errors(found.value):
        problems += (p for p in _explain(error, found) if p.path not in broken)
    problems += _twice(found)
    raise_problems(problems)
    return found


def raise_problems(problems: list[Problem]) -> None:
    """Refuse, where there are mistakes.

    Raises:
        DocumentError: There are.
    """
    if problems:
        ordered = sorted(problems, key=lambda problem: problem.line)
        shown_ones = ordered[:MOST_PROBLEMS]
        raise DocumentError(shown_ones, more=len(ordered) - len(shown_ones))


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    return Draft202012Validator(document_schema())


def _explain(error: ValidationError, found: Located) -> Iterator[Problem]:
    path: Path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        for key in error.instance:
            if key not in error.schema["properties"]:
                inner = (*path, key)
                yield Problem(found.line(inner), path_text(inner), _unknown(key, error.schema))
        return
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        # One error for each missing key, and each sees them all.
        name = next(key for key in missing if error.message.startswith(repr(key)))
        yield Problem(found.line(path), path_text((*path, name)), f"{name} is missing.")
        return
    yield Problem(found.line(path), path_text(path), f"{_name(path)} {_sentence(error)}.")


def _sentence(error: ValidationError) -> str:
    limit: Any = error.validator_value
    # Never the value itself: it may be a password.
    match error.validator:
        case "type":
            first = limit[0] if isinstance(limit, list) else limit
            return f"must be {_TYPES[first]}"
        case "enum":
            return f"must be one of {', '.join(str(value) or '(empty)' for value in limit)}"
        case "const":
            return f"must be {limit}"
        case "minimum" | "maximum":
            schema: Any = error.schema
            return f"must be from {schema['minimum']:g} to {schema['maximum']:g}"
        case "minLength":
            return "must not be empty"
        case "maxLength":
            return f"has at most {limit} characters"
        case "minItems":
            return f"needs at least {limit} entries"
        case "maxItems":
            return f"has at most {limit} entries"
        case _:
            return "is not allowed"


def _unknown(key: str, schema: Any) -> str:
    near = difflib.get_close_matches(key[:40], schema["properties"], n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"There is no setting {shown(key)}{hint}"


def _name(path: Path) -> str:
    """What a sentence calls the value: its key, or whose entry it is."""
    if not path:
        return "The document"
    *_, last = path
    if isinstance(last, str):
        return last
    keys = [step for step in path if isinstance(step, str)]
    return f"An entry of {keys[-1]}" if keys else "An entry"


def _twice(found: Located) -> Iterator[Problem]:
    """Names that are given twice: of areas and cameras, and of what is in a camera."""
    areas = found.value.get("areas") if isinstance(found.value, dict) else None
    if isinstance(areas, list):
        yield from _same_names(found, areas, ("areas",), "an area")
    cameras = found.value.get("cameras") if isinstance(found.value, dict) else None
    if not isinstance(cameras, list):
        return
    yield from _same_names(found, cameras, ("cameras",), "a camera")
    for number, camera in enumerate(cameras):
        yield from _same_groups(found, camera, ("cameras", number, "groups"))
        for part, what in (("zones", "a zone"), ("lines", "a line")):
            entries = camera.get(part) if isinstance(camera, dict) else None
            if isinstance(entries, list):
                yield from _same_names(found, entries, ("cameras", number, part), what)


def _same_groups(found: Located, camera: Any, path: Path) -> Iterator[Problem]:
    # Not the schema's uniqueItems, which compares each with each.
    groups = camera.get("groups") if isinstance(camera, dict) else None
    names = [name for name in groups if isinstance(name, str)] if isinstance(groups, list) else []
    if len(set(names)) < len(names):
        yield Problem(found.line(path), path_text(path), "groups names something twice.")


def _same_names(found: Located, entries: list[Any], path: Path, what: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            continue
        inner = (*path, number, "name")
        key = " ".join(name.split())
        if key in seen:
            text = f"There is {what} {shown(key)} in line {seen[key]} already."
            yield Problem(found.line(inner), path_text(inner), text)
        seen.setdefault(key, found.line(inner))
