"""Terms in a file: read strictly, so that what is proposed is what whoever wrote the file has seen."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from node.cli.agreement_words import words_of
from node.errors import Malformed, NodeError, TooLarge
from node.federation.agreement_desk.drafting import Words

RULES = {"permission": [{"action": "use"}]}
NOTHING_SAID = {"title": "", "until": "", "review": "", "contacts": [], "public": None}


def read(tmp_path: Path, body: str | bytes) -> Words:
    file = tmp_path / "terms.json"
    file.write_bytes(body if isinstance(body, bytes) else body.encode())
    return words_of(cast("Any", None), "", None, file, "", "en", NOTHING_SAID)


def test_about_and_rules_are_read_and_what_explain_writes_of_one_thing(tmp_path: Path) -> None:
    told = {"about": {"title": "Plans"}, "rules": RULES}
    part = {**told, "id": "x", "title": "Plans", "assigner": "A", "assignee": "B", "target": "urn:x"}
    part |= {"terms": "sha256:0", "sections": [], "text": ""}
    for said in (told, {"rules": RULES, "about": {"title": "Plans"}}, {"lang": "en", "document": "", "parts": [part]}):
        words = read(tmp_path, json.dumps(said))
        assert (words.about, words.rules) == (told["about"], RULES)


@pytest.mark.parametrize(
    "body",
    [
        '{"rules":{"permission":[{"action":"use"}]},"rules":{"prohibition":[{"action":"use"}]}}',
        '{"rules":{"permission":[{"action":"use"}],"permission":[]}}',
        '{"rules":{"permission":[{"action":"use"}]},"abut":{}}',
        '{"parts":[{"rules":{"permission":[{"action":"use"}]},"zzz":1}]}',
        '{"parts":[{"rules":{"permission":[{"action":"use"}]}}],"rules":{}}',
        '{"parts":[{"rules":{}},{"rules":{}}]}',
        '{"parts":[7]}',
        '{"rules":[1]}',
        '{"rules":{},"about":[]}',
        '{"rules":{"permission":[NaN]}}',
        '{"rules":{"permission":[1e400]}}',
        '{"about":{"title":"\\ud800"},"rules":{}}',
        '{"rules":',
        b'{"\xff":1}',
    ],
)
def test_a_file_that_two_readers_may_take_for_different_things_is_refused(tmp_path: Path, body: str | bytes) -> None:
    with pytest.raises(Malformed):
        read(tmp_path, body)


@pytest.mark.parametrize("body", [b'{"rules":' * 50_000, b'{"rules":[' + b" " * 300_000 + b"]}"])
def test_a_file_is_bounded(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(NodeError) as refused:
        read(tmp_path, body)
    assert isinstance(refused.value, Malformed | TooLarge)
