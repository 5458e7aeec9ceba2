"""Several cities with a fault proxy before each, introduced to each other by the commands their operators would use.

The first city of a call acts, the second is acted upon: `follow(london, helsinki)` lets London mirror Helsinki. Slow
steps that do not depend on each other run side by side, as many as the machine has processors. A cluster is *level*
when every city holds, of every public collection of any of them, the same checkpoint as its origin.
"""

import contextlib
import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

from node.testing.city import OPEN_DATA, City, Head, RigError, wait_for
from node.testing.portal import Portal
from node.testing.ports import free_port
from node.testing.proxy import FaultProxy, Faults

NAMES = ("Helsinki", "London", "Antwerp", "Ghent", "Bratislava", "Tallinn", "Porto", "Turku", "Lyon", "Graz")
LEVEL_S, HARVEST_S = 60.0, 60.0
TRY_AGAIN = 3  # the exit code of what may be said again
# Suited to tests: peers are asked often, and a source that shrinks by half is no accident.
QUICK = {"CITYNODE_PEER_POLL_S": "2", "CITYNODE_NOTIFY_AFTER_MS": "100", "CITYNODE_WITHDRAW_THRESHOLD_PERCENT": "100"}
SOURCE = "own"
T = TypeVar("T")


class Cluster:
    """So many real nodes on this machine. `cities`, `proxies` and `portals` are in the same order.

    Args:
        folder: Where the data folders, logs and portal files go; nothing is removed, so that a failure can be read.
        size: How many cities, at most ten.
        seed: Of the proxies' faults.
        environ: Settings for every city, over those that suit tests (`QUICK`).
    """

    def __init__(self, folder: Path, size: int = 2, *, seed: int = 0, environ: Mapping[str, str] | None = None) -> None:
        if not 1 <= size <= len(NAMES):
            raise ValueError(f"a cluster has 1 to {len(NAMES)} cities")
        self.folder = folder
        self.size = size
        self.seed = seed
        self.environ = {**QUICK, **(environ or {})}
        self.cities: list[City] = []
        self.proxies: list[FaultProxy] = []
        self.portals: list[Portal] = []
        self.follows: set[tuple[str, str]] = set()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            for number, name in enumerate(NAMES[: self.size]):
                self._place(stack, number, name)
            self.together(City.make, self.cities)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.cities:
            if one.process is not None and one.is_running:
                one.process.terminate()
        self._stack.close()

    def _place(self, stack: contextlib.ExitStack, number: int, name: str) -> None:
        port = free_port()
        proxy = stack.enter_context(FaultProxy(port, seed=self.seed * 100 + number, port=free_port()))
        one = City(self.folder / name.lower(), name=name, port=port, environ=dict(self.environ), public_url=proxy.url)
        stack.callback(one.end)
        self.cities.append(one)
        self.proxies.append(proxy)
        self.portals.append(Portal(self.folder / f"{one.slug}.ttl", host=f"https://{one.slug}.example"))

    def together(self, what: Callable[[T], object], things: Iterable[T]) -> None:
        """Do one thing with each, side by side; the first failure is raised when all are done."""
        with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
            done = [pool.submit(what, thing) for thing in things]
        for one in done:
            one.result()

    # ------------------------------------------------------------ life

    def start(self) -> Self:
        """Run every city that is not running, and wait until all are ready."""
        asleep = [one for one in self.cities if not one.is_running]
        for one in asleep:
            one.launch()
        for one in asleep:
            one.until_ready()
        return self

    def spoil(self, faults: Faults) -> None:
        """Put the same faults before every city."""
        for proxy in self.proxies:
            proxy.faults = faults

    def heal(self) -> None:
        """End all faults."""
        for proxy in self.proxies:
            proxy.heal()

    def counts(self) -> Counter[str]:
        """Add up what all proxies did; `pulled` counts the pages that were asked for."""
        total = sum((proxy.counts for proxy in self.proxies), Counter[str]())
        pages = (e for proxy in self.proxies for e in proxy.exchanges if "/entries?" in e.target)
        total["pulled"] = sum(1 for _ in pages)
        return total

    def portal_of(self, one: City) -> Portal:
        """Give a city's portal."""
        return self.portals[self.cities.index(one)]

    def proxy_of(self, one: City) -> FaultProxy:
        """Give the proxy before a city."""
        return self.proxies[self.cities.index(one)]

    # ------------------------------------------------------------ what cities say to each other

    def introduce(self, one: City, other: City) -> None:
        """Let two running cities know and approve each other, by the commands of their operators."""
        for here, there in ((one, other), (other, one)):
            here.say("peers", "add", there.say("peers", "invite").strip(), "--name", there.slug)
            here.say("peers", "approve", there.slug, "--yes")

    def follow(self, follower: City, origin: City, collection: str = OPEN_DATA) -> None:
        """Let the first city mirror a collection of the second, by the command of its operator."""
        follower.say("peers", "follow", origin.slug, collection)
        self._followed(follower, origin, collection)

    def introduce_all(self) -> None:
        """Let every two running cities know each other, and each mirror the open data of all others.

        Through the staff's API, since sixty commands take a minute.
        """
        invitations = {one.slug: one.api("GET", "/invitation")["invitation"] for one in self.cities}
        for one, other in self.pairs():
            one.api("POST", "/peers", {"invitation": invitations[other.slug], "name": other.slug})
            review = one.api("GET", f"/peers/{other.slug}/review")["review"]
            one.api("POST", f"/peers/{other.slug}/approve", {"review": review})
        for one, other in self.pairs():
            one.api("POST", f"/peers/{other.slug}/follows", {"collections": [OPEN_DATA]})
            self._followed(one, other, OPEN_DATA)

    def _followed(self, follower: City, origin: City, collection: str) -> None:
        self.follows.add((follower.slug, f"{origin.base_url}/collections/{collection}"))

    # ------------------------------------------------------------ records

    def sow(self, number: int) -> None:
        """Give every city a portal of so many datasets and harvest it once."""

        def plant(one: City) -> None:
            portal = self.portal_of(one)
            portal.add(number)
            one.say("sources", "add", SOURCE, portal.path, "--kind", "dcat", "--collection", OPEN_DATA)
            self.harvest(one)

        self.together(plant, self.cities)

    def harvest(self, one: City) -> Mapping[str, Any]:
        """Harvest a city's portal and give the run; waits for one that the city began by itself.

        Raises:
            RigError: The harvest did not succeed, or could not begin within a minute.
        """
        until = time.monotonic() + HARVEST_S
        while (done := one.ran("harvest", "run", SOURCE, "--json")).returncode == TRY_AGAIN:
            if time.monotonic() > until:
                break
            time.sleep(0.2)
        run: Mapping[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
        if run.get("state") != "succeeded":
            raise RigError(f"{one.name}: harvest run: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return run

    # ------------------------------------------------------------ level

    def apart(self) -> list[str]:
        """Say what is not level yet, one sentence each: a city, a collection, and both states."""
        heads = {one.slug: one.heads() for one in self.cities}
        origins = {iri: self._origin(iri) for _, iri in self.follows}
        return [
            f"{follower} holds {_shown(heads[follower].get(iri))} of {iri}, its origin {_shown(wanted)}"
            for follower, iri in sorted(self.follows)
            if (wanted := heads[origins[iri].slug].get(iri)) is None or heads[follower].get(iri) != wanted
        ]

    def until_level(self, within_s: float = LEVEL_S) -> None:
        """Wait until every mirror has its origin's newest checkpoint.

        Raises:
            RigError: They were still apart after `within_s`; the message says who and by how much.
        """
        try:
            wait_for(lambda: not self.apart(), "all mirrors to be level", None, within_s, every_s=0.2)
        except RigError as late:
            raise RigError(f"{late}" + "\n".join(self.apart())) from None

    def _origin(self, iri: str) -> City:
        return next(one for one in self.cities if iri.startswith(one.base_url + "/"))

    def pairs(self) -> list[tuple[City, City]]:
        """Give every ordered pair of two cities."""
        return list(itertools.permutations(self.cities, 2))


def _shown(head: Head | None) -> str:
    return f"size {head.size} root {head.root[:8]}" if head else "nothing"
