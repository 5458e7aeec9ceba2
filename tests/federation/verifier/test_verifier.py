"""The verifier against real nodes over the wire, and against files: what it proves, and that it is not to be fooled.

Helsinki is mirrored by London and then stops; whatever is proven of Helsinki afterwards comes from London's data alone.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import rdflib

from node.errors import Malformed, NotFound
from node.federation.verifier.history import tile_path
from node.federation.verifier.verifier import Wish, verify
from node.federation.verifier.web import Place, place_of
from node.journal import note
from node.outbound import Outbound
from tests.federation.fake_peer import KeptServer, Said
from tests.federation.history_rig import NAME, Town, now_ms, towns

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

MIRROR = f"helsinki/{NAME}"


class World:
    """Two cities after a day's work, and what a citizen noted down before."""

    def __init__(self, helsinki: Town, london: Town) -> None:
        self.helsinki, self.london = helsinki, london
        self.early = helsinki.put(range(3))
        self.middle = helsinki.put(range(3, 300))
        helsinki.put([1], "Newest")
        helsinki.erase(2)
        london.put(range(5))
        helsinki.start_web()
        london.start_web()
        london.mirror(helsinki)
        helsinki.watching.cosigning.run(now_ms())
        self.snapshot = ask(f"{helsinki.url}/collections/{NAME}/snapshot").body
        self.own = {
            "proof": ask(f"{helsinki.url}/datasets/d1/proof.json").body,
            "ttl": ask(f"{helsinki.url}/datasets/d1.ttl").body,
        }
        helsinki.stop()

    def mirrored(self, number: int, form: str = "") -> str:
        return f"{self.london.url}/records{form}?iri={quote(self.helsinki.record(number), safe='')}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[World]:
    with towns(tmp_path_factory.mktemp("world"), migrated, "helsinki", "london", serve=False) as (helsinki, london):
        yield World(helsinki, london)


def door() -> Outbound:
    return Outbound(loopback_allowed=True, private_origins=frozenset(), user_agent="test")


def ask(url: str, accept: str = "*/*") -> Any:
    reply = door().ask(url, accept=accept, max_bytes=1 << 24, deadline_s=20)
    assert reply.status == 200, (url, reply.status, reply.body[:200])
    return reply


def told(target: object, **more: Any) -> Any:
    return verify(Wish(str(target), **more), outbound=door(), now_ms=now_ms())


def proven(target: object, **more: Any) -> Any:
    report = told(target, **more)
    assert report.verdict == "proven", report.reason
    return report


def refuted(target: object, **more: Any) -> str:
    report = told(target, **more)
    assert report.verdict == "refuted", report.lines()
    return str(report.reason)


# ------------------------------------------------------- with the origin stopped


@pytest.mark.parametrize("form", ["", ".ttl", ".jsonld", ".rdf", ".nt"])
def test_a_mirrored_record_is_proven_from_another_nodes_data_alone(world: World, form: str):
    report = proven(world.mirrored(1, form), identity=world.helsinki.node.keyring.fingerprint)
    (record,), (state,) = report.records, report.checkpoints
    assert (record.record, record.op, record.seq) == (world.helsinki.record(1), "put", 301)
    assert record.document == (form[1:] or "ttl")
    assert (state.collection, state.trusted) == (world.helsinki.iri, "pinned by --identity")


def test_without_a_pin_the_report_says_whose_word_it_is(world: World):
    (state,) = proven(world.mirrored(2)).checkpoints
    assert state.trusted == f"only as {world.london.url} holds it of {world.helsinki.url}"


def test_another_fingerprint_than_the_citys_refutes(world: World):
    assert "not by" in refuted(world.mirrored(2), identity=world.london.node.keyring.fingerprint)


def test_a_verifier_key_that_was_noted_before_is_enough(world: World):
    key = note.verifier_key(world.helsinki.origin, world.helsinki.node.keyring.public_key("checkpoint"))
    assert proven(world.mirrored(2), key=key).checkpoints[0].trusted == "given with --key"
    other = note.verifier_key(world.helsinki.origin, world.london.node.keyring.public_key("checkpoint"))
    assert "No key that is known" in refuted(world.mirrored(2), key=other)
    foreign = note.verifier_key(world.london.origin, world.london.node.keyring.public_key("checkpoint"))
    assert "is for" in refuted(world.mirrored(2), key=foreign)


