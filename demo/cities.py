"""The two cities of the demonstration, and how they are told things: with the commands their operators would use."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import parking

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / ".demo"
READY_S = 60
COLLECTION = "open-data"


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
    is_live: bool = False
    place: str = ""
    files: str = ""
    restricted: tuple[tuple[str, str], ...] = ()

    @property
    def base_url(self) -> str:
        """Give the node's public address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def slug(self) -> str:
        """Give the name that the other city calls it by."""
        return self.name.lower()

    @property
    def folder(self) -> Path:
        """Give its data folder; what was harvested live, or lives at other ports (`place`), is kept apart."""
        return DATA / self.place / (f"live-{self.slug}" if self.is_live else self.slug)

    def command(self, *words: str) -> list[str]:
        """Spell a call of `citynode` with this interpreter."""
        return [sys.executable, "-m", "node", *words]

    def environment(self) -> dict[str, str]:
        """Give the environment of its commands: its own data folder, nobody else's settings."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("CITYNODE_")}
        # The samples name real sites, which a demonstration leaves alone.
        quiet = {"CITYNODE_LINK_CHECK_DAYS": "0", "CITYNODE_MODEL_INSPECT_MIB": "0"}
        # Slow enough that one can see a stream that is cut.
        quiet["CITYNODE_DATA_RATE_MIB"] = "1"
        return {**ours, **quiet, "CITYNODE_DATA": str(self.folder), "CITYNODE_ACCENT": self.accent}

    def say(self, *words: str, must: bool = True) -> None:
        """Run a command and let it speak."""
        subprocess.run(self.command(*words), env=self.environment(), cwd=HERE.parent, check=must)

    def ask(self, *words: str) -> str:
        """Run a command and give what it printed; its notes for an operator are left out unless it fails."""
        done = subprocess.run(
            self.command(*words), env=self.environment(), cwd=HERE.parent, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(done.stdout + done.stderr, end="", file=sys.stderr, flush=True)
            done.check_returncode()
        return done.stdout

    def tell(self, *words: str) -> None:
        """Run a command and repeat what it says, but for its advice: here the demonstration does what comes next."""
        advice = ("Next: ", "To set the password ", "  http")
        said = [line for line in self.ask(*words).splitlines() if not line.startswith(advice)]
        print("\n".join(said), flush=True)

    def json(self, *words: str) -> Any:
        """Run a reading command with `--json`."""
        return json.loads(self.ask(*words, "--json"))

    def get(self, path: str, accept: str = "*/*") -> bytes:
        """Ask its web process."""
        request = urllib.request.Request(self.base_url + path, headers={"Accept": accept})  # noqa: S310  (loopback)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  (our own loopback address)
            body: bytes = answer.read()
        return body

    def set_up(self) -> None:
        """Make the node, add its source, harvest it; what is there already is kept."""
        print(f"\n{self.name}: {'its live portal' if self.is_live else 'its demonstration catalogue'}", flush=True)
        self.tell("init", "--name", self.name, "--base-url", self.base_url, "--lang", self.languages)
        if self.source not in {each["name"] for each in self.json("sources", "list")}:
            self.tell("sources", "add", self.source, self._location(), "--kind", self.kind)
        # A live portal may be away: the city then runs with what it holds.
        self.say("harvest", "run", self.source, must=not self.is_live)
        for collection, title in self.restricted:
            self._restrict(collection, title)

    def _location(self) -> str:
        """Say where its catalogue lies: a portal, the file beside this one, or a copy of it with files of ours."""
        if self.is_live or not self.files:
            return self.live if self.is_live else str(HERE / self.written)
        copy = self.folder.parent / self.written
        parking.write_catalogue(HERE / self.written, copy, self.files)
        return str(copy)

    def _restrict(self, collection: str, title: str) -> None:
        """Make a restricted collection of the descriptions beside this file, unless it is there."""
        if collection in {each["name"] for each in self.json("sources", "list")}:
            return
        self.tell("collections", "create", collection, "--visibility", "restricted", "--title", title)
        file = str(HERE / f"{self.slug}-{collection}.ttl")
        self.ask("sources", "add", collection, file, "--kind", "dcat", "--collection", collection)
        self.say("harvest", "run", collection)

    def start(self) -> "subprocess.Popen[bytes]":
        """Run the node. In a session of its own: Ctrl-C reaches the demonstration alone, which stops them in order."""
        environment = {**self.environment(), "CITYNODE_LOG_LEVEL": "error"}
        words = self.command("run", "--port", str(self.port))
        return subprocess.Popen(words, env=environment, cwd=HERE.parent, start_new_session=True)

    def wait_ready(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until it can serve."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            if process.poll() is not None:
                raise subprocess.CalledProcessError(process.returncode or 1, f"citynode run ({self.name})")
            try:
                self.get("/readyz")
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
            else:
                return
        raise subprocess.CalledProcessError(3, f"citynode run ({self.name})")

    def know(self, other: "City") -> None:
        """Take the other city for a peer by its invitation and pin its keys, unless that was done before."""
        if other.slug in {each["name"] for each in self.json("peers", "list")}:
            return
        # The invitation has the fingerprint: real operators send it by a way they trust, such as a phone call.
        invitation = other.ask("peers", "invite").strip()
        self.ask("peers", "add", invitation, "--name", other.slug)
        self.ask("peers", "approve", other.slug, "--yes")
        print(f"{self.name} approved {invitation}", flush=True)

    def mirror(self, other: "City") -> None:
        """Mirror the other city's open data, and fetch what there is."""
        self.ask("peers", "follow", other.slug, COLLECTION)
        # An agreement may have ended since the last time; then this says so, and the rest is mirrored.
        self.say("exchange", "run", other.slug, "--wait", must=False)


HELSINKI = City(
    name="Helsinki",
    port=8001,
    languages="fi,sv,en",
    accent="#0000bf",
    source="hri",
    kind="ckan",
    written="helsinki.json",
    live="https://hri.fi/data/api/3/action",
    restricted=(("plans", "Helsingin suunnitelmia"), ("surveys", "Helsingin tutkimuksia")),
)
LONDON = City(
    name="London",
    port=8002,
    languages="en",
    accent="#9e007e",
    source="london-datastore",
    kind="datapress",
    written="london.json",
    live="https://data.london.gov.uk/api/v3/datasets/export.json",
    restricted=(("plans", "Plans of London"),),
)
