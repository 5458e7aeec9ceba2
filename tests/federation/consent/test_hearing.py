"""Laws of what a city hears of withdrawals: only of data that came to it, and no more than it can look through."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node.db import Database, Tx
from node.errors import Conflict, NotAgreed, TooLarge, TooManyRequests
from node.federation.consent import acknowledgements as hearing
from node.federation.consent.acknowledgements import Acknowledgements
from node.federation.consent.post import Post, Told
from node.federation.consent.store import ConsentStore, Withdrawal, salted_key
from node.federation.dialogues.outgoing import Outbox
from tests.federation.consent.withdrawal_rig import Wire

HELSINKI = "https://h.example"
DATASET, AGREEMENT = f"{HELSINKI}/datasets/energy", f"{HELSINKI}/agreements/1"
NOW = 1_795_000_000_000


@dataclass
class Ears:
    """What hears, and what it has stated."""

    office: Acknowledgements
    store: ConsentStore
    stated: list[str]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def hear(self, *subjects: str, salt: str = "ab" * 16, dataset: str = DATASET) -> int:
        keys = [(f"{next(self.numbers):032x}", salted_key(salt, each), NOW) for each in subjects]
        return self.office.hear(HELSINKI, Told(AGREEMENT, dataset, salt, keys))


@pytest.fixture
def ears(lasting_db: Database) -> Iterator[Ears]:
    stated: list[str] = []
    store = ConsentStore(lasting_db)

    def state(tx: Tx, kind: str, each: Withdrawal, said: Mapping[str, Any], at_ms: int) -> str:
        stated.append(kind)
        return "{}"

    office = Acknowledgements(
        store,
        Post(Outbox(lasting_db, chance=lambda: 0.5), Wire()),
        gave_under=lambda *said: said == (HELSINKI, AGREEMENT, DATASET),
        evidence=state,
        stated=lambda *_: "{}",
        clock_ms=lambda: NOW,
    )
    yield Ears(office, store, stated)
    with lasting_db.write() as tx:
        for table in ("withdrawal", "outgoing"):
            tx.run(f"DELETE FROM {table}")  # noqa: S608


def test_a_dataset_that_never_came_under_the_agreement_is_not_heard_of(ears: Ears) -> None:
    ears.hear("r-1")
    with pytest.raises(NotAgreed):
        ears.hear("r-1", dataset=DATASET + "2")
    assert ears.stated == ["withdrawal"], "nothing of it comes into our evidence"


def test_salts_of_one_dataset_are_few_so_that_a_file_is_looked_through_in_time(ears: Ears) -> None:
    for number in range(hearing.MAX_SALTS):
        ears.hear(f"r-{number}", salt=f"{number:032x}")
    with pytest.raises(TooManyRequests, match="salts"):
        ears.hear("r-9", salt="99" * 16)
    assert ears.hear("r-9", salt=f"{0:032x}") == 1
    ears.office.answer([], "erased", by="Aino")
    assert ears.hear("r-9", salt="99" * 16) == 1


def test_a_file_is_looked_through_for_so_many_salts_at_once(
    ears: Ears, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears.hear("r-1")
    ears.hear("r-1", salt="cd" * 16)
    file = tmp_path / "ours.csv"
    file.write_text("subject,answer\nr-1,x\n")
    assert len(list(ears.office.match(file, "subject"))) == 2
    monkeypatch.setattr(hearing, "MAX_SALTS_MATCHED", 1)
    with pytest.raises(TooLarge, match="2 salts"):
        list(ears.office.match(file, "subject"))


def test_no_withdrawal_is_kept_as_of_a_day_that_has_not_come(ears: Ears) -> None:
    told = Told(AGREEMENT, DATASET, "ab" * 16, [("0" * 32, "0" * 64, 253_402_300_799_000), ("1" * 32, "1" * 64, 5)])
    assert ears.office.hear(HELSINKI, told) == 2
    assert {each.withdrawn_at for each in ears.store.each("in")} == {NOW, 5}


@pytest.mark.parametrize(
    "second", [("0" * 32, "1" * 64), ("1" * 32, "0" * 64)], ids=["one id for two keys", "one key under two ids"]
)
def test_what_says_two_things_is_not_heard_and_not_stated(ears: Ears, second: tuple[str, str]) -> None:
    first = ("0" * 32, "0" * 64, NOW)
    with pytest.raises(Conflict):
        ears.office.hear(HELSINKI, Told(AGREEMENT, DATASET, "ab" * 16, [first, (*second, NOW)]))
    assert ears.office.hear(HELSINKI, Told(AGREEMENT, DATASET, "ab" * 16, [first])) == 1
    with pytest.raises(Conflict):
        ears.office.hear(HELSINKI, Told(AGREEMENT, DATASET, "ab" * 16, [(*second, NOW)]))
    assert ears.stated == ["withdrawal"]
    again = Told(AGREEMENT, DATASET, "ab" * 16, [("2" * 32, "0" * 64, NOW)], "https://x.example/other")
    assert ears.office.hear(HELSINKI, again) == 1, "for another purpose it is another"
    ears.office.answer([], "erased", by="Aino")
    assert ears.office.hear(HELSINKI, Told(AGREEMENT, DATASET, "ab" * 16, [("3" * 32, "0" * 64, NOW)])) == 1


@pytest.mark.parametrize("by_name", [True, False])
def test_what_two_say_at_once_is_stated_and_told_once(
    ears: Ears, monkeypatch: pytest.MonkeyPatch, by_name: bool
) -> None:
    ears.hear("r-1", "r-2")
    names = [each.id for each in ears.store.each("in")] if by_name else []
    reading = "named" if by_name else "page"
    real = getattr(ears.store, reading)
    others: list[int] = []

    def meanwhile(*said: Any, **named: Any) -> Any:
        found = real(*said, **named)
        monkeypatch.undo()
        others.append(len(ears.office.answer(names, "erased", by="bo")))
        return found

    monkeypatch.setattr(ears.store, reading, meanwhile)
    if by_name:
        assert ears.office.answer(names, "erased", by="ada") == []
    else:
        with pytest.raises(Conflict, match="No withdrawal waits"):
            ears.office.answer(names, "erased", by="ada")
    assert (others, ears.stated.count("erasure")) == ([2], 2)
    assert {each.by for each in ears.store.each("in")} == {"bo"}
    assert ears.store.db.hot().row("SELECT count(*) FROM outgoing") == (1,)
