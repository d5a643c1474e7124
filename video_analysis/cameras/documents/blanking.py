"""A refused document as it goes back to the page: without passwords, and refused until they are
given again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from video_analysis.cameras.documents.lines import MOST_BYTES, refuse_tricks
from video_analysis.cameras.errors import DocumentError
from vision.sources.cameras.secrets import blank_secrets

AGAIN: Final = "give user and password again"
"""Stands where credentials stood in an address; its spaces keep it from being one."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: Final = "user|pass|pwd|secret|token"
_KEY: Final = re.compile(_WORDS, re.IGNORECASE)
# The same without understanding the text: comments, and what is no YAML.
_LINE: Final = re.compile(
    rf"""^([ \t#-]*["']?\w{{0,40}}(?:{_WORDS})[\w-]{{0,99}}["']?[ \t]*:)(?=\s).*$""",
    re.IGNORECASE | re.MULTILINE,
)
_WITHIN: Final = re.compile(
    rf"""([{{,]\s*["']?[\w-]{{0,40}}(?:{_WORDS})[\w-]{{0,99}}["']?\s*:)\s*"""
    r"""("(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|[^,}\n]*)""",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"""[a-z]{1,10}://[^\s"']+""", re.IGNORECASE)


def blank_document(text: str) -> str:
    """Return a document with every user name and password taken out; empty where it is too long."""
    if len(text) > MOST_BYTES:
        return ""
    spans = sorted(set(_spans(text)), reverse=True)
    for start, end, instead in spans:
        text = text[:start] + instead + text[end:]
    text = _ADDRESS.sub(lambda found: _blank_address(found[0]), text)
    text = _WITHIN.sub(r"\1 ~", text)
    return _LINE.sub(r"\1 ~", text)


def _blank_address(text: str) -> str:
    return blank_secrets(text, AGAIN)


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield what is to be replaced where, as far as the text is YAML."""
    try:
        refuse_tricks(text)  # composing what is nested too deeply would end the process
        root = yaml.compose(text, Loader=_Loader)
    except (DocumentError, yaml.YAMLError, RecursionError, ValueError):
        return
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and _KEY.search(key.value):
                    yield _span(value, text, "~")
                else:
                    waiting += (key, value)
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif (blank := _blank_address(node.value)) != node.value and "://" in blank:
            yield _span(node, text, '"' + blank.replace("\\", "").replace('"', "") + '"')


def _span(node: yaml.Node, text: str, instead: str) -> tuple[int, int, str]:
    start, end = node.start_mark.index, node.end_mark.index
    # A block's end is the beginning of the next line.
    broken = "\n" if "\n" in text[start:end] and text[start:end].endswith("\n") else ""
    return start, end, f" {instead}{broken}" if text[start - 1 : start] == ":" else instead + broken
