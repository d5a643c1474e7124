"""Folders of faces: pairs of pictures of one person and of two.

Either LFW's own layout, pictures ``NAME/NAME_0001.jpg`` and a list ``pairs.txt``, or a folder for
each person, anywhere below, without a list: then all pairs count, or a seeded sample of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vision.errors import VisionError

__all__ = ["FacePairs", "LeftOut", "read_pairs"]

MOST_PAIRS: Final = 500_000
FOLDS: Final = 10

_LIST: Final = "pairs.txt"
_LARGEST_LIST: Final = 64 * 1024 * 1024
_PICTURES: Final = (".jpg", ".jpeg", ".png")


class LeftOut(NamedTuple):
    """A picture that does not count, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class FacePairs:
    """Pictures, and which of them are compared.

    Attributes:
        pictures: Files.
        identities: (N,) int64, whose picture it is, as a number.
        names: Of the identities.
        pairs: (P, 2) int64 positions of pictures.
        same: (P,) whether a pair is of one person.
        folds: (P,) int64 parts for cross-validation, 0 to 9.
        is_central: Whether the person is the one in the middle, as in LFW, whoever else is there.
        left_out: Pictures that were found and do not count.
    """

    pictures: tuple[Path, ...]
    identities: NDArray[np.int64]
    names: tuple[str, ...]
    pairs: NDArray[np.int64]
    same: NDArray[np.bool_]
    folds: NDArray[np.int64]
    is_central: bool
    left_out: tuple[LeftOut, ...]


class _Row(NamedTuple):
    line: int
    first: tuple[str, int]
    second: tuple[str, int]
    fold: int


def read_pairs(
    folder: Path, *, exclude: Collection[str] = (), most: int = MOST_PAIRS, seed: int = 0
) -> FacePairs:
    """Read a folder of faces.

    Args:
        folder: With pairs.txt, or with folders of people.
        exclude: Names of folders that are nobody's.
        most: Of more pairs than this a sample is taken, all pairs of one person first; those of
            pairs.txt all count.
        seed: Of the sample and the parts.

    Raises:
        VisionError: ``no_pairs`` when there is nothing to compare; ``bad_pairs`` with the line.
    """
    if not folder.is_dir():
        raise VisionError("no_pairs", f"{folder} is no folder.")
    if (folder / _LIST).is_file():
        return _read_list(folder)
    return _read_people(folder, exclude, most, seed)


def _read_people(folder: Path, exclude: Collection[str], most: int, seed: int) -> FacePairs:
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _PICTURES
        and path.is_file()
        and not _is_excluded(path.relative_to(folder), exclude)
    )
    left_out = [
        LeftOut(path, "It lies in no person's folder.") for path in found if path.parent == folder
    ]
    pictures = [path for path in found if path.parent != folder]
    if not pictures:
        raise VisionError("no_pairs", f"{folder} has no folders with pictures of people.")
    # Folders of one name are of one person: train/anna and test/anna.
    names, identities = np.unique([path.parent.name for path in pictures], return_inverse=True)
    if len(names) == 1:
        raise VisionError(
            "no_pairs", f"All pictures are of {names[0]}: pairs of two people are needed as well."
        )
    rng = np.random.default_rng(seed)
    identities = identities.astype(np.int64)
    pairs = _choose_pairs(identities, most, rng)
    same = identities[pairs[:, 0]] == identities[pairs[:, 1]]
    if not same.any() or same.all():
        raise VisionError("no_pairs", "Nobody has two pictures, so there is no pair of one person.")
    folds = rng.permutation(len(pairs)) % FOLDS
    return FacePairs(
        tuple(pictures), identities, tuple(names.tolist()), pairs, same, folds.astype(np.int64),
        is_central=False, left_out=tuple(left_out),
    )  # fmt: skip


def _is_excluded(path: Path, exclude: Collection[str]) -> bool:
    return any(part in exclude or part.startswith(".") for part in path.parts[:-1])


