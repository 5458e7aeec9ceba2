"""`make demo` as a newcomer sees it: two cities come up, mirror each other, answer, and go when asked.

What it prints to try is tried. Last of all Helsinki is stopped by the very command: London still serves and proves it.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).resolve().parents[2]
PORTS = (8001, 8002)


def get(url: str, accept: str = "*/*") -> bytes:
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="module")
def said() -> Iterator[list[str]]:
    if not all(map(is_free, PORTS)):
        pytest.skip("ports 8001 and 8002 are taken: a demonstration is running here")
    process = subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={**os.environ, "LIVE": "", "PORTS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    until = time.monotonic() + 900
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C stops both" in line:
                break
            assert time.monotonic() < until, lines
        yield lines
    finally:
        process.send_signal(signal.SIGINT)
        # Reads on, since whoever writes into a full pipe cannot go; a busy machine takes its time to stop two cities.
        process.communicate(timeout=120)
        code = process.returncode
    assert code == 0
    assert all(map(is_free, PORTS))


def test_it_says_what_to_open_and_try(said: list[str]) -> None:
    text = "".join(said)
    for address in ("http://127.0.0.1:8001/", "http://127.0.0.1:8002/", "curl "):
        assert address in text


def test_both_cities_sign_and_what_is_refused_and_revoked_is_said_with_its_clause(said: list[str]) -> None:
    text = "".join(said)
    assert "in force in both directions" in text or "in force already: " in text  # kept from a run before
    assert "London holds 3 records of helsinki/plans" in text
    assert re.search(r"simulate .* --action sell .*\n +london: refused\. A clause forbids it\.", text)
    assert re.search(r"says: +2\.3 London may not", text)
    assert "London shows 0 records of helsinki/surveys now" in text


def test_the_restricted_mirror_is_for_those_with_a_token_alone(said: list[str]) -> None:
    address, secret = "http://127.0.0.1:8002/collections/helsinki/plans", ROOT / ".demo" / "london-grace.token"
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{address}.ttl")
    assert refused.value.code == 404
    refused.value.close()
    request = urllib.request.Request(  # noqa: S310 (loopback)
        f"{address}.ttl", headers={"Authorization": f"Bearer {secret.read_text().strip()}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (loopback)
        assert answer.read().decode().count("hri.example/restricted/") >= 3


def test_both_cities_publish_what_they_know(said: list[str]) -> None:
    begun = next(place for place, line in enumerate(said) if line.startswith("What the cities know: practices"))
    shown = "".join(said[begun:])
    for path in (
        "8001/practices/ai-register", "8001/ai-systems/parking-chatbot", "8001/models/kalasatama",
        "8001/challenges/kerb-space", "8002/practices/planning-datahub", "8002/ai-systems/street-sensors",
        "8002/models/olympic-park", "8002/adoptions/ai-register", "8002/challenges/kerb-space",
    ):  # fmt: skip
        assert re.search(rf"(Published|Unchanged) http://127\.0\.0\.1:{path}\n", shown), path


def test_data_about_residents_move_without_whoever_takes_consent_back(said: list[str]) -> None:
    text = "".join(said)
    (gone,) = re.findall(r"^(r\d{4}) is gone: (\d+) lines before, (\d+) now$", text, re.MULTILINE)
    person, before, now = gone[0], int(gone[1]), int(gone[2])
    assert now == before - 3
    held = (ROOT / ".demo" / "london-received" / "travel-diaries.csv").read_text("utf-8")
    assert held.count("\n") == now + 1
    assert person not in held


def test_the_revocation_cuts_a_running_stream(said: list[str]) -> None:
    text = "".join(said)
    assert re.search(r"^[\d.]+ MB had come; London's command ended with exit code 1$", text, re.MULTILINE)
    assert not list((ROOT / ".demo" / "london-received").glob("*all-years.csv"))


def test_what_moved_is_proven_and_a_changed_letter_is_refuted(said: list[str]) -> None:
    assert re.search(r"^ +proven: \d+ statements of http://127\.0\.0\.1:8002$", "".join(said), re.MULTILINE)
    bundle = ROOT / ".demo" / "london-received" / "evidence.json"
    kinds = [
        each["kind"] for each in json.loads(tried(f".venv/bin/citynode evidence verify {bundle} --json"))["statements"]
    ]
    assert {"receipt", "cut", "withdrawal", "acknowledgement", "erasure"} <= set(kinds)
    assert "difference" not in kinds


@pytest.mark.parametrize(
    ("city", "command"),
    [(city, command) for city in ("helsinki", "london") for command in ("practices", "ai-register", "challenges")]
    + [("london", "adoptions")],
)
def test_lint_finds_nothing_in_what_others_are_to_learn_from(said: list[str], city: str, command: str) -> None:
    found = json.loads(tried(f"CITYNODE_DATA=.demo/{city} .venv/bin/citynode {command} lint --json"))
    # The trial looked at cameras alone, whose pictures are no dataset.
    assert [each for each in found if (each["name"], each["code"]) != ("station-safety-trial", "recommended")] == []


def test_london_repeats_a_practice_of_helsinki_which_shows_it(said: list[str]) -> None:
    practice = "http://127.0.0.1:8001/practices/ai-register"
    assert f"{practice} now shows:\n    Repeated by: London tries Helsinki's open AI register (London)\n" in "".join(
        said
    )
    page = get(f"{practice}?lang=en", "text/html").decode()
    assert "London tries Helsinki" in page
    copy = get(f"http://127.0.0.1:8002/records?iri={quote(practice, safe='')}", "text/turtle").decode()
    assert "Avoin tekoälyrekisteri asukkaille" in copy


def test_a_dataset_of_helsinki_shows_the_london_app_that_uses_it_and_a_challenge_of_both(said: list[str]) -> None:
    dataset = "http://127.0.0.1:8001/datasets/helsingin-pysakointipaikat"
    told = json.loads(get(f"http://127.0.0.1:8001/records/relations?iri={quote(dataset, safe='')}", "application/json"))
    found = {(each["kind"], each["city"]) for each in told["into"]}
    assert {("reuse", "London"), ("challenge", "London"), ("challenge", "Helsinki")} <= found


@pytest.mark.parametrize(
    ("address", "epsg", "objects"),
    [("http://127.0.0.1:8001/models/kalasatama", 3879, 4), ("http://127.0.0.1:8002/models/olympic-park", 27700, 5)],
)
def test_each_city_has_a_model_that_says_where_and_what_it_is(
    said: list[str], address: str, epsg: int, objects: int
) -> None:
    page = get(f"{address}?lang=en", "text/html").decode()
    assert "CityJSON" in page
    assert f"EPSG/0/{epsg}" in get(address, "text/turtle").decode()
    facts = json.loads(get(f"{address.rpartition('/models/')[0]}/stac/collections/models/items", "application/json"))
    (item,) = facts["features"]
    assert item["properties"]["proj:code"] == f"EPSG:{epsg}"
    assert item["properties"]["city3d:city_objects"] == objects


def test_one_search_finds_what_both_cities_have(said: list[str]) -> None:
    begun = next(place for place, line in enumerate(said) if line.startswith("London$ citynode search"))
    shown = "".join(said[begun:])
    counts = re.search(r"By city: (\d+) of Helsinki and (\d+) of London", shown)
    assert counts
    assert min(map(int, counts.groups())) >= 3
    assert "  helsinki · dataset · helsinki/open-data" in shown
    assert "  London · dataset" in shown
    found = json.loads(get("http://127.0.0.1:8002/search?q=parking&limit=5", "application/json"))
    assert {hit["city"] for hit in found["hits"]} == {"helsinki", "london"}, "both among the first five"


def test_clients_and_questions_find_both_too(said: list[str]) -> None:
    asked = [command for command in commands(said, "curl ") if "package_search" in command or "/sparql" in command]
    assert len(asked) == 2
    package_search, sparql = map(tried, sorted(asked, key=lambda command: "/sparql" in command))
    assert json.loads(package_search)["result"]["count"] > 8
    until = time.monotonic() + 60
    while sum(int(line.rpartition(",")[2]) for line in sparql.splitlines()[1:]) < 60 and time.monotonic() < until:
        time.sleep(0.5)
        sparql = tried(asked[-1] if "/sparql" in asked[-1] else asked[0])
    assert "data-theme/TRAN" in sparql


def test_a_file_of_its_own_is_looked_inside_without_a_network(said: list[str]) -> None:
    if not any("once the worker has looked inside" in line for line in said):
        pytest.skip("port 8003 is taken: the files are not served")
    page, until = "", time.monotonic() + 120
    while "Fleminginkatu" not in page and time.monotonic() < until:
        time.sleep(1)
        page = get("http://127.0.0.1:8001/datasets/helsingin-pysakointipaikat", "text/html").decode()
    assert "Fleminginkatu" in page


@pytest.mark.parametrize(("port", "languages"), [(8001, {"fi", "sv", "en"}), (8002, {"en"})])
def test_each_city_publishes_its_own_portal(said: list[str], port: int, languages: set[str]) -> None:
    turtle = get(f"http://127.0.0.1:{port}/collections/open-data", "text/turtle").decode()
    assert turtle.count(" a dcat:Dataset") >= 40
    assert all(f'"@{language}' in turtle for language in languages)
    runs = json.loads(get(f"http://127.0.0.1:{port}/runs", "application/json"))
    assert "succeeded" in json.dumps(runs)


def test_the_pages_are_there_in_the_citys_languages(said: list[str]) -> None:
    assert 'lang="sv"' in get("http://127.0.0.1:8001/?lang=sv", "text/html").decode()
    assert "London" in get("http://127.0.0.1:8002/", "text/html").decode()


def commands(said: list[str], begins: str) -> list[str]:
    """Give the commands that it says to try, as they stand there."""
    return [line.strip() for line in said if line.startswith("  " + begins)]


def tried(command: str) -> str:
    """Run a command of what it printed, with this interpreter's packages for those of `.venv`."""
    spelt = command.replace(".venv/bin/citynode", f"{shlex.quote(sys.executable)} -m node")
    words = ["sh", "-c", spelt]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def test_every_address_it_names_works(said: list[str]) -> None:
    begun = next(place for place, line in enumerate(said) if line.startswith("Helsinki and London have signed"))
    # Agreements are named too, by IRIs that commands take; and one address is there to show that it gives nothing.
    shown = [line for line in said[begun:] if "agreements explain" not in line and "curl -i" not in line]
    named = {word for line in shown for word in re.findall(r"http://127\.0\.0\.1:800[12][^\s';#]*", line)}
    named -= {word for word in named if word.endswith("/helsinki/plans.ttl")}
    assert len(named) > 8
    for address in sorted(word.rstrip(":") for word in named):
        assert get(address), address


