"""Agreements that say different things of one collection: prohibitions win at every door, and what is over is heard."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from node.assembly.clock import clock_ms
from node.errors import TooLarge
from node.federation.answers import Decision, Extent
from node.journal import catch_up
from tests.federation.agreed import MARKETING, RESEARCH, agree, atom, change, pair_of, permits
from tests.federation.cities import GHENT, HELSINKI, LONDON, City, cities
from tests.federation.rights.test_enforcement import Three, as_peer, pulled, staff

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

RESEARCHERS = permits("index", "read", constraint=[atom("purpose", "isA", RESEARCH)])


@pytest.fixture
def friends(migrated: Path, tmp_path: Path) -> Iterator[Three]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON, ghent=GHENT) as (helsinki, london, ghent):
        for one in (helsinki, london, ghent):
            for other in (helsinki, london, ghent):
                if one is not other:
                    one.meet(other, follow=())
        for name, first in (("plans", 1), ("surveys", 11)):
            helsinki.node.create_collection(name, title=name.title(), visibility="restricted", at_ms=clock_ms())
            helsinki.publish(*(helsinki.put(n) for n in range(first, first + 5)), collection=name)
        shelved(helsinki)
        london.node.federation.peers.follow("helsinki", ["plans", "surveys"], at_ms=clock_ms())
        yield helsinki, london, ghent


def shelved(city: City) -> None:
    for follower in city.node.followers:
        catch_up(city.node.journals, follower)


def forbids(*actions: str, constraint: Sequence[dict[str, Any]] = (), allow: Sequence[str] = ("use",)) -> Any:
    more = {"constraint": list(constraint)} if constraint else {}
    return permits(*allow) | {"prohibition": [{"action": f"odrl:{action}", **more} for action in actions]}


def forget(city: City) -> None:
    """Five minutes later, or after a restart: no token is held."""
    city.federation.token_source._accounts.clear()


def state(city: City, iri: str) -> str:
    found: str = city.node.federation.agreeing.agreements.get(iri).state_at(clock_ms())
    return found


# ---------------------------------------------------------------- that it is over is heard


def test_a_city_hears_of_a_revocation_though_its_token_would_name_what_was_revoked(friends: Three) -> None:
    helsinki, london, _ = friends
    one = agree(helsinki.node, london.node, records=[helsinki.record(1)], rules=RESEARCHERS)
    whole = agree(helsinki.node, london.node, "surveys", rules=RESEARCHERS)
    assert pulled(london, helsinki).level
    change(helsinki.node, one, "revoked")
    change(helsinki.node, whole, "suspended")
    forget(london)
    london.pull(helsinki)
    assert (state(london, one), state(london, whole)) == ("revoked", "suspended")
    assert london.get(f"/records?iri={helsinki.record(1)}", **staff(london)).status == 403


def test_the_journal_of_a_pair_is_read_with_a_token_that_names_no_agreement(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, records=[helsinki.record(1)], rules=RESEARCHERS)
    london.pull(helsinki)
    claims, pair = london.federation.token_source._claims, pair_of(helsinki.node, london.node)
    named = [bool(claims(HELSINKI, f"{HELSINKI}/collections/{name}")) for name in (pair, "plans", "surveys")]
    assert named == [False, True, False], "it stands in plans, as is known by now"
    assert sorted(bool(details) for _, details in london.federation.token_source._accounts) == [False, True]


def test_one_agreement_that_is_over_does_not_stop_what_others_permit(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans")
    over = agree(helsinki.node, london.node, records=[helsinki.record(2)], rules=RESEARCHERS)
    assert pulled(london, helsinki).level
    change(helsinki.node, over, "revoked")
    forget(london)
    helsinki.publish(helsinki.put(6), collection="plans")
    shelved(helsinki)
    assert pulled(london, helsinki).level
    assert london.shown("helsinki/plans") == helsinki.shown("plans")


def test_more_agreements_than_a_token_can_name_are_an_error_and_never_level(friends: Three) -> None:
    helsinki, london, _ = friends
    for number in range(1, 6):
        agree(helsinki.node, london.node, records=[helsinki.record(number)])
    for number in range(6, 17):
        agree(helsinki.node, london.node, records=[helsinki.record(number)], rules=RESEARCHERS)
    found = pulled(london, helsinki)
    assert not found.level
    assert isinstance(found.error, TooLarge)
    assert "one agreement" in found.error.fix


# ---------------------------------------------------------------- prohibitions win


def test_a_record_that_is_forbidden_is_at_no_door_though_its_collection_is_permitted(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans")
    title, iri = b"Title 3", helsinki.record(3)
    assert pulled(london, helsinki).level
    agree(helsinki.node, london.node, records=[iri], rules=forbids("index", "read"))
    for path in ("entries", "entries?seqs=1,2,3", "snapshot"):
        reply = as_peer(london, helsinki, f"/collections/plans/{path}")
        assert (reply.status, title in reply.body, b"Title 2" in reply.body) == (200, False, True), path
    for path in ("/collections/plans", "/collections/plans.nt"):
        reply = as_peer(london, helsinki, path)
        assert (reply.status, iri.encode() in reply.body) == (200, False), path
        assert helsinki.record(4).encode() in reply.body or b"d4" in reply.body, path
    for path in ("/datasets/d3", "/datasets/d3/proof", "/datasets/d3/findings.json", f"/records.nt?iri={iri}"):
        assert as_peer(london, helsinki, path).status == 403, path
    assert as_peer(london, helsinki, "/collections/plans/feed").status == 404, "a stream is given whole or not at all"
    token = staff(london)
    assert london.get(f"/records.nt?iri={iri}", **token).status == 403
    for path in ("/collections/helsinki/plans.nt", "/collections/helsinki/plans/entries"):
        reply = london.get(path, **token)
        assert (reply.status, iri.encode() in reply.body) == (200, False), path


def test_a_mirror_begins_without_the_records_that_are_forbidden(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans")
    agree(helsinki.node, london.node, records=[helsinki.record(3)], rules=forbids("index"))
    # Helsinki gives it all the same; London takes what is not forbidden.
    helsinki.federation.rights._decisions.extent = lambda ask, now_ms, *, name="": Extent(Decision(allowed=True))
    assert pulled(london, helsinki).level
    assert sorted(london.shown("helsinki/plans")) == [helsinki.record(number) for number in (1, 2, 4, 5)]


def test_pages_of_a_collection_leave_out_what_is_forbidden_and_nothing_else(friends: Three) -> None:
    helsinki, london, _ = friends
    helsinki.publish(*(helsinki.put(number) for number in range(100, 400)), collection="plans")
    shelved(helsinki)
    agree(helsinki.node, london.node, "plans")
    gone = [helsinki.record(number) for number in (1, 150, 201, 399)]
    agree(helsinki.node, london.node, records=gone, rules=forbids("read"))
    found: list[str] = []
    for number in range(1, 9):
        reply = as_peer(london, helsinki, f"/collections/plans.nt?page={number}")
        if reply.status != 200:
            break
        lines = reply.body.decode().splitlines()
        found += [line.partition(">")[0][1:] for line in lines if "#type> <http://www.w3.org/ns/dcat#Dataset>" in line]
    assert number > 2
    expected = {helsinki.record(number) for number in (*range(1, 6), *range(100, 400))} - set(gone)
    assert (len(found), set(found)) == (len(expected), expected)


def test_a_record_that_must_not_be_distributed_goes_to_no_third_city(friends: Three) -> None:
    helsinki, london, ghent = friends
    named = permits("distribute", constraint=[atom("recipient", "isAnyOf", [GHENT])])
    rules = {"permission": [*permits("index")["permission"], *named["permission"]]}
    agree(helsinki.node, london.node, "plans", rules=rules)
    pulled(london, helsinki)
    iri = helsinki.record(3)
    agree(helsinki.node, london.node, records=[iri], rules=forbids("distribute", allow=["read"]))
    for path in ("/collections/helsinki/plans/entries", "/collections/helsinki/plans.nt"):
        reply = as_peer(ghent, london, path)
        assert (reply.status, iri.encode() in reply.body, helsinki.record(2).encode() in reply.body) == (
            200,
            False,
            True,
        ), path
    assert as_peer(ghent, london, f"/records.nt?iri={iri}").status == 404
    assert as_peer(ghent, london, f"/records.nt?iri={helsinki.record(2)}").status == 200


def test_a_token_that_was_narrowed_does_not_slip_past_a_prohibition(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans")
    ban = agree(helsinki.node, london.node, "plans", rules=forbids("index"))
    digest = london.federation.agreeing.agreements.get(ban).digest
    detail = {"type": "agreement-access", "agreement": ban, "digest": digest, "actions": ["use"]}
    for claims in ((), (detail,)):
        london.federation.token_source._claims = lambda *_, claims=claims: claims
        reply = as_peer(london, helsinki, "/collections/plans/entries")
        assert (reply.status, orjson.loads(reply.body)["clause"]) == (403, f"{ban}#n1")


def test_a_program_under_one_agreement_is_bound_by_the_prohibitions_of_the_others(friends: Three) -> None:
    helsinki, london, _ = friends
    studio = "https://studio.example"
    limits = [atom("recipient", "isAnyOf", [studio]), atom("purpose", "isA", RESEARCH)]
    rules = {"permission": [*permits("index")["permission"], *permits("read", constraint=limits)["permission"]]}
    iri = agree(helsinki.node, london.node, "plans", rules=rules)
    pulled(london, helsinki)
    _, secret = london.federation.named_tokens.grant(
        "studio", agreement=iri, purpose=RESEARCH, recipient=studio, now_ms=clock_ms()
    )
    path, token = f"/records.ttl?iri={helsinki.record(1)}", {"authorization": f"Bearer {secret}"}
    assert london.get(path, **token).status == 200
    ban = agree(helsinki.node, london.node, "plans", rules=forbids("read", allow=["index"]))
    reply = london.get(path, **token)
    said = orjson.loads(reply.body)
    assert (reply.status, said["agreement"]) == (403, iri), "it hears of its own agreement alone"
    assert ban not in str(said)


def test_a_prohibition_for_a_purpose_is_judged_by_the_purpose_that_is_claimed(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans", rules=RESEARCHERS)
    ban = forbids("index", constraint=[atom("purpose", "isA", MARKETING)])
    agree(helsinki.node, london.node, "plans", rules=ban)
    assert pulled(london, helsinki).level
    london.federation.token_source._claims = lambda *_: ()
    assert as_peer(london, helsinki, "/collections/plans/entries").status == 403, "no purpose is claimed at all"


# ---------------------------------------------------------------- what the party of an ended agreement may know


def test_an_agreement_that_ended_tells_nothing_of_what_came_later(friends: Three) -> None:
    helsinki, london, _ = friends
    iri = agree(helsinki.node, london.node, "plans")
    assert as_peer(london, helsinki, "/datasets/d1").status == 200
    change(helsinki.node, iri, "revoked", at_ms=clock_ms())
    helsinki.publish(helsinki.put(77), collection="plans")
    shelved(helsinki)
    for path in ("/datasets/{}", "/datasets/{}/proof", f"/records?iri={HELSINKI}/datasets/{{}}"):
        replies = [as_peer(london, helsinki, path.format(slug)) for slug in ("d1", "d77", "d78")]
        assert [reply.status for reply in replies] == [403, 404, 404], path
        told = [reply.body.replace(b"d77", b"d78") for reply in replies[1:]]
        assert [orjson.loads(each)["title"] for each in told[:1]] == [orjson.loads(each)["title"] for each in told[1:]]
    assert as_peer(london, helsinki, "/collections/plans").status == 403, "of the collection itself it knows"


def test_an_agreement_to_use_alone_tells_nothing_of_single_records(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans", rules=permits("use"))
    assert [as_peer(london, helsinki, f"/datasets/{slug}").status for slug in ("d3", "d99")] == [404, 404]
    assert as_peer(london, helsinki, "/collections/plans").status == 403
