"""Real nodes as processes of their own, for tests that kill them: watched through their log, always stopped."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WAIT_S = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class City:
    """One node in a folder. `start` runs all of it; commands run beside it."""

    folder: Path
    name: str = "Helsinki"
    port: int = field(default_factory=free_port)
    environ: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def command(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "node", *map(str, words), "--data", str(self.folder)]

    def surroundings(self) -> dict[str, str]:
        return {**os.environ, "CITYNODE_LOG_FORMAT": "json", **self.environ}

    def say(self, *words: object, code: int = 0) -> str:
        """Run a command to its end and give what it printed."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=120, env=self.surroundings(), check=False
        )
        assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words: object) -> Any:
        return json.loads(self.say(*words, "--json"))

    def make(self) -> "City":
        self.say("init", "--name", self.name, "--base-url", self.base_url)
        return self

    def begin(self, *words: object) -> "subprocess.Popen[str]":
        """Start a command and do not wait; its log goes into the city's log file."""
        with self.log.open("a") as log:
            return subprocess.Popen(
                self.command(*words), stdout=log, stderr=log, text=True, env=self.surroundings(), start_new_session=True
            )

    def start(self, *words: object) -> "City":
        self.process = self.begin("run", "--port", self.port, *words)
        self.until_ready()
        return self

    def until_ready(self) -> None:
        wait_for(lambda: self.get("/readyz")[0] == 200, f"{self.name} to be ready", self.log)

    def get(self, path: str, accept: str = "*/*") -> tuple[int, bytes]:
        request = urllib.request.Request(self.base_url + path, headers={"Accept": accept})  # noqa: S310 (our own address)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    def events(self) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]

    def pids(self, process: str) -> list[int]:
        """Give the process numbers a child had so far, by its name in the log."""
        return [e["pid"] for e in self.events() if e["event"] == "started" and e.get("process") == process]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process = None
        return code


def wait_for(holds: Any, what: str, log: Path | None = None, within_s: float = WAIT_S) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited {within_s} s for {what}\n{log.read_text()[-4000:] if log and log.exists() else ''}")


def is_gone(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


@contextlib.contextmanager
def city(folder: Path, **options: Any) -> Iterator[City]:
    one = City(folder, **options).make()
    try:
        yield one
    finally:
        if one.process is not None:
            with contextlib.suppress(ProcessLookupError):
                one.process.kill()
            one.process.wait(20)


def catalogue(path: Path, number: int, *, prefix: str = "d") -> Path:
    """Write a DCAT catalogue of so many datasets."""
    lines = ["@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> ."]
    lines.append('<https://city.example/catalogue> a dcat:Catalog ; dct:title "Catalogue"@en .')
    for n in range(number):
        iri = f"<https://city.example/id/{prefix}{n}>"
        lines.append(f"<https://city.example/catalogue> dcat:dataset {iri} .")
        lines.append(f'{iri} a dcat:Dataset ; dct:title "Title {n}"@en ; dct:description "About {n}."@en ;')
        where = f"dcat:accessURL <https://x.example/{n}>"
        lines.append(f'  dcat:distribution [ a dcat:Distribution ; dct:title "CSV {n}" ; {where} ] .')
    path.write_text("\n".join(lines))
    return path
