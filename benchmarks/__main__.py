"""``python -m benchmarks [NAME …]``: run, print, and write results.md."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    accuracy,
    activity,
    beside,
    counting,
    endurance,
    engine,
    faces,
    fast_style,
    gallery,
    gate,
    gatys,
    http,
    live,
    live_memory,
    looks,
    masks,
    pages,
    shop,
    trackers,
    trajectories,
    video,
    workers,
)
from benchmarks.conditions import describe_conditions
from benchmarks.material import Material, find_material
from benchmarks.report import Section, load_sections, save_sections

HERE = Path(__file__).resolve().parent
BENCHMARKS: dict[str, Callable[..., Section]] = {
    "engine": engine.run,
    "faces": faces.run,
    "fast-style": fast_style.run,
    "masks": masks.run,
    "accuracy": accuracy.run,
    "http": http.run,
    "pages": pages.run,
    "lists": pages.run_lists,
    "workers": workers.run,
    "video": video.run,
    "endurance": endurance.run,
    "trackers": trackers.run,
    "trajectories": trajectories.run,
    "activity": activity.run,
    "counting": counting.run,
    "gate": gate.run,
    "looks": looks.run,
    "shop": shop.run,
    "live": live.run,
    "live-memory": live_memory.run,
    "beside": beside.run,
    "gallery": gallery.run,
    "gatys": gatys.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as scratch:
        run(arguments.names or list(BENCHMARKS), arguments.rounds, Path(scratch))


def run(names: list[str], rounds: int, scratch: Path) -> None:
    material = find_material(scratch)
    sections = load_sections(HERE / "results.json")
    sections["conditions"] = describe_conditions(
        {card: material.weights(card) for card in ("yolov8n", "yolov8n-seg")},
        _describe_pictures(material),
    )
    print(sections["conditions"].as_markdown(), flush=True)
    for name in names:
        sections[name] = BENCHMARKS[name](material, scratch, rounds=rounds)
        print("\n" + sections[name].as_markdown(), flush=True)
        ordered = {key: sections[key] for key in ("conditions", *BENCHMARKS) if key in sections}
        save_sections(HERE, ordered)


def _describe_pictures(material: Material) -> str:
    pictures = "COCO train2017, 64 pictures" if material.pictures_dir else "seeded blobs of colour"
    weights = "real weights" if material.real_weights else "seeded random weights"
    return f"{pictures}; {weights}"


if __name__ == "__main__":
    main()
