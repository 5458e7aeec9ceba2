"""The export of an agreement: it proves itself without a node, and every change to it is found."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.errors import Unavailable
from node.federation.agreement_desk.export import export_bundle, verify_here
from node.federation.agreements.agreements import pair_collection
from node.federation.agreements.records import KIND, record_in, slug_in
from node.federation.agreements.text import read_text
from node.federation.agreements.verifier import AgreementReport, verify_bundle
from node.federation.identity.own import City, OwnIdentity
from node.federation.signing.integrity import jcs
from node.federation.verifier.keys import read_old_statement
from node.journal import Draft
from node.keys import DAY_MS, Keyring, thumbprint
from node.keys.jwk import b64
from tests.federation.export_rig import Towns
from tests.federation.signing_rig import FEDERATION, HELSINKI, LONDON, NOW, Pair, text_of

pytestmark = pytest.mark.slow  # several nodes or many keys a test: too much for every save

Said = dict[str, Any]
LATER = NOW + DAY_MS


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair.made(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def towns(tmp_path: Path, migrated: Path, pair: Pair) -> Iterator[Towns]:
    made = Towns.made(tmp_path, migrated, pair)
    yield made
    made.close()


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory, migrated: Path, pair: Pair) -> bytes:
    """One export that every attack begins with."""
    made = Towns.made(tmp_path_factory.mktemp("towns"), migrated, pair)
    iri = made.agree(pair.signed())
    made.agree(pair.signed(text_of(f"{HELSINKI}/agreements/2")))
    made.london.says(iri, "suspended", "An audit is on.", NOW + 60_000)
    made.level()
    exported = export_bundle(made.helsinki.sources, made.helsinki.agreement(iri), now_ms=LATER)
    made.close()
    return exported


def trusted(pair: Pair) -> list[str]:
    return [keyring.fingerprint for keyring in pair.keyrings.values()]


def judged(body: bytes, pair: Pair, **more: Any) -> AgreementReport:
    return verify_bundle(body, **({"trusted": trusted(pair), "now_ms": LATER} | more))


def test_what_a_city_has_revoked_it_cannot_take_back(towns: Towns, pair: Pair):
    iri = towns.agree(pair.signed())
    for minute, state in enumerate(("revoked", "in-force"), 1):
        towns.london.says(iri, state, "The audit failed." if state == "revoked" else "", NOW + minute * 60_000)
    towns.level()
    told = "\n".join(
        judged(export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=LATER), pair).lines()
    )
    assert "it is revoked since 2027-01-15T08:01:00.000Z: The audit failed." in told


def test_an_export_proves_itself_without_a_node(body: bytes, pair: Pair):
    report = judged(body, pair)
    told = "\n".join(report.lines())
    assert (report.verdict, report.exit_code) == ("proven", 0), told
    assert f"{HELSINKI} signed it as assigner on 2027-01-15T08:00:00Z" in told
    assert f"{LONDON} signed it as assignee on 2027-01-15T08:00:01Z" in told
    assert "suspended since 2027-01-15T08:01:00.000Z: An audit is on." in told
    assert "in-force since 2027-01-15T08:00:03.000Z." in told
    assert "2 of the 3 entries under its signed checkpoint are about this agreement" in told
    assert told.count("pinned by its fingerprint") == 2
    assert report.document()["verdict"] == "proven"
    assert report.lines()[-1] == f"proven: {text_of().iri}"


def test_an_export_shows_nothing_of_other_agreements(body: bytes):
    assert b"agreements/2" not in body
    assert all(len(each["entries"]) <= 2 for each in json.loads(body)["journals"])


def test_the_other_city_exports_the_same_proof(towns: Towns, pair: Pair):
    iri = towns.agree(pair.signed())
    both = [export_bundle(each.sources, each.agreement(iri), now_ms=LATER) for each in (towns.helsinki, towns.london)]
    assert all(judged(each, pair).verdict == "proven" for each in both)
    assert json.loads(both[0])["text"] == json.loads(both[1])["text"]
    for town in (towns.helsinki, towns.london):
        report = verify_here(town.sources, town.agreement(iri), now_ms=LATER)
        assert (report.verdict, len(report.findings)) == ("proven", 11), report.lines()
        assert not any("file cannot show" in each.sentence for each in report.findings), "the journals are here"


def test_without_fingerprints_it_says_whose_word_the_keys_are(body: bytes, pair: Pair):
    told = judged(body, pair, trusted=())
    assert told.verdict == "proven"
    assert sum("only those that this file names" in each.sentence for each in told.findings) == 2
    one = judged(body, pair, trusted=trusted(pair)[:1])
    assert one.verdict == "proven"
    assert sum("only those that this file names" in each.sentence for each in one.findings) == 1
    ours, theirs = trusted(pair)
    assert told.lines()[-1].startswith("proven, if these are the cities' fingerprints: ")
    assert all(each in told.lines()[-1] for each in (ours, theirs, "Compare them by another way"))
    assert one.lines()[-1].startswith(f"proven, if this is the city's fingerprint: {theirs} (")
    assert ours not in one.lines()[-1]
    other = judged(body, pair, trusted=[*trusted(pair), "x" * 43])
    assert (other.verdict, other.exit_code) == ("refuted", 1)
    assert "neither city" in other.reason


def test_keys_that_were_replaced_since_still_prove_what_they_signed(
    tmp_path: Path, migrated: Path, tmp_path_factory: pytest.TempPathFactory
):
    pair = Pair.made(tmp_path_factory.mktemp("rotating"))
    first = trusted(pair)
    towns = Towns.made(tmp_path, migrated, pair)
    iri = towns.agree(pair.signed())
    for purpose in ("entity", "record", "checkpoint"):
        for times in (1, 2):
            pair.keyrings[HELSINKI].rotate(purpose, now_ms=NOW + times * DAY_MS, overlap_ms=0, issuer=HELSINKI)  # type: ignore[arg-type]
    body = export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=NOW + 9 * DAY_MS)
    towns.close()
    assert judged(body, pair, trusted=first, now_ms=NOW + 10 * DAY_MS).verdict == "proven"
    assert judged(body, pair, now_ms=NOW + 900 * DAY_MS).verdict == "proven"


def test_a_key_that_the_statement_names_as_followed_is_the_citys(
    tmp_path: Path, migrated: Path, tmp_path_factory: pytest.TempPathFactory
):
    pair = Pair.made(tmp_path_factory.mktemp("old"))
    towns = Towns.made(tmp_path, migrated, pair)
    iri = towns.agree(pair.signed())
    signed_by = pair.keyrings[HELSINKI].current("record").kid
    named = {signed_by}
    rotated = 0
    while signed_by in named:  # until it just falls out of the statement
        rotated += 1
        pair.keyrings[HELSINKI].rotate("record", now_ms=NOW + rotated * DAY_MS, overlap_ms=0, issuer=HELSINKI)
        at_ms = NOW + (rotated + 1) * DAY_MS
        statement = towns.helsinki.sources.identity.statement(at_ms)
        named = {key.kid for key in read_old_statement(statement, HELSINKI, at_ms).keys}
    body = export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=at_ms)
    towns.close()
    report = judged(body, pair, now_ms=at_ms)
    assert (report.unvouched, report.verdict) == ([], "proven"), report.lines()
    assert f"{HELSINKI} signed it" in "\n".join(report.lines())


def test_a_key_that_only_the_file_names_leaves_it_incomplete(
    tmp_path: Path, migrated: Path, tmp_path_factory: pytest.TempPathFactory
):
    pair = Pair.made(tmp_path_factory.mktemp("old"))
    towns = Towns.made(tmp_path, migrated, pair)
    iri = towns.agree(pair.signed())
    for times in range(1, 25):
        pair.keyrings[HELSINKI].rotate("record", now_ms=NOW + times * DAY_MS, overlap_ms=0, issuer=HELSINKI)
    body = export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=NOW + 30 * DAY_MS)
    towns.close()
    report = judged(body, pair, now_ms=NOW + 31 * DAY_MS)
    assert (report.verdict, report.exit_code) == ("incomplete", 3)
    assert "does not name the key" in report.reason
    assert f"{HELSINKI} signed it" not in "\n".join(report.lines())
    kid = json.loads(json.loads(body)["text"])["proof"][0]["verificationMethod"].partition("#")[2]
    cut = json.loads(body)
    cut["cities"][0]["keys"] = [each for each in cut["cities"][0]["keys"] if each["kid"] != kid]
    assert "not one of" in judged(json.dumps(cut).encode(), pair, now_ms=NOW + 31 * DAY_MS).reason


def test_a_key_that_a_forger_slips_into_the_history_proves_nothing(body: bytes, pair: Pair, tmp_path: Path):
    """A thief without the city's keys signs another text, and puts his own key among the earlier ones."""
    thief = Pair(pair.keyrings | {HELSINKI: Keyring.create(tmp_path / "thief", now_ms=NOW - DAY_MS)})
    told = json.loads(body)
    told["text"] = thief.signed()
    city(told, HELSINKI)["keys"].append(thief.keyrings[HELSINKI].current("record").document())
    report = judged(json.dumps(told).encode(), pair)
    assert report.verdict == "refuted"
    assert any("does not name the key" in each.sentence for each in report.findings)


