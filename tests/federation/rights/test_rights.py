"""Who may do what: one table, asked of the real book of peers and of real agreements."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node.federation.rights.rights import NoCollection, Rights
from tests.catalog.rig import BASE, City, make_city
from tests.federation.agreed import (
    MARKETING,
    RESEARCH,
    agree_alone,
    atom,
    change,
    pair_of,
    peer,
    permits,
    stand_in,
)

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save

LONDON, OSLO = "https://london.example", "https://oslo.example"


@dataclass(frozen=True)
class Caller:
    kind: str = "public"
    name: str = ""
    scopes: frozenset[str] = frozenset()
    url: str = ""
    details: Sequence[Mapping[str, Any]] = field(default=())


def of(name: str, *details: Mapping[str, Any]) -> Caller:
    return Caller("peer", name, frozenset({"federation"}), f"https://{name}.example", details)


PUBLIC, STAFF = Caller(), Caller("staff", "maija")
READS = Caller("program", "p", frozenset({"read:plans", "read:london/secrets"}))
OTHER = Caller("program", "p", frozenset({"read:open-data", "read:planss", "federation"}))
OPEN = NoCollection("open-data", visibility="public")
PLANS, DRAFTS, MISSING = (NoCollection(name, f"{BASE}/collections/{name}") for name in ("plans", "drafts", "missing"))
MIRROR = NoCollection("london/secrets", f"{LONDON}/collections/secrets")
NO_MIRROR = NoCollection("london/others")


@pytest.fixture
def city(migrated: Path, tmp_path: Path) -> Iterator[City]:
    shutil.copy(migrated, tmp_path / "node.db")
    made = make_city(tmp_path)
    for name in ("london", "oslo"):
        peer(made.node, name, f"https://{name}.example")
    for name, state in (("paused", "paused"), ("blocked", "blocked"), ("apart", "active")):
        peer(made.node, name, f"https://{name}.example", state)
    with made.node.db.write() as tx:
        tx.run("UPDATE peer SET quarantine = 'Other keys.' WHERE name = 'apart'")
    for name in ("plans", "drafts"):
        made.node.create_collection(name, title=name, visibility="restricted", at_ms=1_000)
    yield made
    made.node.close()


def rights(city: City) -> Rights:
    found: Rights = city.node.federation.rights
    return found


def letters(city: City, caller: Caller, action: Any = "index") -> str:
    asked = {"o": OPEN, "p": PLANS, "d": DRAFTS, "x": MISSING, "m": MIRROR, "n": NO_MIRROR}
    return "".join(letter for letter, one in asked.items() if rights(city).may(caller, action, one))


def test_the_table_of_rights(city: City) -> None:
    for name in ("london", "paused", "blocked", "apart"):
        agree_alone(city.node, f"https://{name}.example", "plans")
    agree_alone(city.node, LONDON, "secrets", mirror=True)
    table = {
        "o": [PUBLIC, OTHER, of("oslo")],
        "opm": [of("london")],  # a mirror of its own it may read back
        "opdxm": [STAFF],
        "": [of("paused"), of("blocked"), of("apart"), of("unknown")],
    }
    for may, callers in table.items():
        for caller in callers:
            assert letters(city, caller) == may, caller
    assert letters(city, READS, "read") == "op", "a mirror is for our staff alone"


def test_to_mirror_is_not_to_read_and_neither_is_to_use(city: City) -> None:
    agree_alone(city.node, LONDON, "plans", rules=permits("index"))
    agree_alone(city.node, OSLO, "plans", rules=permits("use"))
    assert [letters(city, of("london"), action) for action in ("index", "read", "use")] == ["opm", "o", "o"]
    assert [letters(city, of("oslo"), action) for action in ("index", "read", "use")] == ["o", "o", "op"]


def test_a_mirror_is_read_back_by_the_city_that_its_address_names_too(city: City) -> None:
    moved = NoCollection("london/secrets", f"{OSLO}/collections/secrets")
    assert rights(city).may(of("london"), "index", MIRROR)
    for caller, mirror in ((of("oslo"), MIRROR), (of("london"), moved), (of("oslo"), moved), (OTHER, MIRROR)):
        assert not rights(city).may(caller, "index", mirror)


@pytest.mark.parametrize(
    ("name", "code"), [("paused", "peer-paused"), ("blocked", "peer-blocked"), ("unknown", "peer-unknown")]
)
def test_a_no_has_a_code(city: City, name: str, code: str) -> None:
    assert rights(city).may(of(name), "index", PLANS).code == code
    assert rights(city).may(PUBLIC, "index", PLANS).code == "not-agreed"


def test_only_a_party_is_told_why(city: City) -> None:
    iri = agree_alone(city.node, LONDON, "plans", rules=permits("index", constraint=[atom("purpose", "eq", RESEARCH)]))
    told = rights(city).may(of("london"), "index", PLANS).refused
    assert told is not None
    assert (told.agreement, told.clause, told.operand) == (iri, f"{iri}#p1", "purpose")
    for caller in (PUBLIC, of("oslo"), OTHER):
        assert rights(city).may(caller, "index", PLANS).refused is None
    assert rights(city).may(of("london"), "index", DRAFTS).refused is None
    assert rights(city).may(of("london"), "index", MISSING).refused is None


def test_a_purpose_counts_if_the_token_names_it_under_this_agreement(city: City) -> None:
    rules = permits("index", constraint=[atom("purpose", "isA", RESEARCH)])
    iri = agree_alone(city.node, LONDON, "plans", rules=rules)
    detail = {"agreement": iri, "purpose": RESEARCH}
    assert letters(city, of("london", detail)) == "opm"
    for wrong in (
        {"agreement": iri, "purpose": MARKETING},
        {"agreement": f"{iri}x", "purpose": RESEARCH},
        {"agreement": iri},
        detail | {"digest": "sha256:" + "0" * 64},
        detail | {"datasets": [f"{BASE}/collections/other"]},
        detail | {"actions": ["read"]},
    ):
        assert letters(city, of("london", wrong)) == "om", wrong


def test_states_of_peers_and_agreements_count_at_once(city: City) -> None:
    iri = agree_alone(city.node, LONDON, "plans")
    for state, may in (("suspended", "om"), ("in-force", "opm"), ("revoked", "om")):
        change(city.node, iri, state)
        assert letters(city, of("london")) == may
    told = rights(city).may(of("london"), "index", PLANS).refused
    assert told is not None
    assert (told.agreement, told.message) == (iri, "The agreement was revoked.")
    with city.node.db.write() as tx:
        tx.run("UPDATE peer SET state = 'paused' WHERE name = 'london'")
    assert letters(city, of("london")) == ""


def test_the_journal_of_a_pair_is_for_its_two_cities_whatever_becomes_of_their_agreements(city: City) -> None:
    iri = agree_alone(city.node, LONDON, "plans")
    pair = NoCollection(pair_of(city.node, stand_in(city.node, LONDON)))
    change(city.node, iri, "revoked")
    assert rights(city).may(of("london"), "index", pair)
    assert not rights(city).may(of("oslo"), "index", pair)
    assert rights(city).readers(pair.name) == {"london"}


def test_a_mirror_goes_to_third_cities_only_where_a_clause_names_them(city: City) -> None:
    agree_alone(city.node, LONDON, "secrets", rules=permits("index", "distribute"), mirror=True)
    assert letters(city, of("oslo")) == "o", "no clause names anybody"
    named = permits("distribute", constraint=[atom("recipient", "isAnyOf", [OSLO])])
    agree_alone(city.node, LONDON, "secrets", rules=named, mirror=True)
    assert letters(city, of("oslo")) == "om"
    peer(city.node, "turku", "https://turku.example")
    assert letters(city, of("turku")) == "o"
    assert rights(city).may(of("turku"), "index", MIRROR).refused is None, "it is no party: it hears nothing"


def test_a_mirror_is_seen_by_our_staff_while_an_agreement_lets_us_hold_it(city: City) -> None:
    assert letters(city, STAFF) == "opdx"
    iri = agree_alone(city.node, LONDON, "secrets", mirror=True)
    assert letters(city, STAFF) == "opdxm"
    with city.node.db.write() as tx:
        tx.run("UPDATE peer SET state = 'blocked' WHERE name = 'london'")
    assert letters(city, STAFF) == "opdx"
    with city.node.db.write() as tx:
        tx.run("UPDATE peer SET state = 'active' WHERE name = 'london'")
    change(city.node, iri, "suspended")
    assert letters(city, STAFF) == "opdx"


def test_who_may_mirror_is_named_for_notices(city: City) -> None:
    agree_alone(city.node, LONDON, "plans", rules=permits("index", constraint=[atom("purpose", "eq", RESEARCH)]))
    agree_alone(city.node, OSLO, "plans", rules=permits("read"))
    assert rights(city).readers("plans") == {"london"}
    assert rights(city).readers("drafts") == rights(city).readers("none") == frozenset()


def test_a_token_under_an_agreement_lives_as_long_as_it(city: City) -> None:
    studio = "https://studio.example"
    limits = [atom("purpose", "isA", RESEARCH), atom("recipient", "isAnyOf", [studio])]
    rules = {"permission": [*permits("read", constraint=limits)["permission"], *permits("index")["permission"]]}
    iri = agree_alone(city.node, LONDON, "plans", rules=rules)
    innovator = Caller("program", "studio", url=studio, details=[{"agreement": iri, "purpose": RESEARCH}])
    assert letters(city, innovator, "read") == "op"
    assert letters(city, innovator, "index") == "o"
    assert letters(city, Caller("program", "s", details=[{"agreement": iri, "purpose": MARKETING}]), "read") == "o"
    change(city.node, iri, "revoked")
    assert rights(city).welcome(innovator).code == "agreement-revoked"
    assert rights(city).welcome(Caller("program", "s", details=[{"agreement": "x", "purpose": ""}])).code
