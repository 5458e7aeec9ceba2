"""Five cities under everything at once: records change, processes are killed, the network cuts, corrupts and lies.

What happens is drawn from a seed; when it happens depends on the machine, so two runs are alike and not the same. Then
all faults end and three things must become true, each looked at from outside: every mirror has its origin's checkpoint;
nothing that a harvest acknowledged is missing anywhere; and no byte is held that the signed roots do not prove. `Tally`
counts what was done, so that a run that did no harm cannot pass for one that survived it.
"""

import itertools
import random
import re
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from node.testing import evidence
from node.testing.city import OPEN_DATA, City, RigError
from node.testing.cluster import HARVEST_S, SOURCE, Cluster
from node.testing.proxy import GONE, Faults

BAD = (
    Faults(cut=0.4),
    Faults(corrupt=0.4),
    Faults(cut=0.15, corrupt=0.15, replay=0.15, drip=0.1, drip_s=1.5, delay=0.15),
    Faults(corrupt=0.6, paths=r"/entries$|/checkpoints$"),
    Faults(replay=0.5),
    Faults(refuse=0.5),
    GONE,
)
CONVERGE_S, AGAIN_S = 120.0, 30.0
PAUSE_S = (0.1, 1.0)

Said = frozenset[tuple[str, str]]  # records with their titles, as one harvest left them


@dataclass
class Tally:
    """What was done to a cluster, and what was found afterwards."""

    counts: Counter[str] = field(default_factory=Counter)
    entries: int = 0
    proven: int = 0
    converged_s: float = 0.0

    def __str__(self) -> str:
        """Say it in lines for people."""
        shown = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        return (
            f"chaos: {shown}\n"
            f"level after {self.converged_s:.1f} s; {self.entries} entries in all, "
            f"{self.proven} proven over all cities, none lost"
        )


@dataclass
class _Harvest:
    """A harvest under way, and what it will have acknowledged if it ends well."""

    process: "subprocess.Popen[str]"
    said: Said


