"""What a new right may have mended is asked for again, and nothing else."""

import re
from pathlib import Path

import pytest

from node.federation.check import PASSING, QUIET, WORDS
from node.federation.refused import BY_NAMESPACE, BY_THEMES, ask_again
from tests.federation.origins import DCT, LOCAL, Mirror, Origin, payload_of, record_of

ROOT = Path(__file__).resolve().parents[2]
OTHER = "https://london.example"


def tries(mirror: Mirror) -> dict[int, int]:
    return {row[0]: row[4] for row in mirror.refusals()}


@pytest.fixture
def refusing(origin: Origin, mirror: Mirror) -> Mirror:
    mirror.book.table |= {f"{OTHER}/": frozenset({"london"})}
    origin.put(1, payload_of(record_of(1), f'<{OTHER}/x> <{DCT}title> "x" .'))
    origin.put(2, kind="weather")
    origin.put(3)
    mirror.take(origin.page())
    return mirror


def test_what_new_namespaces_may_have_mended_is_marked_and_then_taken(origin: Origin, refusing: Mirror):
    assert refusing.codes() == {1: "foreign-subject", 2: "kind-unknown"}
    with refusing.db.write() as tx:
        assert ask_again(tx, BY_NAMESPACE) == 1
        assert ask_again(tx, BY_THEMES) == 0
    assert tries(refusing) == {1: -1, 2: 0}
    refusing.refill(origin.stubs(1))
    assert tries(refusing) == {1: 0, 2: 0}
    refusing.book.table = {}
    with refusing.db.write() as tx:
        assert ask_again(tx, BY_NAMESPACE, local="helsinki/other") == 0
        assert ask_again(tx, BY_NAMESPACE, local=LOCAL) == 1
    assert refusing.refill(origin.stubs(1)).entries == 1
    assert tries(refusing) == {2: 0}


def test_every_code_has_its_words_and_a_line_in_the_guide():
    guide = (ROOT / "docs" / "troubleshooting.md").read_text().partition("## Why an entry of another city")[2]
    lines = set(re.findall(r"^\| `([a-z-]+)` \|", guide.partition("\n## ")[0], re.MULTILINE))
    assert lines == set(WORDS)
    assert set(WORDS) > QUIET | PASSING | BY_NAMESPACE | BY_THEMES
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in WORDS)
    assert all(words.endswith(".") for words in WORDS.values())
