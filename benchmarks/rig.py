"""What every benchmark needs: a folder, nodes made by the real command, processes whose whole trees are measured.

Processor time is that of a command and of all its children (`wait4`); memory is read from /proc while they live. A
measured command is pinned to one processor where the system can do that, so "datasets per second" means one core.
Nothing listens but on 127.0.0.1, and whatever was started is stopped when its `with` ends.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".bench"
SERVER_CPU, CALLER_CPU = 0, 1
# All requests of a benchmark come from one address. They are counted as in the field, and none is refused.
COUNTED = {f"CITYNODE_RATE_{door}_PER_MIN": "1000000000" for door in ("PUBLIC", "FEED", "TOKEN")}
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ok` is None where the issue names no target."""

    what: str
    measured: str
    target: str = ""
    ok: bool | None = None
    ratio: str = ""
    cpu_s: float | None = None
    wall_s: float | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command and its children cost; `out` is what it printed."""

    cpu_s: float
    wall_s: float
    out: str


@dataclass(slots=True)
class Bench:
    """One call of `python -m benchmarks`: how large, where, and what one benchmark leaves for the next."""

    quick: bool
    folder: Path
    left: dict[str, Path] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """Give the size of an ordinary catalogue."""
        return 1_000 if self.quick else 10_000

    @property
    def many(self) -> int:
        """Give the size of a large one."""
        return 5_000 if self.quick else 100_000

    def say(self, text: str) -> None:
        """Tell what is being done; the table alone goes to standard output."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def calm(self, limit_s: float = 20.0) -> None:
        """Wait until the machine has been idle for a second, but not for long: other people's work is noise."""
        until = time.monotonic() + (0 if self.quick else limit_s)
        while time.monotonic() < until:
            before = _ticks()
            time.sleep(1)
            after = _ticks()
            if after[0] - before[0] >= 0.9 * (after[1] - before[1]):
                return

    def catalogue(self, count: int, kind: str) -> Path:
        """Give a made catalogue, kept in `.bench` for the next time."""
        from benchmarks import catalogue

        suffix = {"dcat": "ttl", "ckan": "json"}[kind]
        path = HOME / "catalogues" / f"v{catalogue.VERSION}-{count}.{suffix}"
        if not path.exists():
            self.say(f"writing {path.name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            catalogue.write(path.with_suffix(".part"), count, kind).rename(path)
        return path

    def node(self, name: str, location: str | Path, kind: str = "dcat", *, port: int = 8001) -> Path:
        """Make a node with one source, `portal`."""
        data = self.folder / name
        citynode(data, "init", "--name", "Bench", "--base-url", f"http://127.0.0.1:{port}")
        citynode(data, "sources", "add", "portal", str(location), "--kind", kind, "--collection", "open-data")
        return data


def _ticks() -> tuple[int, int]:
    """Give the idle and all ticks of the processors so far; as if idle where that cannot be read."""
    try:
        counts = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]))
    except OSError:
        return 0, 0
    return counts[3] + counts[4], sum(counts)


@contextmanager
def opened(*, quick: bool) -> Iterator[Bench]:
    """Give a bench whose folder goes at the end; the made catalogues stay in `.bench`."""
    HOME.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME, prefix="run-", ignore_cleanup_errors=True) as folder:
        yield Bench(quick, Path(folder))


def cpus() -> list[int]:
    """Give the processors this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def pinned(argv: Sequence[str], cpu: int | None) -> list[str]:
    """Put a command on one processor; as it is where there is only one, or no taskset."""
    usable = cpus()
    if cpu is None or len(usable) < 2 or not os.access("/usr/bin/taskset", os.X_OK):
        return list(argv)
    return ["/usr/bin/taskset", "-c", str(usable[cpu % len(usable)]), *argv]


def environment(data: Path | None = None, **more: str) -> dict[str, str]:
    """Give an environment without anybody's settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CITYNODE_")}
    return kept | COUNTED | {"PYTHONPATH": str(ROOT)} | ({"CITYNODE_DATA": str(data)} if data else {}) | more