def _choose_pairs(
    identities: NDArray[np.int64], most: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return all pairs, or of each kind half of ``most`` if there are so many."""
    n = len(identities)
    if n * (n - 1) // 2 <= most:
        return np.stack(np.triu_indices(n, 1), axis=1).astype(np.int64)
    genuine = _genuine_pairs(identities)
    if len(genuine) > most // 2:
        genuine = genuine[np.sort(rng.choice(len(genuine), most // 2, replace=False))]
    # Some are drawn twice, or are of one person: draw more than are needed.
    drawn = np.sort(rng.integers(0, n, (4 * most, 2)), axis=1)
    drawn = drawn[identities[drawn[:, 0]] != identities[drawn[:, 1]]]
    impostor = np.unique(drawn, axis=0)
    if len(impostor) > most - len(genuine):
        chosen = rng.choice(len(impostor), most - len(genuine), replace=False)
        impostor = impostor[np.sort(chosen)]
    return np.concatenate((genuine, impostor))


def _genuine_pairs(identities: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.argsort(identities, kind="stable")
    borders = np.flatnonzero(np.diff(identities[order])) + 1
    parts = []
    for rows in np.split(order, borders):
        first, second = np.triu_indices(len(rows), 1)
        parts.append(np.stack((rows[first], rows[second]), axis=1))
    return np.concatenate(parts).astype(np.int64)


def _read_list(folder: Path) -> FacePairs:
    rows = _parse_list(folder / _LIST)
    pictures: dict[tuple[str, int], Path] = {}
    left_out: dict[Path, LeftOut] = {}
    kept: list[_Row] = []
    for row in rows:
        for face in (row.first, row.second):
            if face not in pictures and (path := _find_picture(folder, *face)) is not None:
                pictures[face] = path
        if row.first in pictures and row.second in pictures:
            kept.append(row)
            continue
        for name, number in {row.first, row.second} - pictures.keys():
            path = folder / name / f"{name}_{number:04d}"
            left_out.setdefault(path, LeftOut(path, f"Line {row.line} names it; it is not there."))
    places = {face: index for index, face in enumerate(pictures)}
    pairs = np.array([(places[row.first], places[row.second]) for row in kept], np.int64)
    same = np.array([row.first[0] == row.second[0] for row in kept], np.bool_)
    if not same.any() or same.all():
        raise VisionError(
            "no_pairs", f"{folder / _LIST} has not both kinds of pairs whose pictures are there."
        )
    names, identities = np.unique([name for name, _ in pictures], return_inverse=True)
    return FacePairs(
        tuple(pictures.values()), identities.astype(np.int64), tuple(names.tolist()), pairs, same,
        np.array([row.fold for row in kept], np.int64), is_central=True,
        left_out=tuple(left_out.values()),
    )  # fmt: skip


def _find_picture(folder: Path, name: str, number: int) -> Path | None:
    for suffix in _PICTURES:
        path = folder / name / f"{name}_{number:04d}{suffix}"
        if path.is_file():
            return path
    return None


def _parse_list(path: Path) -> list[_Row]:
    """Read lines ``NAME 1 2`` and ``NAME 1 OTHER 2`` below a head ``FOLDS PAIRS`` or ``PAIRS``."""
    if path.stat().st_size > _LARGEST_LIST:
        raise VisionError("bad_pairs", f"{path} is too large.")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise VisionError("bad_pairs", f"{path} is no text that can be read.") from error
    filled = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]
    per_fold = 0
    if filled and len(filled[0][1]) <= 2:
        per_fold = _read_head(path, *filled.pop(0))
    if not filled:
        raise VisionError("no_pairs", f"{path} has no pairs.")
    if len(filled) > MOST_PAIRS:
        raise VisionError("bad_pairs", f"{path} has more than {MOST_PAIRS} pairs.")
    return [
        _parse_line(path, number, fields, _fold(index, per_fold))
        for index, (number, fields) in enumerate(filled)
    ]


def _fold(index: int, per_fold: int) -> int:
    return index // per_fold % FOLDS if per_fold else index % FOLDS


def _read_head(path: Path, line: int, fields: Sequence[str]) -> int:
    """Return how many lines a fold has; 0 if there is one only."""
    if not all(field.isascii() and field.isdecimal() for field in fields):
        raise _nonsense(path, line, fields)
    return 2 * int(fields[1][:9]) if len(fields) == 2 else 0


def _parse_line(path: Path, line: int, fields: Sequence[str], fold: int) -> _Row:
    if len(fields) == 3:
        fields = (fields[0], fields[1], fields[0], fields[2])
    if len(fields) != 4:
        raise _nonsense(path, line, fields)
    first, one, second, two = fields
    numbers = all(text.isascii() and text.isdecimal() and len(text) <= 6 for text in (one, two))
    names = all(Path(name).name == name and name not in ("", ".", "..") for name in (first, second))
    if not numbers or not names:
        raise _nonsense(path, line, fields)
    if (first, int(one)) == (second, int(two)):
        raise VisionError("bad_pairs", f"{path}, line {line} compares a picture with itself.")
    return _Row(line, (first, int(one)), (second, int(two)), fold)


def _nonsense(path: Path, line: int, fields: Sequence[str]) -> VisionError:
    text = " ".join(fields)
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    return VisionError("bad_pairs", f"{path}, line {line} is no pair of pictures: {shown!r}.")
