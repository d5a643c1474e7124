"""Weights are the published file, or they are not used."""

import hashlib
import http.server
import json
import logging
import multiprocessing
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from vision.errors import ModelError, WeightsError
from vision.weights import (
    CARDS,
    COCO_CLASSES,
    WeightsCard,
    WeightsStore,
    cards_for,
    get_card,
    resolve_classes,
)
from vision.weights import hashes as hashes_module

CONTENT = bytes(range(256)) * 2000
WRONG = CONTENT[:-1] + b"!"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT in ways that the path names."""

    def do_GET(self) -> None:
        self.server.hits.append(self.path)  # type: ignore[attr-defined]
        name = self.path.strip("/").split("/")[0]
        getattr(self, f"serve_{name}")()

    def serve_good(self, body: bytes = CONTENT, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def serve_wrong(self) -> None:
        self.serve_good(WRONG)

    def serve_longer(self) -> None:
        self.serve_good(CONTENT * 2)

    def serve_shorter(self) -> None:
        self.serve_good(CONTENT[:1000])

    def serve_dropped(self) -> None:
        self.serve_good(CONTENT[: len(CONTENT) // 2], len(CONTENT))
        self.connection.shutdown(socket.SHUT_RDWR)

    def serve_missing(self) -> None:
        self.send_error(404)

    def serve_moved(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/good/x.pt")
        self.end_headers()

    def serve_loop(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/loop/x.pt")
        self.end_headers()

    def serve_silent(self) -> None:
        self.server.stop.wait(20)  # type: ignore[attr-defined]

    def serve_trickle(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        while not self.server.stop.wait(0.05):  # type: ignore[attr-defined]
            self.wfile.write(b"x")
            self.wfile.flush()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.hits = []  # type: ignore[attr-defined]
    httpd.stop = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield httpd
    httpd.stop.set()  # type: ignore[attr-defined]
    httpd.shutdown()
    httpd.server_close()


def card_at(server: http.server.ThreadingHTTPServer, how: str = "good") -> WeightsCard:
    return replace(
        get_card("yolov8n"),
        url=f"http://127.0.0.1:{server.server_address[1]}/{how}/yolov8n.pt",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        bytes=len(CONTENT),
    )


def local_card() -> WeightsCard:
    """A card whose address nobody may ask."""
    return replace(
        get_card("yolov8n"),
        url="https://127.0.0.1:9/yolov8n.pt",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        bytes=len(CONTENT),
    )


def plain_store(cache: Path, *search: Path, timeout: float = 0.5) -> WeightsStore:
    return WeightsStore(cache, search, timeout=timeout, require_https=False)


def code_of(store: WeightsStore, card: WeightsCard) -> str:
    with pytest.raises(WeightsError) as caught:
        store.fetch(card)
    assert card.file in caught.value.message
    return caught.value.code


# Cards


def test_cards_pin_their_files() -> None:
    assert set(CARDS) == {
        *(f"yolov8{size}{task}" for size in "nsmlx" for task in ("", "-seg")),
        "yolov8n-pose",
    }
    for name, card in CARDS.items():
        assert card.name == name
        assert card.url.startswith("https://github.com/ultralytics/assets/releases/download/v8.")
        assert card.url.endswith(f"/{card.file}")
        assert len(card.sha256) == 64
        assert int(card.sha256, 16)
        assert card.bytes > 6_000_000
        assert card.classes == (("person",) if card.task == "pose" else COCO_CLASSES)
    assert len({card.sha256 for card in CARDS.values()}) == len(CARDS)


def test_cards_of_a_task_begin_with_the_smallest() -> None:
    sizes = [card.bytes for card in cards_for("segment")]
    assert len(sizes) == 5
    assert sizes == sorted(sizes)


def test_class_names_equal_the_references() -> None:
    yaml = pytest.importorskip("yaml")
    spec = find_spec("ultralytics")  # looked at, not imported: that takes seconds
    if spec is None or spec.origin is None:
        pytest.skip("ultralytics is not installed")
    reference = Path(spec.origin).parent / "cfg" / "datasets" / "coco.yaml"
    names = yaml.safe_load(reference.read_text(encoding="utf-8"))["names"]
    assert tuple(names.values()) == COCO_CLASSES


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(ModelError, match="'yolov99'") as caught:
        get_card("yolov99")
    assert caught.value.code == "unknown_model"


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ([], []),
        (["person"], [0]),
        ([" Traffic Light ", 2, "2", "person"], [0, 2, 9]),
        (["79", 79, "toothbrush"], [79]),
    ],
)
def test_classes_are_found_by_name_or_id(asked: list[str | int], wanted: list[int]) -> None:
    assert resolve_classes(get_card("yolov8n"), asked) == wanted


@pytest.mark.parametrize("bad", ["unicorn", 80, -1, "-1", "80", "", True, "9" * 5000, "²"])
def test_an_unknown_class_is_refused(bad: str | int) -> None:
    with pytest.raises(ModelError) as caught:
        resolve_classes(get_card("yolov8n"), [0, bad])
    assert caught.value.code == "unknown_class"
    assert len(caught.value.message) < 120


def test_an_unknown_class_brings_a_proposal() -> None:
    with pytest.raises(ModelError, match="did you mean 'giraffe'"):
        resolve_classes(get_card("yolov8n"), ["girafe"])


# Looking up


def test_search_folders_come_before_the_cache(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "cache")]
    store = WeightsStore(folders[2], folders[:2], allow_download=False)
    card = local_card()
    assert store.find(card) is None
    for folder in reversed(folders):
        folder.mkdir(exist_ok=True)
        (folder / card.file).write_bytes(CONTENT)
        assert store.find(card) == folder / card.file
        assert store.fetch(card) == folder / card.file


def test_a_wrong_file_is_never_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    card = local_card()
    search, cache = tmp_path / "search", tmp_path / "cache"
    search.mkdir()
    (search / card.file).write_bytes(WRONG)
    store = WeightsStore(cache, [search], allow_download=False)
    with caplog.at_level(logging.WARNING):
        assert store.find(card) is None
    assert card.sha256[:12] in caplog.text
    with pytest.raises(WeightsError) as caught:
        store.fetch(card)
    assert caught.value.code == "weights_hash_mismatch"
    for part in (str(search / card.file), card.sha256[:12], hashlib.sha256(WRONG).hexdigest()[:12]):
        assert part in caught.value.message
    # Unreachable is true as well, but the wrong file is what a person can put right.
    assert code_of(WeightsStore(cache, [search], timeout=0.5), card) == "weights_hash_mismatch"
    (cache / card.file).write_bytes(CONTENT)
    assert store.fetch(card) == cache / card.file


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ({"yolov8n.pt": {"sha256": hashlib.sha256(WRONG).hexdigest(), "bytes": len(WRONG)}}, True),
        ({"yolov8n.pt": {"sha256": hashlib.sha256(WRONG).hexdigest().upper()}}, True),
        ({"yolov8n.pt": {"sha256": "0" * 64}}, False),
        ({"yolov8n.pt": {"sha256": "short"}}, False),
        ({"other.pt": {"sha256": hashlib.sha256(WRONG).hexdigest()}}, False),
        ({"yolov8n.pt": None}, False),
        ([], False),
        ("not json", False),
    ],
)
def test_a_folders_own_manifest_wins(tmp_path: Path, manifest: object, found: bool) -> None:
    (tmp_path / "yolov8n.pt").write_bytes(WRONG)
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    (tmp_path / "MANIFEST.json").write_text(text)
    store = WeightsStore(tmp_path / "cache", [tmp_path], allow_download=False)
    assert (store.find(local_card()) is not None) == found


def test_nothing_there_and_no_downloads_is_missing(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path / "cache", [tmp_path / "none"], allow_download=False)
    assert code_of(store, local_card()) == "weights_missing"
    assert not (tmp_path / "cache").exists()


def test_a_verified_hash_is_remembered_until_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = local_card()
    path = tmp_path / card.file
    path.write_bytes(CONTENT)
    reads: list[Path] = []
    original = hashes_module.file_sha256

    def counted(path: Path) -> str:
        reads.append(path)
        return original(path)

    monkeypatch.setattr(hashes_module, "file_sha256", counted)

    def found() -> bool:
        # A new store, as after a restart.
        return WeightsStore(tmp_path / "cache", [tmp_path]).find(card) is not None

    assert found()
    assert found()
    assert len(reads) == 1
    before = path.stat()
    path.write_bytes(WRONG)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not found()
    assert len(reads) == 2
    (tmp_path / "cache" / "verified.json").write_text("{broken")
    assert not found()


# Downloading


def test_a_download_reports_progress_and_is_kept(
    tmp_path: Path, server: http.server.ThreadingHTTPServer
) -> None:
    seen: list[tuple[int, int | None]] = []
    card = card_at(server)
    store = plain_store(tmp_path)
    path = store.fetch(card, lambda done, total: seen.append((done, total)))
    assert path == tmp_path / card.file
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    server.hits.clear()  # type: ignore[attr-defined]
    assert plain_store(tmp_path).fetch(card) == path
    assert server.hits == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("wrong", "weights_hash_mismatch"),
        ("longer", "weights_hash_mismatch"),
        ("shorter", "weights_hash_mismatch"),
        ("dropped", "weights_unreachable"),
        ("missing", "weights_unreachable"),
        ("loop", "weights_unreachable"),
        ("silent", "weights_unreachable"),
        ("trickle", "weights_unreachable"),
    ],
)
def test_a_bad_download_leaves_nothing_behind(
    tmp_path: Path, server: http.server.ThreadingHTTPServer, how: str, code: str
) -> None:
    card = card_at(server, how)
    store = plain_store(tmp_path)
    assert code_of(store, card) == code
    assert store.find(card) is None
    assert [path.name for path in tmp_path.glob(f"{card.file}*") if path.suffix != ".lock"] == []


def test_a_redirect_is_followed(tmp_path: Path, server: http.server.ThreadingHTTPServer) -> None:
    assert plain_store(tmp_path).fetch(card_at(server, "moved")).read_bytes() == CONTENT


def test_plain_http_is_refused_before_asking(
    tmp_path: Path, server: http.server.ThreadingHTTPServer
) -> None:
    server.hits.clear()  # type: ignore[attr-defined]
    with pytest.raises(WeightsError, match="not https"):
        WeightsStore(tmp_path).fetch(card_at(server))
    assert server.hits == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("url", ["https://127.0.0.1:9/yolov8n.pt", "https://no.invalid/yolov8n.pt"])
def test_a_host_that_is_not_there_is_given_up(tmp_path: Path, url: str) -> None:
    store = WeightsStore(tmp_path, timeout=0.5)
    assert code_of(store, replace(local_card(), url=url)) == "weights_unreachable"


def test_a_resolver_that_hangs_does_not_hold_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(30))
    with pytest.raises(WeightsError, match="no answer in time"):
        WeightsStore(tmp_path, timeout=0.3).fetch(local_card())
    release.set()


def test_a_wrong_file_in_the_cache_is_replaced(
    tmp_path: Path, server: http.server.ThreadingHTTPServer
) -> None:
    card = card_at(server)
    (tmp_path / card.file).write_bytes(WRONG)
    assert plain_store(tmp_path).fetch(card).read_bytes() == CONTENT


def test_a_cache_that_cannot_be_written_is_said_so(
    tmp_path: Path, server: http.server.ThreadingHTTPServer
) -> None:
    (tmp_path / "file").write_text("not a folder")
    store = plain_store(tmp_path / "file" / "cache")
    assert code_of(store, card_at(server)) == "weights_not_stored"


def _fetch_in_child(cache: str, card: WeightsCard, done: "multiprocessing.Queue[str]") -> None:
    path = WeightsStore(Path(cache), timeout=5, require_https=False).fetch(card)
    done.put(hashlib.sha256(path.read_bytes()).hexdigest())


def test_two_processes_download_once(
    tmp_path: Path, server: http.server.ThreadingHTTPServer
) -> None:
    server.hits.clear()  # type: ignore[attr-defined]
    card = card_at(server)
    context = multiprocessing.get_context("spawn")
    done = context.Queue()
    children = [
        context.Process(target=_fetch_in_child, args=(str(tmp_path), card, done)) for _ in range(2)
    ]
    for child in children:
        child.start()
    assert {done.get(timeout=60) for _ in children} == {card.sha256}
    for child in children:
        child.join(30)
        assert child.exitcode == 0
    assert len(server.hits) == 1  # type: ignore[attr-defined]


def test_many_threads_download_once(
    tmp_path: Path, server: http.server.ThreadingHTTPServer
) -> None:
    server.hits.clear()  # type: ignore[attr-defined]
    card = card_at(server)
    store = plain_store(tmp_path, timeout=5)
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(store.fetch(card))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths == [tmp_path / card.file] * 6
    assert len(server.hits) == 1  # type: ignore[attr-defined]
