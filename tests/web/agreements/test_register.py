"""Laws of the public register of agreements: everything public in it in sentences, nothing else, at both cities."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from node.federation.agreements.text import read_text
from tests.federation.agreed import RESEARCH, agree, agree_alone, atom, change, peer, permits
from tests.federation.cities import HELSINKI, LONDON, City, Wire, cities, make

pytestmark = pytest.mark.slow
Two = tuple[City, City]
PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Two]:
    with cities(tmp_path_factory.mktemp("register"), migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        london.meet(helsinki, follow=("open-data",))
        helsinki.meet(london, follow=())
        helsinki.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=1)
        yield helsinki, london


@pytest.fixture(scope="module")
def old(towns: Two) -> str:
    limits = [atom("dateTime", "lt", "2090-01-01T00:00:00Z"), atom("purpose", "isA", RESEARCH)]
    helsinki, london = (each.node for each in towns)
    return agree(helsinki, london, "open-data", rules=permits("read", constraint=limits), public=True)


@pytest.fixture(scope="module")
def new(towns: Two, old: str) -> str:
    limits = [atom("dateTime", "lt", "2095-01-01T00:00:00Z"), atom("purpose", "isA", RESEARCH)]
    helsinki, london = (each.node for each in towns)
    rules = permits("read", "translate", constraint=limits)
    made = agree(helsinki, london, "open-data", rules=rules, public=True, title="Open data, widened", replaces=old)
    agree(helsinki, london, "plans", title="Secret plans")
    return made


def listed(town: City) -> dict[str, dict[str, object]]:
    found = json.loads(town.get("/agreements.json").body)["agreements"]
    return {each["agreement"]: each for each in found}


def page_of(town: City, iri: str, query: str = "") -> str:
    reply = town.get(str(listed(town)[iri]["record"]).removeprefix(town.url) + query, **PAGE)
    assert reply.status == 200
    return reply.body.decode()


def test_the_register_lists_public_agreements_once_at_both_cities_and_nothing_else(
    towns: Two, old: str, new: str
) -> None:
    for town in towns:
        found = listed(town)
        assert {iri: each["state"] for iri, each in found.items()} == {new: "in-force", old: "superseded"}
        said = town.get("/agreements", **PAGE).body.decode()
        assert "Open data, widened" in said
        assert "Secret plans" not in said
        assert said.index("Yes, in force") < said.index("No, another has taken its place")


@pytest.mark.parametrize(
    ("language", "basis"),
    [("en", "Legal basis: the consent of"), ("fi", "Oikeusperuste: "), ("sv", "Rättslig grund: ")],
)
def test_the_register_says_on_which_bases_data_about_persons_move(
    tmp_path: Path, migrated: Path, language: str, basis: str
) -> None:
    with Wire() as wire:
        town = make(tmp_path, wire, "helsinki", HELSINKI, database=migrated, languages=["en", "fi", "sv"])
        try:
            peer(town.node, "london", LONDON)
            plain = agree_alone(town.node, LONDON, "open-data", public=True)
            assert basis not in town.get(f"/agreements?lang={language}", **PAGE).body.decode()
            bases = {"legalBasis": "https://w3id.org/dpv#Consent", "transferBasis": "adequacy"}
            iri = agree_alone(town.node, LONDON, "open-data", public=True, **bases)
            assert basis in town.get(f"/agreements?lang={language}", **PAGE).body.decode()
            told = listed(town)
            assert (told[iri]["legal_basis"], told[iri]["transfer_basis"]) == tuple(bases.values())
            assert (told[plain]["legal_basis"], told[plain]["transfer_basis"]) == ("", "")
        finally:
            town.node.close()


def test_titles_of_templates_are_in_the_readers_language_and_those_of_collections_marked(
    tmp_path: Path, migrated: Path
) -> None:
    with Wire() as wire:
        town = make(tmp_path, wire, "helsinki", HELSINKI, database=migrated, languages=["fi", "sv"])
        try:
            peer(town.node, "london", LONDON)
            town.node.create_collection("plans", title="Kaavat", visibility="public", at_ms=1)
            iri = agree_alone(town.node, LONDON, "plans", public=True, title="Practices between cities")
            for page in (town.get("/agreements?lang=sv", **PAGE).body.decode(), page_of(town, iri, "?lang=sv")):
                assert "Praxis mellan städer" in page
                assert "Practices between cities" not in page
            assert (
                '<a href="/collections/plans?lang=sv" lang="fi">Kaavat</a> <span class="lang">på finska</span>' in page
            )
            assert 'lang="fi">Kaavat' not in page_of(town, iri, "?lang=fi")
        finally:
            town.node.close()


@pytest.mark.parametrize(
    ("language", "holds", "may"),
    [("en", "Yes, in force", " may "), ("fi", "Kyllä, voimassa", " saa "), ("sv", "Ja, det gäller", " får ")],
)
def test_everything_is_said_in_the_readers_language(
    tmp_path: Path, migrated: Path, language: str, holds: str, may: str
) -> None:
    with Wire() as wire:
        town = make(tmp_path, wire, "helsinki", HELSINKI, database=migrated, languages=["en", "fi", "sv"])
        try:
            peer(town.node, "london", LONDON)
            iri = agree_alone(town.node, LONDON, "open-data", public=True)
            said = town.get(f"/agreements?lang={language}", **PAGE).body.decode()
            assert f'<html lang="{language}"' in said
            assert holds in said
            for other in ("en", "fi", "sv"):
                assert re.search(rf'href="[^"]*/agreements/[^"]*\?lang={other}"', said)
            page = page_of(town, iri, f"?lang={language}&act=read")
            assert f'<html lang="{language}"' in page
            assert holds in page
            clause = re.search(r'id="c2-1".*?<p>([^<]*)', page)
            assert clause is not None
            assert may in clause[1]
        finally:
            town.node.close()


def test_a_city_whose_keys_are_not_known_here_is_not_said_to_have_signed(tmp_path: Path, migrated: Path) -> None:
    with cities(tmp_path, migrated, helsinki=HELSINKI) as (helsinki,):
        peer(helsinki.node, "london", LONDON)
        iri = agree_alone(helsinki.node, LONDON, "open-data", public=True)
        said = page_of(helsinki, iri)
        assert "Not all keys are known here" in said
        assert "Key not known here" in said
        assert "Signature holds" not in said


def test_the_page_has_clauses_signatures_that_were_checked_and_its_course(towns: Two, new: str) -> None:
    for town in towns:
        said = page_of(town, new)
        assert 'id="c2-1"' in said
        assert said.count("Signature holds") == 2
        assert "The signatures hold" in said
        assert "Published in the journal" in said
        assert "signed, over the first signature" in said
        assert "The last permission ends" in said


def test_a_version_shows_what_it_changed_and_the_older_one_names_the_newer(towns: Two, old: str, new: str) -> None:
    said = page_of(towns[0], new)
    assert "What this version changed" in said
    assert re.search(r"<ins>.*?translate", said)
    assert str(listed(towns[0])[old]["record"]).removeprefix(towns[0].url) in said
    older = page_of(towns[0], old)
    assert "Another agreement has taken its place:" in older
    assert "What this version changed" not in older


@pytest.mark.parametrize(
    ("query", "word"),
    [
        (f"?act=translate&purpose={quote(RESEARCH, safe='')}", "Yes."),
        ("?act=sell", "No clause allows it."),
        ("?act=read", "not known"),
        ("?act=%00&what=x&purpose=%3Cb%3E&channel=", ""),
    ],
)
def test_the_simulator_answers_on_the_page_itself(towns: Two, new: str, query: str, word: str) -> None:
    said = page_of(towns[0], new, query)
    answer = said[said.index('id="answer"') :].partition("</div>")[0]
    assert word in answer
    assert ("verdict" in answer) == bool(word)
    assert ('<div class="unprinted">' in said) != bool(word), "without an answer its head is not on paper, as its form"


def test_the_signed_text_is_given_out_as_it_was_signed(towns: Two, new: str) -> None:
    for town in towns:
        reply = town.get(str(listed(town)[new]["signed"]).removeprefix(town.url))
        assert (reply.status, reply.headers["content-type"]) == (200, "application/ld+json")
        text = read_text(reply.body.decode())
        assert (text.iri, len(text.proofs)) == (new, 2)
    by_iri = towns[0].get(f"/records/signed.json?iri={quote(str(listed(towns[0])[new]['record']), safe='')}")
    assert read_text(by_iri.body.decode()).iri == new
    assert towns[0].get("/records/signed.json").status == 400
    assert towns[0].get("/agreements/none/signed.json").status == 404


def test_a_page_of_the_register_that_there_is_not_is_told_so(towns: Two, new: str) -> None:
    helsinki = towns[0]
    assert helsinki.get("/agreements?page=1", **PAGE).status == 200
    assert helsinki.get("/agreements?page=2", **PAGE).status == 404
    for wrong in ("0", "-1", "x", "99999999999", "%00"):
        assert helsinki.get(f"/agreements?page={wrong}", **PAGE).status == 400
    assert helsinki.get("/agreements?pagge=1", **PAGE).status == 400
    assert helsinki.get("/agreements", accept="image/png").status == 406
    assert new in listed(helsinki)


def test_the_word_of_the_other_city_is_told_where_ours_says_nothing_yet(tmp_path: Path, migrated: Path) -> None:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        iri = agree(helsinki.node, london.node, "open-data", public=True)
        assert helsinki.get("/agreements", **PAGE).body.decode().count("Yes, in force") == 1
        change(london.node, iri, "suspended", reason="We look at it")
        helsinki.pull(london)
        said = page_of(helsinki, iri)
        assert "No, suspended" in said
        assert "We look at it" in said
        assert "The agreement is not in force" in page_of(helsinki, iri, "?act=read")
        assert listed(helsinki)[iri]["state"] == "suspended"


def test_a_node_without_agreements_says_that_there_are_none(tmp_path: Path, migrated: Path) -> None:
    with cities(tmp_path, migrated, helsinki=HELSINKI) as (helsinki,):
        reply = helsinki.get("/agreements", **PAGE)
        assert reply.status == 200
        assert "No agreement is public here yet" in reply.body.decode()
        assert json.loads(helsinki.get("/agreements.json").body) == {"agreements": []}
