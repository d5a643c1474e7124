"""The pool of fast styles: which are kept, what is not tried again, who goes first, and the end."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from style_networks import TransformerNet, export_as_published, noise
from style_pictures import content_picture

from vision.engine import Engine
from vision.errors import ModelError, PictureError, VisionError, WeightsError
from vision.style import pool as pool_module
from vision.style.feed_forward import FeedForwardStylizer
from vision.style.network import StyleNetwork, needed_memory
from vision.style.pool import RETRY_SECONDS, StylePool
from vision.weights import WeightsStore
from vision.weights.style_cards import StyleCard, get_style_card

Image = NDArray[np.uint8]

pytestmark = pytest.mark.once

THERE = ("candy", "mosaic", "pointilism", "udnie")
MISSING = "rain-princess"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random networks in the places of four of the styles."""
    made = tmp_path_factory.mktemp("styles")
    manifest = {}
    for seed, name in enumerate(THERE):
        path = export_as_published(TransformerNet.random(seed=seed), made / f"{name}-9.onnx")
        manifest[path.name] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (made / "MANIFEST.json").write_text(json.dumps(manifest))
    return made


@pytest.fixture
def store(folder: Path, tmp_path: Path) -> WeightsStore:
    return WeightsStore(tmp_path, [folder], allow_download=False)


@pytest.fixture
def pool(store: WeightsStore) -> Iterator[StylePool]:
    made = StylePool(store, threads=2, precision="fp32")
    yield made
    made.close()


class Counting(WeightsStore):
    """Counts how often a file is asked for; what is not on disk cannot be had."""

    fetched = 0
    before: Callable[[], Any] = staticmethod(lambda: None)

    def fetch(self, *arguments: Any, **options: Any) -> Path:
        self.fetched += 1
        self.before()
        return super().fetch(*arguments, **options)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class TestPainting:
    def test_it_paints_as_its_network_does(self, pool: StylePool, store: WeightsStore) -> None:
        image = noise(192, 256)
        alone = FeedForwardStylizer(get_style_card("candy"), store, threads=2, precision="fp32")
        made = pool.stylize("candy", image)
        assert np.array_equal(made.image, alone.stylize(image).image)
        assert (made.model, made.device) == ("candy", "cpu")

    def test_every_network_has_its_own_style(self, pool: StylePool) -> None:
        image = noise(64, 64)
        one, other = (pool.stylize(name, image).image.astype(int) for name in THERE[:2])
        assert np.abs(one - other).mean() > 10

    def test_size_and_colours_are_of_each_call(self, pool: StylePool) -> None:
        image = noise(100, 160)
        whole = pool.stylize("candy", image)
        assert whole.image.shape == (100, 160, 3)
        assert pool.stylize("candy", image, longer_side=80).image.shape == (50, 80, 3)
        assert pool.stylize("candy", image, longer_side=999).image.shape == (100, 160, 3)
        kept = pool.stylize("candy", image, keep_colours=True)
        assert _chroma_apart(kept.image, image) < 0.5 * _chroma_apart(whole.image, image)
        assert np.array_equal(pool.stylize("candy", image).image, whole.image)

    @pytest.mark.parametrize(
        ("image", "code"),
        [
            (np.zeros((1, 1, 3), np.uint8), "too_small"),
            (np.zeros((64, 64), np.uint8), "bad_array"),
            (np.zeros((0, 64, 3), np.uint8), "bad_array"),
        ],
    )
    def test_what_is_no_picture_is_refused(self, image: Any, code: str, pool: StylePool) -> None:
        with pytest.raises(PictureError) as refused:
            pool.stylize("candy", image)
        assert refused.value.code == code
        assert pool.stylize("candy", noise(16, 16)).image.shape == (16, 16, 3)

    @pytest.mark.parametrize("side", [-5, 0, 15])
    def test_a_size_that_shows_nothing_is_refused(self, side: int, pool: StylePool) -> None:
        with pytest.raises(VisionError) as refused:
            pool.stylize("candy", noise(64, 64), longer_side=side)
        assert refused.value.code == "bad_option"

    def test_a_style_that_does_not_exist_is_refused(self, pool: StylePool) -> None:
        for ask in (lambda: pool.stylize("picasso", noise(64, 64)), lambda: pool.has("picasso")):
            with pytest.raises(ModelError) as refused:
                ask()
            assert refused.value.code == "unknown_model"


