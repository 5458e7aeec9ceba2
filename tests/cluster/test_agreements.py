"""Two real cities sign, use, amend, suspend and revoke an agreement over the wire, by the command line alone.

What each law leaves is where the next begins; the last proves all of it from both sides' journals, without a node. Only
looking whether something has happened yet goes over the staff's API: a command takes a second to start.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from node.testing import City, Cluster, Portal, wait_for

PLANS = "plans"
END = "2031-12-31"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # So rarely asked that only a notice explains what comes soon.
    environ = {"CITYNODE_PEER_POLL_S": "60", "CITYNODE_NOTIFY_AFTER_MS": "200"}
    with Cluster(tmp_path_factory.mktemp("agreements"), 2, environ=environ) as two:
        helsinki, london = two.cities
        portal = Portal(two.folder / "plans.ttl", prefix="plan", host="https://plans.helsinki.example")
        portal.add(5)
        helsinki.say("collections", "create", PLANS, "--visibility", "restricted")
        helsinki.say("sources", "add", PLANS, portal.path, "--kind", "dcat", "--collection", PLANS)
        helsinki.say("harvest", "run", PLANS)
        two.start().introduce(helsinki, london)
        yield two


@pytest.fixture(scope="module")
def tokens(two: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file with a staff token of one person in each city."""
    folder = tmp_path_factory.mktemp("tokens")
    for one, person in zip(two.cities, ("maija", "john"), strict=True):
        (folder / one.slug).write_text(one.say("tokens", "issue", person, "--staff"))
    return {one.slug: folder / one.slug for one in two.cities}


def agreements(one: City) -> dict[str, Any]:
    return {each["title"]: each for each in one.json("agreements", "list", "--all")["agreements"]}


def state(one: City, iri: str) -> str:
    return str(one.api("GET", f"/agreements/one?name={quote(iri, safe='')}")["state"])


def until(one: City, iri: str, wanted: str) -> None:
    wait_for(lambda: state(one, iri) == wanted, f"{iri} to be {wanted} in {one.name}", one.log, 30)


def theirs(one: City) -> str:
    """The name of the negotiation that waits for us, once it is here: the other city's worker may be its sender."""

    def waiting() -> list[dict[str, Any]]:
        return [each for each in one.api("GET", "/agreements")["negotiations"] if each["waits_for"] == "us"]

    wait_for(lambda: bool(waiting()), f"an offer to be in {one.name}", one.log, 30)
    (found,) = waiting()
    return str(found["id"])


def held(london: City) -> int:
    mirrors = london.api("GET", "/peers/helsinki")["follows"]
    return next((each["verified_up_to"] for each in mirrors if each["collection"] == PLANS), 0)


def signed(two: Cluster, tokens: dict[str, Path], *draft: object) -> str:
    """Draft, propose, approve on both sides; give the agreement's IRI."""
    helsinki, london = two.cities
    made = helsinki.json("agreements", "draft", *draft)["drafts"][0]["id"]
    proposed = helsinki.json("agreements", "propose", made, "--yes", "--token-file", tokens["helsinki"])
    assert proposed["state"] == "offered"
    name = theirs(london)
    assert "Helsinki" in london.say("agreements", "explain", name)
    done = london.json("agreements", "approve", name, "--yes", "--token-file", tokens["london"], "--wait", "60")
    assert done["state"] == "in-force"
    until(helsinki, done["id"], "in-force")
    return str(done["id"])


def test_nothing_is_shared_without_an_agreement(two: Cluster) -> None:
    _, london = two.cities
    london.say("peers", "follow", "helsinki", PLANS)
    assert london.ran("exchange", "run", "helsinki").returncode == 1
    assert held(london) == 0


def test_two_cities_sign_and_the_one_mirrors_what_the_other_opened(two: Cluster, tokens: dict[str, Path]) -> None:
    helsinki, london = two.cities
    words = ("--set", "purposes=PublicPolicyMaking", "--set", "ends=2029-12-31", "--set", "transfer_basis=adequacy")
    signed(two, tokens, "restricted-data", "--with", "london", "--cover", PLANS, "--title", "Plans", *words)
    wait_for(lambda: held(london) == 5, "the plans to be held in London", london.log, 60)
    asked = ("--peer", "london", "--action", "use", "--collection", PLANS)
    purpose = ("--purpose", "https://w3id.org/dpv#PublicPolicyMaking")
    yes = helsinki.json("agreements", "simulate", *asked, *purpose)
    assert (yes["allowed"], bool(yes["sentence"])) == (True, True)
    assert not helsinki.json("agreements", "simulate", *asked, "--purpose", "https://w3id.org/dpv#Marketing")["allowed"]


def test_nobody_approves_with_a_token_that_is_none(two: Cluster, tokens: dict[str, Path]) -> None:
    helsinki, _ = two.cities
    draft = helsinki.json("agreements", "draft", "open-metadata", "--with", "london")["drafts"][0]["id"]
    assert helsinki.ran("agreements", "approve", draft, "--yes", "--token", "cn_nothing").returncode == 1
    assert helsinki.ran("agreements", "approve", draft, "--yes").returncode == 2
    assert helsinki.json("agreements", "show", draft)["approvals"] == []
    assert "dropped" in helsinki.say("agreements", "revoke", draft, "--yes")


def test_an_amendment_takes_the_place_of_what_it_replaces(two: Cluster, tokens: dict[str, Path]) -> None:
    helsinki, london = two.cities
    old = agreements(helsinki)["Plans"]["id"]
    new = signed(two, tokens, "--replaces", old, "--until", END, "--title", "Plans, longer")
    for one in (helsinki, london):
        until(one, old, "superseded")
        assert "2031" in one.say("agreements", "diff", new)