class Chaos:
    """One run over a cluster whose cities are running and follow each other. Not to be used twice."""

    def __init__(self, cluster: Cluster, *, seed: int, seconds: float, tell: Callable[[str], object] = str) -> None:
        """Take a level cluster; `tell` hears one line now and then."""
        self.cluster = cluster
        self.tally = Tally()
        self._chance = random.Random(seed)  # noqa: S311 (what to break, not what to keep secret)
        # In turn, so that a short run meets every kind.
        self._bad = itertools.cycle(self._chance.sample(BAD, len(BAD)))
        self._seconds = seconds
        self._tell = tell
        self._harvests: dict[str, _Harvest] = {}
        self._acknowledged: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._newest: dict[str, Said] = {}

    def run(self) -> Tally:
        """Do harm for the time given, then heal everything and prove that nothing came of it.

        Raises:
            RigError: The cities did not become level, or something is missing or unproven.
        """
        until = time.monotonic() + self._seconds
        turn = 0
        while time.monotonic() < until:
            self._turn()
            turn += 1
            if turn % 25 == 0:
                self._tell(f"{until - time.monotonic():.0f} s left; {dict(self.tally.counts)}")
            time.sleep(self._chance.uniform(*PAUSE_S))
        self._calm()
        self._prove()
        return self.tally

    # ------------------------------------------------------------ harm

    def _turn(self) -> None:
        one = self._chance.choice(self.cluster.cities)
        (act,) = self._chance.choices(
            (self._change, self._spoil, self._heal, self._kill_process, self._kill_harvest, self._kill_node),
            weights=(7, 7, 2, 2, 1, 1),
        )
        act(one)
        self._wake()

    def _change(self, one: City) -> None:
        """Change a portal and begin to harvest it, unless a harvest of that city is still under way."""
        if not self._has_ended(one):
            return
        portal = self.cluster.portal_of(one)
        known = sorted(portal.titles)
        new = portal.add(self._chance.randint(1, 5))
        changed = self._chance.sample(known, min(len(known), self._chance.randint(1, 8)))
        portal.change(*changed)
        gone = self._chance.sample(known, min(len(known) // 4, self._chance.randint(0, 2)))
        portal.withdraw(*gone)
        self.tally.counts.update({"added": len(new), "changed": len(changed), "withdrawn": len(gone)})
        said = frozenset(portal.titles.items())
        self._harvests[one.slug] = _Harvest(one.begin("harvest", "run", SOURCE), said)

    def _has_ended(self, one: City, *, within_s: float = 0.0) -> bool:
        """Tell whether the city's harvest has ended; if it ended well, what it read is acknowledged."""
        under_way = self._harvests.get(one.slug)
        if under_way is None:
            return True
        try:
            code = under_way.process.wait(within_s) if within_s else under_way.process.poll()
        except subprocess.TimeoutExpired:
            return False
        if code is None:
            return False
        del self._harvests[one.slug]
        self.tally.counts["harvests acknowledged" if code == 0 else "harvests broken"] += 1
        if code == 0:
            self._acknowledged[one.slug] |= under_way.said
            self._newest[one.slug] = under_way.said
        return True

    def _spoil(self, one: City) -> None:
        self.cluster.proxy_of(one).faults = next(self._bad)

    def _heal(self, one: City) -> None:
        self.cluster.proxy_of(one).heal()

    def _kill_process(self, one: City) -> None:
        name = self._chance.choice(("worker", "web 1"))
        if one.is_running and one.kill_process(name):
            self.tally.counts[f"kills of a {name.split()[0]} process"] += 1

    def _kill_node(self, one: City) -> None:
        if one.is_running:
            one.kill()
            self.tally.counts["kills of a whole node"] += 1

    def _kill_harvest(self, one: City) -> None:
        under_way = self._harvests.get(one.slug)
        if under_way is not None and under_way.process.poll() is None:
            under_way.process.kill()
            self.tally.counts["kills of a harvest"] += 1

    def _wake(self) -> None:
        """Start again what lies dead, but not at once: the others should notice that it was away."""
        for one in self.cluster.cities:
            if not one.is_running and self._chance.random() < 0.25:
                one.launch()

    # ------------------------------------------------------------ peace

    def _calm(self) -> None:
        """End all faults, wake everyone, and harvest each portal to the end once more."""
        self.cluster.heal()
        self.cluster.start()
        for one in self.cluster.cities:
            if not self._has_ended(one, within_s=HARVEST_S):
                raise RigError(f"a harvest of {one.name} did not end within {HARVEST_S:g} s")
        begun = time.monotonic()
        self.cluster.together(self._harvest_well, self.cluster.cities)
        self.cluster.until_level(CONVERGE_S)
        self.tally.converged_s = time.monotonic() - begun
        for what, count in self.cluster.counts().items():
            self.tally.counts[_SPELT.get(what, what)] += count

    def _harvest_well(self, one: City) -> None:
        self.cluster.harvest(one)
        self._newest[one.slug] = frozenset(self.cluster.portal_of(one).titles.items())
        self._acknowledged[one.slug] |= self._newest[one.slug]

    # ------------------------------------------------------------ proof

    def _prove(self) -> None:
        """Look at every collection at every city."""
        for origin in self.cluster.cities:
            lists = self._lists(f"{origin.base_url}/collections/{OPEN_DATA}")
            own = lists[origin.slug]
            self.tally.entries += len(own)
            for slug, held in lists.items():
                self._compare(origin, slug, held, own)
                self.tally.proven += len(held)
        self.cluster.together(self._verify, self.cluster.cities)
        for one in self.cluster.cities:
            self.tally.counts.update(_refusals(one))

    def _lists(self, collection: str) -> dict[str, list[evidence.Held]]:
        """Read a collection from every city; waits for what a mirror asks for again because it came broken."""
        until = time.monotonic() + AGAIN_S
        while True:
            lists = {one.slug: evidence.entries(one, collection) for one in self.cluster.cities}
            first, *others = lists.values()
            if all(each == first for each in others) or time.monotonic() > until:
                return lists
            time.sleep(0.5)

    def _compare(self, origin: City, slug: str, held: list[evidence.Held], own: list[evidence.Held]) -> None:
        if held != own:
            first = next(each.seq for each, other in zip(held, own, strict=False) if each != other)
            raise RigError(f"{slug} holds entry {first} of {origin.name} otherwise than {origin.name} itself")
        lost = self._acknowledged[origin.slug] - _said_by(held)
        if lost:
            raise RigError(f"{slug} has lost {len(lost)} acknowledged records of {origin.name}: {sorted(lost)[:3]}")
        live = _live(held)
        if live != self._newest[origin.slug]:
            apart = sorted(live ^ self._newest[origin.slug])[:3]
            raise RigError(f"what {slug} has of {origin.name} is not what was harvested last: {apart}")

    def _verify(self, one: City) -> None:
        """Let the node verify all it holds, and ask it for every live record as a reader would."""
        one.say("journal", "verify")
        for origin in self.cluster.cities:
            for iri, title in sorted(self._newest[origin.slug])[:: max(1, len(self._newest[origin.slug]) // 20)]:
                status, body = one.record(iri)
                if status != 200 or f'"{title}"' not in body.decode():
                    raise RigError(f"{one.name} answers {status} for {iri} of {origin.name}, which is {title!r}")


_SPELT = {
    "cut": "bodies cut",
    "corrupt": "bytes corrupted",
    "replay": "answers replayed",
    "drip": "bodies dripped",
    "delay": "answers delayed",
    "refuse": "connections refused",
    "away": "requests to a dead node",
    "passed": "exchanges unharmed",
    "pulled": "pages asked for",
}


def _refusals(one: City) -> Iterator[str]:
    """Name what a city refused of others or could not get, by the codes in its log."""
    for event in one.events():
        if event.get("logger") == "citynode.federation" and event.get("code"):
            yield f"pulls ended by {event['code']}"


def _said_by(held: list[evidence.Held]) -> set[tuple[str, str]]:
    """Give every record and title that was ever put."""
    return {(str(each.opening["record"]), _title(each)) for each in held if each.opening and each.payload}


def _live(held: list[evidence.Held]) -> Said:
    """Give the newest title of every record that was not withdrawn."""
    newest: dict[str, str] = {}
    for each in held:
        if each.opening is None:
            continue
        record = str(each.opening["record"])
        newest.pop(record, None)
        if each.opening["op"] == "put":
            newest[record] = _title(each)
    return frozenset(newest.items())


def _title(held: evidence.Held) -> str:
    record = re.escape(str((held.opening or {}).get("record")))
    found = re.search(f'^<{record}> <http://purl\\.org/dc/terms/title> "([^"]*)"', held.payload or "", re.MULTILINE)
    return found.group(1) if found else ""
