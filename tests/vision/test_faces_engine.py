"""The face engine: what it finds, what it thinks of it, and that it embeds as dlib does."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import supervision as sv
from numpy.typing import NDArray
from PIL import ImageFile

from vision.engine import Engine, EngineConfig
from vision.engine.plan import Plan
from vision.errors import ModelError, PictureError, VisionError, WeightsError
from vision.evaluation.faces_pictures import import_peer
from vision.faces import FaceConfig, FaceEngine, create_face_engine, no_faces, quality_of
from vision.faces.quality import flaw_of
from vision.faces.yunet import plan_looks
from vision.structures import Priority
from vision.weights import FACE_CARDS, WeightsStore, get_card

Image = NDArray[np.uint8]

pytestmark = pytest.mark.once


@pytest.fixture(scope="session")
def faces_dir() -> Path:
    data = os.environ.get("SIGHTLINE_TEST_DATA")
    if not data or not (Path(data) / "faces").is_dir():
        pytest.skip("SIGHTLINE_TEST_DATA names no folder with faces")
    return Path(data) / "faces"


@pytest.fixture(scope="session")
def face_store(tmp_path_factory: pytest.TempPathFactory) -> WeightsStore:
    folder = os.environ.get("VISION_WEIGHTS_DIR")
    if not folder or not (Path(folder) / FACE_CARDS["yunet"].file).is_file():
        pytest.skip("YuNet is not in VISION_WEIGHTS_DIR")
    cache = tmp_path_factory.mktemp("faces")
    return WeightsStore(cache, [Path(folder)], allow_download=False)


@pytest.fixture(scope="module")
def engine(face_store: WeightsStore) -> Iterator[FaceEngine]:
    engine = create_face_engine(FaceConfig(face_store, threads=2))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def bare_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaceEngine]:
    """An engine on a machine without weights and without a network."""
    store = WeightsStore(tmp_path_factory.mktemp("none"), allow_download=False)
    engine = create_face_engine(FaceConfig(store, threads=2))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def portrait(faces_dir: Path) -> Image:
    return read(faces_dir / "known" / "train" / "obama" / "obama.jpg")


def read(path: Path) -> Image:
    image = cv2.imread(str(path))
    assert image is not None
    return image.astype(np.uint8)


def flaws(found: sv.Detections) -> list[str]:
    return [str(flaw) for flaw in found.data["flaw"]]


def boxes(*rows: tuple[float, float, float, float]) -> sv.Detections:
    made = sv.Detections(np.zeros((len(rows), 4), np.float32))
    # Set afterwards: it refuses numbers that are none when it is made, but not later.
    made.xyxy = np.array(rows, np.float32).reshape(-1, 4)
    return made


def put_mask_on(image: Image, landmarks: NDArray[np.float32], colour: tuple[int, ...]) -> Image:
    right, left, _, *mouth = landmarks
    eyes, lips, across = (right + left) / 2, np.mean(mouth, axis=0), left - right
    down = lips - eyes
    top = eyes + 0.45 * down
    outline = [
        *(top - 0.75 * across, top + 0.75 * across),
        *(lips + 0.6 * across + 0.4 * down, lips + 0.25 * across + 0.85 * down),
        *(lips - 0.25 * across + 0.85 * down, lips - 0.6 * across + 0.4 * down),
    ]
    masked = image.copy()
    cv2.fillPoly(masked, [np.array(outline).astype(np.int32)], colour)
    return masked


def draw_cartoon() -> Image:
    image = np.full((400, 400, 3), 255, np.uint8)
    cv2.circle(image, (200, 200), 120, (120, 200, 250), -1)
    cv2.circle(image, (200, 200), 120, (0, 0, 0), 4)
    for x in (155, 245):
        cv2.circle(image, (x, 170), 22, (255, 255, 255), -1)
        cv2.circle(image, (x, 170), 9, (0, 0, 0), -1)
    cv2.ellipse(image, (200, 240), (50, 30), 0, 0, 180, (0, 0, 180), -1)
    return image


# Bad input


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (150, 150), (4000, 6000)], ids=str)
@pytest.mark.weights
def test_a_picture_without_faces_has_none(engine: FaceEngine, shape: tuple[int, int]) -> None:
    (found,) = engine.detect([np.full((*shape, 3), 90, np.uint8)])
    assert len(found) == 0
    assert set(found.data) == set(no_faces().data)
    assert (found.metadata["width"], found.metadata["height"]) == (shape[1], shape[0])
    assert found.metadata["model"] == "yunet"
    assert engine.embed(np.full((*shape, 3), 90, np.uint8), found).shape == (0, 128)


@pytest.mark.parametrize(
    "image",
    [
        np.empty((0, 0, 3), np.uint8),
        np.zeros((50, 50), np.uint8),
        np.zeros((50, 50, 4), np.uint8),
        np.zeros((50, 50, 3), np.float32),
        None,
    ],
    ids=["empty", "grey", "four-planes", "floats", "none"],
)
def test_what_is_no_picture_is_refused(bare_engine: FaceEngine, image: Any) -> None:
    for ask in (
        lambda: bare_engine.detect([image]),
        lambda: bare_engine.embed(image, no_faces()),
        lambda: bare_engine.crop(image, no_faces()),
    ):
        with pytest.raises(PictureError) as caught:
            ask()
        assert caught.value.code == "bad_array"


def test_boxes_that_are_none_get_no_embedding(bare_engine: FaceEngine) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)
    faces = boxes(
        (20, 20, 100, 110),
        (np.nan, 20, 100, 110),
        (20, 20, np.inf, 110),
        (100, 110, 20, 20),
        (50, 50, 50, 50),
        (500, 500, 600, 600),
        (-5e9, -5e9, 5e9, 5e9),
        (-50, -50, 40, 40),
    )
    embeddings = bare_engine.embed(picture, faces)
    known = np.isfinite(embeddings).all(axis=1)
    assert known.tolist() == [True, False, False, False, False, False, True, True]
    crops = bare_engine.crop(picture, faces)
    assert [crop.shape for crop in crops] == [(150, 150, 3)] * len(faces)
    assert bare_engine.embed(picture, boxes()).shape == (0, 128)
    assert bare_engine.crop(picture, boxes()) == []
    assert bare_engine.detect([]) == []


def test_many_faces_are_embedded_as_each_alone(bare_engine: FaceEngine) -> None:
    picture = np.random.default_rng(2).integers(0, 255, (400, 400, 3), np.uint8)
    faces = boxes(*((9.0 * n, 8.0 * n, 9.0 * n + 90, 8.0 * n + 100) for n in range(11)))
    together = bare_engine.embed(picture, faces)
    alone = np.concatenate([bare_engine.embed(picture, faces[[n]]) for n in range(len(faces))])
    assert together.shape == (11, 128)
    np.testing.assert_allclose(together, alone, atol=1e-5)


# What answers


def test_without_weights_dlib_answers_and_says_so(bare_engine: FaceEngine) -> None:
    assert bare_engine.detector == "dlib-hog"
    (found,) = bare_engine.detect([np.zeros((90, 120, 3), np.uint8)])
    assert found.metadata["model"] == "dlib-hog"
    assert found.metadata["embedder"] == bare_engine.embedder


@pytest.mark.data
@pytest.mark.weights
def test_dlib_finds_and_frames_faces_as_yunet_does(
    engine: FaceEngine, bare_engine: FaceEngine, faces_dir: Path
) -> None:
    picture = read(faces_dir / "two_people.jpg")
    (ours,), (peers,) = engine.detect([picture]), bare_engine.detect([picture])
    assert len(ours) == len(peers) == 2
    assert sv.box_iou_batch(ours.xyxy, peers.xyxy).max(axis=1).min() > 0.6
    assert flaws(peers) == ["", ""]
    found = bare_engine.embed(picture, peers)
    apart = np.linalg.norm(engine.embed(picture, ours)[:, None] - found[None], axis=2)
    assert apart.min(axis=1).max() < 0.2


class SlowStore(WeightsStore):
    """Weights that have to be downloaded, and come when they are let go."""

    def __init__(self, folder: Path, source: Path) -> None:
        super().__init__(folder)
        self.source, self.fetched, self.come = source, 0, threading.Event()

    def find(self, card: Any) -> Path | None:
        return None

    def fetch(self, card: Any, on_progress: Any = None) -> Path:
        self.fetched += 1
        assert self.come.wait(30)
        return self.source / card.file


@pytest.mark.weights
def test_live_work_does_not_wait_for_a_download(tmp_path: Path, face_store: WeightsStore) -> None:
    store = SlowStore(tmp_path, face_store.search_dirs[0])
    picture = np.zeros((90, 120, 3), np.uint8)
    with create(FaceConfig(store)) as engine, ThreadPoolExecutor(1) as pool:
        try:
            for _ in range(2):
                (found,) = engine.detect([picture], priority=Priority.LIVE)
                assert found.metadata["model"] == engine.detector == "dlib-hog"
            patient = pool.submit(engine.detect, [picture], priority=Priority.BATCH)
            assert not wait([patient], 0.3).done
        finally:
            store.come.set()
        assert patient.result(30)[0].metadata["model"] == "yunet"
        (found,) = engine.detect([picture], priority=Priority.LIVE)
        assert found.metadata["model"] == engine.detector == "yunet"
    assert store.fetched == 1


def test_yunet_that_was_asked_for_is_not_replaced(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path, allow_download=False)
    with create(FaceConfig(store, detector="yunet")) as engine, pytest.raises(WeightsError):
        engine.detect([np.zeros((9, 9, 3), np.uint8)])


@pytest.mark.parametrize("option", ["detector", "embedder"])
def test_an_unknown_backend_is_refused(tmp_path: Path, option: str) -> None:
    with pytest.raises(ModelError) as caught:
        create_face_engine(FaceConfig(WeightsStore(tmp_path), **{option: "best"}))  # type: ignore[arg-type]
    assert caught.value.code == "unknown_backend"


class create:  # noqa: N801
    def __init__(self, config: FaceConfig) -> None:
        self.engine = create_face_engine(config)

    def __enter__(self) -> FaceEngine:
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.close()


@pytest.mark.data
@pytest.mark.weights
def test_both_runtimes_embed_alike(
    engine: FaceEngine, face_store: WeightsStore, portrait: Image
) -> None:
    (found,) = engine.detect([portrait])
    with create(FaceConfig(face_store, embedder="dlib")) as peer:
        assert peer.embedder == engine.embedder
        np.testing.assert_allclose(
            engine.embed(portrait, found), peer.embed(portrait, found), atol=1e-5
        )


def test_the_cards_of_faces_are_not_offered_for_objects() -> None:
    for name, card in FACE_CARDS.items():
        assert card.name == name
        assert card.url == "" or card.url.startswith("https://media.githubusercontent.com/media/")
        with pytest.raises(ModelError):
            get_card(name)


def test_weights_that_are_published_nowhere_are_missing_in_words(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="put the file") as caught:
        WeightsStore(tmp_path).fetch(FACE_CARDS["mini-xception-fer2013"])
    assert caught.value.code == "weights_missing"


@pytest.mark.weights
def test_an_engine_owns_its_faces(face_store: WeightsStore, tmp_path: Path) -> None:
    engine = Engine(EngineConfig(tmp_path, face_store, backend="opencv", threads=1))
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: engine.faces, range(8)))
    assert len({id(one) for one in made}) == 1
    picture = np.zeros((64, 64, 3), np.uint8)
    assert len(made[0].detect([picture])[0]) == 0
    engine.close()
    for ask in (
        lambda: engine.faces,
        lambda: made[0].detect([picture]),
        lambda: made[0].embed(picture, no_faces()),
        lambda: made[0].crop(picture, no_faces()),
        lambda: made[0].detector,
    ):
        with pytest.raises(VisionError) as caught:
            ask()
        assert caught.value.code == "engine_closed"
    made[0].close()


class HeldStore(WeightsStore):
    """Reads the network of moods when it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, allow_download=False)
        self.asked, self.go_on = threading.Event(), threading.Event()

    def fetch(self, card: Any, on_progress: Any = None) -> Path:
        self.asked.set()
        assert self.go_on.wait(30)
        raise WeightsError("weights_missing", "It is not there.")


