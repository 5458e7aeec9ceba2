"""`make demo`: Helsinki and London on this machine, mirroring, signing, sharing and being searched, until Ctrl-C.

Each city is a node of its own, made, introduced and run with the very commands an operator uses; nothing here reaches
into the node. The catalogues are the project's own (see README.md beside this file); with LIVE=1 the live portals are
harvested instead, into folders of their own; PORTS=8101,8102 takes other ports. Files that can be looked inside are
served on the port after these. Everything lives in `.demo/` and may be deleted at any time.
"""

import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from demo import parking
from demo.agreeing import sign_and_revoke
from demo.cities import COLLECTION, HELSINKI, LONDON, City
from demo.finding import search_both
from demo.moving import move
from demo.sharing import PARKING, share

Running = dict[City, "subprocess.Popen[bytes]"]


def main() -> int:
    """Set both cities up, run and introduce them, say what to try, and wait for Ctrl-C."""
    live = os.environ.get("LIVE", "") not in ("", "0")
    ports = _ports(os.environ.get("PORTS", ""))
    if ports is None:
        print("PORTS takes two ports of your choice, such as: PORTS=8101,8102 make demo", file=sys.stderr)
        return 2
    usual = ports == (HELSINKI.port, LONDON.port)
    # An address cannot change once it is in records, so each pair of ports has cities of its own.
    place = "" if usual else "{}-{}".format(*ports)
    cities = [
        dataclasses.replace(city, is_live=live, port=port, place=place)
        for city, port in zip((HELSINKI, LONDON), ports, strict=True)
    ]
    for city in cities:
        if _taken(city.port):
            print(
                f"Port {city.port} of 127.0.0.1 is taken. Stop what listens there, then: make demo;"
                " or take two other ports: PORTS=8101,8102 make demo",
                file=sys.stderr,
            )
            return 3
    cities[0] = dataclasses.replace(cities[0], files="" if live else parking.serve(max(ports) + 1))
    running: Running = {}
    # SIGTERM ends the demonstration as Ctrl-C does, so that no city is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for city in cities:
            city.set_up()
            running[city] = city.start()
        for city, process in running.items():
            city.wait_ready(process)
        _introduce(*cities)
        agreed = sign_and_revoke(*cities)
        shared = share(*cities)
        moved = move(*cities)
        found = search_both(cities[1])
        print(agreed, shared, moved, found, sep="", end="", flush=True)
        print(_what_to_try(*cities, running), flush=True)
        return _watch(running)
    except KeyboardInterrupt:
        print("\nStopping both cities …", flush=True)
        return 0
    except subprocess.CalledProcessError as error:
        return error.returncode
    finally:
        _stop(list(running.values()))


def _ports(spelt: str) -> tuple[int, int] | None:
    """Read the two ports, the usual ones if none are named; None if these are none."""
    if not spelt:
        return HELSINKI.port, LONDON.port
    words = [word.strip() for word in spelt.split(",")]
    if len(words) != 2 or not all(word.isascii() and word.isdigit() and len(word) <= 5 for word in words):
        return None
    one, other = map(int, words)
    return (one, other) if one != other and min(one, other) >= 1024 and max(one, other) <= 65535 else None


def _introduce(helsinki: City, london: City) -> None:
    print("\nThe cities are introduced to each other and mirror each other's open data", flush=True)
    for one, other in ((helsinki, london), (london, helsinki)):
        one.know(other)
    for one, other in ((helsinki, london), (london, helsinki)):
        one.mirror(other)


def _what_to_try(helsinki: City, london: City, running: Running) -> str:
    held = {each["collection"]: each["records"] for each in london.json("catalog", "stats")}
    mirror = f"{helsinki.slug}/{COLLECTION}"
    copy = f"{london.base_url}/records?iri={quote(_dataset_of(london, mirror), safe='')}"
    proof = london.ask("verify", copy).strip().replace("\n", "\n    ")
    citynode = f"CITYNODE_DATA={_shown(helsinki.folder)} .venv/bin/citynode"
    return f"""
Two cities are running, and each holds a verified mirror of the other. Open:
  {helsinki.base_url}/    Helsinki, in Finnish, Swedish and English
  {london.base_url}/    London
  {london.base_url}/collections/{COLLECTION}    London's own catalogue: {held[COLLECTION]} records
  {london.base_url}/collections/{mirror}    Helsinki's catalogue as London holds it: {held[mirror]} records
  {london.base_url}/federation    how London stands with its peers
  {helsinki.base_url}/runs    what each harvest did
{_looked_inside(helsinki)}  {helsinki.base_url}/docs    every address a program can ask

The desks, where each city's team works; the links set a password and are good once:
  {_desk_link(helsinki)}    Helsinki
  {_desk_link(london)}    London

London's copy of a dataset of Helsinki:
  {copy}
  citynode verify says of it:
    {proof}

Try in another terminal:
  curl -H 'Accept: text/turtle' {helsinki.base_url}/catalog
  curl {london.base_url}/collections/{mirror}.jsonld
  curl {helsinki.base_url}/catalog.nq.gz | gunzip | head
  {citynode} peers list
  {citynode} journal verify

Stop Helsinki, and see London still serve and prove what Helsinki said:
  kill {running[helsinki].pid}
  curl -H 'Accept: text/turtle' '{copy}'
  .venv/bin/citynode verify '{copy}'
and let Helsinki come back:
  {citynode} run --port {helsinki.port}
Ctrl-C here then stops London alone; stop Helsinki in its own terminal.

Ctrl-C stops both."""


def _looked_inside(city: City) -> str:
    """Give the line that leads to files which the worker looks inside; none where nobody serves them."""
    if not city.files:
        return ""
    return f"  {city.base_url}/{PARKING['helsinki']}    what is in its files, once the worker has looked inside\n"


def _desk_link(city: City) -> str:
    """Give a new one-time link for the first account of a desk; cities made before there were desks have none."""
    is_there = any(each["name"] == "admin" for each in city.json("staff", "list")["accounts"])
    words = ("link", "admin") if is_there else ("add", "admin", "--role", "admin")
    return next(word for word in city.ask("staff", *words).split() if "/desk/welcome/" in word)


def _dataset_of(city: City, collection: str) -> str:
    """Give the IRI of the first dataset of a collection as the city serves it."""
    listed = city.get(f"/collections/{collection}", "application/n-triples").decode()
    of_type = r"^<([^>]+)> <http://www\.w3\.org/1999/02/22-rdf-syntax-ns#type> <http://www\.w3\.org/ns/dcat#Dataset>"
    found = re.findall(of_type, listed, re.MULTILINE)
    if not found:
        print(f"{city.name} holds no dataset in {collection}; the lines above say why.", file=sys.stderr)
        raise subprocess.CalledProcessError(1, f"GET /collections/{collection}")
    return min(found)


def _shown(folder: Path) -> Path:
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _watch(running: Running) -> int:
    """Wait while a city runs. One that was told to stop may stop; one that fails ends the demonstration."""
    while running:
        for city, process in list(running.items()):
            code = process.poll()
            if code:
                print(f"{city.name} has stopped; its lines above say why.", file=sys.stderr)
                return code
            if code == 0:
                del running[city]
                print(f"{city.name} has stopped, as it was told to. Ctrl-C ends the demonstration.", flush=True)
        time.sleep(0.5)
    return 0


def _stop(running: "list[subprocess.Popen[bytes]]") -> None:
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
