"""`citynode run` as operators run it: it starts, serves, harvests, mends itself, and is gone when told."""

import json
import os
import signal
import socket
import time
from pathlib import Path

from tests.cluster.rig import catalogue, city, is_gone, wait_for


def test_a_node_serves_harvests_by_itself_and_stops_in_time(tmp_path: Path) -> None:
    with city(tmp_path / "node") as helsinki:
        helsinki.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", 5), "--kind", "dcat")
        helsinki.start("--workers", "2")
        for path in ("/healthz", "/readyz", "/metrics", "/catalog", "/catalog.ttl"):
            assert helsinki.get(path)[0] == 200, path
        wait_for(lambda: helsinki.get("/datasets/d4.ttl")[0] == 200, "the timetable to harvest", helsinki.log)
        children = [*helsinki.pids("web 1"), *helsinki.pids("web 2"), *helsinki.pids("worker")]
        assert len(children) == 3
        begun = time.monotonic()
        assert helsinki.stop() == 0
        assert time.monotonic() - begun < 10
        assert all(is_gone(pid) for pid in children)
        assert not [event for event in helsinki.events() if event["level"] in ("warning", "error")]


def test_a_crashed_process_is_started_again_and_that_is_said(tmp_path: Path) -> None:
    with city(tmp_path / "node") as helsinki:
        helsinki.start()
        for name in ("worker", "web 1"):
            os.kill(helsinki.pids(name)[0], signal.SIGKILL)
            wait_for(lambda name=name: len(helsinki.pids(name)) == 2, f"{name} to come again", helsinki.log)
        helsinki.until_ready()
        said = [event["process"] for event in helsinki.events() if event["event"].startswith("died")]
        assert sorted(said) == ["web 1", "worker"]
        assert helsinki.stop() == 0


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with city(tmp_path / "node") as helsinki:
        helsinki.start()
        children = [helsinki.pids("worker")[0], helsinki.pids("web 1")[0]]
        helsinki.stop(signal.SIGKILL)
        wait_for(lambda: all(is_gone(pid) for pid in children), "the children to go", helsinki.log)
        helsinki.start()
        assert helsinki.stop() == 0


def test_a_port_in_use_is_said_at_once(tmp_path: Path) -> None:
    with city(tmp_path / "node") as helsinki, socket.create_server(("127.0.0.1", helsinki.port)):
        helsinki.say("run", "--port", helsinki.port, code=3)


def test_two_workers_never_do_one_thing_twice(tmp_path: Path) -> None:
    with city(tmp_path / "node") as helsinki:
        helsinki.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", 5), "--kind", "dcat")
        workers = [helsinki.begin("worker") for _ in range(2)]
        try:
            wait_for(lambda: helsinki.json("harvest", "list")[:1] != [], "a run", helsinki.log)
            time.sleep(6)  # longer than a tick
            assert len(helsinki.json("harvest", "list")) == 1
        finally:
            for worker in workers:
                worker.terminate()
            assert [worker.wait(20) for worker in workers] == [0, 0]


def test_two_cities_live_side_by_side(tmp_path: Path) -> None:
    with city(tmp_path / "helsinki") as helsinki, city(tmp_path / "london", name="London") as london:
        for one, prefix in ((helsinki, "hel"), (london, "lon")):
            one.say("sources", "add", "own", catalogue(tmp_path / f"{prefix}.ttl", 3, prefix=prefix), "--kind", "dcat")
            one.say("harvest", "run", "own")
            one.start()
        assert (helsinki.get("/datasets/hel1.ttl")[0], helsinki.get("/datasets/lon1.ttl")[0]) == (200, 404)
        assert (london.get("/datasets/lon1.ttl")[0], london.get("/datasets/hel1.ttl")[0]) == (200, 404)
        assert (helsinki.stop(), london.stop()) == (0, 0)


def test_what_one_node_serves_another_with_its_address_reads_to_the_same_digests(tmp_path: Path) -> None:
    with city(tmp_path / "first") as first:
        first.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", 20), "--kind", "dcat")
        first.say("harvest", "run", "own")
        first.start()
        served = tmp_path / "served.ttl"
        status, body = first.get("/collections/open-data.ttl")
        assert status == 200
        served.write_bytes(body)
        assert first.stop() == 0
        with city(tmp_path / "second", port=first.port) as second:
            second.say("sources", "add", "own", served, "--kind", "dcat")
            assert second.json("harvest", "run", "own")["counters"]["added"] == 20
            digests = [
                {json.loads(one.say("journal", "proof", f"https://city.example/id/d{n}"))["opening"]["digest"]}
                for n in (0, 19)
                for one in (first, second)
            ]
        assert digests[0] == digests[1]
        assert digests[2] == digests[3]
