"""Misspellings of the wild are read as what they mean, and said."""

from node.vocab.mend import mend, unsigned

D = "<https://d.example/1>"
DCAT = "http://www.w3.org/ns/dcat#"


def test_terms_in_the_wrong_case_or_namespace_are_read_right() -> None:
    triples, findings = mend(
        [
            (D, f"<{DCAT}accessUrl>", '"https://x.example/a"'),
            (D, "<https://www.w3.org/ns/dcat#keyword>", '"a"@en'),
            (D, "<http://purl.org/dc/terms/licence>", "<https://l.example/>"),
            (D, "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>", "<https://www.w3.org/ns/dcat#Dataset>"),
        ]
    )
    assert triples == [
        (D, f"<{DCAT}accessURL>", "<https://x.example/a>"),
        (D, f"<{DCAT}keyword>", '"a"@en'),
        (D, "<http://purl.org/dc/terms/license>", "<https://l.example/>"),
        (D, "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>", f"<{DCAT}Dataset>"),
    ]
    assert {f.code for f in findings} == {"term-misspelt", "literal-for-iri"}
    assert all(f.level == "repaired" for f in findings)


def test_mending_twice_changes_and_says_nothing() -> None:
    once, _ = mend(
        [
            (D, f"<{DCAT}accessUrl>", '"https://x.example/a b"'),
            (D, "<http://www.w3.org/2006/vcard/ns#hasEmail>", '"info@x.example"'),
        ]
    )
    assert mend(once) == (once, [])


def test_free_text_where_an_address_is_due_stays_text() -> None:
    triples = [(D, "<http://purl.org/dc/terms/license>", '"ask us"')]
    assert mend(triples) == (triples, [])


def test_signatures_that_expire_are_left_out_of_addresses() -> None:
    signed = "https://b.example/f.csv?v=2&X-Amz-Date=1&X-Amz-Signature=ab&X-Amz-Expires=60"
    assert unsigned(signed) == "https://b.example/f.csv?v=2"
    assert unsigned("https://x.example/?signal=1&design=2") == "https://x.example/?signal=1&design=2"
    assert mend([(D, f"<{DCAT}downloadURL>", f"<{signed}>")])[1][0].code == "signature-left-out"
