"""`make demo`: two cities on this machine, Helsinki and London, until Ctrl-C.

Each city is a node of its own, made and run with the very commands an operator uses; nothing here reaches into the
node. The catalogues are the project's own (see README.md beside this file); with LIVE=1 the live portals are harvested
instead, into folders of their own. Everything lives in `.demo/` and may be deleted at any time.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / ".demo"
READY_S = 60


@dataclass(frozen=True)
class City:
    """One city of the demonstration."""

    name: str
    port: int
    languages: str
    accent: str
    source: str
    kind: str
    written: str
    live: str

    @property
    def base_url(self) -> str:
        """Give the node's public address."""
        return f"http://127.0.0.1:{self.port}"


CITIES = (
    City(
        "Helsinki",
        8001,
        "fi,sv,en",
        "#0000bf",
        "hri",
        "ckan",
        "helsinki.json",
        "https://hri.fi/data/api/3/action",
    ),
    City(
        "London",
        8002,
        "en",
        "#9e007e",
        "london-datastore",
        "datapress",
        "london.json",
        "https://data.london.gov.uk/api/v3/datasets/export.json",
    ),
)


def main() -> int:
    """Set both cities up, run them, say what to try, and wait for Ctrl-C."""
    live = os.environ.get("LIVE", "") not in ("", "0")
    for city in CITIES:
        if _taken(city.port):
            print(f"Port {city.port} of 127.0.0.1 is taken. Stop what listens there, then: make demo", file=sys.stderr)
            return 3
    running: list[subprocess.Popen[bytes]] = []
    # SIGTERM ends the demonstration as Ctrl-C does, so that no city is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for city in CITIES:
            _set_up(city, live=live)
            running.append(_start(city, live=live))
        for city, process in zip(CITIES, running, strict=True):
            _wait_ready(city, process)
        print(_what_to_try(live=live), flush=True)
        return _watch(running)
    except KeyboardInterrupt:
        print("\nStopping both cities …", flush=True)
        return 0
    except subprocess.CalledProcessError as error:
        return error.returncode
    finally:
        _stop(running)


def _folder(city: City, *, live: bool) -> Path:
    return DATA / (f"live-{city.name.lower()}" if live else city.name.lower())


def _command(city: City, *, live: bool) -> tuple[list[str], dict[str, str]]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CITYNODE_")}
    environment = {**ours, "CITYNODE_DATA": str(_folder(city, live=live)), "CITYNODE_ACCENT": city.accent}
    return [sys.executable, "-m", "node"], environment


def _set_up(city: City, *, live: bool) -> None:
    """Make the node, add its source, harvest it; what is there already is kept."""
    command, environment = _command(city, live=live)

    def say(*words: str) -> None:
        subprocess.run([*command, *words], env=environment, cwd=HERE.parent, check=True)

    print(f"\n{city.name}: {'its live portal' if live else 'its demonstration catalogue'}", flush=True)
    say("init", "--name", city.name, "--base-url", city.base_url, "--lang", city.languages)
    listed = subprocess.run(
        [*command, "sources", "list", "--json"], env=environment, cwd=HERE.parent, check=True, stdout=subprocess.PIPE
    )
    if f'"{city.source}"' not in listed.stdout.decode():
        location = city.live if live else str(HERE / city.written)
        say("sources", "add", city.source, location, "--kind", city.kind)
    # A live portal may be away: the city then runs with what it holds.
    subprocess.run([*command, "harvest", "run", city.source], env=environment, cwd=HERE.parent, check=not live)


def _start(city: City, *, live: bool) -> subprocess.Popen[bytes]:
    command, environment = _command(city, live=live)
    environment["CITYNODE_LOG_LEVEL"] = "warning"
    # A session of its own: Ctrl-C reaches this process alone, which then stops the cities in order.
    return subprocess.Popen(
        [*command, "run", "--port", str(city.port)], env=environment, cwd=HERE.parent, start_new_session=True
    )


def _wait_ready(city: City, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise subprocess.CalledProcessError(process.returncode or 1, f"citynode run ({city.name})")
        try:
            with urllib.request.urlopen(city.base_url + "/readyz", timeout=2):  # noqa: S310  (our own loopback address)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise subprocess.CalledProcessError(3, f"citynode run ({city.name})")


def _what_to_try(*, live: bool) -> str:
    folder = _folder(CITIES[0], live=live).relative_to(Path.cwd()) if DATA.is_relative_to(Path.cwd()) else DATA
    helsinki, london = (city.base_url for city in CITIES)
    return f"""
Two cities are running. Open:
  {helsinki}/                         Helsinki, in Finnish, Swedish and English
  {london}/                         London
  {helsinki}/collections/open-data    every dataset of Helsinki, page by page
  {helsinki}/runs                     what each harvest did
  {helsinki}/docs                     every address a program can ask

Try in another terminal:
  curl -H 'Accept: text/turtle' {helsinki}/catalog
  curl {london}/collections/open-data.jsonld
  curl {helsinki}/catalog.nq.gz | gunzip | head
  CITYNODE_DATA={folder} .venv/bin/citynode harvest list
  CITYNODE_DATA={folder} .venv/bin/citynode journal verify

Ctrl-C stops both."""


def _watch(running: list[subprocess.Popen[bytes]]) -> int:
    while True:
        for process in running:
            code = process.poll()
            if code is not None:
                print("One of the cities has stopped; its lines above say why.", file=sys.stderr)
                return code or 1
        time.sleep(0.5)


def _stop(running: list[subprocess.Popen[bytes]]) -> None:
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
