"""Two whole nodes and a third: what agreements open between them, what they close, and what becomes of copies."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from node.assembly.clock import clock_ms
from node.errors import Forbidden, NotAgreed, NotFound, Refuted
from node.federation.agreements.signing import Signing
from node.federation.agreements.text import read_text
from node.federation.exchange.blanking import AHEAD_MS, Looked
from node.federation.rights.decisions import Decision, Extent
from node.journal import catch_up, rebuild
from node.web.wire.negotiate import FORMS
from tests.federation.agreed import MARKETING, RESEARCH, agree, atom, change, pair_of, permits, signed
from tests.federation.cities import GHENT, HELSINKI, LONDON, City, cities

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

Three = tuple[City, City, City]
DAY = 86_400_000


@pytest.fixture
def friends(migrated: Path, tmp_path: Path) -> Iterator[Three]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON, ghent=GHENT) as (helsinki, london, ghent):
        for one in (helsinki, london, ghent):
            for other in (helsinki, london, ghent):
                if one is not other:
                    one.meet(other, follow=())
        helsinki.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=clock_ms())
        helsinki.publish(*(helsinki.put(number) for number in range(1, 6)), collection="plans")
        for follower in helsinki.node.followers:
            catch_up(helsinki.node.journals, follower)
        london.node.federation.peers.follow("helsinki", ["plans"], at_ms=clock_ms())
        yield helsinki, london, ghent


def pulled(city: City, other: City, name: str = "plans") -> Any:
    """What came of one collection of a pull."""
    found = {each.collection: each for each in city.pull(other).pulled.collections}
    return found[f"{other.name}/{name}"]


def staff(city: City, name: str = "maija") -> dict[str, str]:
    _, secret = city.federation.named_tokens.issue(name, staff=True, now_ms=clock_ms())
    return {"authorization": f"Bearer {secret}"}


def as_peer(one: City, other: City, path: str) -> Any:
    """Ask as a city does, with its token and a proof."""
    url = other.url + path
    headers = one.federation.token_source.headers(other.url, "GET", url.partition("?")[0])
    return other.get(path, **{name.lower(): value for name, value in headers.items()})


def refusals(city: City, mirror: str) -> dict[int, str]:
    sql = "SELECT r.seq, r.code FROM refusal r JOIN collection c ON c.id = r.collection_id WHERE c.name = ?"
    return dict(city.sql(sql, mirror))  # type: ignore[arg-type]


def until(days: int) -> Any:
    """To mirror and read, with a deletion duty so many days from now."""
    at = (clock_ms() + days * DAY) // 1000
    deadline = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return permits("index", "read", duty=[{"action": "odrl:delete", "constraint": [atom("dateTime", "lt", deadline)]}])


# ---------------------------------------------------------------- from the agreement to the mirror


def test_an_agreement_opens_a_collection_to_its_party_and_to_nobody_else(friends: Three) -> None:
    helsinki, london, ghent = friends
    assert isinstance(pulled(london, helsinki).error, NotFound)
    agree(helsinki.node, london.node, "plans")
    assert pulled(london, helsinki).level
    assert london.shown("helsinki/plans") == helsinki.shown("plans")
    assert london.verify("helsinki/plans", helsinki) == 5
    assert as_peer(ghent, helsinki, "/collections/plans/checkpoint").status == 404
    assert as_peer(ghent, london, "/collections/helsinki/plans/checkpoint").status == 404
    assert as_peer(london, helsinki, "/collections/plans/checkpoint").headers["cache-control"] == "private, no-store"
    with pytest.raises(NotFound):
        ghent.federation.client.page(HELSINKI, "plans", after=0, token=True)


def test_the_purpose_goes_in_the_token_and_a_token_without_it_opens_nothing(friends: Three) -> None:
    helsinki, london, _ = friends
    rules = permits("index", "read", constraint=[atom("purpose", "isA", RESEARCH)])
    iri = agree(helsinki.node, london.node, "plans", rules=rules)
    assert pulled(london, helsinki).level
    asked = [each for each in helsinki.wire.asked if each.path == "/oauth/token"]
    assert any(b"authorization_details" in each.body and b"AcademicResearch" in each.body for each in asked)
    assert not any(b"AcademicResearch" in each.url.encode() for each in helsinki.wire.asked)
    # The same city with a token of no purpose is told which clause it lacks.
    london.federation.token_source._claims = lambda *_: ()
    reply = as_peer(london, helsinki, "/collections/plans/entries?purpose=https://w3id.org/dpv%23AcademicResearch")
    said = orjson.loads(reply.body)
    assert (reply.status, said["type"]) == (403, f"{HELSINKI}/problems/not-agreed")
    assert (said["agreement"], said["clause"], said["operand"]) == (iri, f"{iri}#p1", "purpose")


def test_a_token_for_what_is_not_permitted_is_not_given(friends: Three) -> None:
    helsinki, london, _ = friends
    iri = agree(
        helsinki.node, london.node, "plans", rules=permits("index", constraint=[atom("purpose", "isA", RESEARCH)])
    )
    digest = london.federation.agreeing.agreements.get(iri).digest
    good = {"type": "agreement-access", "agreement": iri, "digest": digest, "purpose": RESEARCH}
    source = london.federation.token_source
    for wrong in (
        {"purpose": MARKETING},
        {"digest": "sha256:" + "0" * 64},
        {"actions": ["use"]},
        {"agreement": f"{HELSINKI}/agreements/none"},
        {"datasets": [f"{HELSINKI}/collections/open-data"]},
    ):
        source._claims = lambda *_, wrong=wrong: [good | wrong]
        asked = len(helsinki.wire.asked)
        reply = as_peer(london, helsinki, "/collections/plans/entries")
        tokens = [each.body for each in helsinki.wire.asked[asked:] if each.path == "/oauth/token"]
        assert ["authorization_details" in str(body) for body in tokens] == [True, False], "then without any"
        assert (reply.status, orjson.loads(reply.body)["operand"]) == (403, "purpose"), "which opens nothing"
    source._claims = lambda *_: [good]
    assert as_peer(london, helsinki, "/collections/plans/entries").status == 200


def test_a_token_dies_with_the_agreement_that_it_names(friends: Three) -> None:
    helsinki, london, _ = friends
    iri = agree(
        helsinki.node, london.node, "plans", rules=permits("index", constraint=[atom("purpose", "isA", RESEARCH)])
    )
    assert as_peer(london, helsinki, "/collections/plans/entries").status == 200
    change(helsinki.node, iri, "suspended")
    reply = as_peer(london, helsinki, "/collections/plans/entries")
    assert (reply.status, orjson.loads(reply.body)["detail"]) == (403, "The agreement is suspended.")
    change(helsinki.node, iri, "in-force")
    assert as_peer(london, helsinki, "/collections/plans/entries").status == 200


def test_an_agreement_of_another_federation_is_not_taken_in(friends: Three) -> None:
    helsinki, london, _ = friends
    text = signed(helsinki.node, london.node, [f"{HELSINKI}/collections/plans"])
    here, elsewhere = (
        Signing(london.node.keyring, url=LONDON, federation=name)
        for name in (london.node.settings.federation, "https://other.example/federation")
    )
    keys = helsinki.node.keyring.published()
    here.check(text, keys_of=lambda _: keys, now_ms=clock_ms())
    with pytest.raises(Refuted, match="federation"):
        elsewhere.check(text, keys_of=lambda _: keys, now_ms=clock_ms())


# ---------------------------------------------------------------- single records


def test_an_agreement_on_one_record_gives_the_others_as_stubs_and_the_tree_verifies(friends: Three) -> None:
    helsinki, london, _ = friends
    mine = helsinki.record(2)
    agree(helsinki.node, london.node, records=[mine])
    assert pulled(london, helsinki).level
    assert list(london.shown("helsinki/plans")) == [mine]
    assert london.verify("helsinki/plans", helsinki) == 5
    assert refusals(london, "helsinki/plans") == dict.fromkeys((1, 3, 4, 5), "withheld")
    page = as_peer(london, helsinki, "/collections/plans/entries").body
    assert page.count(b'"opening"') == 1
    assert b"Title 2" in page
    assert b"Title 3" not in page
    assert as_peer(london, helsinki, "/collections/plans/feed").status == 404, "a stream is given whole or not at all"
    assert as_peer(london, helsinki, "/datasets/d2").status == 200
    assert as_peer(london, helsinki, "/datasets/d3").status == 404
    assert as_peer(london, helsinki, "/collections/plans").status == 404
    # With the whole collection agreed, the stubs are asked for again.
    agree(helsinki.node, london.node, "plans")
    assert london.federation.agreeing.blanking.look(clock_ms()).asked == 4
    assert pulled(london, helsinki).level
    assert london.shown("helsinki/plans") == helsinki.shown("plans")
    assert refusals(london, "helsinki/plans") == {}


def test_a_city_that_sends_more_than_was_agreed_is_not_believed_to_have_agreed_to_it(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, records=[helsinki.record(2)])
    # Helsinki opens all of it by itself; London takes what stands in the agreement.
    helsinki.federation.rights._decisions.extent = lambda ask, now_ms, *, name="": _everything()
    assert pulled(london, helsinki).level
    assert list(london.shown("helsinki/plans")) == [helsinki.record(2)]


def _everything() -> Any:
    return Extent(Decision(allowed=True))


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize("revoker", ["helsinki", "london"])
def test_a_mirror_is_hidden_at_once_when_either_city_revokes(friends: Three, revoker: str) -> None:
    helsinki, london, _ = friends
    iri = agree(helsinki.node, london.node, "plans", rules=until(10))
    assert pulled(london, helsinki).level
    token = staff(london)
    paths = ["/collections/helsinki/plans", f"/records?iri={helsinki.record(1)}", "/collections/helsinki/plans/entries"]
    assert [london.get(path, **token).status for path in paths] == [200, 200, 200]
    change({"helsinki": helsinki, "london": london}[revoker].node, iri, "revoked")
    if revoker == "helsinki":
        london.pull(helsinki)  # its journal of the pair says so
    for path in paths:
        reply = london.get(path, **token)
        assert (reply.status, orjson.loads(reply.body)["agreement"]) == (403, iri), path
        assert london.get(path).status == 404
    assert len(london.shown("helsinki/plans")) == 5, "hidden, and not gone yet"
    helsinki.publish(helsinki.put(9), collection="plans")
    if revoker == "london":
        # Helsinki does not know yet, and would give it: London takes nothing more.
        assert isinstance(pulled(london, helsinki).error, NotAgreed | NotFound | Forbidden)
    assert london.size("helsinki/plans") == 5


def test_a_mirror_is_blanked_under_the_deletion_duty_and_stays_whole(friends: Three) -> None:
    helsinki, london, _ = friends
    iri = agree(helsinki.node, london.node, "plans", rules=until(10))
    pulled(london, helsinki)
    change(london.node, iri, "revoked")
    blanking, now_ms = london.federation.agreeing.blanking, clock_ms()
    assert blanking.look(now_ms) == Looked(0, 0)
    ((due_ms,),) = london.sql("SELECT due_at FROM blanking WHERE collection = 'helsinki/plans' AND agreement = ?", iri)
    assert abs(due_ms - (now_ms + 10 * DAY)) < 60_000
    assert len(london.shown("helsinki/plans")) == 5
    assert blanking.look(due_ms - AHEAD_MS).blanked == 5
    assert blanking.look(due_ms) == Looked(0, 0)
    assert london.shown("helsinki/plans") == {}
    assert refusals(london, "helsinki/plans") == dict.fromkeys(range(1, 6), "agreement-ended")
    assert london.verify("helsinki/plans", helsinki) == 5
    held = london.sql(
        "SELECT count(*) FROM entry WHERE op IS NOT NULL AND collection_id ="
        " (SELECT id FROM collection WHERE name = 'helsinki/plans')"
    )
    assert held == [(0,)]
    assert b"Title 3" not in (london.node.db.path or Path()).read_bytes()
    assert london.federation.exchanging.reports.refused("helsinki") == [], "it is nobody's fault"
    before = london.sql("SELECT * FROM shelf ORDER BY collection_id, record_key")
    for follower in london.node.followers:
        rebuild(london.node.journals, follower)
    assert london.sql("SELECT * FROM shelf ORDER BY collection_id, record_key") == before, "rebuilt is as lived"


def test_a_later_agreement_brings_back_what_was_blanked(friends: Three) -> None:
    helsinki, london, _ = friends
    iri = agree(helsinki.node, london.node, "plans", rules=permits("index", duty=[{"action": "odrl:delete"}]))
    pulled(london, helsinki)
    change(london.node, iri, "revoked")
    blanking = london.federation.agreeing.blanking
    assert blanking.look(clock_ms()).blanked == 5, "due at once"
    later = agree(helsinki.node, london.node, "plans")
    assert blanking.look(clock_ms()) == Looked(0, 5)
    assert blanking.look(clock_ms()) == Looked(0, 0), "asked once for each agreement"
    assert pulled(london, helsinki).level
    assert london.shown("helsinki/plans") == helsinki.shown("plans")
    assert london.get("/collections/helsinki/plans", **staff(london)).status == 200
    change(london.node, later, "suspended")
    assert blanking.look(clock_ms()) == Looked(0, 0), "suspended is not over"
    assert len(london.shown("helsinki/plans")) == 5


def test_what_the_agreement_does_not_ask_to_delete_stays_hidden_and_held(friends: Three) -> None:
    helsinki, london, _ = friends
    iri = agree(helsinki.node, london.node, "plans")
    pulled(london, helsinki)
    change(london.node, iri, "revoked")
    assert london.federation.agreeing.blanking.look(clock_ms() + 1_000 * DAY) == Looked(0, 0)
    assert len(london.shown("helsinki/plans")) == 5
    assert london.get("/collections/helsinki/plans", **staff(london)).status == 403


def test_the_journal_of_the_pair_outlives_every_agreement(friends: Three) -> None:
    helsinki, london, ghent = friends
    iri = agree(helsinki.node, london.node, "plans")
    london.pull(helsinki)
    change(helsinki.node, iri, "revoked", reason="It was a trial.")
    london.pull(helsinki)
    held = london.federation.agreeing.agreements.get(iri)
    assert (held.their_state, held.their_reason) == ("revoked", "It was a trial.")
    london.federation.agreeing.blanking.look(clock_ms() + 1_000 * DAY)
    pair = f"helsinki/{pair_of(helsinki.node, london.node)}"
    assert london.verify(pair, helsinki) == 2
    assert london.get(f"/collections/{pair}", **staff(london)).status == 200
    assert as_peer(ghent, london, f"/collections/{pair}/entries").status == 404
    assert as_peer(ghent, helsinki, f"/collections/{pair_of(helsinki.node, london.node)}/entries").status == 404


def test_the_worker_sees_to_mirrors_by_itself(friends: Three) -> None:
    helsinki, london, _ = friends
    iri = agree(helsinki.node, london.node, "plans", rules=permits("index", duty=[{"action": "odrl:delete"}]))
    pulled(london, helsinki)
    change(london.node, iri, "revoked")
    rounds = london.rounds()
    rounds._do_duties()
    assert london.shown("helsinki/plans") == {}


# ---------------------------------------------------------------- third hands


def test_a_mirror_is_handed_on_where_a_clause_names_the_third_city(friends: Three) -> None:
    helsinki, london, ghent = friends
    named = permits("distribute", constraint=[atom("recipient", "isAnyOf", [GHENT])])
    rules = {"permission": [*permits("index")["permission"], *named["permission"]]}
    iri = agree(helsinki.node, london.node, "plans", rules=rules)
    pulled(london, helsinki)
    for path in (
        "/collections/helsinki/plans/entries",
        "/collections/helsinki/plans",
        f"/records?iri={helsinki.record(1)}",
    ):
        reply = as_peer(ghent, london, path)
        assert (reply.status, reply.headers["cache-control"]) == (200, "private, no-store"), path
        assert london.get(path).status == 404
    assert as_peer(ghent, helsinki, "/collections/plans/entries").status == 404
    change(helsinki.node, iri, "suspended")
    london.pull(helsinki)
    assert as_peer(ghent, london, "/collections/helsinki/plans/entries").status == 404


def test_an_innovator_reads_a_mirror_by_a_token_of_the_city(friends: Three) -> None:
    helsinki, london, _ = friends
    studio = "https://studio.example"
    limits = [atom("recipient", "isAnyOf", [studio]), atom("purpose", "isA", RESEARCH), atom("count", "lteq", "3")]
    rules = {"permission": [*permits("index")["permission"], *permits("read", constraint=limits)["permission"]]}
    iri = agree(helsinki.node, london.node, "plans", rules=rules)
    pulled(london, helsinki)
    tokens = london.federation.named_tokens
    _, secret = tokens.grant("studio", agreement=iri, purpose=RESEARCH, recipient=studio, now_ms=clock_ms())
    token = {"authorization": f"Bearer {secret}"}
    record = f"/records.ttl?iri={helsinki.record(1)}"
    assert london.get("/collections/helsinki/plans/entries", **token).status == 403, "to mirror is for the city"
    assert london.get("/api/peers", **token).status == 403
    assert [london.get(record, **token).status for _ in range(4)] == [200, 200, 200, 403]
    said = orjson.loads(london.get(record, **token).body)
    assert (said["agreement"], said["operand"]) == (iri, "count")
    change(helsinki.node, iri, "revoked")
    london.pull(helsinki)
    assert london.get(record, **token).status == london.get("/catalog", **token).status == 403
    tokens.revoke("studio", now_ms=clock_ms())
    assert london.get("/catalog", **token).status == 401


# ---------------------------------------------------------------- forms


def test_a_restricted_record_is_given_in_every_form_and_kept_by_nobody(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans")
    paths = ["/datasets/d1", "/collections/plans", "/catalog"]
    paths += [f"{path}.{suffix}" for path in paths for suffix in FORMS]
    paths += ["/datasets/d1/proof", "/datasets/d1/findings.json", f"/records?iri={helsinki.record(1)}"]
    for path in paths:
        reply = as_peer(london, helsinki, path)
        assert reply.status == 200, path
        assert reply.headers["cache-control"] == "private, no-store", path
        assert "Authorization" in reply.headers["vary"], path
        stranger = helsinki.get(path)
        assert stranger.status == (200 if path.startswith("/catalog") else 404), path
        assert b"Title 1" not in stranger.body, path


def test_what_was_sent_before_is_sent_to_nobody_without_the_right(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans")
    for _ in range(2):
        assert as_peer(london, helsinki, "/datasets/d1.ttl").status == 200
        assert helsinki.get("/datasets/d1.ttl").status == 404


def test_a_record_is_decided_on_once_and_its_collection_not_besides(
    friends: Three, caplog: pytest.LogCaptureFixture
) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans")
    for path in ("/datasets/d1.ttl", "/datasets/d1", "/datasets/d1/proof", f"/records?iri={helsinki.record(1)}"):
        caplog.clear()
        with caplog.at_level("INFO", "citynode.decisions"):
            assert as_peer(london, helsinki, path).status == 200
        decided = [record for record in caplog.records if record.name == "citynode.decisions"]
        assert len(decided) == 1, path


def test_the_log_explains_each_decision(friends: Three, caplog: pytest.LogCaptureFixture) -> None:
    helsinki, london, _ = friends
    iri = agree(helsinki.node, london.node, "plans")
    with caplog.at_level("INFO", logger="citynode.decisions"):
        as_peer(london, helsinki, "/collections/plans/entries")
        change(helsinki.node, iri, "revoked")
        as_peer(london, helsinki, "/collections/plans/entries")
    told = [(one.allowed, one.agreement, one.clause) for one in caplog.records if one.name == "citynode.decisions"]  # type: ignore[attr-defined]
    assert (True, iri, f"{iri}#p1") in told
    assert (False, iri, "") in told
    assert "peer london: index plans refused (revoked)" in caplog.text


def test_the_text_of_an_agreement_is_the_one_that_is_enforced(friends: Three) -> None:
    helsinki, london, _ = friends
    iri = agree(helsinki.node, london.node, "plans")
    with helsinki.node.db.read() as tx:
        row = tx.row("SELECT signed, digest FROM agreement WHERE iri = ?", iri)
    assert row is not None
    assert read_text(row[0]).digest == row[1]
