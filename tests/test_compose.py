"""Docker cannot run in the suite: this keeps compose, Dockerfile, scripts, settings, ports and commands of one mind."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

import node
from node.settings import Settings, load
from tests.said import unknown_in

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE_TEXT = (ROOT / "docker-compose.federation.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CITIES = [name for name, service in SERVICES.items() if "CITYNODE_PORT" in service.get("environment", {})]
SCRIPTS = sorted((ROOT / "deploy").glob("*.sh"))
ENV = re.compile(r"\bCITYNODE_[A-Z_]+")


def dockerfile_env() -> dict[str, str]:
    lines = re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE)
    return dict(word.split("=", 1) for line in lines for word in line.split())


def values_of(service: dict[str, Any]) -> dict[str, str]:
    """Give what a service's processes see of our settings."""
    seen = dockerfile_env() | service.get("environment", {})
    return {name: value for name, value in seen.items() if name.startswith("CITYNODE_")}


def options_of(service: dict[str, Any]) -> dict[str, str]:
    words = service["command"][2:]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_two_cities_are_there_each_with_a_database_of_its_own() -> None:
    assert CITIES == ["helsinki", "london"]
    for name in CITIES:
        assert list(SERVICES[name]["depends_on"]) == [f"{name}-db"]
        assert SERVICES[f"{name}-db"]["image"].startswith("postgres:")


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE_TEXT, *(path.read_text() for path in SCRIPTS)])
def test_every_setting_that_is_named_exists(text: str) -> None:
    known = {f"CITYNODE_{key.upper()}" for key in Settings.model_fields}
    named = {name.removesuffix("_FILE") for name in ENV.findall(text)}
    assert named <= known


@pytest.mark.parametrize("name", CITIES)
def test_the_settings_of_a_city_are_taken_as_they_stand(name: str, tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text("postgresql://citynode:x@db/citynode")
    base_url = options_of(SERVICES[name])["--base-url"]
    environ = values_of(SERVICES[name]) | {"CITYNODE_DATABASE_URL_FILE": str(secret), "CITYNODE_BASE_URL": base_url}
    settings = load(environ=environ)
    assert (settings.host, str(settings.data)) == ("0.0.0.0", "/data")  # noqa: S104 (inside a container)
    assert settings.port == urlsplit(base_url).port, "one address for readers and peers: the port is the same inside"
    assert settings.allow_http_peers
    others = [options_of(SERVICES[other])["--base-url"] for other in CITIES if other != name]
    assert list(settings.private_origins) == others, "containers have private addresses"


@pytest.mark.parametrize("name", CITIES)
def test_the_address_of_a_city_leads_to_it_from_inside_and_outside(name: str) -> None:
    base = urlsplit(options_of(SERVICES[name])["--base-url"])
    assert base.hostname is not None
    assert base.hostname.endswith(".localhost"), "which every browser takes for this machine"
    assert SERVICES[name]["networks"]["federation"]["aliases"] == [base.hostname]
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{base.port}:{base.port}"]


def test_the_health_check_asks_the_port_that_is_set() -> None:
    environ = dockerfile_env()
    assert f"EXPOSE {environ['CITYNODE_PORT']}\n" in DOCKERFILE
    assert int(environ["CITYNODE_PORT"]) == Settings.model_fields["port"].default
    for text in (DOCKERFILE, " ".join(SERVICES["helsinki"]["healthcheck"]["test"])):
        program = re.search(r"import os.*?timeout=4\)", text)
        assert program
        assert "CITYNODE_PORT" in program.group()
        assert "/readyz" in program.group()
        compile(program.group(), "health", "exec")


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_is_root_or_may_write_outside_its_volumes(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] in ("10001", "postgres")
    assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_stays_is_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]
    once = service["restart"] == "no"
    assert service["restart"] in ("no", "unless-stopped")
    assert once or service["healthcheck"]["test"][0] == "CMD"
    for needed, how in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if SERVICES[needed]["restart"] == "no" else "service_healthy"
        assert how["condition"] == wanted


def test_every_volume_and_network_is_declared_and_used() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service["volumes"]]
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith(".")}
    assert named == set(COMPOSE["volumes"])
    assert {network for service in SERVICES.values() for network in service["networks"]} == set(COMPOSE["networks"])
    for mount in mounts:
        if mount.startswith("."):
            source, _, mode = mount.split(":")
            assert mode == "ro"
            assert (ROOT / source).is_dir()


def test_secrets_come_as_files_that_only_their_city_sees() -> None:
    holders = {name: [m for m in s["volumes"] if "-secret:" in m] for name, s in SERVICES.items()}
    for name in CITIES:
        may = {f"{name}-secret", f"{name}-db", name, "introduce"}
        assert {holder for holder, mounts in holders.items() if any(m.startswith(f"{name}-") for m in mounts)} == may
    writers = {holder for holder, mounts in holders.items() if any(not m.endswith(":ro") for m in mounts)}
    assert writers == {f"{name}-secret" for name in CITIES}
    spelt = re.compile(r"(PASSWORD|SECRET|PASSPHRASE|DATABASE_URL)(?!_FILE)[A-Z_]*\s*[:=]")
    assert not spelt.search(COMPOSE_TEXT)
    assert not spelt.search(DOCKERFILE)


def test_a_secret_is_made_once_and_fits_the_database(tmp_path: Path) -> None:
    script, environ = ROOT / "deploy" / "secret.sh", {**os.environ, "SECRET_FOLDER": str(tmp_path)}
    for _ in range(2):
        subprocess.run(["sh", script, "helsinki-db"], env=environ, check=True)
        password = (tmp_path / "password").read_text()
        url = urlsplit((tmp_path / "database-url").read_text())
        assert (url.username, url.password, url.hostname, url.path) == (
            "citynode",
            password,
            "helsinki-db",
            "/citynode",
        )
        assert len(password) >= 40
    database = SERVICES["helsinki-db"]["environment"]
    assert (database["POSTGRES_USER"], database["POSTGRES_DB"]) == (url.username, url.path[1:])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["database-url", "password"]


def test_images_are_pinned_and_the_interpreter_fits() -> None:
    images = {*re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE), *(s["image"] for s in SERVICES.values())}
    assert len(images) == 3
    for image in images:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?", image), f"{image} is not pinned"
    assert f"citynode:{node.__version__}" in images
    python = re.search(r"FROM python:(\d+)\.(\d+)\.", DOCKERFILE)
    assert python
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert tuple(map(int, python.groups())) >= tuple(map(int, wanted.removeprefix(">=").split(".")))


def test_the_lock_the_image_installs_has_the_driver_for_postgresql() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert re.search(r"^psycopg\[?.*==", lock, re.MULTILINE)
    assert "--require-hashes -r requirements.lock" in DOCKERFILE


@pytest.mark.parametrize("path", [*SCRIPTS, ROOT / "docker-compose.federation.yml", ROOT / "Dockerfile"], ids=str)
def test_every_command_that_is_said_exists_with_its_options(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if path.suffix != ".sh" or not line.startswith("#")]
    assert unknown_in("\n".join(lines)) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_a_script(path: Path) -> None:
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/bin/sh\n#")
    assert "\nset -eu\n" in path.read_text()
    subprocess.run(["sh", "-n", path], check=True)
