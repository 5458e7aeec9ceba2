"""Laws of the file that everybody may take of a public agreement: it proves it without a node and shows no more."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from node.assembly.clock import clock_ms
from node.federation.agreements.agreements import PUBLIC_COLLECTION, pair_collection
from node.federation.agreements.published import verify_export
from node.federation.agreements.verifier import AgreementReport
from tests.federation.agreed import agree, change
from tests.federation.cities import HELSINKI, LONDON, City, cities

pytestmark = pytest.mark.slow  # three whole nodes with their web applications

TURKU = "http://127.0.0.1:8003"
Said = dict[str, Any]


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[tuple[City, City, City]]:
    """Helsinki and London agree; Turku mirrors what both publish, and is party to nothing."""
    folder = tmp_path_factory.mktemp("proof")
    with cities(folder, migrated, helsinki=HELSINKI, london=LONDON, turku=TURKU) as (helsinki, london, turku):
        for one, other in ((helsinki, london), (london, helsinki), (turku, helsinki), (turku, london)):
            one.meet(other, follow=())
        helsinki.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=1)
        agree(helsinki.node, london.node, "plans", title="Secret plans")
        shown = agree(helsinki.node, london.node, "open-data", title="Shown", public=True)
        agree(helsinki.node, london.node, "plans", title="Secret as well")
        change(london.node, shown, "suspended", reason="An audit is on.")
        for one, other in ((helsinki, london), (london, helsinki), (turku, helsinki), (turku, london)):
            one.node.federation.peers.follow(other.name, [PUBLIC_COLLECTION], at_ms=clock_ms())
            one.pull(other)
        yield helsinki, london, turku


def listed(town: City) -> Said:
    found = json.loads(town.get("/agreements.json").body)["agreements"]
    return next(each for each in found if each["title"] == "Shown")


def taken(town: City, **headers: str) -> bytes:
    reply = town.get(str(listed(town)["export"]).removeprefix(town.url), **headers)
    assert reply.status == 200, reply.body
    return reply.body


def judged(body: bytes, *known: City) -> AgreementReport:
    fingerprints = [each.node.federation.identity.fingerprint for each in known]
    return verify_export(body, trusted=fingerprints, now_ms=clock_ms())


def test_what_a_page_gives_proves_the_agreement_without_a_node_at_its_cities_and_at_a_mirror(
    towns: tuple[City, City, City],
) -> None:
    for town in towns:
        report = judged(taken(town), *towns[:2])
        told = "\n".join(report.lines())
        assert (report.verdict, report.exit_code) == ("proven", 0), told
        assert f"The public collection {HELSINKI}/collections/agreements holds it: 1 of the 1 entries" in told
        assert f"The public collection {LONDON}/collections/agreements holds it: 2 of the 2 entries" in told
        assert "suspended since" in told
        assert "An audit is on" in told
        assert "nothing of the journal" not in told


def test_the_page_offers_the_file_and_the_command_to_a_reader_in_the_readers_language(
    towns: tuple[City, City, City],
) -> None:
    for town in towns:
        record = str(listed(town)["record"])
        page = town.get(record.removeprefix(town.url), accept="text/html").body.decode()
        assert "Check it yourself, without a node" in page
        assert "citynode agreements verify agreement.json" in page
        assert f"citynode agreements verify '{record}'" in page
        assert 'download="agreement.json"' in page
        reply = town.get(str(listed(town)["export"]).removeprefix(town.url))
        assert reply.headers["content-disposition"] == 'attachment; filename="agreement.json"'


def test_the_file_holds_nothing_but_what_everybody_may_read_here(towns: tuple[City, City, City]) -> None:
    """How long a pair's journal is tells how much these two agreed in silence, so not even its head is in the file."""
    public = {f"{HELSINKI}/collections/agreements": 1, f"{LONDON}/collections/agreements": 2}
    for town in towns:
        body = taken(town)
        told = json.loads(body)
        assert {each["collection"]: int(each["checkpoint"].split("\n")[1]) for each in told["journals"]} == public
        for word in ("Secret", pair_collection(HELSINKI), pair_collection(LONDON), "collections/plans"):
            assert word not in body.decode(), word
    helsinki = towns[0]
    _, secret = helsinki.federation.named_tokens.issue("maija", now_ms=clock_ms(), staff=True)
    of_staff = json.loads(taken(helsinki, authorization=f"Bearer {secret}"))
    assert of_staff["journals"] == json.loads(taken(helsinki))["journals"]


