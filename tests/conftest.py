"""What all tests share: where data is, and what happens to tests that are skipped.

With `SIGHTLINE_REQUIRE_ALL=1` a skipped test is a failure: on a machine that is meant to have
everything, nothing is silently left out.
"""

import gc
import os
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# What a skip reason mentions, and the command that brings it.
ENABLERS = {
    "chromium": "apt-get install chromium",
    "jq": "apt-get install jq",
    "node": "apt-get install nodejs",
    "weights": "make test VISION_WEIGHTS_DIR=/folder/with/yolov8n.pt",
    "SIGHTLINE_TEST_DATA": "make test SIGHTLINE_TEST_DATA=/folder/with/test/data",
    "test data": "make test SIGHTLINE_TEST_DATA=/folder/with/test/data",
    "GPU": "run on a machine with an NVIDIA GPU",
    "CUDA": "run on a machine with an NVIDIA GPU",
    "redis": "apt-get install redis-server",
    "PostgreSQL": "apt-get install postgresql",
    "GStreamer": "apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base "
    "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly",
}

# Machines are shared: how long an example takes, or is made, says nothing about the code.
settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")


def require_all() -> bool:
    """Tell whether a skipped test is a failure."""
    return os.environ.get("SIGHTLINE_REQUIRE_ALL", "") == "1"


def pytest_collection_finish() -> None:
    """Keep what collecting has made out of every later look for garbage: it stays anyway."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("weights") and not _folder("VISION_WEIGHTS_DIR"):
        pytest.skip("needs weights in VISION_WEIGHTS_DIR")
    if item.get_closest_marker("data") and not _folder("SIGHTLINE_TEST_DATA"):
        pytest.skip("needs pictures in SIGHTLINE_TEST_DATA")


def _folder(variable: str) -> Path | None:
    value = os.environ.get(variable, "")
    return Path(value) if value and Path(value).is_dir() else None


@pytest.fixture(scope="session")
def weights_dir() -> Path:
    """The folder with real weights; skips when there is none."""
    folder = _folder("VISION_WEIGHTS_DIR")
    if folder is None:
        pytest.skip("needs weights in VISION_WEIGHTS_DIR")
    return folder


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with test pictures; skips when there is none."""
    folder = _folder("SIGHTLINE_TEST_DATA")
    if folder is None:
        pytest.skip("needs pictures in SIGHTLINE_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """A Chromium on this machine; skips when there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    pytest.skip("needs chromium")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder of this test run that all workers of pytest-xdist share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def shared_exports(shared_folder: Path) -> Path:
    """Exported networks of this test run: each takes many seconds, and a hash names it."""
    folder = shared_folder / "cache" / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End with a table of what was skipped and the command that enables it."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    by_reason: dict[str, int] = defaultdict(int)
    for report in skipped:
        by_reason[_reason(report)] += 1
    terminalreporter.section("not run")
    for reason, number in sorted(by_reason.items()):
        terminalreporter.write_line(f"{number:4d}  {reason}")
        terminalreporter.write_line(f"      enable: {_enabler(reason)}")
    if require_all():
        terminalreporter.write_line(
            "SIGHTLINE_REQUIRE_ALL=1: a skipped test is a failure.", red=True, bold=True
        )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run when something was skipped that must not be."""
    # In a parallel run the workers' reports arrive at the controller, which alone judges.
    if hasattr(session.config, "workerinput") or not require_all():
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _reason(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")


def _enabler(reason: str) -> str:
    for word, command in ENABLERS.items():
        if word.lower() in reason.lower():
            return command
    return "see the reason"
