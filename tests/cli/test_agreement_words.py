"""Laws of how the commands print agreements: what stands is said as it came to stand."""

import pytest

from node.cli.agreement_words import print_thing


@pytest.mark.parametrize(
    ("agreed_at", "said"),
    [("", "by:  nobody yet; 1 more needed"), ("2026-11-22", "by:  nobody: the node agreed by itself")],
)
def test_nobody_is_waited_for_where_a_node_agreed_by_itself(
    capsys: pytest.CaptureFixture[str], agreed_at: str, said: str
) -> None:
    thing = {"kind": "agreement", "id": "https://a.example/agreements/1", "title": "Plans", "state": "in force"}
    print_thing({**thing, "role": "provider", "agreed_at": agreed_at, "approvals": [], "approvals_missing": 1})
    assert said in capsys.readouterr().out