def test_nobody_waits_for_the_network_of_moods(tmp_path: Path) -> None:
    store = HeldStore(tmp_path)
    engine = Engine(EngineConfig(tmp_path, store, backend="opencv", threads=1))
    with ThreadPoolExecutor(3) as pool:
        moods = pool.submit(lambda: engine.moods)
        try:
            assert store.asked.wait(30)
            pool.submit(lambda: engine.faces).result(30)
            pool.submit(engine.close).result(30)
        finally:
            store.go_on.set()
        with pytest.raises(VisionError):
            moods.result(30)


@pytest.mark.weights
@pytest.mark.parametrize(("device", "shared"), [("cpu", True), ("cuda", False)])
def test_faces_take_no_slot_of_a_gpu(
    tmp_path: Path, face_store: WeightsStore, monkeypatch: Any, device: str, shared: bool
) -> None:
    # Only the plan: nothing is computed there. A GPU has one slot, which the call below holds.
    plan = Plan("opencv", device, "fp32", threads=1, slots=1, max_batch=1)
    monkeypatch.setattr("vision.engine.engine.make_plan", lambda *_: plan)
    picture = np.zeros((64, 64, 3), np.uint8)
    go_on, inside = threading.Event(), threading.Event()

    def hold(payloads: Any, alone: bool) -> list[Any]:
        inside.set()
        assert go_on.wait(60)
        return list(payloads)

    with (
        Engine(EngineConfig(tmp_path, face_store, threads=1)) as engine,
        ThreadPoolExecutor(2) as pool,
    ):
        pool.submit(engine._queue.run, [0], hold, key=("net",), priority=Priority.LIVE)
        try:
            assert inside.wait(30)
            faces = pool.submit(engine.faces.detect, [picture])
            assert bool(wait([faces], 0.5 if shared else 60).done) != shared
        finally:
            go_on.set()
        assert len(faces.result(60)[0]) == 0
        owned = engine.faces
    with pytest.raises(VisionError):
        owned.detect([picture])