@pytest.mark.parametrize("ports", ["8101", "8101,8101", "80,8101", "8101,x", "8101,70000"])
def test_ports_that_are_none_are_refused(ports: str) -> None:
    assert "PORTS=8101,8102 make demo" in refused(ports, code=2)


def test_a_taken_port_names_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refused(f"{port},{port - 1}", code=3)
    assert f"Port {port} of 127.0.0.1 is taken." in told
    assert "PORTS=8101,8102 make demo" in told


def refused(ports: str, *, code: int) -> str:
    words = [sys.executable, "-m", "demo"]
    environment = {**os.environ, "PORTS": ports}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == code
    return done.stderr


def test_it_gives_no_advice_that_is_for_operators(said: list[str]) -> None:
    text = "".join(said)
    assert "Next: " not in text
    assert "Send " not in text
    assert "helsinki/open-data is level: " in text or "helsinki/open-data: 60 new entries" in text


def test_each_city_holds_the_catalogue_of_the_other(said: list[str]) -> None:
    for port, peer, title in ((8002, "helsinki", "Kaivu- ja katutyöt"), (8001, "london", "London")):
        turtle = get(f"http://127.0.0.1:{port}/collections/{peer}/open-data", "text/turtle").decode()
        assert turtle.count(" a dcat:Dataset") >= 40
        assert title in turtle
    assert any("Helsinki's catalogue as London holds it: 60 records" in line for line in said)


def test_it_shows_the_proof_of_londons_copy(said: list[str]) -> None:
    proven = [line for line in said if line.strip().startswith("proven: http://127.0.0.1:8002/records?iri=")]
    assert len(proven) == 1


def test_the_commands_it_names_do_what_it_says(said: list[str]) -> None:
    named = [command for command in commands(said, "CITYNODE_DATA=") if "run --port" not in command]
    assert len(named) == 10
    printed = "".join(tried(command) for command in named)
    assert "london" in printed
    assert "active" in printed
    assert "A charter for new technology in public places" in printed
    assert "Counting by camera sensors at the street" in printed, "the register as the United Kingdom's standard has it"


def test_helsinki_stops_and_london_still_serves_and_proves(said: list[str]) -> None:
    (kill,) = commands(said, "kill ")
    (curl,) = [command for command in commands(said, "curl ") if "%2Fdatasets%2F" in command]
    (verify,) = commands(said, ".venv/bin/citynode verify")
    tried(kill)
    until = time.monotonic() + 20
    while not is_free(8001):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert " a dcat:Dataset" in tried(curl)
    assert tried(verify).splitlines()[-1].startswith("proven: ")
