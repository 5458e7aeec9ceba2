"""Laws of comments: they are kept for our own people under every name that a thing had, and bounded."""

import pytest

from node.db import Database
from node.errors import Malformed, NotFound, TooLarge
from node.federation.agreement_desk import comments as agreement_comments
from node.federation.agreement_desk.comments import MAX_TEXT, Comments

AT = 1_800_000_000_000


@pytest.fixture
def comments(db: Database) -> Comments:
    return Comments(db)


def test_what_was_said_is_given_back_in_order_whatever_the_thing_is_called_by_now(comments: Comments) -> None:
    comments.add("draft-1", ["draft-1"], "First\r\nline two", who="maija", at_ms=AT)
    comments.add("talk-1", ["talk-1", "draft-1"], "Second", who="pekka", at_ms=AT + 1)
    comments.add("draft-2", ["draft-2"], "Of another", who="maija", at_ms=AT)
    found = comments.of(["iri", "talk-1", "draft-1"])
    assert [(each.who, each.said, each.settled) for each in found] == [
        ("maija", "First\nline two", False),
        ("pekka", "Second", False),
    ]
    assert comments.of([]) == []


def test_a_comment_is_settled_and_opened_again_by_the_thing_that_it_is_about(comments: Comments) -> None:
    comments.add("draft-1", ["draft-1"], "Why a year?", who="maija", at_ms=AT)
    (made,) = comments.of(["draft-1"])
    comments.settle(made.id, ["draft-1"], settled=True)
    assert comments.of(["draft-1"])[0].settled
    comments.settle(made.id, ["draft-1"], settled=False)
    assert not comments.of(["draft-1"])[0].settled
    with pytest.raises(NotFound):
        comments.settle(made.id, ["draft-2"], settled=True)
    with pytest.raises(NotFound):
        comments.settle(made.id + 1, ["draft-1"], settled=True)


def test_what_is_no_plain_text_is_no_comment(comments: Comments) -> None:
    for text in ("", " \n ", "x" * (MAX_TEXT + 1), "a\x00b", "turn \u202eabout"):
        with pytest.raises(Malformed):
            comments.add("draft-1", ["draft-1"], text, who="maija", at_ms=AT)
    assert comments.of(["draft-1"]) == []


def test_a_thing_has_no_end_of_room(comments: Comments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement_comments, "MAX_COMMENTS", 2)
    for number in range(2):
        comments.add("draft-1", ["draft-1"], f"Number {number}", who="maija", at_ms=AT)
    with pytest.raises(TooLarge):
        comments.add("draft-1", ["draft-1"], "One more", who="maija", at_ms=AT)
    comments.add("draft-2", ["draft-2"], "Elsewhere there is room", who="maija", at_ms=AT)