def test_a_journal_that_is_not_there_leaves_it_incomplete(towns: Towns, pair: Pair):
    iri = towns.agree(pair.signed())
    told = json.loads(export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=LATER))
    told["journals"] = told["journals"][:1]
    report = judged(json.dumps(told).encode(), pair)
    assert (report.verdict, report.exit_code) == ("incomplete", 3)
    assert f"nothing of the journal of {LONDON}" in report.reason
    told["cities"] = told["cities"][:1]
    report = judged(json.dumps(told).encode(), pair, trusted=())
    assert report.verdict == "incomplete"
    assert f"no keys of {LONDON}" in report.reason


def test_what_is_not_under_a_checkpoint_yet_is_exported_later(towns: Towns, pair: Pair):
    iri = towns.agree(pair.signed())
    towns.helsinki.says(iri, "revoked", "Enough.", NOW + 60_000, signs=False)
    with pytest.raises(Unavailable, match="not signed yet"):
        export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=LATER)
    towns.helsinki.pairs.sign(NOW + 60_000)
    body = export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=LATER)
    assert "revoked since" in "\n".join(judged(body, pair).lines())


def test_a_damaged_journal_is_found_by_the_node_itself(towns: Towns, pair: Pair):
    iri = towns.agree(pair.signed())
    with towns.helsinki.db.write() as tx:
        tx.run("UPDATE entry SET at = at + 1 WHERE collection_id = (SELECT min(id) FROM collection)")
    report = verify_here(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=LATER)
    assert report.verdict == "refuted"
    assert sum(each.holds is False for each in report.findings) == 2


