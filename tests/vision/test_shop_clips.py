"""The shop's films as files: rendered once, again when something changed, and playable."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from vision.synthetic.shop import VIEWS, Shop
from vision.synthetic.shop.clips import CLIPS, are_current, clip_path, write_clips

# One process renders them for all.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("shop clips")]

SHORT = Shop(seed=2, seconds=1.0)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, int]]]:
    folder = tmp_path_factory.mktemp("clips") / "shop"
    told: list[tuple[int, int]] = []
    write_clips(folder, SHORT, processes=2, on_progress=lambda *now: told.append(now))
    return folder, told


def test_four_films_are_written_and_progress_is_told(
    rendered: tuple[Path, list[tuple[int, int]]],
) -> None:
    folder, told = rendered
    assert sorted(path.name for path in folder.glob("*.mp4")) == sorted(CLIPS)
    assert not list(folder.glob("*.part"))
    assert told[-1] == (48, 48)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_films_are_h264_and_show_what_was_painted(
    rendered: tuple[Path, list[tuple[int, int]]],
) -> None:
    for film in SHORT.films():
        with av.open(str(clip_path(rendered[0], film.view.name))) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == "h264"
            pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(stream)]
        assert len(pictures) == len(film) == 12
        painted = next(iter(film))[0].image
        assert np.abs(pictures[0].astype(int) - painted).mean() < 6


def test_what_is_there_is_kept_until_the_shop_is_another(
    rendered: tuple[Path, list[tuple[int, int]]], tmp_path: Path
) -> None:
    folder = rendered[0]
    assert are_current(folder, SHORT)
    assert not are_current(folder, replace(SHORT, seed=3))
    assert not are_current(tmp_path / "nowhere", SHORT)


@pytest.mark.parametrize("spoil", ["film", "note", "version"])
def test_a_folder_that_lacks_something_is_not_current(
    spoil: str, rendered: tuple[Path, list[tuple[int, int]]], tmp_path: Path
) -> None:
    for path in rendered[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert are_current(tmp_path, SHORT)
    note = tmp_path / "made-by.json"
    if spoil == "film":
        clip_path(tmp_path, VIEWS[1].name).unlink()
    elif spoil == "note":
        note.write_text("{")
    else:
        note.write_text(note.read_text().replace('"source": "', '"source": "0'))
    assert not are_current(tmp_path, SHORT)
