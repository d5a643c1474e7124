"""The shop's films as H.264 files, rendered by two processes and kept until the shop changes."""

import hashlib
import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from functools import lru_cache
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Final

from vision.synthetic.shop.film import Shop, ShopFilm
from vision.synthetic.shop.plan import VIEWS

__all__ = ["CLIPS", "are_current", "clip_path", "write_clips"]

CLIPS: Final = tuple(f"{view.name}.mp4" for view in VIEWS)

_MADE_BY = "made-by.json"
_QUALITY: Final = 25  # x264's rate factor
_TOLD_EVERY: Final = 24  # frames
_POLL_SECONDS: Final = 0.25

_done: "Synchronized[int] | None" = None  # frames painted by all processes; set in each of them


def clip_path(folder: Path, name: str) -> Path:
    """Return where a view's film lies in a folder."""
    return folder / f"{name}.mp4"


def are_current(folder: Path, shop: Shop) -> bool:
    """Tell whether a folder holds the films of this shop as this version paints them."""
    try:
        made_by = json.loads((folder / _MADE_BY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return made_by == _maker(shop) and all((folder / clip).is_file() for clip in CLIPS)


def write_clips(
    folder: Path,
    shop: Shop,
    *,
    processes: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Render the four films into a folder; files that are there are replaced, each at once.

    Args:
        folder: Made where it is missing.
        shop: What is shown.
        processes: How many render at a time; 1 and more. Each paints whole films.
        on_progress: Is told of frames done and all frames, from this thread.

    Raises:
        OSError: The folder cannot be written to.
        VisionError: ``example_picture_missing``, as `vision.synthetic.sprite_of`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MADE_BY).unlink(missing_ok=True)
    films = shop.films()
    total = sum(len(film) for film in films)
    # Spawned, not forked: whoever calls may have threads, and locks that these hold.
    context = multiprocessing.get_context("spawn")
    done: Synchronized[int] = context.Value("l", 0)
    with ProcessPoolExecutor(processes, context, _begin, (done,)) as pool:
        waiting: set[Future[None]] = {pool.submit(_write, folder, film) for film in films}
        try:
            while waiting:
                finished, waiting = wait(waiting, _POLL_SECONDS)
                for future in finished:
                    future.result()
                if on_progress is not None:
                    on_progress(done.value, total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    (folder / _MADE_BY).write_text(json.dumps(_maker(shop)), encoding="utf-8")


def _begin(done: "Synchronized[int]") -> None:
    global _done
    _done = done


def _write(folder: Path, film: ShopFilm) -> None:
    from vision.encoding.video import VideoWriter

    path = clip_path(folder, film.view.name)
    part = path.with_name(path.name + ".part")
    width, height = film.view.camera.size
    told = 0
    with VideoWriter(
        part, width=width, height=height, rate=film.shop.rate, quality=_QUALITY
    ) as writer:
        for frame, _ in film:
            writer.write(frame.image, frame.timestamp)
            if frame.index + 1 - told >= _TOLD_EVERY or frame.index + 1 == len(film):
                _tell(frame.index + 1 - told)
                told = frame.index + 1
    part.replace(path)


def _tell(frames: int) -> None:
    if _done is not None:
        with _done.get_lock():
            _done.value += frames


def _maker(shop: Shop) -> dict[str, object]:
    """Return what decides how the films look."""
    return {"shop": asdict(shop), "quality": _QUALITY, "source": _source()}


@lru_cache(maxsize=1)
def _source() -> str:
    """Return a digest of the code that paints, so that nobody need remember to raise a number."""
    here = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted([*here.glob("*.py"), *here.parent.glob("looks.py"),
                        *here.parent.glob("outlines.py")]):  # fmt: skip
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