def _chroma_apart(one: Image, other: Image) -> float:
    weights = (0.114, 0.587, 0.299)
    differences = [image - (image @ weights)[..., None] for image in (one, other)]
    return float(np.abs(differences[0] - differences[1]).mean())


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The sizes that were compiled, height and width."""
    sizes: list[tuple[int, ...]] = []
    compile_one = StyleNetwork._compile

    def note(self: StyleNetwork, shape: tuple[int, ...]) -> Any:
        sizes.append(shape[1:3])
        return compile_one(self, shape)

    monkeypatch.setattr(StyleNetwork, "_compile", note)
    return sizes


class TestSizes:
    def test_previews_of_about_the_same_size_are_compiled_once(
        self, pool: StylePool, compiled: list[tuple[int, ...]]
    ) -> None:
        for height, width in ((240, 320), (213, 320), (256, 300), (193, 257)):
            made = pool.stylize("candy", noise(height, width))
            assert made.image.shape == (height, width, 3)
        assert compiled == [(256, 320)]

    def test_whatever_shape_previews_have_few_sizes_are_compiled(
        self, pool: StylePool, compiled: list[tuple[int, ...]]
    ) -> None:
        for _ in range(2):
            for height, width in ((320, 240), (240, 320), (180, 320), (320, 320), (320, 180)):
                pool.stylize("candy", noise(height, width))
        assert len(compiled) == 5

    def test_larger_pictures_are_painted_at_their_own(
        self, pool: StylePool, compiled: list[tuple[int, ...]]
    ) -> None:
        pool.stylize("candy", noise(100, 324))
        assert compiled == [(100, 324)]

    def test_the_smallest_picture_is_mirrored_many_times(self, pool: StylePool) -> None:
        assert pool.stylize("candy", noise(16, 300)).image.shape == (16, 300, 3)


@pytest.mark.weights
def test_a_trained_network_hardly_sees_what_previews_add(
    weights_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "style_rain_princess.onnx"
    if not (weights_dir / name).is_file():
        pytest.skip("needs the weights of a trained style network")
    known = json.loads((weights_dir / "MANIFEST.json").read_text())[name]
    card = StyleCard("trained", name, "", known["sha256"], known["bytes"], "", title="Trained")
    monkeypatch.setattr(pool_module, "get_style_card", lambda network: card)
    store = WeightsStore(tmp_path, [weights_dir], allow_download=False)
    pool = StylePool(store, threads=2)
    exact = FeedForwardStylizer(card, store, threads=2)
    image = content_picture(213, 320)
    wanted = exact.stylize(image).image.astype(int)
    apart = np.abs(pool.stylize("trained", image).image - wanted).mean()
    assert apart < 0.25 * np.abs(image - wanted).mean()
    pool.close()


class TestKept:
    def test_three_networks_are_kept_the_newest_used(
        self, pool: StylePool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed: list[str] = []
        close = FeedForwardStylizer.close
        monkeypatch.setattr(
            FeedForwardStylizer, "close", lambda self: (closed.append(self.model), close(self))
        )
        for name in ("candy", "mosaic", "pointilism", "candy"):
            pool.stylize(name, noise(32, 32))
        assert closed == []
        pool.stylize("udnie", noise(32, 32))
        assert closed == ["mosaic"]
        pool.close()
        assert sorted(closed) == ["candy", "mosaic", "pointilism", "udnie"]

    def test_many_first_callers_load_once(self, folder: Path, tmp_path: Path) -> None:
        store = Counting(tmp_path, [folder], allow_download=False)
        pool = StylePool(store, threads=1)
        image = noise(40, 40)
        made = _in_threads(8, lambda: pool.stylize("candy", image).image)
        assert store.fetched == 1
        assert len(made) == 8
        assert all(np.array_equal(one, made[0]) for one in made)
        pool.close()

    def test_one_picture_is_painted_at_a_time(
        self, pool: StylePool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        paint, beside = FeedForwardStylizer.stylize, []
        inside = threading.Semaphore(1)

        def watch(self: FeedForwardStylizer, *arguments: Any, **options: Any) -> Any:
            if not inside.acquire(blocking=False):
                beside.append(self.model)
            try:
                return paint(self, *arguments, **options)
            finally:
                inside.release()

        monkeypatch.setattr(FeedForwardStylizer, "stylize", watch)
        names = iter(THERE[:2] * 3)
        assert len(_in_threads(6, lambda: pool.stylize(next(names), noise(64, 64)))) == 6
        assert beside == []

    def test_too_little_memory_empties_the_others_first(
        self, store: WeightsStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pool = StylePool(store, threads=1, memory=needed_memory(64, 64))
        pool.stylize("mosaic", noise(64, 64))
        tried: list[str] = []
        paint = FeedForwardStylizer.stylize

        def watch(self: FeedForwardStylizer, *arguments: Any, **options: Any) -> Any:
            tried.append(self.model)
            return paint(self, *arguments, **options)

        monkeypatch.setattr(FeedForwardStylizer, "stylize", watch)
        with pytest.raises(ModelError) as refused:
            pool.stylize("candy", noise(400, 400))
        assert refused.value.code == "out_of_memory"
        assert tried == ["candy", "candy"]
        assert not pool._kept["mosaic"]._network.holds(64, 64)
        assert pool.stylize("mosaic", noise(64, 64)).model == "mosaic"
        pool.close()


def _in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class TestMissing:
    def test_it_says_what_is_there_without_the_network(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("vision.weights.store.download", None)
        pool = StylePool(WeightsStore(tmp_path, [folder]))
        assert all(pool.has(name) for name in THERE)
        assert not pool.has(MISSING)

    def test_what_cannot_be_had_is_not_asked_for_again_for_a_minute(self, tmp_path: Path) -> None:
        store = Counting(tmp_path, allow_download=False)
        clock = Clock()
        pool = StylePool(store, clock=clock)
        words = set()
        for _ in range(5):
            with pytest.raises(WeightsError) as refused:
                pool.stylize("candy", noise(32, 32))
            assert refused.value.code == "weights_missing"
            words.add(refused.value.message)
        assert store.fetched == 1
        assert len(words) == 1
        clock.now += RETRY_SECONDS
        with pytest.raises(WeightsError):
            pool.stylize("candy", noise(32, 32))
        assert store.fetched == 2

    def test_a_file_that_is_put_there_meanwhile_is_used_at_once(
        self, folder: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "given").mkdir()
        pool = StylePool(
            WeightsStore(tmp_path, [tmp_path / "given"], allow_download=False), threads=1
        )
        with pytest.raises(WeightsError):
            pool.stylize("candy", noise(32, 32))
        for file in folder.iterdir():
            (tmp_path / "given" / file.name).write_bytes(file.read_bytes())
        assert pool.has("candy")
        assert pool.stylize("candy", noise(32, 32)).model == "candy"
        pool.close()

    def test_who_comes_while_it_is_fetched_does_not_wait_for_ever(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pool_module, "_PATIENCE", 0.05)
        store = Counting(tmp_path, [folder], allow_download=False)
        began, go_on = threading.Event(), threading.Event()
        store.before = lambda: (began.set(), go_on.wait(10))
        pool = StylePool(store, threads=1)
        made: list[Any] = []
        first = threading.Thread(
            target=lambda: made.append(pool.stylize("candy", noise(32, 32))), daemon=True
        )
        first.start()
        assert began.wait(10)
        with pytest.raises(WeightsError) as refused:
            pool.stylize("candy", noise(32, 32))
        assert refused.value.code == "weights_loading"
        go_on.set()
        first.join()
        assert len(made) == 1
        pool.close()


class TestTheEnd:
    def test_a_closed_pool_says_so(self, pool: StylePool) -> None:
        pool.stylize("candy", noise(32, 32))
        pool.close()
        pool.close()
        for name in THERE[:2]:
            with pytest.raises(VisionError) as refused:
                pool.stylize(name, noise(32, 32))
            assert refused.value.code == "engine_closed"

    def test_what_is_loaded_while_it_is_closed_is_not_kept(
        self, folder: Path, tmp_path: Path
    ) -> None:
        store = Counting(tmp_path, [folder], allow_download=False)
        pool = StylePool(store, threads=1)
        store.before = pool.close
        with pytest.raises(VisionError) as refused:
            pool.stylize("candy", noise(32, 32))
        assert refused.value.code == "engine_closed"

    def test_an_engine_has_one_and_closes_it(self, make_engine: Callable[..., Engine]) -> None:
        engine = make_engine(backend="opencv", threads=1)
        styles = engine.styles
        assert engine.styles is styles
        engine.close()
        with pytest.raises(VisionError) as refused:
            styles.stylize("candy", noise(32, 32))
        assert refused.value.code == "engine_closed"
        with pytest.raises(VisionError):
            _ = engine.styles
