"""Nothing restricted shows: two cities that differ by it alone answer whoever has no right to it byte for byte alike.

One city holds secrets (a restricted collection with live, withdrawn and erased records, a harvest run that made it, a
restricted mirror, an agreement, an offer); its twin has the same keys, peers and public records and none of that. Every
door is tried at every address by everybody without a right, and the work behind an address that holds a secret is the
same as behind one that holds nothing. A door to come joins `DOORS` and is tested like the others.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from starlette.routing import Route

from node.db import HotReader, Tx
from node.journal import Draft, catch_up
from tests.catalog.rig import BASE
from tests.federation.agreed import now_ms
from tests.journal.rig import payload_of
from tests.web.leak_doors import DOORS, QUERIES
from tests.web.leak_rig import LONDON, OSLO, SECRET, WORD, Door, World, twin_cities

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

# What may differ between any two replies.
VOLATILE = {"x-request-id", "date", "ratelimit", "ratelimit-policy", "signature", "signature-input"}
# What a parameter of an address stands for, so that the address is that of a secret, if anything.
NAMED = {
    "plural": "datasets", "slug": WORD, "name": WORD, "peer": "london", "number": "1", "seq": "1", "code": "not-found",
    "action": "package_show", "record": quote(SECRET, safe=""), "iri": f"{BASE}/collections/{WORD}", "pid": WORD,
    "rest": "0/000", "origin": "0" * 64, "model": WORD, "kind": "practices", "form": "bib",
    "change": "added", "secret": WORD, "part": WORD, "transfer": WORD,
}  # fmt: skip
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@pytest.fixture(scope="module")
def twins(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    with twin_cities(tmp_path_factory.mktemp("twins"), migrated) as made:
        yield made


def shown(reply: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in reply.headers.items() if name not in VOLATILE}
    return reply.status_code, headers, reply.content


@pytest.mark.parametrize("who", ["nobody", "oslo", "program"])
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_with_and_without_secrets_every_door_answers_alike(twins: tuple[World, World], door: Door, who: str) -> None:
    full, empty = twins
    for path in (*door.general, *door.named(full)):
        for method in ("GET", "HEAD"):
            found, expected = (shown(world.enter(who, method, path, door)) for world in (full, empty))
            assert found == expected, (method, path)
            if path in door.general:
                assert WORD.encode() not in found[2].lower(), path


@pytest.mark.parametrize("who", ["nobody", "oslo", "program"])
def test_no_address_of_a_node_tells_the_two_apart(twins: tuple[World, World], who: str) -> None:
    full, empty = twins
    app: Any = full.rig.client.app
    while not hasattr(app, "routes"):
        app = app._app
    templates = {route.path for route in app.routes if isinstance(route, Route) and "GET" in (route.methods or ())}
    for template in sorted(templates - {"/metrics"}):  # which counts what it was asked, and has a law of its own
        path = _PARAMETER.sub(lambda found: NAMED[found[1]], template)
        for query in ("", f"?iri={SECRET}&id={WORD}", f"?name={full.agreement}", f"?q={WORD}"):
            found, expected = (shown(world.ask(who, "GET", path + query)) for world in (full, empty))
            assert found == expected, path + query


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_the_methods_of_an_address_do_not_tell_what_is_there(twins: tuple[World, World], door: Door) -> None:
    full, empty = twins
    for path in door.named(full):
        for method in ("OPTIONS", "POST", "PUT", "DELETE"):
            assert shown(full.ask("nobody", method, path)) == shown(empty.ask("nobody", method, path)), (method, path)


class Counting:
    """Counts the questions that are put to the database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        for kind in (HotReader, Tx):
            for name in ("row", "rows"):
                monkeypatch.setattr(kind, name, self._counted(getattr(kind, name)))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def asked(this: Any, sql: str, *params: Any) -> Any:
            self.asked.append(sql)
            return real(this, sql, *params)

        return asked

    def during(self, act: Callable[[], object]) -> list[str]:
        """What one answer asks; now and then one tidies up besides, so the shortest of three counts."""
        act()  # what is remembered is remembered for both
        found = []
        for _ in range(3):
            self.asked.clear()
            act()
            found.append(list(self.asked))
        return min(found, key=len)


