"""The third stage of the soak: data that move for long, in great pieces and under everything at once.

Two real cities, each behind a fault proxy, an agreement signed by their commands. First one part of some gigabytes is
pulled and pushed over a good network, while the memory of every process is watched. Then, for the minutes given, parts
of all sizes are pulled and pushed while the network cuts and turns bytes over, processes are killed and the agreement
is suspended and resumed. At the end everything that was begun must be here exactly, and no receipt may differ.
"""

import hashlib
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from benchmarks.rig import resident
from node.testing import City, Cluster, Faults, Portal, RigError, wait_for

SURVEYS, GREAT = "surveys", "great.bin"
HOST = "https://surveys.example"
DATASET = f"{HOST}/id/survey0"
SIZES = (0, 1, 1_000_003, 20_000_000, 200_000_000)
# What a process may grow by while gigabytes pass through it: its streams, and what the allocator keeps.
GROWTH_BYTES = 96 << 20
ALL_S, EACH_S = 900.0, 1800.0
BAD = (
    Faults(cut=0.5, corrupt=0.1, paths="^/data/", reach=32 << 20),
    Faults(refuse=0.3, delay=0.3),
    Faults(drip=0.3, drip_s=0.1, cut=0.3, paths="^/data/", reach=64 << 20),
    Faults(cut=0.2, corrupt=0.2),
)
ENVIRON = {"CITYNODE_PEER_POLL_S": "30", "CITYNODE_DATA_STALL_S": "10", "CITYNODE_RATE_PUBLIC_PER_MIN": "0"}
Tell = Callable[[str], object]


def soak(folder: Path, *, minutes: float, gib: float, seed: int, tell: Tell) -> None:
    """Do all of it. Raises RigError for the first thing that is wrong."""
    with Cluster(folder, 2, seed=seed, environ=ENVIRON) as two:
        run = _Run(two, seed, tell)
        run.prepare(int(gib * (1 << 30)))
        for push in (False, True):
            run.great(push=push)
        run.chaos(60 * minutes)