def test_a_suspension_holds_at_both_until_it_is_ended(two: Cluster) -> None:
    helsinki, london = two.cities
    iri = agreements(helsinki)["Plans, longer"]["id"]
    told = helsinki.json("agreements", "suspend", iri, "--reason", "An incident.")
    assert (told["state"], told["notice"]["sentence"]) == ("suspended", "delivered")
    until(london, iri, "suspended")
    assert london.json("agreements", "show", iri)["reason"] == "An incident."
    assert london.ran("agreements", "resume", iri).returncode == 1, "it is not London's to resume"
    helsinki.say("agreements", "resume", iri)
    until(london, iri, "in-force")


def test_a_revocation_holds_at_once_and_reaches_a_city_that_was_away(two: Cluster) -> None:
    helsinki, london = two.cities
    iri = agreements(helsinki)["Plans, longer"]["id"]
    helsinki.stop()
    told = london.json("agreements", "revoke", iri, "--yes", "--reason", "The purpose is over.")
    assert told["state"] == "revoked"
    assert "not delivered yet" in told["notice"]["sentence"]
    helsinki.start()
    until(helsinki, iri, "revoked")
    refused = helsinki.json("agreements", "simulate", "--peer", "london", "--action", "index", "--collection", PLANS)
    assert (refused["allowed"], refused["code"]) == (False, "revoked")
    assert helsinki.ran("agreements", "resume", iri).returncode == 1
    assert london.ran("agreements", "suspend", iri, "--reason", "No.").returncode == 1


def test_anybody_proves_a_public_agreement_by_its_address_without_a_node(
    two: Cluster, tokens: dict[str, Path], tmp_path: Path
) -> None:
    helsinki, london = two.cities
    words = ("--cover", "open-data", "--title", "For all to see")
    iri = signed(two, tokens, "open-metadata", "--with", "london", *words)
    for one, other in ((helsinki, london), (london, helsinki)):
        one.say("peers", "follow", other.slug, "agreements")
        one.ran("exchange", "run", other.slug, "--wait")  # of the plans nothing comes any more
    nowhere = City(tmp_path / "nowhere", name="Nobody", port=1)
    fingerprints = [word for one in two.cities for word in ("--fingerprint", one.json("identity")["fingerprint"])]
    for one in two.cities:
        told = one.ask("/agreements.json").json()["agreements"]
        (page,) = [each["record"] for each in told if each["agreement"] == iri]
        assert f"proven: {iri}" in nowhere.say("agreements", "verify", page, *fingerprints)
        said = nowhere.say("agreements", "verify", f"{page}/export.json?lang=fi")
        assert "proven, if these are the cities' fingerprints" in said
        assert "The public collection" in said
        (tmp_path / "taken.json").write_bytes(one.get(f"{page.removeprefix(one.base_url)}/export.json")[1])
        assert f"proven: {iri}" in nowhere.say("agreements", "verify", tmp_path / "taken.json", *fingerprints)
        assert "recomputed" in one.say("agreements", "verify", iri), "a party proves it by both whole journals"
    for bad, code in ((f"{helsinki.base_url}/agreements/none", 1), (f"{helsinki.base_url}/datasets/1", 2)):
        nowhere.say("agreements", "verify", bad, code=code)
    nowhere.say("agreements", "verify", "Plans", code=2)


def test_a_restored_city_reads_its_agreements_back_before_it_signs_again(
    two: Cluster, tokens: dict[str, Path], tmp_path: Path
) -> None:
    helsinki, london = two.cities
    backup, title = tmp_path / "backup.tar", "After the backup"
    helsinki.say("db", "backup", backup)
    iri = signed(two, tokens, "open-metadata", "--with", "london", "--cover", "open-data", "--title", title)
    helsinki.stop()
    helsinki.folder.rename(tmp_path / "lost")
    helsinki.say("db", "restore", backup)
    assert title not in agreements(helsinki)
    assert helsinki.ran("agreements", "draft", "open-metadata", "--with", "london").returncode == 0
    helsinki.say("recover")
    assert agreements(helsinki)[title]["state"] == "in-force"
    helsinki.start()
    helsinki.say("agreements", "suspend", iri, "--reason", "An incident.", "--yes")
    until(london, iri, "suspended")
    assert london.api("GET", "/peers/helsinki")["state"] == "active", "it saw one history"
    helsinki.say("agreements", "resume", iri)
    until(london, iri, "in-force")


def test_both_sides_journals_prove_it_with_and_without_a_node(two: Cluster, tmp_path: Path) -> None:
    helsinki, london = two.cities
    held = agreements(helsinki)
    files = {tmp_path / f"{one.slug}.json": one for one in two.cities}
    for file, one in files.items():
        for title in ("Plans", "Plans, longer"):
            assert "proven" in one.say("agreements", "verify", held[title]["id"])
        one.say("agreements", "export", held["Plans"]["id"], "--to", file)
    fingerprints = [word for one in two.cities for word in ("--fingerprint", one.json("identity")["fingerprint"])]
    helsinki.kill()
    london.kill()
    nowhere = City(tmp_path / "nowhere", name="Nobody", port=1)
    for file in files:
        assert "proven" in nowhere.say("agreements", "verify", file, *fingerprints)
    forged = tmp_path / "forged.json"
    forged.write_bytes(file.read_bytes().replace(b"odrl:sell", b"odrl:read"))
    nowhere.say("agreements", "verify", forged, *fingerprints, code=1)