@pytest.mark.parametrize("who", ["nobody", "oslo", "program"])
@pytest.mark.parametrize(
    "door", [door for door in DOORS if door.named is not Door("").named], ids=lambda door: door.name
)
def test_a_secret_takes_as_many_questions_as_nothing(
    twins: tuple[World, World], door: Door, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, _ = twins
    counting = Counting(monkeypatch)
    for path in door.named(full):
        missing = path.replace(WORD, "qumranix").replace(full.agreement.rpartition("/")[2], "0" * 36)
        missing = missing.replace(full.pair, full.pair[:-8] + "0" * 8)
        found, expected = (
            counting.during(lambda path=one: full.enter(who, "GET", path, door))  # type: ignore[misc]
            for one in (path, missing)
        )
        assert found == expected, path


def test_metrics_have_no_label_of_a_secret(twins: tuple[World, World]) -> None:
    full, empty = twins
    names = []
    for world in (full, empty):
        for door in DOORS:
            for path in door.named(full):
                world.ask("nobody", "GET", path)
        text = world.ask("nobody", "GET", "/metrics").text
        assert WORD not in text
        names.append({line.rpartition(" ")[0] for line in text.splitlines() if line.startswith("citynode_")})
    assert names[0] == names[1]


def test_peers_report_about_secrets_as_about_nothing(twins: tuple[World, World]) -> None:
    full, empty = twins
    for path, member in (("/federation/erasures", "seqs"), ("/federation/refusals", "refusals")):
        for iri in (f"{BASE}/collections/{WORD}", f"{BASE}/collections/{full.pair}", f"{LONDON}/collections/{WORD}"):
            said = []
            for world in (full, empty):
                token = world.rig.peer_token(OSLO)
                said.append(shown(world.rig.as_peer("POST", path, token=token, body={"collection": iri, member: []})))
            assert said[0] == said[1], (path, iri)


def test_the_party_of_an_agreement_is_told_and_hears_of_nothing_else(twins: tuple[World, World]) -> None:
    full, _ = twins
    reply = full.rig.as_peer("GET", f"/collections/{WORD}/entries", token=full.rig.peer_token(LONDON))
    assert reply.status_code == 200
    assert WORD not in full.ask("oslo", "GET", "/catalog.ttl").text
    catalogue = full.rig.as_peer("GET", "/catalog.ttl", token=full.rig.peer_token(LONDON))
    assert WORD in catalogue.text
    assert catalogue.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "path", [f"/search.json?q={WORD}", f"/sparql/restricted?query={quote(QUERIES[3])}", f"/datasets/{WORD}.nt"]
)
def test_staff_finds_through_each_door_what_the_others_do_not(twins: tuple[World, World], path: str) -> None:
    told = []
    for world in twins:
        if "staff" not in world.secrets:
            named = world.city.node.federation.named_tokens
            world.secrets["staff"] = named.issue("staff", staff=True, now_ms=now_ms())[1]
        told.append(shown(world.ask("staff", "GET", path))[2])
    assert told[0] != told[1]


def test_what_is_in_memory_is_not_given_to_a_token_that_does_not_hold(twins: tuple[World, World]) -> None:
    full, _ = twins
    for _ in range(2):
        assert full.ask("nobody", "GET", "/datasets/d1.ttl").status_code == 200
    reply = full.rig.say("GET", "/datasets/d1.ttl", headers={"authorization": "Bearer cn_no"})
    assert reply.status_code == 401


def test_what_this_city_publishes_as_a_whole_has_nothing_restricted_in_it_whoever_asks(
    twins: tuple[World, World],
) -> None:
    full, empty = twins
    for path in ("/catalog.nq.gz", "/.well-known/void", "/checkpoints", "/federation.json"):
        told = [shown(world.rig.as_peer("GET", path, token=world.rig.peer_token(LONDON))) for world in (full, empty)]
        assert told[0] == told[1], path


def test_an_address_that_was_public_and_is_withdrawn_says_so_though_something_restricted_is_there_now(
    twins: tuple[World, World],
) -> None:
    full, _ = twins
    node, iri = full.city.node, f"{BASE}/datasets/moved"
    put = Draft(iri, "moved", "dataset", "put", payload_of(iri, "Moved"))
    for collection, drafts in (("open-data", [put, Draft(iri, "moved", "dataset", "withdraw", None)]), (WORD, [put])):
        for draft in drafts:
            with node.db.write() as tx:
                node.journals.append(tx, collection, [draft], at_ms=now_ms())
    for follower in node.followers:
        catch_up(node.journals, follower)
    assert full.ask("nobody", "GET", "/datasets/moved").status_code == 410
