"""Tables of a run, and the file that keeps them beside the conditions they were measured in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Section:
    """One benchmark's figures: a heading, a table, and what a reader must know of them."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_markdown(self) -> str:
        lines = [f"## {self.title}", "", "| " + " | ".join(self.columns) + " |"]
        lines.append("|" + "|".join("---" for _ in self.columns) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        if self.notes:
            lines += ["", *self.notes]
        return "\n".join(lines)


def load_sections(path: Path) -> dict[str, Section]:
    """The sections of earlier runs, so that one benchmark can be run again alone."""
    if not path.exists():
        return {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {name: Section(**values) for name, values in stored.items()}


def save_sections(folder: Path, sections: dict[str, Section]) -> None:
    as_json = {name: asdict(section) for name, section in sections.items()}
    (folder / "results.json").write_text(json.dumps(as_json, indent=1) + "\n", encoding="utf-8")
    head = (
        "# Results\n\nWritten by `make bench`. Every ratio is between contenders that took turns "
        "in one run; times are medians of that run.\n"
    )
    body = "\n\n".join(section.as_markdown() for section in sections.values())
    (folder / "results.md").write_text(f"{head}\n{body}\n", encoding="utf-8")