def test_an_agreement_that_is_not_public_has_no_such_file_for_anybody(towns: tuple[City, City, City]) -> None:
    helsinki = towns[0]
    _, secret = helsinki.federation.named_tokens.issue("pekka", now_ms=clock_ms(), staff=True)
    for held in helsinki.federation.agreeing.agreements.all():
        if held.public:
            continue
        for path in (f"/agreements/{held.record.rpartition('/')[2]}", f"/records?iri={quote(held.record, safe='')}"):
            head, mark, query = path.partition("?")
            for headers in ({}, {"authorization": f"Bearer {secret}"}):
                assert helsinki.get(f"{head}/export.json{mark}{query}", **headers).status == 404
    for path, status in (
        ("/agreements/none/export.json", 404),
        ("/records/export.json", 400),
        ("/records/export.json?iri=http%3A%2F%2Fnowhere.example%2F1", 404),
    ):
        assert helsinki.get(path).status == status, path


def test_without_the_collection_of_one_city_the_proof_is_incomplete_and_says_so(towns: tuple[City, City, City]) -> None:
    told = json.loads(taken(towns[0]))
    one = judged(json.dumps({**told, "journals": told["journals"][:1]}).encode(), *towns[:2])
    assert (one.verdict, one.exit_code) == ("incomplete", 3)
    assert f"nothing of the journal of {LONDON}" in one.reason


def _payload(told: Said) -> None:
    entry = told["journals"][1]["entries"][1]
    entry["payload"] = entry["payload"].replace("suspended", "in-force")


def _other_text(told: Said) -> None:
    told["text"] = told["text"].replace("odrl:read", "odrl:sell")


def _no_order(told: Said) -> None:
    told["journals"][1]["entries"].reverse()


def _twice(told: Said) -> None:
    told["journals"][1]["entries"].append(told["journals"][1]["entries"][-1])


def _swapped(told: Said) -> None:
    first, second = told["journals"]
    first["entries"], second["entries"] = second["entries"], first["entries"]


def _of_nobody(told: Said) -> None:
    told["journals"][1] |= {"city": TURKU, "collection": f"{TURKU}/collections/agreements"}


def _no_entries(told: Said) -> None:
    told["journals"][1]["entries"] = []


def _resigned(told: Said) -> None:
    told["journals"][1]["checkpoint"] = told["journals"][0]["checkpoint"]


def _a_note(told: Said) -> None:
    told["journals"][1]["remark"] = "All of this was checked."


def _a_note_on_an_entry(told: Said) -> None:
    told["journals"][1]["entries"][0]["remark"] = "All of this was checked."


def _no_list(told: Said) -> None:
    told["journals"][1]["entries"] = {"1": 2}


def _renumbered(told: Said) -> None:
    told["journals"][1]["entries"][1]["entry"]["seq"] = 1_000


@pytest.mark.parametrize(
    "change_it",
    [
        _payload, _other_text, _no_order, _twice, _swapped, _of_nobody, _no_entries, _resigned, _a_note,
        _a_note_on_an_entry, _no_list, _renumbered,
    ],
)  # fmt: skip
def test_every_change_to_the_file_is_found(towns: tuple[City, City, City], change_it: Callable[[Said], None]) -> None:
    told = json.loads(taken(towns[0]))
    change_it(told)
    report = judged(json.dumps(told).encode(), *towns[:2])
    assert (report.verdict, report.exit_code) == ("refuted", 1), report.lines()


def test_a_collection_that_says_an_agreement_is_over_is_believed_whatever_it_says_later(
    tmp_path: Path, migrated: Path
) -> None:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.meet(london, follow=())
        london.meet(helsinki, follow=())
        iri = agree(helsinki.node, london.node, "open-data", title="Shown", public=True)
        change(helsinki.node, iri, "revoked", reason="It is over.")
        alone = judged(taken(helsinki), helsinki, london)
        assert alone.verdict == "incomplete", "London's collection is not mirrored here"
        assert any("revoked since" in each.sentence for each in alone.findings)