# Finding


@pytest.mark.parametrize(
    ("size", "minimum", "looks"),
    [
        ((720, 1280), 20, [(384, 640)]),
        ((720, 1280), 10, [(384, 640), (768, 1280)]),
        ((1080, 1920), 32, [(384, 640)]),
        ((1080, 1920), 20, [(384, 640), (640, 1024)]),
        ((150, 150), 20, [(160, 160)]),
        ((200, 90), 20, [(320, 320)]),
        ((1, 1), 0, [(160, 160)]),
        ((12000, 9000), 1, [(640, 640), (2048, 1536)]),
    ],
    ids=str,
)
def test_a_second_look_is_for_small_faces_only(
    size: tuple[int, int], minimum: int, looks: list[tuple[int, int]]
) -> None:
    assert [(look.height, look.width) for look in plan_looks(*size, minimum)] == looks


def test_parts_of_all_sizes_are_looked_at_in_few_shapes() -> None:
    sizes = np.random.default_rng(5).integers(1, 1800, (500, 2))
    looks = [plan_looks(height, width, 24) for height, width in sizes.tolist()]
    assert {len(look) for look in looks} == {1}
    assert len({(look.height, look.width) for (look,) in looks}) == 5  # each is compiled once


@pytest.mark.data
@pytest.mark.weights
def test_faces_are_found_largest_first_with_all_that_is_known(
    engine: FaceEngine, faces_dir: Path
) -> None:
    (found,) = engine.detect([read(faces_dir / "bbt" / "group" / "bbt4.jpg")])
    assert len(found) == 6
    assert found.confidence is not None
    assert found.confidence.min() > 0.8
    sizes = np.diff(found.xyxy.reshape(-1, 2, 2), axis=1).prod(axis=2).ravel()
    assert (np.diff(sizes) <= 0).all()
    assert found.data["landmarks"].shape == (6, 5, 2)
    assert set(flaws(found)) == {""}
    assert np.isnan(found.data["embedding"]).all()
    right, left, nose, *_ = found.data["landmarks"][0]
    assert right[0] < nose[0] < left[0]


