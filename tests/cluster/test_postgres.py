"""A whole node on a real PostgreSQL server: many web processes, two workers, a writer killed in the middle."""

import time
import uuid
from pathlib import Path

import pytest

from tests.cluster.rig import catalogue, city, wait_for
from tests.conftest_db import Server

pytestmark = pytest.mark.postgres
NUMBER = 1_500


@pytest.fixture
def environ(postgres: Server, tmp_path: Path) -> dict[str, str]:
    """Give a new, empty database by a secret file, as an operator would."""
    server = Server(postgres.named("postgres"))
    name = f"citynode_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name}")
    secret = tmp_path / "database-url"
    secret.write_text(server.named(name))
    return {"CITYNODE_DATABASE_URL_FILE": str(secret)}


def test_a_node_on_postgresql_serves_harvests_and_is_proven(environ: dict[str, str], tmp_path: Path) -> None:
    with city(tmp_path / "node", environ=environ) as helsinki:
        assert not list((tmp_path / "node").glob("*.db"))
        helsinki.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", 10), "--kind", "dcat")
        helsinki.start("--workers", "2")
        second = helsinki.begin("worker")
        wait_for(lambda: helsinki.get("/datasets/d9.ttl")[0] == 200, "the timetable to harvest", helsinki.log)
        time.sleep(6)  # longer than a tick
        assert len(helsinki.json("harvest", "list")) == 1
        second.terminate()
        assert second.wait(20) == 0
        assert helsinki.stop() == 0
        helsinki.say("journal", "verify")


@pytest.mark.parametrize("after_s", [0.9, 1.6])
def test_a_harvest_killed_on_postgresql_goes_on_from_what_is_there(
    environ: dict[str, str], tmp_path: Path, after_s: float
) -> None:
    with city(tmp_path / "node", environ=environ) as helsinki:
        helsinki.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", NUMBER), "--kind", "dcat")
        run = helsinki.begin("harvest", "run", "own")
        time.sleep(after_s)
        run.kill()
        run.wait(20)
        helsinki.say("journal", "verify")
        assert helsinki.json("harvest", "run", "own")["state"] == "succeeded"
        stats = helsinki.json("catalog", "stats")[0]
        assert (stats["records"], stats["entries"]) == (NUMBER, NUMBER)
        helsinki.say("journal", "verify")
