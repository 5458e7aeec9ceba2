"""Laws of what cities say to each other of withdrawals: read strictly, and bounded."""

from typing import Any

import orjson
import pytest

from node.errors import Malformed, TooLarge
from node.federation.consent.post import MAX_BODY_BYTES, read_answer, read_told

AGREEMENT, DATASET = "https://h.example/agreements/1", "https://h.example/datasets/energy"


TOLD = {
    "agreement": AGREEMENT, "dataset": DATASET, "algorithm": "HMAC-SHA-256", "salt": "ab" * 16,
    "withdrawals": [{"id": "0" * 32, "key": "0" * 64, "at": "2026-11-22T10:00:00Z"}],
}  # fmt: skip


@pytest.mark.parametrize(
    "bent",
    [
        {"agreement": "x"}, {"agreement": None}, {"dataset": 7}, {"dataset": "https://h.example/" + "x" * 2_000},
        {"algorithm": "none"}, {"salt": ""}, {"salt": "AB" * 16}, {"salt": "ab" * 15}, {"withdrawals": []},
        {"withdrawals": {}}, {"withdrawals": ["x"]}, {"withdrawals": TOLD["withdrawals"] * 501},
        *({"withdrawals": [{**TOLD["withdrawals"][0], **each}]} for each in (  # type: ignore[dict-item]
            {"id": "x"}, {"id": "0" * 31}, {"key": "r-1"}, {"at": "yesterday"}, {"at": None}, {"key": None})),
    ],
)  # fmt: skip
def test_a_message_of_another_form_is_refused(bent: dict[str, Any]) -> None:
    assert read_told(orjson.dumps(TOLD)).salt == "ab" * 16
    with pytest.raises(Malformed):
        read_told(orjson.dumps({**TOLD, **bent}))


NO_ANSWERS = [
    b"", b"[]", b"{", b"null", b'{"state": "gone", "ids": ["00"]}', b'{"state": "erased"}',
    b'{"state": "erased", "ids": []}', b'{"state": "erased", "ids": [7]}',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_ANSWERS)
def test_an_answer_of_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_answer(body)


def test_messages_are_bounded() -> None:
    for read in (read_told, read_answer):
        with pytest.raises(TooLarge):
            read(b" " * (MAX_BODY_BYTES + 1))
