"""Columns that two records have in common, as files tell: by the name, whatever its spelling, and only of open ones."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest

from node.catalog.previews.values import Column, Preview, Table, to_json
from node.journal import key_of
from node.web.records.columns import MOST, Seen, alike
from node.web.wording.words import words
from tests.catalog.rig import BASE
from tests.web.cities import PARKING
from tests.web.find_rig import Rig, dataset, full

A, B, C = (f"https://x.example/{name}" for name in "abc")


def seen(*names: tuple[str, str]) -> Seen:
    return Seen(tuple(Column(name, kind) for name, kind in names), 10)  # type: ignore[arg-type]


def test_a_name_is_the_same_however_it_is_joined_and_a_type_is_to_be_converted() -> None:
    told = alike(
        {
            A: seen(("Street_Name", "text"), ("hinta", "whole"), ("only here", "text")),
            B: seen(("street name", "text"), ("HINTA", "number")),
            C: seen(
                ("STREETNAME", "empty"),
            ),
        },
        "en",
    )
    street, price = told
    assert street["match"] == "same"
    assert street["names"] == {A: "Street_Name", B: "street name", C: "STREETNAME"}
    assert price["match"] == "convert"
    assert price["note"] == f"{words('en', 'inside.type.whole')}, {words('en', 'inside.type.number')}"


def test_names_without_letters_are_no_names_and_a_thousand_columns_are_few() -> None:
    assert alike({A: seen(("", "text"), ("--", "text")), B: seen(("", "text"), ("__", "text"))}, "en") == []
    many = seen(*((f"c{number}", "text") for number in range(1_000)))
    assert len(alike({A: many, B: many}, "fi")) == MOST


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    rig = full(tmp_path_factory.mktemp("columns") / "node", migrated)
    rig.put("open-data", dataset(f"{BASE}/datasets/other", "Other kerbs"))
    rig.put("plans", dataset(f"{BASE}/datasets/zembla", "Zembla"))
    rig.read()
    for iri, collection in (
        (PARKING.record, "open-data"),
        (f"{BASE}/datasets/other", "open-data"),
        (f"{BASE}/datasets/zembla", "plans"),
    ):
        _looked(rig, iri, collection)
    yield rig
    rig.close()


def _looked(rig: Rig, iri: str, collection: str) -> None:
    """Note what a look into a file of a record gave, as the worker does."""
    columns = (Column("Kerb <b>id</b>", "whole"), Column("length", "number"))
    facts = json.dumps(to_json(Preview("table", "CSV", Table(columns, (("1", "2.5"),), 1234, 2))))
    with rig.node.db.write() as tx:
        tx.run(
            "INSERT INTO preview (url_key, collection_id, record_key, iri, url, state, facts)"
            " SELECT ?, id, ?, ?, ?, 'seen', ? FROM collection WHERE name = ?",
            *(key_of(f"{iri}.csv"), key_of(iri), iri, f"{iri}.csv", facts, collection),
        )


@pytest.mark.slow
def test_records_that_were_looked_into_show_rows_and_columns_and_say_that_it_is_a_guess(rig: Rig) -> None:
    asked = "&".join(f"iri={quote(iri, safe='')}" for iri in (PARKING.record, f"{BASE}/datasets/other"))
    page = rig.page(f"/compare?{asked}")
    assert words("en", "compare.by_name") in unescape(page)
    assert page.count("1,234") == 2
    assert "Kerb &lt;b&gt;id&lt;/b&gt;" in page
    assert "<b>id</b>" not in page
    # Both are of one city, so the title tells the columns apart, on a small screen too.
    assert 'data-of="Testville, Kerbside parking areas"' in page
    assert 'data-of="Testville, Other kerbs"' in page
    quality = re.search(rf'<tr[^>]*><th scope="row">{re.escape(words("en", "facet.quality"))}.*?</tr>', unescape(page))
    assert quality is not None
    assert 'href="/datasets/parking/quality"' in quality[0]
    told = rig.json(f"/compare.json?{asked}")
    assert [column["match"] for column in told["columns_by_name"]] == ["same", "same"]
    assert told["columns"] == []


@pytest.mark.slow
def test_nothing_is_told_of_files_of_shut_records(rig: Rig) -> None:
    asked = "&".join(f"iri={quote(iri, safe='')}" for iri in (PARKING.record, f"{BASE}/datasets/zembla"))
    told = rig.json(f"/compare.json?{asked}")
    assert told["columns_by_name"] == []
    assert told["not_here"] == [f"{BASE}/datasets/zembla"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_one_record_alone_is_kept_and_the_way_to_another_is_shown(rig: Rig, language: str) -> None:
    page = unescape(rig.page(f"/compare?iri={quote(PARKING.record, safe='')}", language))
    assert words(language, "compare.one_more") in page
    assert "/datasets/parking" in page
    assert words(language, "compare.one") not in unescape(rig.page("/compare", language))
    shut = rig.page(f"/compare?iri={quote(f'{BASE}/datasets/zembla', safe='')}", language)
    assert "Zembla" not in shut


@pytest.mark.slow
def test_too_many_records_are_refused_in_the_readers_language(rig: Rig) -> None:
    asked = "&".join(f"iri=https%3A%2F%2Fx.example%2F{number}" for number in range(21))
    reply = rig.get(f"/compare?{asked}", "text/html", **{"accept-language": "fi"})
    assert reply.status_code == 400
    assert words("fi", "refuse.compare") in unescape(reply.text)
