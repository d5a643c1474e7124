"""Pages: a result of 300 objects in Chromium, a list of 10,000 sessions over HTTP, and every list
and chart of a company with 100,000 sessions and 2,000,000 objects in PostgreSQL."""

from __future__ import annotations

import http.client
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.material import Material
from benchmarks.report import Section
from benchmarks.server import COOKIE, ROOT, Server, environment, manage, run_server
from tests.servers import MissingServerError, PostgresServer

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    data_dir = cache / "pages"
    data_dir.mkdir(exist_ok=True)
    manage(data_dir, material, "setup")
    seeded = _seed(data_dir, material)
    section = Section("Pages", ("what", "median", "slowest"))
    with run_server(data_dir, material) as server:
        for page in ("1", "200"):
            times = _time_list(server, seeded["cookie"], page, count=4 * rounds)
            section.rows.append(_row(f"list of 10,000 sessions, page {page}, over HTTP", times))
        times = _time_result(server, seeded, rounds)
        section.rows.append(
            _row("result page of 300 objects in Chromium, navigation to usable", times)
        )
    queries = seeded["queries"]
    section.notes.append(
        f"Queries for the list: {queries['1']} on page 1, {queries['200']} on 200."
    )
    return section


def run_lists(material: Material, cache: Path, *, rounds: int) -> Section:
    """Every list and chart over the company's year, in a PostgreSQL of its own."""
    section = Section("Lists and charts", ("who", "address", "median", "slowest", "queries"))
    try:
        server = PostgresServer()
    except MissingServerError as error:
        section.notes.append(f"Not measured: {error}.")
        return section
    data_dir = cache / "lists"
    data_dir.mkdir(exist_ok=True)
    try:
        server.start()
        measured = _measure_lists(data_dir, material, server.url)
    finally:
        server.remove()
    for timing in measured["timings"]:
        section.rows.append(
            (
                timing["person"],
                timing["address"],
                f"{timing['milliseconds']:.0f} ms",
                f"{timing['slowest']:.0f} ms",
                str(timing["queries"]),
            )
        )
    medians = [timing["milliseconds"] for timing in measured["timings"]]
    seconds = measured["seconds"]
    section.notes.append(
        f"100,000 sessions, 2,000,000 objects, 2,000 people, 500,000 lines of audit log; written "
        f"in {seconds['fill']:.0f} s, counted by day in {seconds['count']:.0f} s. olga owns four "
        f"fifths, grace sees a tenth through a group, amir is an administrator. Time in the "
        f"server of a warm request, median of five; {sum(m <= 200 for m in medians)} of "
        f"{len(medians)} within 200 ms, the slowest {max(medians):.0f} ms."
    )
    return section


def _measure_lists(data_dir: Path, material: Material, database: str) -> dict[str, Any]:
    variables = environment(data_dir, material) | {
        "DATABASE_URL": database,
        "SIGHTLINE_STATIC_ROOT": str(data_dir / "static"),
    }
    variables.pop("REDIS_URL", None)
    command = [sys.executable, "-m", "benchmarks.lists"]
    done = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout))


def _row(what: str, times: list[float]) -> tuple[str, str, str]:
    return what, f"{statistics.median(times):.0f} ms", f"{max(times):.0f} ms"


def _seed(data_dir: Path, material: Material) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.seed"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(data_dir, material), stdout=subprocess.PIPE, check=True
    )
    return dict(json.loads(done.stdout))


def _time_list(server: Server, cookie: str, page: str, *, count: int) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        headers = {"Cookie": f"{COOKIE}={cookie}"}
        connection.request("GET", f"/sessions/?page={page}", headers=headers)
        answer = connection.getresponse()
        answer.read()
        times.append(1000 * (time.perf_counter() - started))
        if answer.status != 200:
            raise RuntimeError(f"the list answered {answer.status}")
    return times[1:]


def _time_result(server: Server, seeded: dict[str, Any], rounds: int) -> list[float]:
    """Milliseconds from navigation until the page has drawn every box and answers to input."""
    from playwright.sync_api import sync_playwright

    origin = f"http://127.0.0.1:{server.port}"
    times = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_FLAGS)
        )
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": COOKIE, "value": seeded["cookie"], "url": origin}])
        page = context.new_page()
        for _ in range(rounds + 1):
            started = time.perf_counter()
            page.goto(f"{origin}/sessions/{seeded['session']}/", wait_until="commit")
            page.wait_for_selector("#overlay.is-ready", state="attached")
            times.append(1000 * (time.perf_counter() - started))
        browser.close()
    return times[1:]