@pytest.mark.data
@pytest.mark.weights
def test_faces_below_the_minimum_are_left_out(engine: FaceEngine, faces_dir: Path) -> None:
    picture = read(faces_dir / "12_angry_men.jpg")
    (every,), (large,) = engine.detect([picture]), engine.detect([picture], minimum_size=100)
    assert 0 < len(large) < len(every)
    assert min(quality_of(large, n).size for n in range(len(large))) >= 100


@pytest.mark.data
@pytest.mark.weights
def test_threads_get_what_one_alone_gets(engine: FaceEngine, faces_dir: Path) -> None:
    pictures = [read(path) for path in sorted((faces_dir / "bbt" / "group").glob("*.jpg"))[:3]]

    def ask(picture: Image) -> NDArray[np.float32]:
        (found,) = engine.detect([picture])
        return engine.embed(picture, found)

    alone = [ask(picture) for picture in pictures]
    with ThreadPoolExecutor(6) as pool:
        for wanted, got in zip(alone * 2, pool.map(ask, pictures * 2), strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-4)


# Judging


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.parametrize(
    ("spoil", "match", "enrol"),
    [
        (lambda image: image, "", ""),
        (lambda image: shrink(image, 45), "", "too_small"),
        (lambda image: shrink(image, 24), "too_small", "too_small"),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 7), "", "blurred"),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 14), "blurred", "blurred"),
        (lambda image: cv2.rotate(image, cv2.ROTATE_180), "upside_down", "upside_down"),
    ],
    ids=["as-it-is", "small", "tiny", "soft", "blurred", "upside-down"],
)
def test_what_is_wrong_with_a_face_is_said(
    engine: FaceEngine, portrait: Image, spoil: Callable[[Image], Image], match: str, enrol: str
) -> None:
    (found,) = engine.detect([np.ascontiguousarray(spoil(portrait))], minimum_size=12)
    assert flaws(found)[0] == match
    assert flaw_of(found, 0, purpose="match") == match
    assert flaw_of(found, 0, purpose="enrol") == enrol