def test_a_mirrored_collection_continues_what_was_noted_before(world: World, tmp_path: Path):
    (tmp_path / "early").write_text(world.early)
    (tmp_path / "middle").write_text(world.middle)
    url = f"{world.london.url}/collections/{MIRROR}"
    for older, size in (("early", 3), ("middle", 300)):
        (state,) = proven(url, against=str(tmp_path / older)).checkpoints
        assert (state.continues, state.size) == (size, 302)


def test_a_silent_origin_without_a_mirror_is_unreachable(world: World):
    report = told(f"{world.helsinki.url}/datasets/d1")
    assert (report.verdict, report.exit_code) == ("unreachable", 3)


# --------------------------------------------------------------------- nodes


def test_a_node_is_proven_with_everything_it_shows(world: World):
    report = proven(world.london.url, identity=world.london.node.keyring.fingerprint)
    states = {state.collection: state for state in report.checkpoints}
    assert states[world.london.iri].trusted == "pinned by --identity"
    assert states[world.helsinki.iri].trusted.startswith("only as")
    assert [(one.name, bool(one.trusted)) for one in states[world.helsinki.iri].cosigned] == []


def test_cosignatures_are_checked_with_the_witnesses_own_keys(world: World):
    world.helsinki.start_web()
    try:
        (state,) = proven(f"{world.helsinki.url}/collections/{NAME}").checkpoints
        (cosigner,) = state.cosigned
        assert cosigner.name == world.london.watching.witness.name
        assert cosigner.trusted == f"only as {world.london.url} publishes it"
        key = world.london.watching.witness.key()
        (state,) = proven(f"{world.helsinki.url}/collections/{NAME}", witnesses=(key,)).checkpoints
        assert state.cosigned[0].trusted == "given with --witness"
    finally:
        world.helsinki.stop()


def test_an_own_record_is_proven_at_its_own_address(world: World):
    for path in ("/datasets/d3", "/datasets/d3.jsonld", "/datasets/d3/proof"):
        (record,) = proven(f"{world.london.url}{path}").records
        assert record.record == world.london.record(3)


def test_what_is_not_there_is_not_proven(world: World):
    assert "404" in refuted(f"{world.london.url}/datasets/none")
    assert "404" in refuted(f"{world.london.url}/collections/none")


def test_a_whole_collection_is_recomputed_from_its_snapshot(world: World):
    (state,) = proven(f"{world.london.url}/collections/{MIRROR}/snapshot").checkpoints
    assert state.entries == 302


# --------------------------------------------------------------------- liars


