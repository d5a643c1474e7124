"""docker-compose.yml without an engine: every service's command as a local process."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from integration.conftest import make_picture
from tests.processes import ROOT, Installation, installation, wait_until
from tests.servers import MissingServerError, PostgresServer, free_port

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(300)]

OURS = ["web", "worker", "worker-gpu", "cameras", "beat"]
SERVERS = ["postgres", "redis"]
PASSWORDS = {"POSTGRES_PASSWORD": "secret", "REDIS_PASSWORD": "alsosecret"}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def read_compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def fill(value: Any, given: dict[str, str]) -> Any:
    """Put variables into every text, as compose does; one that must be set is an error."""
    if isinstance(value, dict):
        return {key: fill(item, given) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, given) for item in value]

    def replace(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if kind == "?" and name not in given:
            raise KeyError(f"{name}: {rest}")
        return given.get(name, rest or "")

    return VARIABLE.sub(replace, value) if isinstance(value, str) else value


def services() -> dict[str, dict[str, Any]]:
    return dict(fill(read_compose()["services"], PASSWORDS))


def entrypoint() -> list[str]:
    found = re.search(r"^ENTRYPOINT (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found
    return list(yaml.safe_load(found[1]))


# ---------------------------------------------------------------- the files
def test_every_role_is_a_service() -> None:
    assert sorted(services()) == sorted(OURS + SERVERS)
    assert services()["worker-gpu"]["profiles"] == ["gpu"]
    assert services()["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]


@pytest.mark.parametrize("name", OURS + SERVERS)
def test_every_service_tells_whether_it_works(name: str) -> None:
    service = services()[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_without_rights_and_wait_for_their_servers(name: str) -> None:
    service = services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert set(service["depends_on"]) == set(SERVERS)
    assert {entry["condition"] for entry in service["depends_on"].values()} == {"service_healthy"}
    assert "container_name" not in service  # several of one kind need names of their own
    assert name == "web" or "ports" not in service


@pytest.mark.parametrize("name", SERVERS)
def test_servers_have_a_version(name: str) -> None:
    version = services()[name]["image"].partition(":")[2]
    assert version
    assert version != "latest"


def test_passwords_come_from_outside() -> None:
    with pytest.raises(KeyError, match="PASSWORD"):
        fill(read_compose()["services"], {})


def test_the_image_is_small_of_rights_and_installs_the_lock() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER sightline$", text, re.MULTILINE)
    assert text.index("USER sightline") < text.index("ENTRYPOINT")
    assert "--no-deps -r requirements.txt" in text
    assert "HEALTHCHECK" in text
    assert {".git", ".env", "data", ".venv"} <= set((ROOT / ".dockerignore").read_text().split())


# ---------------------------------------------------------------- the services
class Composed:
    """The services of the file as local processes."""

    def __init__(self, made: Installation, addresses: dict[str, str]) -> None:
        self.made, self.addresses = made, addresses

    def local(self, text: str) -> str:
        """Lead an address or folder of a container to this machine."""
        for container, here in self.addresses.items():
            text = text.replace(container, here)
        return text

    def command(self, parts: list[str]) -> list[str]:
        here = [self.local(part) for part in parts]
        return [sys.executable, *here[1:]] if here[0] == "python" else here

    def variables(self, name: str) -> dict[str, str]:
        given = services()[name]["environment"]
        here = {key: self.local(str(value)) for key, value in given.items()}
        return {**here, "SIGHTLINE_DEVICE": "cpu"}  # there need not be a GPU

    def start(self, name: str) -> None:
        service = services()[name]
        command = self.command([*entrypoint(), *service["command"]])
        self.made.start_command(command, **self.variables(name))

    def is_healthy(self, name: str) -> bool:
        """Run the service's own health check."""
        command = self.command(services()[name]["healthcheck"]["test"][1:])
        given = {**self.made.variables, **self.variables(name)}
        answer = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, timeout=60)
        return answer.returncode == 0


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """All services, healthy."""
    try:
        postgres = PostgresServer()
    except MissingServerError:
        pytest.skip("needs PostgreSQL")
    folder = tmp_path_factory.mktemp("compose")
    plain = {"REDIS_URL": "", "DATABASE_URL": ""}
    port = free_port()
    redis_command = [*services()["redis"]["command"], "--port", str(port), "--bind", "127.0.0.1"]
    with installation(folder, **plain) as made:
        addresses = {
            "@postgres:5432": f"@127.0.0.1:{postgres.port}",
            "@redis:6379": f"@127.0.0.1:{port}",
            "/data": str(folder / "data"),
            "0.0.0.0": "127.0.0.1",
            "8000": str(made.port),
        }
        team = Composed(made, addresses)
        try:
            postgres.start()
            made.start_command(redis_command)
            for name in OURS:
                team.start(name)
            made.wait_ready(150)
            yield team
        finally:
            for process in reversed(made.processes):
                if process.process.poll() is None:
                    process.stop()
            postgres.remove()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pictures_go_through_all_services(composed: Composed) -> None:
    picture = ("a.jpg", make_picture("JPEG", (320, 240)), "image/jpeg")
    with composed.made.client() as program:
        answer = program.post("/api/detect/", files={"image": picture})
        assert answer.status_code == 200, answer.text
        assert "detections" in answer.json()
        session = program.post("/api/sessions/", files={"image": picture}).json()

        def done() -> bool:
            return program.get(f"/api/sessions/{session['id']}/").json()["status"] == "done"

        wait_until(done, 60)

        def both_alive() -> bool:
            rows = program.get("/api/workers/").json()["workers"]
            return [row["state"] for row in rows] == ["alive", "alive"]

        wait_until(both_alive, 60)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["web", "worker", "cameras", "beat"])
def test_the_health_checks_say_so(composed: Composed, name: str) -> None:
    wait_until(lambda: composed.is_healthy(name), 60)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_all_services_stop_when_they_are_asked_to(composed: Composed) -> None:
    for process in reversed(composed.made.processes[1:]):
        assert process.stop(seconds=20) == 0, process.output
        assert "Traceback" not in process.output
