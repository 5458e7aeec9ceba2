"""What the rigs with real Java programs share: our real web app on a socket, and a program that certainly ends.

A node is built as for `citynode run`, then parts of it are replaced in memory: who a caller is, whom we speak with, and
who decides for us. No setting can do that; a rig is a program that holds the node in its hand.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import uvicorn

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


class RigError(Exception):
    """What was to be shown is not so; the words say what was seen."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(main: Callable[[], int]) -> NoReturn:
    """Run a rig as a program. Whoever ends it ends what it started: SIGTERM unwinds as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except RigError as error:
        say(f"Failed: {error}")
        sys.exit(1)


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def until(what: str, seen: Callable[[], Any], *, seconds: float, pause: float = 0.1) -> Any:
    """Ask until the answer is yes, and give it; RigError after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        found = seen()
        if found:
            return found
        if time.monotonic() > end:
            raise RigError(f"Waited {seconds:g} s for {what}.")
        time.sleep(pause)


# ---------------------------------------------------------------- ours


@dataclass
class Recorded:
    """An app of which everything that is asked and answered is written down, for whoever has to find out why."""

    app: Any
    log: Path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked, said, status = bytearray(), bytearray(), 0

        async def hear() -> Any:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def tell(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            said.extend(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, hear, tell)
        finally:
            words = [f"{scope['method']} {scope['path']} -> {status}", _shown(asked), _shown(said)]
            with self.log.open("a") as log:
                log.write("\n    ".join(words) + "\n")


def _shown(body: bytes) -> str:
    return body[:8_000].decode(errors="replace")


@contextmanager
def served(app: Any, port: int) -> Iterator[None]:
    """Serve an app on a socket, in a thread."""
    config = uvicorn.Config(app, host=HOST, port=port, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    try:
        until("our web process", lambda: server.started or not thread.is_alive(), seconds=20, pause=0.01)
        if not server.started:
            raise RigError(f"Our web process did not start on port {port}.")
        yield
    finally:
        server.should_exit = True
        thread.join(15)


@contextmanager
def repeated(do: Callable[[], object], *, every: float) -> Iterator[list[Exception]]:
    """Do something again and again in a thread, as the worker's rounds would; the first error ends it and is kept."""
    stop, errors = threading.Event(), []

    def run() -> None:
        while not stop.wait(every):
            try:
                do()
            except Exception as error:  # noqa: BLE001 - told by whoever holds the list
                errors.append(error)
                return

    thread = threading.Thread(target=run, name="rounds", daemon=True)
    thread.start()
    try:
        yield errors
    finally:
        stop.set()
        thread.join(15)


# ---------------------------------------------------------------- theirs


@dataclass
class Program:
    """A Java program that runs in a process group of its own; what it prints goes to `log`."""

    process: subprocess.Popen[bytes]
    log: Path

    def running(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """End it and whatever it started; it gets a few seconds to do so itself."""
        for how, seconds in ((signal.SIGTERM, 8), (signal.SIGKILL, 8)):
            if not self.running():
                return
            os.killpg(self.process.pid, how)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue

    def tail(self, lines: int = 25) -> str:
        """Give the last it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def java(arguments: Sequence[str], *, jars: Path, log: Path, first: str = "") -> Iterator[Program]:
    """Run a Java program over a folder of jars, and end it; `first` goes before the jars on its class path."""
    if not any(jars.glob("*.jar")):
        raise RigError(f"There are no jars in {jars}; `make` brings them.")
    path = os.pathsep.join(each for each in (first, f"{jars}{os.sep}*") if each)
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["java", "-Xmx512m", "-cp", path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        program = Program(process, log)
        try:
            yield program
        finally:
            program.end()


def ask(
    url: str, body: bytes | None = None, *, headers: Mapping[str, str] | None = None, seconds: float = 20
) -> tuple[int, bytes]:
    """Ask something on this machine; status 0 means that nobody answered."""
    if not url.startswith(f"http://{HOST}:"):
        raise RigError(f"{url} is not on this machine.")
    request = urllib.request.Request(url, body, dict(headers or {}))  # noqa: S310 - loopback, checked above
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=seconds) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""
