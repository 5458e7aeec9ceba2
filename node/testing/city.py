"""One real node as a process of its own: made and asked by the public command, watched through its log, always ended.

A city knows two addresses: `base_url`, which is its identity and may be a fault proxy's, and `address`, where its web
process listens. Tests ask at `address`, so that what they see is what the node says and not what the network made of
it. Operators' own CITYNODE_ variables never reach a node under test; `environ` is where a test puts its settings.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from node.testing.ports import LOOPBACK, free_port

WAIT_S = 30.0
COMMAND_S = 180.0
ASK_S = 30.0
OPEN_DATA = "open-data"
TAIL_CHARACTERS = 4_000


class RigError(AssertionError):
    """What a test waited for or asked for did not come; the message has the end of the log."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a node: status, lower-case headers, body. Status 0 means that nobody answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 (whatever JSON says)
        """Read the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """A collection's newest checkpoint at one node: its size and root; `note` is the signed text as served."""

    size: int
    root: str
    note: str = field(compare=False)


@dataclass
class City:
    """One node in a folder. `start` runs all of it; commands run beside it."""

    folder: Path
    name: str = "Helsinki"
    port: int = field(default_factory=free_port)
    environ: dict[str, str] = field(default_factory=dict)
    public_url: str = ""
    process: "subprocess.Popen[str] | None" = None
    _begun: "list[subprocess.Popen[str]]" = field(default_factory=list)
    _token: str = ""

    @property
    def slug(self) -> str:
        """Give the name that other cities call it by."""
        return self.name.lower().replace(" ", "-")

    @property
    def address(self) -> str:
        """Give where its web process listens."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def base_url(self) -> str:
        """Give its public address, which stands in every IRI it publishes."""
        return self.public_url or self.address

    @property
    def log(self) -> Path:
        """Give the file that everything it says goes into, over all its starts."""
        return self.folder.with_suffix(".log")

    # ------------------------------------------------------------ commands

    def command(self, *words: object) -> list[str]:
        """Spell a call of `citynode` on this node."""
        return [sys.executable, "-m", "node", *map(str, words), "--data", str(self.folder)]

    def surroundings(self) -> dict[str, str]:
        """Give the environment of its processes."""
        inherited = os.environ  # noqa: TID251 (a child process inherits it; no setting is read from it)
        kept = {key: value for key, value in inherited.items() if not key.startswith("CITYNODE_")}
        # What starts further processes or asks strangers is for the tests that are about it.
        quiet = {"CITYNODE_SPARQL": "off", "CITYNODE_LINK_CHECK_DAYS": "0"}
        return {**kept, "CITYNODE_LOG_FORMAT": "json", **quiet, **self.environ}

    def ran(self, *words: object) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, whatever its exit code is."""
        return subprocess.run(  # noqa: S603 (our own command)
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            env=self.surroundings(),
            check=False,
        )

    def say(self, *words: object, code: int = 0) -> str:
        """Run a command to its end and give what it printed.

        Raises:
            RigError: It ended with another exit code than `code`.
        """
        done = self.ran(*words)
        if done.returncode != code:
            spelt = " ".join(map(str, words))
            raise RigError(f"{self.name}: {spelt}: exit {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *words: object) -> Any:  # noqa: ANN401 (whatever the command says)
        """Run a reading command with `--json` and give what it said."""
        return json.loads(self.say(*words, "--json"))

    def begin(self, *words: object) -> "subprocess.Popen[str]":
        """Start a command and do not wait; what it says goes into the city's log file. `end` ends it."""
        with self.log.open("a") as log:
            begun = subprocess.Popen(  # noqa: S603 (our own command)
                self.command(*words), stdout=log, stderr=log, text=True, env=self.surroundings(), start_new_session=True
            )
        self._begun.append(begun)
        return begun

    # ------------------------------------------------------------ life

    def make(self, *words: object) -> "City":
        """Make the node (`citynode init`)."""
        self.say("init", "--name", self.name, "--base-url", self.base_url, *words)
        return self

    def start(self, *words: object) -> "City":
        """Run the node and wait until it is ready."""
        self.launch(*words).until_ready()
        return self

    def launch(self, *words: object) -> "City":
        """Run the node and do not wait for it."""
        self.process = self.begin("run", "--port", self.port, *words)
        return self

    def until_ready(self) -> None:
        """Wait until it can serve, but not for one that has ended."""
        self.wait(lambda: not self.is_running or self.get("/readyz")[0] == http.HTTPStatus.OK, "to be ready")
        if not self.is_running:
            raise RigError(f"{self.name} ended before it was ready\n{tail(self.log)}")

    def wait(self, holds: Callable[[], bool], what: str, within_s: float = WAIT_S) -> None:
        """Wait until something holds of this city; `what` ends the sentence "waited for London …"."""
        wait_for(holds, f"{self.name} {what}", self.log, within_s)

    @property
    def is_running(self) -> bool:
        """Tell whether its supervisor lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send its supervisor a signal, wait for its end and give the exit code."""
        if self.process is None:
            raise RigError(f"{self.name} is not running")
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process = None
        return code

    def kill(self) -> None:
        """End the whole node with `kill -9`, every process of it, and wait until all are gone."""
        children = [pid for name in self.processes() for pid in self.pids(name)[-1:]]
        self.stop(signal.SIGKILL)
        # The kernel kills them with their supervisor; this is for systems that do not.
        for pid in children:
            _kill(pid)
        wait_for(lambda: all(map(is_gone, children)), f"the processes of {self.name} to go", self.log)

    def kill_process(self, name: str) -> int:
        """Kill one process of the node (`worker`, `web 1`) with `kill -9`; its supervisor starts it again.

        Returns:
            The number it had, or 0 if it was not running.
        """
        for pid in self.pids(name)[-1:]:
            if not is_gone(pid):
                _kill(pid)
                return pid
        return 0

    def copy(self, folder: Path) -> "City":
        """Copy the data folder of a stopped node: the same city with the same keys, as an old backup or a thief has it.

        The copy listens on a port of its own; lead its proxy there (`proxy.behind = copy.port`) to let it speak.

        Raises:
            RigError: The node is running; copying its database would be no copy.
        """
        if self.is_running:
            raise RigError(f"{self.name} is running: stop it before copying it")
        shutil.copytree(self.folder, folder)
        return City(folder, name=self.name, environ=dict(self.environ), public_url=self.base_url)

    def end(self) -> None:
        """End everything of this city that was begun here, at once."""
        if self.is_running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop(signal.SIGTERM)
        for begun in self._begun:
            if begun.poll() is None:
                begun.kill()
            begun.wait(20)
        self._begun.clear()
        self.process = None

    # ------------------------------------------------------------ what it says

    def ask(
        self, path: str, *, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask the node itself, around any proxy; no redirect is followed and nothing decoded."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=ASK_S)
        try:
            # Host as the public address has it: that is what a proxy in front would pass on.
            given = {"Host": urlsplit(self.base_url).netloc, "Connection": "close", **(headers or {})}
            connection.request(method, path, body=body or None, headers=given)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        except (OSError, http.client.HTTPException):
            return Reply(0, {}, b"")
        finally:
            connection.close()

    def get(self, path: str, accept: str = "*/*") -> tuple[int, bytes]:
        """Ask for a document; give its status and body, (0, b"") if nobody answers."""
        reply = self.ask(path, headers={"Accept": accept})
        return reply.status, reply.body

    def post(self, path: str, body: bytes, **headers: str) -> Reply:
        """Post a body; header names are given with underscores (`content_type="application/json"`)."""
        spelt = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(path, method="POST", body=body, headers=spelt)

    def api(self, method: str, path: str, said: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 (JSON)
        """Ask the staff's API (`/api/…`) of a running city, with a staff token that is issued on the first call.

        Raises:
            RigError: The answer is no success.
        """
        if not self._token:
            self._token = str(self.json("tokens", "issue", "rig", "--staff")["token"])
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        body = b"" if said is None else json.dumps(said).encode()
        reply = self.ask(f"/api{path}", method=method, body=body, headers=headers)
        if not http.HTTPStatus.OK <= reply.status < http.HTTPStatus.MULTIPLE_CHOICES:
            raise RigError(f"{self.name}: {method} /api{path}: {reply.status} {reply.body.decode()}")
        return reply.json() if reply.body else None

    def record(self, iri: str, accept: str = "application/n-triples") -> tuple[int, bytes]:
        """Ask for a record by its IRI, own or mirrored."""
        return self.get(f"/records?iri={quote(iri, safe='')}", accept)

    def heads(self) -> dict[str, Head]:
        """Give the newest checkpoint of every public collection it holds, by IRI; empty if nobody answers."""
        status, body = self.get("/checkpoints")
        if status != http.HTTPStatus.OK:
            return {}
        return {one["collection"]: head_of(one["checkpoint"]) for one in json.loads(body)["checkpoints"]}

    def events(self) -> list[dict[str, Any]]:
        """Give what it logged so far, over all its starts."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [found for line in lines if line.startswith("{") and (found := _read(line))]

    def processes(self) -> set[str]:
        """Give the names of the processes its supervisor started."""
        return {str(e["process"]) for e in self.events() if e["event"] == "started" and "process" in e}

    def pids(self, process: str) -> list[int]:
        """Give the process numbers a child had so far, by its name in the log."""
        return [e["pid"] for e in self.events() if e["event"] == "started" and e.get("process") == process]


def head_of(note: str) -> Head:
    """Read size and root from a checkpoint; no signature is checked here."""
    _, size, root = note.split("\n")[:3]
    return Head(int(size), root, note)


def wait_for(
    holds: Callable[[], bool],
    what: str,
    log: Path | None = None,
    within_s: float = WAIT_S,
    *,
    every_s: float = 0.05,
) -> None:
    """Look every `every_s` seconds until something holds.

    Raises:
        RigError: It did not within `within_s`; the message has the end of the log.
    """
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if holds():
            return
        time.sleep(every_s)
    raise RigError(f"waited {within_s:g} s for {what}\n{tail(log)}")


def tail(log: Path | None) -> str:
    """Give the end of a log; empty if there is none."""
    return log.read_text(errors="replace")[-TAIL_CHARACTERS:] if log and log.exists() else ""


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, waited for or not."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


@contextlib.contextmanager
def city(folder: Path, **options: Any) -> Iterator[City]:  # noqa: ANN401 (the fields of City)
    """Give a node that is made and not started; everything of it has ended afterwards."""
    one = City(folder, **options)
    try:
        yield one.make()
    finally:
        one.end()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _read(line: str) -> dict[str, Any]:
    """Read one line of the log; empty if it was cut by a kill."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "event" in found else {}