# ---------------------------------------------------------------- attacks


def journal(told: Said, url: str) -> Said:
    found: Said = next(each for each in told["journals"] if each["city"] == url)
    return found


def entry(told: Said, url: str = LONDON, number: int = 0) -> Said:
    found: Said = journal(told, url)["entries"][number]
    return found


def city(told: Said, url: str) -> Said:
    found: Said = next(each for each in told["cities"] if each["url"] == url)
    return found


def text_changed(told: Said) -> None:
    said = json.loads(told["text"])
    said["permission"][0]["constraint"][0]["rightOperand"] = "2099-01-01T00:00:00Z"
    told["text"] = jcs(said).decode()


def swap_statements(told: Said) -> None:
    one, two = told["cities"]
    one["statement"], two["statement"] = two["statement"], one["statement"]


def swap_journals(told: Said) -> None:
    one, two = told["journals"]
    one["city"], two["city"] = two["city"], one["city"]


def weak_key() -> Said:
    """A record key under which one signature fits every message."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(b"\x01" + bytes(31))}
    return {"purpose": "record", "kid": thumbprint(jwk), "alg": "Ed25519", "jwk": jwk, "from": "2027-01-01T00:00:00Z"}


ATTACKS: dict[str, tuple[Callable[[Said], object], str]] = {
    "another format": (lambda told: told.update(citynode="agreement/2"), "no export"),
    "no text": (lambda told: told.update(text=None), "no text"),
    "another agreement named": (lambda told: told.update(agreement="urn:x"), "of another agreement"),
    "a changed rule": (text_changed, "not over this text"),
    "statements swapped": (swap_statements, "statement of"),
    "a statement that is none": (lambda told: told["cities"][0].update(statement="x"), "signed token"),
    "a third city": (lambda told: told["cities"].append(told["cities"][0]), "at most 2"),
    "one city twice": (lambda told: told.update(cities=[told["cities"][0]] * 2), "has one twice"),
    "a foreign city": (lambda told: told["cities"][0].update(url="https://evil.example"), "not one of the two"),
    "keys that are no list": (lambda told: told["cities"][0].update(keys={}), "no list of at most"),
    "a thousand keys": (lambda told: told["cities"][0].update(keys=[{}] * 1_000), "no list of at most"),
    "a key that is none": (lambda told: told["cities"][0].update(keys=[{"purpose": "record"}]), "JSON Web Key"),
    "a key of small order": (lambda told: told["cities"][0]["keys"].append(weak_key()), "small order"),
    "journals swapped": (swap_journals, "about this pair of cities is"),
    "one journal twice": (lambda told: told.update(journals=[told["journals"][0]] * 2), "two journals"),
    "three journals": (lambda told: told.update(journals=[{}] * 3), "at most 2"),
    "no entries": (lambda told: journal(told, LONDON).update(entries=[]), "no entries"),
    "entries that are no list": (lambda told: journal(told, LONDON).update(entries="x"), "no list"),
    "an entry that is none": (lambda told: journal(told, LONDON).update(entries=[7]), "no entry"),
    "entries reordered": (lambda told: journal(told, LONDON)["entries"].reverse(), "not in their order"),
    "an entry twice": (lambda told: journal(told, LONDON).update(entries=[entry(told)] * 2), "not in their order"),
    "an entry at another time": (
        lambda told: entry(told)["entry"].update(at="2027-01-14T08:00:00.000Z"),
        "not in the tree",
    ),
    "an entry at another place": (lambda told: entry(told)["entry"].update(seq=2), "not in the tree"),
    "an entry of another collection": (
        lambda told: entry(told)["entry"].update(collection=f"{LONDON}/collections/open-data"),
        "is shown as one of",
    ),
    "another opening": (lambda told: entry(told)["opening"].update(salt="A" * 22), "does not commit"),
    "another record": (lambda told: entry(told)["opening"].update(record="urn:x"), "does not commit"),
    "no opening": (lambda told: entry(told).update(opening=None), "not about this agreement"),
    "another description": (
        lambda told: entry(told).update(payload=entry(told)["payload"].replace("in-force", "revoked")),
        "not the one that it names",
    ),
    "a description that is no text": (lambda told: entry(told).update(payload=7), "no entry"),
    "another checkpoint": (
        lambda told: journal(told, LONDON).update(checkpoint=journal(told, HELSINKI)["checkpoint"]),
        "does not hold",
    ),
    "a checkpoint of another size": (
        lambda told: journal(told, LONDON).update(
            checkpoint=journal(told, LONDON)["checkpoint"].replace("\n3\n", "\n4\n", 1)
        ),
        "does not hold",
    ),
    "no checkpoint": (lambda told: journal(told, LONDON).update(checkpoint=None), "checkpoint"),
    "another way up the tree": (lambda told: entry(told)["inclusion"].update(hashes=[]), "not in the tree"),
}


@pytest.mark.parametrize("other", ["http://[", "https://a\u2100b", "urn:x"])
def test_a_party_that_is_no_address_is_refuted_and_not_stumbled_over(body: bytes, pair: Pair, other: str):
    told = json.loads(body)
    said = json.loads(told["text"])
    ours = said["assigner"]
    told["text"] = jcs({**said, "assignee": other}).decode()
    told["cities"] = [each for each in told["cities"] if each["url"] == ours]
    assert judged(json.dumps(told).encode(), pair).verdict == "refuted"


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_change_of_an_export_is_found(body: bytes, pair: Pair, attack: str):
    change, words = ATTACKS[attack]
    told = json.loads(body)
    change(told)
    report = judged(json.dumps(told).encode(), pair)
    assert report.verdict == "refuted", report.lines()
    assert report.exit_code == 1
    assert re.search(words, report.reason), report.lines()


def test_what_was_left_out_at_the_end_is_said_to_be_possible(body: bytes, pair: Pair):
    told = json.loads(body)
    del journal(told, LONDON)["entries"][1]
    report = judged(json.dumps(told).encode(), pair)
    assert report.verdict == "proven"
    assert any("cannot show whether a later entry" in each.sentence for each in report.findings)


def test_a_description_that_is_not_kept_any_more_is_no_lie(body: bytes, pair: Pair):
    told = json.loads(body)
    entry(told)["payload"] = None
    assert judged(json.dumps(told).encode(), pair).verdict == "proven"
    entry(told, LONDON, 1)["payload"] = None
    report = judged(json.dumps(told).encode(), pair)
    assert (report.verdict, report.exit_code) == ("incomplete", 3)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"\xff", b"{" * 100_000, b'{"citynode":"agreement/1","citynode":"agreement/1"}', b"x" * (17 << 20)],
    ids=["empty", "list", "bytes", "deep", "twice", "long"],
)
def test_whatever_the_file_is_it_is_judged(body: bytes):
    report = verify_bundle(body, now_ms=NOW)
    assert (report.verdict, report.exit_code, len(report.findings)) == ("refuted", 1, 1)


def test_an_agreement_from_which_a_signature_was_taken_is_refuted(towns: Towns, pair: Pair):
    text = text_of()
    first = text.with_proofs(*json.loads(pair.signing(HELSINKI).sign_as_assigner(text, NOW))["proof"])
    for made in (text, first):
        told = json.loads(body_of(towns, pair))
        told["text"] = made.signed
        report = judged(json.dumps(told).encode(), pair)
        assert report.verdict == "refuted"
        assert "holds another text than the one that is shown" in report.reason


@pytest.mark.parametrize("signs", [(), (HELSINKI,)])
@pytest.mark.parametrize("after_ms", [3_600_000, 400 * DAY_MS])
def test_an_agreement_that_another_connector_did_not_sign_is_not_proven_and_not_refuted(
    towns: Towns, pair: Pair, signs: tuple[str, ...], after_ms: int
):
    text = text_of()
    iri = towns.agree(pair.signing(HELSINKI).sign_as_assigner(text, NOW) if signs else text.signed)
    body = export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=NOW + after_ms)
    report = judged(body, pair, now_ms=NOW + after_ms)
    told = "\n".join(report.lines())
    assert (report.verdict, report.exit_code, report.signed) == ("incomplete", 3, False), told
    for url in {HELSINKI, LONDON} - set(signs):
        assert f"not known: The agreement bears no signature of {url}" in told
    assert [url for url in (HELSINKI, LONDON) if f"{url} signed it as" in told] == list(signs)
    here = verify_here(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=NOW + after_ms)
    assert here.verdict == "incomplete", here.lines()


def test_a_signature_that_stands_alone_and_is_wrong_is_refuted(towns: Towns, pair: Pair):
    told = json.loads(pair.signing(HELSINKI).sign_as_assigner(text_of(), NOW))
    del told["prohibition"]
    iri = towns.agree(jcs(told).decode())
    body = export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=LATER)
    report = judged(body, pair)
    assert (report.verdict, report.reason) == ("refuted", "The assigner's signature is not over this text.")


def body_of(towns: Towns, pair: Pair) -> bytes:
    if not towns.helsinki.agreements.all():
        towns.agree(pair.signed())
    held = towns.helsinki.agreements.all()[0]
    return export_bundle(towns.helsinki.sources, held, now_ms=LATER)


def test_a_journal_that_knew_of_it_before_it_was_signed_is_refuted(towns: Towns, pair: Pair):
    iri = towns.agree(pair.signed(), at_ms=NOW - DAY_MS)
    body = export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=LATER)
    assert "since before it was signed" in judged(body, pair).reason


def lies(towns: Towns, payload: bytes) -> None:
    """London puts another description of the agreement into its own journal, and signs it."""
    name, record = pair_collection(HELSINKI), record_in(text_of().iri, LONDON)
    draft = Draft(record, slug_in(text_of().iri, LONDON), KIND, "put", payload)
    with towns.london.db.write() as tx:
        towns.london.journals.append(tx, name, [draft], at_ms=NOW + 9_000)
    towns.london.pairs.sign(NOW + 9_000)
    towns.level()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda payload: payload.replace(b"2028-01-15", b"2038-01-15"), "holds another text"),
        (lambda payload: payload.replace(b'"in-force"', b'"for ever"'), "no state that there is"),
        (lambda payload: b"\xff\n", "not the one that it names"),
        (
            lambda payload: b'<a> <b> "\\UFFFFFFFF" .\n' + payload.replace(b'"in-force"', b'"\\UFFFFFFFF"'),
            "cannot be read",
        ),
        (lambda payload: b"x\n", "cannot be read"),
    ],
    ids=["text", "state", "bytes", "escape", "triples"],
)
def test_a_journal_that_its_own_city_wrote_wrongly_is_refuted(
    towns: Towns, pair: Pair, change: Callable[[bytes], bytes], words: str
):
    iri = towns.agree(pair.signed())
    body = export_bundle(towns.london.sources, towns.london.agreement(iri), now_ms=LATER)
    lies(towns, change(entry(json.loads(body))["payload"].encode()))
    told = export_bundle(towns.london.sources, towns.london.agreement(iri), now_ms=LATER)
    report = judged(told, pair)
    assert report.verdict == "refuted"
    assert words in report.reason


def test_a_journal_that_withdrew_it_says_so(towns: Towns, pair: Pair):
    iri = towns.agree(pair.signed())
    name, record = pair_collection(HELSINKI), record_in(iri, LONDON)
    with towns.london.db.write() as tx:
        draft = Draft(record, slug_in(iri, LONDON), KIND, "withdraw")
        towns.london.journals.append(tx, name, [draft], at_ms=NOW + 9_000)
    towns.london.pairs.sign(NOW + 9_000)
    body = export_bundle(towns.london.sources, towns.london.agreements.all()[0], now_ms=LATER)
    assert "withdrawn since" in "\n".join(judged(body, pair).lines())


def test_a_city_that_was_not_mirrored_yet_is_missing_and_said_to_be(towns: Towns, pair: Pair):
    text = read_text(pair.signed())
    towns.helsinki.concludes(text, NOW + 3_000)
    with pytest.raises(Unavailable, match="not signed yet"):
        export_bundle(towns.london.sources, replace(towns.helsinki.agreement(text.iri), peer="helsinki"), now_ms=LATER)
    report = verify_here(towns.helsinki.sources, towns.helsinki.agreement(text.iri), now_ms=LATER)
    assert report.verdict == "incomplete"
    assert sum(each.holds is None for each in report.findings) == 2


def test_two_cities_of_two_federations_are_refuted_unless_one_is_named(towns: Towns, pair: Pair):
    iri = towns.agree(pair.signed())
    body = export_bundle(towns.helsinki.sources, towns.helsinki.agreement(iri), now_ms=LATER)
    other = OwnIdentity(City(LONDON, "London", "x", "https://other.example"), pair.keyrings[LONDON], collections=list)
    told = json.loads(body)
    city(told, LONDON)["statement"] = other.statement(LATER)
    assert "two federations" in judged(json.dumps(told).encode(), pair).reason
    assert judged(json.dumps(told).encode(), pair, federation=FEDERATION).verdict == "proven"
    assert "federation" in judged(body, pair, federation="https://other.example").reason