class _Run:
    """One soak over two cities."""

    def __init__(self, two: Cluster, seed: int, tell: Tell) -> None:
        self._two, self._tell = two, tell
        self._helsinki, self._london = two.cities
        self._chance = random.Random(seed)
        self._sources, self._to = two.folder / "sources", two.folder / "got"
        self._agreement = ""
        self._begun: dict[str, tuple[list[object], subprocess.Popen[str]]] = {}
        self._counts = Counter[str]()

    def prepare(self, great: int) -> None:
        """Write the data, start the cities and let them agree."""
        helsinki, london = self._helsinki, self._london
        self._sources.mkdir()
        for size in SIZES:
            _write(self._sources / f"{size}.bin", size)
        _write(self._sources / GREAT, great)
        portal = Portal(self._two.folder / "surveys.ttl", prefix="survey", host=HOST)
        portal.add(1)
        helsinki.say("collections", "create", SURVEYS, "--visibility", "restricted")
        helsinki.say("sources", "add", SURVEYS, portal.path, "--kind", "dcat", "--collection", SURVEYS)
        helsinki.say("harvest", "run", SURVEYS)
        helsinki.say("data", "origins", "add", DATASET, self._sources)
        self._two.start().introduce(helsinki, london)
        self._agree()
        london.say("peers", "follow", "helsinki", SURVEYS)
        wait_for(lambda: self._mirrored() == 1, "the record to be held in London", london.log, 60)

    def _mirrored(self) -> int:
        held = self._london.api("GET", "/peers/helsinki")["follows"]
        return next((each["verified_up_to"] for each in held if each["collection"] == SURVEYS), 0)

    def _agree(self) -> None:
        helsinki, london = self._helsinki, self._london
        tokens = {}
        for one, person in ((helsinki, "maija"), (london, "john")):
            tokens[one.slug] = self._two.folder / f"{one.slug}.token"
            tokens[one.slug].write_text(one.say("tokens", "issue", person, "--staff"))
        terms = ("purposes=PublicPolicyMaking", "ends=2099-12-31", "transfer_basis=no-personal-data")
        words = [word for term in terms for word in ("--set", term)]
        draft = helsinki.json("agreements", "draft", "restricted-data", "--with", "london", "--cover", SURVEYS, *words)
        name = draft["drafts"][0]["id"]
        helsinki.say("agreements", "propose", name, "--yes", "--token-file", tokens["helsinki"])
        (theirs,) = london.json("agreements", "list")["negotiations"]
        signed = ("--yes", "--token-file", tokens["london"], "--wait", "60")
        self._agreement = london.json("agreements", "approve", theirs["id"], *signed)["id"]

    # ------------------------------------------------------------ great parts

    def great(self, *, push: bool) -> None:
        """Move the great part once, and see that no process grows with it."""
        to = self._to / ("pushed" if push else "pulled")
        begun = time.monotonic()
        with _watching([self._helsinki, self._london]) as most:
            words = self._words(GREAT, to, push=push)
            process = self._london.begin(*words)
            if process.wait(EACH_S):
                raise RigError(f"{words} ended with {process.returncode}\n{self._london.log.read_text()[-2_000:]}")
        size, took_s = (self._sources / GREAT).stat().st_size, time.monotonic() - begun
        self._check(GREAT, to)
        (to / GREAT).unlink()
        grown = {role: most[role] - first for role, first in most.first.items()}
        self._tell(f"{'pushed' if push else 'pulled'} {size >> 20} MiB at {size / took_s / 1e6:.0f} MB/s; {most}")
        if max(grown.values()) > GROWTH_BYTES:
            raise RigError(f"memory grew with the part: {most}")

    def _words(self, part: str, to: Path, *, push: bool) -> list[object]:
        more = ["--push"] if push else []
        purpose = ["--purpose", "PublicPolicyMaking"]
        return [
            "data",
            "get",
            DATASET,
            "--peer",
            "helsinki",
            "--part",
            part,
            *purpose,
            "--to",
            f"{to}/",
            "--wait",
            "600",
            *more,
        ]

    # ------------------------------------------------------------ chaos

    def chaos(self, seconds: float) -> None:
        """Do harm for so long, then let everything come to its end and look at it."""
        until, turn = time.monotonic() + seconds, 0
        acts = (self._get, self._spoil, self._heal, self._kill_get, self._kill_process, self._pause)
        while time.monotonic() < until:
            (act,) = self._chance.choices(acts, weights=(6, 3, 2, 2, 2, 1))
            act()
            self._counts[act.__name__.strip("_")] += 1
            turn += 1
            if turn % 25 == 0:
                self._tell(f"{until - time.monotonic():.0f} s left; {dict(self._counts)}")
            time.sleep(self._chance.uniform(0.2, 2.0))
        self._calm()

    def _get(self) -> None:
        """Begin to get a part, unless enough are under way."""
        if sum(process.poll() is None for _, process in self._begun.values()) >= 4:
            return
        name = f"{len(self._begun):04d}"
        words = self._words(f"{self._chance.choice(SIZES)}.bin", self._to / name, push=self._chance.random() < 0.4)
        self._begun[name] = (words, self._london.begin(*words))

    def _spoil(self) -> None:
        self._chance.choice(self._two.proxies).faults = self._chance.choice(BAD)

    def _heal(self) -> None:
        self._two.heal()

    def _kill_get(self) -> None:
        running = [process for _, process in self._begun.values() if process.poll() is None]
        if running:
            self._chance.choice(running).kill()

    def _kill_process(self) -> None:
        one = self._chance.choice(self._two.cities)
        one.kill_process(self._chance.choice(("worker", "web 1")))

    def _pause(self) -> None:
        self._helsinki.ran("agreements", "suspend", self._agreement, "--reason", "A soak.")
        time.sleep(self._chance.uniform(0.5, 3.0))
        self._helsinki.ran("agreements", "resume", self._agreement)

    def _calm(self) -> None:
        """End all harm, run every command again until it is through, and look at what is here."""
        self._two.heal()
        self._helsinki.ran("agreements", "resume", self._agreement)
        for _, process in self._begun.values():
            process.wait(ALL_S)
        for name, (words, process) in self._begun.items():
            if process.returncode:
                wait_for(lambda words=words: self._london.ran(*words).returncode == 0, name, self._london.log, ALL_S)  # type: ignore[misc]
            self._check(str(words[words.index("--part") + 1]), self._to / name)
        kinds = Counter[str]()
        for one in self._two.cities:
            kinds.update(each["kind"] for each in one.json("evidence", "list", "--limit", "1000"))
        self._tell(f"data: {dict(self._counts)}; {len(self._begun)} parts here exactly; evidence {dict(kinds)}")
        if kinds["difference"]:
            raise RigError(f"{kinds['difference']} receipts differ")

    def _check(self, part: str, to: Path) -> None:
        if _digest(to / part) != _digest(self._sources / part):
            raise RigError(f"{to / part} is not what was sent")


class _Most(dict[str, int]):
    """The most memory that each process had, and what it had first."""

    first: dict[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{role} {self.first[role] >> 20} to {size >> 20} MiB" for role, size in self.items())


@contextmanager
def _watching(cities: list[City]) -> Iterator[_Most]:
    """Look at the memory of every process ten times a second."""
    over, most = Event(), _Most()
    most.first = {}

    def look() -> None:
        while not over.wait(0.1):
            for one in cities:
                pid = one.process.pid if one.process else 0
                for role, size in (resident(pid) if pid else {}).items():
                    name = f"{one.slug} {role}"
                    most.first.setdefault(name, size)
                    most[name] = max(most.get(name, 0), size)

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join(5)


def _write(path: Path, size: int) -> None:
    """Write bytes that no coding makes shorter, the same for each size."""
    chance = random.Random(size)
    with path.open("wb") as file:
        block = chance.randbytes(1 << 20)
        for begins in range(0, size, 1 << 20):
            # Every block differs, so that one in the wrong place is found.
            file.write((begins.to_bytes(8, "big") + block[8:])[: size - begins])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
