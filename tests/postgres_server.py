"""A real PostgreSQL server for tests: Debian's binaries, a temporary folder, a free loopback port, gone at the end.

`python -m tests.postgres_server -- COMMAND …` runs a command with its URL in CITYNODE_TEST_POSTGRES. As root the
server runs as an unprivileged user, since PostgreSQL refuses root. It dies with the process that started it. Its
durability is off: what these tests kill is our processes, never the server.
"""

import contextlib
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

VARIABLE = "CITYNODE_TEST_POSTGRES"
ABSENT = "PostgreSQL is not installed here (apt install postgresql), so its half of the suite cannot run."
_SPEED = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=64MB", "autovacuum=off")
_PR_SET_PDEATHSIG = 1
START_S = 60


class NotInstalledError(Exception):
    """There are no PostgreSQL binaries on this machine."""

    def __init__(self) -> None:
        super().__init__(ABSENT)


def binaries() -> Path:
    """Find the folder of the newest installed version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    if found:
        return found[-1].parent
    named = shutil.which("initdb")
    if named is None:
        raise NotInstalledError
    return Path(named).resolve().parent


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start a server and give the URL of its first database."""
    folder = Path(tempfile.mkdtemp(prefix="citynode-postgres-"))
    try:
        password = secrets.token_hex(16)
        _initialise(folder, password)
        with _served(folder) as port:
            yield f"postgresql://citynode:{password}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    account = _account()
    for path in (folder, secret):
        if account is not None:
            os.chown(path, account.pw_uid, account.pw_gid)
    options = ["--username=citynode", "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C"]
    command = [binaries() / "initdb", "--no-sync", *options, folder / "data"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, **_as_nobody())
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[int]:
    port = _free_port()
    settings = [word for setting in _SPEED for word in ("-c", setting)]
    place = ["-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", folder]
    command = [binaries() / "postgres", *place, *settings]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=folder,
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - tests start it from their only thread
            **_as_nobody(),
        )
    try:
        _await(server, port, folder)
        yield port
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown: it breaks connections and leaves
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await(server: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    end = time.monotonic() + START_S
    ready = [binaries() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, check=False).returncode:
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"PostgreSQL did not start: {(folder / 'server.log').read_text()}")
        time.sleep(0.05)


def _account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL does not run as root, and there is no other account here")


def _as_nobody() -> dict[str, object]:
    account = _account()
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _die_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def main(arguments: Sequence[str]) -> int:
    """Run the command after `--` beside a server; give its exit code, or 3 if there is no PostgreSQL."""
    if arguments[:1] != ["--"] or len(arguments) < 2:
        sys.stderr.write("usage: python -m tests.postgres_server -- COMMAND …\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with running() as url:
            return subprocess.run(arguments[1:], check=False, env=os.environ | {VARIABLE: url}).returncode
    except NotInstalledError as absent:
        sys.stderr.write(f"{absent}\n")
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
