"""A gallery of 100,000 faces: how long a search takes, beside face_recognition's own distances."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.material import Material
from benchmarks.report import Section
from benchmarks.timing import measure_interleaved, ratio
from vision.evaluation.faces_pictures import import_peer
from vision.faces.matching import DEFAULT_RULES, GalleryArrays, search
from vision.faces.structures import EMBEDDING_SIZE

SAMPLES = 100_000
BATCH = 32
LIMIT_MS = 50
# As far apart as the faces of two people are on average, and of one.
APART, NEAR = 0.79, 0.43


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    section = Section(
        f"Search in a gallery of {SAMPLES:,} faces",
        ["profiles", f"{BATCH} faces, ms", "one face, ms", f"face_distance, {BATCH} faces, ms",
         "times as fast", "known", "wrong"],
    )  # fmt: skip
    for owners in (1_000, 20_000):
        section.rows.append(_row(owners, rounds))
    section.notes.append(
        f"Target: {BATCH} faces in {LIMIT_MS} ms. Every search ends with a decision: the best and "
        "the second profile, margin, thresholds and negative evidence; face_distance "
        "ends with distances. Made-up embeddings, as far apart as those of real faces: "
        f"{NEAR} on average for one person and {APART} for two. A search of 32 faces needs "
        f"{_megabytes():.0f} MB beside the gallery."
    )
    return section


def make_gallery(owners: int, *, seed: int = 0) -> tuple[GalleryArrays, np.ndarray, np.ndarray]:
    """A gallery, and probes with whose they are."""
    rng = np.random.default_rng(seed)
    scale = np.sqrt(2 * EMBEDDING_SIZE)
    # What two faces of one person differ by is part of what faces of two people differ by.
    people = rng.normal(0, np.sqrt(APART**2 - NEAR**2) / scale, (owners, EMBEDDING_SIZE))
    whose = np.repeat(np.arange(owners), SAMPLES // owners)
    faces = people[whose] + rng.normal(0, NEAR / scale, (SAMPLES, EMBEDDING_SIZE))
    asked = rng.integers(0, owners, BATCH)
    probes = people[asked] + rng.normal(0, NEAR / scale, (BATCH, EMBEDDING_SIZE))
    negatives = rng.integers(0, owners, 1000)
    gallery = GalleryArrays(
        whose, faces.astype(np.float32), {}, people[(negatives + 1) % owners].astype(np.float32),
        negatives,
    )  # fmt: skip
    return gallery, probes.astype(np.float32), asked


def _row(owners: int, rounds: int) -> tuple[str, ...]:
    gallery, probes, asked = make_gallery(owners)
    doubles = gallery.embeddings.astype(np.float64)  # as face_encodings gives them

    face_recognition = import_peer()

    def peer() -> int:
        for probe in probes.astype(np.float64):
            face_recognition.face_distance(doubles, probe)
        return 1

    contenders: dict[str, Callable[[], int]] = {
        "batch": lambda: bool(search(gallery, probes, DEFAULT_RULES)),
        "one": lambda: bool(search(gallery, probes[:1], DEFAULT_RULES)),
        "peer": peer,
    }
    rates = measure_interleaved(contenders, rounds=rounds)
    matches = search(gallery, probes, DEFAULT_RULES)
    known = [match.state == "known" for match in matches]
    wrong = sum(
        is_known and match.owner != owner
        for is_known, match, owner in zip(known, matches, asked, strict=True)
    )
    return (
        f"{owners:,}",
        *(f"{rates[name].milliseconds:.1f}" for name in ("batch", "one", "peer")),
        f"{ratio(rates['batch'], rates['peer']):.1f}",
        f"{sum(known)} of {BATCH}",
        str(wrong),
    )


def _megabytes() -> float:
    gallery, probes, _ = make_gallery(1_000)
    tracemalloc.start()
    search(gallery, probes, DEFAULT_RULES)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6
