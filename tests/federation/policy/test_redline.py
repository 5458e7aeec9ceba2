import pytest
from hypothesis import given, settings

from node.federation.policy.model import Policy
from node.federation.policy.redline import Change, plain_redline, redline
from node.federation.policy.sentences import Parties, Terms, sentences
from tests.federation.policy.strategies import policies

PARTIES = Parties("Helsinki", "London")
ID = "https://helsinki.example/agreements/1"


def changed(changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.kind != "same"]


def terms(count: str, *more: str, **about: object) -> Terms:
    use = {"action": "use", "constraint": [{"leftOperand": "odrl:count", "operator": "lteq", "rightOperand": count}]}
    rules = {"permission": [use, *({"action": f"odrl:{action}"} for action in more)]}
    return Terms(rules, about, PARTIES)


def test_a_changed_word_is_marked_within_its_clause() -> None:
    (change,) = changed(redline(terms("10"), terms("20"), "en"))
    assert change.kind == "changed"
    assert [words for kind, words in change.marks if kind == "removed"] == ["10 "]
    assert [words for kind, words in change.marks if kind == "added"] == ["20 "]


def test_a_clause_that_only_moved_is_the_same_and_a_new_one_is_added() -> None:
    changes = changed(redline(terms("10"), terms("10", "translate"), "en"))
    assert [(change.kind, change.new.text) for change in changes if change.new] == [
        ("added", "London may translate what is covered.")
    ]


def test_what_was_taken_out_is_shown_as_it_stood() -> None:
    (change,) = changed(redline(terms("10", "translate"), terms("10"), "en"))
    assert change.kind == "removed"
    assert change.old is not None
    assert change.old.number == "2.2"


def test_title_and_review_are_compared_too() -> None:
    old, new = terms("10", title="A", review="2027-01-01"), terms("10", title="B", review="2028-01-01")
    assert plain_redline(changed(redline(old, new, "en"))) == (
        "~ 0 [-A-]{+B+}\n~ 4.3 The cities review it by 1 January [-2027-]{+2028+}.\n"
    )


@pytest.mark.slow  # many examples
@settings(max_examples=15)
@given(policies(ID), policies(ID))
def test_both_versions_read_out_of_the_redline_and_a_version_beside_itself_is_the_same(
    old: Policy, new: Policy
) -> None:
    changes = redline(Terms(old, {}, PARTIES), Terms(new, {}, PARTIES), "en")
    assert [change.old for change in changes if change.old] == sentences(old, {}, PARTIES, "en")
    assert [change.new for change in changes if change.new] == sentences(new, {}, PARTIES, "en")
    for change in changes:
        if change.kind == "changed" and change.old and change.new:
            assert "".join(words for kind, words in change.marks if kind != "added") == change.old.text
            assert "".join(words for kind, words in change.marks if kind != "removed") == change.new.text
    assert changed(redline(Terms(new, {}, PARTIES), Terms(new, {}, PARTIES), "en")) == []


def test_a_very_long_clause_is_marked_as_a_whole() -> None:
    many = [f"https://example.org/{number}" for number in range(100)]
    about = {"note": " ".join(f"w{number}" for number in range(3_000))}
    (change,) = changed(redline(terms("10", **about), terms("10", note=" ".join(many)), "en"))
    assert [kind for kind, _ in change.marks] == ["removed", "added"]