def shrink(image: Image, side: int) -> Image:
    scale = side / 243
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(
        np.uint8
    )


@pytest.mark.data
@pytest.mark.weights
def test_a_profile_is_turned_away(engine: FaceEngine, faces_dir: Path) -> None:
    (found,) = engine.detect([read(faces_dir / "bbt" / "stuart" / "stuart5.png")])
    assert flaws(found) == ["turned"]
    assert quality_of(found, 0).yaw < -0.8


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.parametrize("colour", [(210, 160, 110), (240, 240, 240), (30, 30, 30)], ids=str)
def test_a_mask_covers_a_face(
    engine: FaceEngine, faces_dir: Path, colour: tuple[int, int, int]
) -> None:
    covered = 0
    paths = sorted((faces_dir / "known").rglob("*.jpg"))[:8]
    for path in paths:
        picture = read(path)
        (found,) = engine.detect([picture])
        assert "covered" not in flaws(found), path.name
        masked = put_mask_on(picture, found.data["landmarks"][0], colour)
        (seen,) = engine.detect([masked])
        covered += "covered" in flaws(seen)
        assert len(seen) == 0 or flaw_of(seen, 0, purpose="enrol"), path.name
    assert covered >= len(paths) - 2


@pytest.mark.weights
def test_a_cartoon_is_no_face_or_an_unsure_one(engine: FaceEngine) -> None:
    (found,) = engine.detect([draw_cartoon()])
    assert set(flaws(found)) <= {"unsure"}


@pytest.mark.data
@pytest.mark.weights
def test_sharpness_does_not_depend_on_size(engine: FaceEngine, faces_dir: Path) -> None:
    picture = read(faces_dir / "known" / "train" / "biden" / "biden.jpg")
    sharpness = []
    for side in (200, 100, 50):
        small = cv2.resize(
            picture, None, fx=side / 280, fy=side / 280, interpolation=cv2.INTER_AREA
        )
        blurred = cv2.GaussianBlur(small, (0, 0), 0.03 * side)
        sharpness.append(
            [quality_of(engine.detect([one])[0], 0).sharpness for one in (small, blurred)]
        )
    values = np.array(sharpness)
    assert values[:, 0].min() > 2 * values[:, 1].max()


# Parity


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.slow
def test_embeddings_are_those_of_the_pure_dlib_path(engine: FaceEngine, faces_dir: Path) -> None:
    peer = import_peer()
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    moved = []
    paths = [
        *sorted((faces_dir / "known").rglob("*.jp*g")),
        *sorted((faces_dir / "bbt").rglob("*[12].png")),
        *sorted((faces_dir / "emotions").glob("*.jpg")),
        faces_dir / "two_people.jpg",
    ]
    for path in paths:
        picture = read(path)
        (found,) = engine.detect([picture])
        ours = engine.embed(picture, found)
        colours = np.ascontiguousarray(picture[:, :, ::-1])
        for place, wanted in zip(
            (places := peer.face_locations(colours)),
            peer.face_encodings(colours, places),
            strict=True,
        ):
            top, right, bottom, left = place
            middle = np.array([left + right, top + bottom]) / 2
            apart = np.linalg.norm((found.xyxy[:, :2] + found.xyxy[:, 2:]) / 2 - middle, axis=1)
            assert apart.min() < (right - left) / 2, path.name
            moved.append(np.linalg.norm(ours[apart.argmin()] - wanted))
    assert len(moved) >= 35
    assert np.mean(moved) <= 0.06
    assert max(moved) <= 0.2


@pytest.mark.data
def test_a_face_is_cut_out_as_dlib_does(bare_engine: FaceEngine, portrait: Image) -> None:
    dlib = pytest.importorskip("dlib")
    from vision.faces.alignment import align, similarity
    from vision.faces.dlib_thread import DlibModels

    models = DlibModels()
    for scale in (1.0, 0.45):
        picture = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        colours = np.ascontiguousarray(picture[:, :, ::-1])
        shape = models.five_points(colours, models.detector(colours, 0)[0])
        wanted = dlib.get_face_chip(colours, shape, 150, 0.25)
        points = np.array([(part.x, part.y) for part in shape.parts()], np.float64)
        ours = align(colours, similarity(points))
        assert np.abs(ours.astype(int) - wanted).mean() < 1.5