class Liar(KeptServer):
    """A mirror that shows whatever it likes at London's addresses."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        path = "/records/proof"
        self.proof = json.loads(ask(world.mirrored(1).replace("/records", path)).body)
        self.document = ask(world.mirrored(1, ".ttl")).body
        origin = ask(f"{world.london.url}/collections/{MIRROR}/origin").body
        self.says[f"/collections/{MIRROR}/origin"] = Said(origin, headers={"Content-Type": "application/jwt"})
        self.show()

    def show(self) -> None:
        self.says["/records/proof"] = Said(
            json.dumps(self.proof).encode(), headers={"Content-Type": "application/json"}
        )
        self.says["/records.ttl"] = Said(self.document, headers={"Content-Type": "text/turtle"})

    def target(self, number: int = 1) -> str:
        return f"{self.url}/records?iri={quote(self.world.helsinki.record(number), safe='')}"


@pytest.fixture
def liar(world: World) -> Iterator[Liar]:
    with Liar(world) as made:
        yield made


def test_an_honest_copy_of_a_mirror_is_proven(world: World, liar: Liar):
    proven(liar.target(), identity=world.helsinki.node.keyring.fingerprint)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: p["opening"].update(slug="other"), "does not commit"),
        (lambda p: p["opening"].update(salt="AAAAAAAAAAAAAAAAAAAAAA"), "does not commit"),
        (lambda p: p["entry"].update(at="2026-01-01T00:00:00.000Z"), "is not in the tree"),
        (lambda p: p["entry"].update(seq=300), "is not in the tree"),
        (lambda p: p["entry"].update(more="x"), "members"),
        (lambda p: p["entry"].update(collection="http://127.0.0.1:9/collections/x"), "could not be had"),
        (lambda p: p["inclusion"].update(leaf_index=1), "is not in the tree"),
        (lambda p: p["inclusion"].update(tree_size=301), "is not in the tree"),
        (lambda p: p["inclusion"]["hashes"].pop(), "is not in the tree"),
        (lambda p: p["inclusion"]["hashes"].append("A" * 43 + "="), "is not in the tree"),
        (lambda p: p["inclusion"].update(hashes=["AAAA"]), "none"),
        (lambda p: p.update(opening=None), "shows no record"),
        (lambda p: p.update(checkpoint=p["checkpoint"].replace("\n302\n", "\n303\n")), "does not hold"),
        (lambda p: p.update(checkpoint="x"), "no signed note"),
        (lambda p: p.pop("inclusion"), "no proof"),
    ],
)
def test_a_proof_that_is_bent_in_one_place_is_not_believed(world: World, liar: Liar, change: Any, says: str):
    change(liar.proof)
    liar.show()
    report = told(liar.target(), identity=world.helsinki.node.keyring.fingerprint)
    assert report.verdict != "proven"
    assert says in report.reason


def test_another_document_than_the_one_that_was_signed_refutes(world: World, liar: Liar):
    liar.document = liar.document.replace(b"Newest", b"Oldest")
    liar.show()
    assert "digest" in refuted(liar.target(), identity=world.helsinki.node.keyring.fingerprint)


def test_the_proof_of_another_record_is_no_answer(world: World, liar: Liar):
    assert "another record" in refuted(liar.target(2), identity=world.helsinki.node.keyring.fingerprint)


def test_keys_that_the_liar_made_do_not_pass_for_the_citys(world: World, liar: Liar):
    london = world.london.node.federation.identity.statement(now_ms())
    liar.says[f"/collections/{MIRROR}/origin"] = Said(london.encode())
    report = told(liar.target(), identity=world.helsinki.node.keyring.fingerprint)
    assert report.verdict != "proven"


def test_a_rewritten_history_is_refuted(world: World, tmp_path: Path):
    ring = world.helsinki.node.keyring
    other = note.signed(
        note.Checkpoint(world.helsinki.origin, 3, b"\7" * 32),
        ring.public_key("checkpoint"),
        lambda message: ring.sign("checkpoint", message),
    )
    (tmp_path / "other").write_text(other)
    url = f"{world.london.url}/collections/{MIRROR}"
    assert "does not continue" in refuted(url, against=str(tmp_path / "other"))
    same = other.replace("\n3\n", "\n302\n")
    (tmp_path / "same").write_text(same)
    assert refuted(url, against=str(tmp_path / "same"))
    (tmp_path / "snapshot").write_bytes(world.snapshot)
    key = note.verifier_key(world.helsinki.origin, ring.public_key("checkpoint"))
    assert "not those" in refuted(tmp_path / "snapshot", key=key, against=str(tmp_path / "other"))


def test_an_older_note_of_somebody_else_is_refused(world: World, tmp_path: Path):
    (tmp_path / "london").write_text(world.london.newest())
    url = f"{world.london.url}/collections/{MIRROR}"
    assert "not one of" in refuted(url, against=str(tmp_path / "london"))


def test_a_node_that_shows_less_than_was_noted_is_not_refuted_but_not_proven(world: World, tmp_path: Path):
    ring = world.helsinki.node.keyring
    later = note.signed(
        note.Checkpoint(world.helsinki.origin, 400, b"\7" * 32),
        ring.public_key("checkpoint"),
        lambda message: ring.sign("checkpoint", message),
    )
    (tmp_path / "later").write_text(later)
    report = told(f"{world.london.url}/collections/{MIRROR}", against=str(tmp_path / "later"))
    assert (report.verdict, report.exit_code) == ("unreachable", 3)


def test_without_a_proof_in_pages_the_tiles_give_it(world: World, tmp_path: Path):
    (tmp_path / "middle").write_text(world.middle)

    class TilesAlone(Outbound):
        def ask(self, url: str, **more: Any) -> Any:
            reply = super().ask(url, **more)
            return replace(reply, status=404) if "/entries?" in url else reply

    outbound = TilesAlone(loopback_allowed=True, private_origins=frozenset(), user_agent="test")
    wish = Wish(f"{world.london.url}/collections/{MIRROR}", against=str(tmp_path / "middle"))
    report = verify(wish, outbound=outbound, now_ms=now_ms())
    assert (report.verdict, report.checkpoints[0].continues) == ("proven", 300), report.reason


# --------------------------------------------------------------------- files


@pytest.fixture
def files(world: World, tmp_path: Path) -> Path:
    (tmp_path / "d1.proof.json").write_bytes(world.own["proof"])
    (tmp_path / "d1.ttl").write_bytes(world.own["ttl"])
    (tmp_path / "snapshot.jsonl").write_bytes(world.snapshot)
    (tmp_path / "note").write_text(world.middle)
    (tmp_path / "early").write_text(world.early)
    (tmp_path / "city.jwt").write_text(world.helsinki.node.federation.identity.statement(now_ms()))
    return tmp_path


def nobody(target: object, **more: Any) -> Any:
    """Verify with no network at all."""

    class Closed(Outbound):
        def ask(self, url: str, **more: Any) -> Any:
            raise AssertionError(f"asked {url}")

    outbound = Closed(loopback_allowed=False, private_origins=frozenset(), user_agent="test")
    return verify(Wish(str(target), **more), outbound=outbound, now_ms=now_ms())


def test_a_proof_in_a_file_is_checked_offline_with_the_document_beside_it(world: World, files: Path):
    report = nobody(files / "d1.proof.json")
    assert (report.verdict, report.checkpoints[0].trusted) == ("proven", "only as the file itself names it")
    assert report.records[0].document == "ttl"
    pinned = {"statement": str(files / "city.jwt"), "identity": world.helsinki.node.keyring.fingerprint}
    assert nobody(files / "d1.proof.json", **pinned).checkpoints[0].trusted == "pinned by --identity"
    (files / "d1.ttl").write_bytes(world.own["ttl"].replace(b"Newest", b"Oldest"))
    assert nobody(files / "d1.proof.json").verdict == "refuted"


def test_a_document_that_another_parser_wrote_has_the_same_digest(world: World, files: Path):
    """Rdflib reads our Turtle and writes it in its own way: other bytes, the same triples, the same digest."""
    for form, name in (("xml", "d1.rdf"), ("nt", "d1.nt"), ("turtle", "d1.again.ttl")):
        graph = rdflib.Graph().parse(data=world.own["ttl"], format="turtle")
        again = graph.serialize(format=form).encode()
        assert again != world.own["ttl"]
        (files / name).write_bytes(again)
        report = nobody(files / "d1.proof.json", document=str(files / name))
        assert report.verdict == "proven", report.reason
    # And the digest is what anyone gets from sorted N-Triples.
    lines = sorted(line for line in (files / "d1.nt").read_bytes().split(b"\n") if line)
    assert report.records[0].digest == "sha256:" + hashlib.sha256(b"\n".join(lines) + b"\n").hexdigest()


def test_a_snapshot_in_a_file_is_recomputed_offline(world: World, files: Path):
    pinned = {"statement": str(files / "city.jwt"), "identity": world.helsinki.node.keyring.fingerprint}
    (state,) = nobody(files / "snapshot.jsonl", against=str(files / "early"), **pinned).checkpoints
    assert (state.entries, state.continues, state.trusted) == (302, 3, "pinned by --identity")


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        (lambda lines: lines[:-1], "ends after"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "Where entry 1"),
        (lambda lines: [lines[0], lines[1].replace(b"Title 0", b"Title X"), *lines[2:]], "digest"),
        (lambda lines: [lines[0], lines[1].replace(b'"slug":"d0"', b'"slug":"dX"'), *lines[2:]], "does not commit"),
        (lambda lines: [lines[0].replace(b'"after":0', b'"after":5'), *lines[1:]], "begins after"),
        (lambda lines: [lines[0], b"{", *lines[2:]], "no JSON"),
        (lambda lines: [lines[0].replace(b'"v":1', b'"v":2'), *lines[1:]], "no page"),
    ],
)
def test_a_bent_snapshot_is_refuted(world: World, files: Path, bend: Any, says: str):
    lines = bend(world.snapshot.splitlines(keepends=True))
    (files / "snapshot.jsonl").write_bytes(b"".join(lines))
    report = nobody(files / "snapshot.jsonl", statement=str(files / "city.jwt"))
    assert (report.verdict, says in report.reason) == ("refuted", True), report.reason


def test_an_entry_whose_opening_was_cut_off_still_proves_the_tree(world: World, files: Path):
    lines = [json.loads(line) for line in world.snapshot.splitlines()]
    for line in lines[1:]:
        line.pop("opening", None)
        line.pop("payload", None)
    (files / "snapshot.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert nobody(files / "snapshot.jsonl", statement=str(files / "city.jwt")).verdict == "proven"


def test_a_note_in_a_file_is_checked_with_a_key_that_is_at_hand(world: World, files: Path):
    key = note.verifier_key(world.helsinki.origin, world.helsinki.node.keyring.public_key("checkpoint"))
    assert nobody(files / "note", key=key).checkpoints[0].size == 300
    (files / "note").write_text(world.middle.replace("\n300\n", "\n301\n"))
    assert nobody(files / "note", key=key).verdict == "refuted"


@pytest.mark.parametrize("content", [b"", b"hello", b'{"a":1}', b"\xff\x00", bytes(17 << 20)])
def test_what_is_no_file_of_a_node_is_nothing_that_could_be_refuted(files: Path, content: bytes):
    (files / "x").write_bytes(content)
    with pytest.raises(Malformed, match=r"no proof, no checkpoint|is empty"):
        nobody(files / "x")
    (files / "x").write_bytes((files / "d1.proof.json").read_bytes() + content[:1_000] + b"x")
    assert nobody(files / "x").verdict == "refuted"
    (files / "x").write_bytes(b'{"inclusion":' + bytes(17 << 20))
    with pytest.raises(Malformed, match="longer than"):
        nobody(files / "x")


def test_what_cannot_be_meant_is_no_verdict_and_nobody_is_asked(files: Path):
    city, none = "https://city.example", str(files / "none")
    for target, more in (
        (none, {}),
        (city, {"against": none}),
        (city, {"statement": none}),
        (city, {"document": none}),
    ):
        with pytest.raises(NotFound, match="no file"):
            nobody(target, **more)
    for given in ("AAA", "A" * 44, "A" * 42 + "="):
        with pytest.raises(Malformed, match="a fingerprint is 43 characters"):
            nobody(city, identity=given)
    with pytest.raises(Malformed):
        nobody(city, key="nonsense")


def test_a_statement_that_has_expired_still_says_which_keys_signed_old_notes(world: World, files: Path):
    wish = Wish(
        str(files / "snapshot.jsonl"),
        statement=str(files / "city.jwt"),
        identity=world.helsinki.node.keyring.fingerprint,
    )
    report = verify(wish, outbound=door(), now_ms=now_ms() + 90 * 86_400_000)
    assert report.verdict == "proven", report.reason


def test_a_fingerprint_from_before_a_rotation_still_pins_the_city(world: World, files: Path, tmp_path: Path):
    from node.keys import Keyring

    shutil.copytree(world.helsinki.folder / "keys", tmp_path / "ring")
    ring = Keyring(tmp_path / "ring")
    before = ring.fingerprint
    ring.rotate("entity", now_ms=now_ms(), issuer=world.helsinki.url)
    from node.federation.identity.own import OwnIdentity

    own = world.helsinki.node.federation.identity
    rotated = OwnIdentity(own._city, ring, collections=list)
    (files / "rotated.jwt").write_text(rotated.statement(now_ms()))
    assert ring.fingerprint != before
    pinned = {"statement": str(files / "rotated.jwt"), "identity": before}
    assert nobody(files / "snapshot.jsonl", **pinned).checkpoints[0].trusted == "pinned by --identity"


# ----------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://a.example", Place("node", "https://a.example")),
        ("https://a.example/city/", Place("node", "https://a.example/city")),
        ("https://a.example/city/datasets/x", Place("record", "https://a.example/city", "datasets/x")),
        ("https://a.example/services/x.y.rdf", Place("record", "https://a.example", "services/x.y", "rdf")),
        ("https://a.example/series/x.html", Place("record", "https://a.example", "series/x")),
        ("https://a.example/datasets/x/proof.json", Place("record", "https://a.example", "datasets/x")),
        ("https://a.example/records?iri=urn%3Ax", Place("iri", "https://a.example", "urn:x")),
        ("https://a.example/records.jsonld?iri=urn%3Ax", Place("iri", "https://a.example", "urn:x", "jsonld")),
        ("https://a.example/records/proof?iri=urn%3Ax", Place("iri", "https://a.example", "urn:x")),
        ("https://a.example/collections/open-data", Place("collection", "https://a.example", "open-data")),
        ("https://a.example/collections/p/open-data/", Place("collection", "https://a.example", "p/open-data")),
        (
            "https://a.example/collections/p/open-data/checkpoint",
            Place("collection", "https://a.example", "p/open-data"),
        ),
        ("https://a.example/collections/open-data/snapshot", Place("snapshot", "https://a.example", "open-data")),
        (
            "https://a.example/collections/open-data/entries?after=0",
            Place("collection", "https://a.example", "open-data"),
        ),
    ],
)
def test_addresses_are_taken_apart(url: str, place: Place):
    assert place_of(url) == place


def test_tiles_are_named_as_c2sp_names_them():
    assert [tile_path(*each) for each in ((0, 0, 256), (0, 999, 256), (1, 1000, 256), (2, 1234067, 1))] == [
        "0/000",
        "0/999",
        "1/x001/000",
        "2/x001/x234/067.p/1",
    ]
