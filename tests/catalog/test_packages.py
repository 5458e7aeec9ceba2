"""Laws of packages: a name and an id lead to one record and back, and of what may not be seen nothing is told."""

import re
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalog.packages import MAX_NAME, Packages, id_of, name_of
from node.catalog.shelf import Held, ShelfFollower
from node.db import Database
from node.journal import Draft, catch_up
from node.journal.journal import Journals
from node.keys import Keyring

OWN, OTHER, SHUT = "open-data", "london/open-data", "plans"
TO_BE = "to-be-a-mirror"
SHOWN = (OWN, OTHER)
_ODD = ["", "nothing", "_", "a_b_c", "trees__", "trees__series__series", "LONDON_trees", "é", "a" * 5_000, "::", "x y"]
_ODD += ["trees__0123456789abcdef", *(f"00000000-0000-{version}000-8000-000000000000" for version in "48")]
_PARTS = st.lists(st.sampled_from(("a", "b", "series", "0123456789abcdef", "x" * 30)), min_size=1, max_size=3)
_SLUGS = _PARTS.map("-".join)
_PEERS = _PARTS.map("-".join).map(lambda name: name[:63])
_KINDS = st.sampled_from(("dataset", "dataset-series"))


def held(slug: str, *, peer: str = "", kind: str = "dataset", iri: str = "") -> Held:
    collection = f"{peer}/open-data" if peer else OWN
    return Held(collection, iri or f"https://{peer or 'here'}.example/{kind}/{slug}", kind, slug, "sha256:", 1, 1)


def draft(iri: str, slug: str, kind: str = "dataset") -> Draft:
    line = f'<{iri}> <http://purl.org/dc/terms/title> "{slug}"@en .\n'
    return Draft(iri, slug, kind, "put", line.encode())


@pytest.fixture(scope="module")
def journals(lasting_db: Database, keyring: Keyring) -> Journals:
    """Give journals with a few records; only the last test of the module changes them."""
    journals = Journals(lasting_db, keyring)
    with journals.db.write() as tx:
        for name, visibility in ((OWN, "public"), (TO_BE, "public"), (SHUT, "restricted")):
            iri = f"https://any.example/collections/{name}"
            journals.create(tx, name=name, iri=iri, title=name, visibility=visibility, at_ms=1_000)
        journals.append(tx, OWN, [draft(f"https://h.example/{s}", s) for s in ("trees", "london-trees")], at_ms=2_000)
        journals.append(tx, OWN, [draft("https://h.example/series", "trees", "dataset-series")], at_ms=2_000)
        journals.append(tx, OWN, [draft("https://h.example/wfs", "wfs", "data-service")], at_ms=2_000)
        journals.append(tx, TO_BE, [draft("https://l.example/trees", "trees")], at_ms=3_000)
        # A record of ours that another city's catalogue has too, and one that is for few.
        journals.append(tx, TO_BE, [draft("https://h.example/trees", "copied")], at_ms=3_000)
        journals.append(tx, SHUT, [draft("https://h.example/secret", "secret")], at_ms=3_000)
    catch_up(journals, ShelfFollower())
    with journals.db.write() as tx:
        # Only an exchange fills a mirror; its rows are those of any other collection.
        tx.run("UPDATE collection SET name = ? WHERE name = ?", OTHER, TO_BE)
    return journals


@pytest.fixture(scope="module")
def packages(journals: Journals) -> Packages:
    return Packages(journals)


def test_names_and_ids_lead_back_to_their_records(packages: Packages) -> None:
    listed = packages.page(SHOWN, offset=0, limit=100)
    assert [name_of(each) for each in listed] == [
        "london-trees", "trees", "trees__series", "london_copied", "london_trees"
    ]  # fmt: skip
    assert len({id_of(each) for each in listed}) == packages.count(SHOWN) == 5
    for each in listed:
        assert packages.find(name_of(each), SHOWN) == each
        assert packages.find(id_of(each), SHOWN) == each
        assert packages.find(id_of(each).upper(), SHOWN) == each
    assert packages.find("https://l.example/trees", SHOWN) == packages.find("london_trees", SHOWN)


def test_a_record_in_two_collections_is_one_package_in_each_and_by_its_iri_the_first(packages: Packages) -> None:
    own, copied = packages.find("trees", SHOWN), packages.find("london_copied", SHOWN)
    assert own is not None
    assert copied is not None
    assert own.iri == copied.iri
    assert id_of(own) != id_of(copied)
    assert packages.find(own.iri, SHOWN) == own


def test_nothing_is_told_of_what_is_not_shown(packages: Packages) -> None:
    shut = packages.find("https://h.example/secret", (SHUT,))
    assert shut is not None
    for called in (shut.iri, id_of(shut), name_of(shut)):
        assert packages.find(called, SHOWN) is None
    assert packages.find("london_trees", (OWN,)) is None
    assert packages.page((), offset=0, limit=10) == []
    assert (packages.count(()), packages.find("trees", ())) == (0, None)


def test_pages_go_through_everything_once_and_tell_what_changed_since(packages: Packages) -> None:
    pages = [packages.page(SHOWN, offset=start, limit=2) for start in range(0, 6, 2)]
    assert [each for page in pages for each in page] == packages.page(SHOWN, offset=0, limit=10)
    changed = packages.page(SHOWN, offset=0, limit=10, since_ms=3_000)
    assert [each.collection for each in changed] == [OTHER] * packages.count(SHOWN, since_ms=3_000) == [OTHER, OTHER]


def test_what_is_called_otherwise_is_not_found(packages: Packages) -> None:
    assert {called: packages.find(called, SHOWN) for called in _ODD} == dict.fromkeys(_ODD)


def test_a_withdrawn_record_is_no_package(packages: Packages, journals: Journals) -> None:
    gone = packages.find("london-trees", SHOWN)
    assert gone is not None
    with journals.db.write() as tx:
        journals.append(tx, OWN, [Draft(gone.iri, gone.slug, "dataset", "withdraw", None)], at_ms=4_000)
    catch_up(journals, ShelfFollower())
    for called in (gone.iri, gone.slug, id_of(gone)):
        assert packages.find(called, SHOWN) is None
    assert packages.count(SHOWN) == 4


@settings(max_examples=30)
@given(st.lists(st.tuples(_SLUGS, st.one_of(st.just(""), _PEERS), _KINDS), min_size=2, max_size=6, unique=True))
def test_no_two_records_share_a_name(named: list[tuple[str, str, str]]) -> None:
    names = [name_of(held(slug, peer=peer, kind=kind)) for slug, peer, kind in named]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_-]{1,100}", name) for name in names)


@pytest.mark.parametrize("slug", ["x" * 100, "Ääkköset", "a/b", "a b", "", "__", "-"])
def test_long_and_irregular_slugs_are_named_by_key(slug: str) -> None:
    name = name_of(held(slug, peer="p" * 60, iri="https://p.example/1"))
    assert re.fullmatch(r"[a-z0-9_-]+__[0-9a-f]{16}", name)
    assert len(name) <= MAX_NAME


@settings(max_examples=20)
@given(st.text(min_size=1))
def test_an_id_is_a_uuid_whatever_the_iri(iri: str) -> None:
    made = uuid.UUID(id_of(held("x", iri=iri)))
    assert (made.version, made.variant) == (8, uuid.RFC_4122)
    assert id_of(held("other", iri=iri)) == str(made)
