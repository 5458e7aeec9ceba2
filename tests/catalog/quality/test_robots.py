"""Laws of robots.txt (RFC 9309): the group that names us, the longest rule, and no file that costs us much."""

import time

import pytest

from node.catalog.quality.robots import EVERYTHING, read

HOST = "https://files.example"
FILE = b"""
# A usual file
User-agent: other
User-agent: *
Disallow: /private
Allow: /private/open
Disallow: /*.php$
Disallow: /a*b*c
Crawl-delay: 7
Nonsense: yes

User-agent: somebody
Disallow: /
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True), ("", True), ("/private", False), ("/private/x", False), ("/private/open/1", True),
        ("/index.php", False), ("/index.php5", True), ("/index.php?a=b", True), ("/a1b2c3", False), ("/acb", True),
        ("/pr%69vate", False), ("/Private", True), ("/robots.txt", True),
    ],
)  # fmt: skip
def test_the_longest_rule_that_matches_decides(path: str, allowed: bool) -> None:
    assert read(FILE).allows(HOST + path) is allowed


def test_who_names_us_speaks_to_us_alone() -> None:
    both = FILE + b"User-agent: CityNode/1.0\nDisallow: /only-us\n"
    assert read(both).allows(HOST + "/private")
    assert not read(both).allows(HOST + "/only-us/x")
    assert (read(FILE).delay_s, read(both).delay_s) == (7.0, 0.0)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"Disallow: /\n", b"User-agent: *\nDisallow:\n", b"<html>"])
def test_what_makes_no_sense_forbids_nothing(body: bytes) -> None:
    assert read(body).allows(HOST + "/x")


def test_equally_long_rules_allow() -> None:
    assert read(b"User-agent: *\nDisallow: /x\nAllow: /x\n").allows(HOST + "/x")
    assert EVERYTHING.allows(HOST + "/x")


@pytest.mark.parametrize(
    "value", ["1e9", "-5", "99999999999", "inf", "seven", ""], ids=lambda value: value or "nothing"
)
def test_a_delay_is_a_number_and_bounded(value: str) -> None:
    assert 0 <= read(b"User-agent: *\nCrawl-delay: " + value.encode()).delay_s <= 600
    assert read(b"User-agent: *\nCrawl-delay: 999999").delay_s == 600


def test_a_hostile_file_costs_little() -> None:
    stars = b"User-agent: *\n" + b"Disallow: /" + b"*a" * 240 + b"b\n"
    huge = read(stars * 2_000)
    assert len(huge.rules) <= 2_000
    begun = time.monotonic()
    for _ in range(3):
        assert huge.allows(HOST + "/" + "a" * 1_900)
    assert time.monotonic() - begun < 2.0