def command(*arguments: str) -> list[str]:
    """Spell a call of the product's own command with this interpreter."""
    return [sys.executable, "-m", "node", *arguments]


def citynode(data: Path, *arguments: str, cpu: int | None = None, codes: Sequence[int] = (0,)) -> Spent:
    """Run one command of a node to its end."""
    return spent(command(*arguments), environment(data), cpu=cpu, codes=codes)


def spent(
    argv: Sequence[str],
    environ: dict[str, str],
    *,
    cpu: int | None = None,
    codes: Sequence[int] = (0,),
    watch: "Memory | None" = None,
) -> Spent:
    """Run a command to its end and measure it with all its children."""
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        process = subprocess.Popen(pinned(argv, cpu), env=environ, stdout=out, stderr=subprocess.DEVNULL, cwd=ROOT)
        try:
            if watch:
                watch.start(process.pid)
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    if process.returncode not in codes:
        raise RuntimeError(f"{' '.join(argv)} ended with {process.returncode}:\n{text}")
    return Spent(usage.ru_utime + usage.ru_stime, wall, text)


class Memory:
    """Watches the memory of a process and its children: the peak of each, and of all together."""

    def __init__(self, every_s: float = 0.05) -> None:
        self.peaks: dict[str, int] = {}
        self.peak_together = 0
        self._every_s = every_s
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, pid: int) -> None:
        """Watch until the process is gone or `stop`."""
        self._thread = threading.Thread(target=self._look, args=(pid,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        if self._thread:
            self._thread.join()

    def _look(self, pid: int) -> None:
        while not self._over.wait(self._every_s):
            found = resident(pid)
            if not found:
                return
            self.peak_together = max(self.peak_together, sum(found.values()))
            for role, size in found.items():
                self.peaks[role] = max(self.peaks.get(role, 0), size)


def resident(pid: int) -> dict[str, int]:
    """Give the resident bytes of a process and its descendants, by what they are."""
    sizes: dict[str, int] = {}
    for each in [pid, *descendants(pid)]:
        with suppress(OSError, IndexError):
            words = Path(f"/proc/{each}/cmdline").read_bytes().split(b"\0")
            size = int(Path(f"/proc/{each}/statm").read_text().split()[1]) * _PAGE_BYTES
            role = role_of(words)
            sizes[role] = sizes.get(role, 0) + size
    return sizes


def role_of(words: Sequence[bytes]) -> str:
    """Tell our processes apart by their command lines."""
    if b"node.vocab.child" in words:
        return "parser"
    for role in (b"harvest", b"worker", b"serve", b"run"):
        if role in words:
            return "web" if role == b"serve" and b"--fd" in words else role.decode()
    return "other"


def descendants(pid: int) -> list[int]:
    """Give the children of a process, theirs, and so on."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
    return found


def free_port() -> int:
    """Give a port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@contextmanager
def running(
    argv: Sequence[str], environ: dict[str, str], *, cpu: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server and stop it at the end, kindly and then not."""
    process = subprocess.Popen(
        pinned(argv, cpu), env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            for each in descendants(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            process.kill()
            process.wait()


def waited_for(url: str, *, limit_s: float = 30.0, alive: Callable[[], bool] = lambda: True) -> float:
    """Wait until an address answers 200; give the seconds it took."""
    started = time.monotonic()
    while time.monotonic() - started < limit_s and alive():
        with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            if answer.status == 200:
                return time.monotonic() - started
        time.sleep(0.01)
    raise RuntimeError(f"{url} did not answer within {limit_s:g} s")


def at_rest(data: Path) -> int:
    """Give the bytes of a node's SQLite files once the write-ahead log is emptied into the database."""
    import sqlite3

    connection = sqlite3.connect(data / "node.db")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return sum(path.stat().st_size for path in data.glob("node.db*"))
