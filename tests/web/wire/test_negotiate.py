"""What callers ask for is understood as RFC 9110 says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.web.wire import negotiate

ALL = tuple(negotiate.FORMS)
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "ttl"),
        ("*/*", "ttl"),
        (CHROME, "html"),
        ("text/turtle", "ttl"),
        ("TEXT/Turtle ; charset=utf-8", "ttl"),
        ("application/ld+json", "jsonld"),
        ('application/ld+json;profile="http://a, b;q=0"', "jsonld"),
        ("application/*", "jsonld"),
        ("text/*;q=0.5, application/n-triples;q=0.6", "nt"),
        ("text/turtle;q=0.2, application/rdf+xml;q=0.3", "rdf"),
        ("text/turtle;q=0, */*", "jsonld"),
        ("*/*;q=0.1, application/rdf+xml;q=0.1", "rdf"),
        ("application/json", ""),
        ("image/png, text/turtle;q=0", ""),
        ("text/turtle;q=zebra", "ttl"),
        (",,;;,text/html", "html"),
        ("x" * 3000, "ttl"),
    ],
)
def test_the_form_is_the_one_most_wanted(accept: str, form: str) -> None:
    assert negotiate.form(accept, ALL) == form


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("", "en"),
        ("fi", "fi"),
        ("sv-FI, fi;q=0.8", "sv"),
        ("de, fi;q=0.3", "fi"),
        ("fr", "en"),
        ("fi;q=0, sv;q=0.1", "sv"),
    ],
)
def test_the_language_is_the_readers(asked: str, chosen: str) -> None:
    assert negotiate.language(asked, ("en", "fi", "sv")) == chosen


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", False),
        ("gzip", True),
        ("gzip;q=0", False),
        ("br, *", True),
        ("identity", False),
        ("gzip;q=0.1, identity", False),
    ],
)
def test_gzip_is_sent_to_those_who_take_it(header: str, wanted: bool) -> None:
    assert negotiate.wants_gzip(header) is wanted


@pytest.mark.parametrize(
    ("header", "held"),
    [
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ("*", True),
        ('"b"', False),
        ("a", False),
        ('"a-gzip"', False),
        ("", False),
    ],
)
def test_a_copy_is_recognised(header: str, held: bool) -> None:
    assert negotiate.has_copy(header, '"a"') is held


@given(st.text(max_size=300))
def test_no_header_breaks_the_reading(header: str) -> None:
    assert negotiate.form(header, ALL) in ("", *ALL)
    assert negotiate.language(header, ("en", "fi")) in ("en", "fi")
    negotiate.wants_gzip(header)
    negotiate.has_copy(header, '"a"')
    negotiate.wants_page(header)
