"""Laws of addresses: the address of a page about a record means the record; any other address means itself."""

from urllib.parse import quote

import pytest

from node.catalog.addresses import record_of, with_records
from node.vocab.kinds import TABLES

CITY = "http://127.0.0.1:8602"
RECORD = "https://malmo.example/practices/gårdar"
PAGE = f"{CITY}/records?iri={quote(RECORD, safe='')}"


@pytest.mark.parametrize(
    "page",
    [
        PAGE,
        f"{PAGE}&lang=sv",
        f"{PAGE}#facts",
        PAGE.replace("/records", "/records.html"),
        PAGE.replace("/records", "/node/records/relations"),
    ],
)
def test_a_page_about_a_record_means_the_record(page: str) -> None:
    assert record_of(page) == RECORD


def test_the_language_of_a_page_is_no_part_of_the_record() -> None:
    assert record_of("https://malmo.example/practices/yards?lang=sv") == "https://malmo.example/practices/yards"


@pytest.mark.parametrize(
    "link",
    [
        RECORD,
        f"{CITY}/records?iri=urn:x",
        f"{CITY}/records?iri=javascript:alert(1)",
        f"{PAGE}&iri={quote(RECORD)}",
        f"{CITY}/other?iri={quote(RECORD)}",
        f"{CITY}/records?" + "&".join(["iri=http://a.example/x"] * 20),
        "https://portal.example/datasets/trees?lang=sv",
        "https://malmo.example/practices/yards?lang=sv&v=2",
        "http://[x?iri=http://a.example/",
        "?iri=",
    ],
)
def test_any_other_address_means_itself(link: str) -> None:
    assert record_of(link) == link


def test_links_to_records_are_mended_and_links_to_pages_are_left() -> None:
    fields = TABLES["answer"].fields
    said = {"question": PAGE, "see": [PAGE, RECORD, 7], "text": {"en": PAGE}, "unknown": PAGE}
    assert with_records(fields, said) == said | {"question": RECORD, "see": [RECORD, RECORD, 7]}
