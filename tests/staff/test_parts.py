"""Laws of what signing in stands on: codes of a phone, recovery codes, sealed secrets, counts of guesses, accounts."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from node.db import Database
from node.errors import (
    Conflict,
    Malformed,
    Misconfigured,
    NodeError,
    NotFound,
    Refuted,
    TooManyRequests,
    Unauthenticated,
)
from node.keys.ring import encrypt
from node.keys.sealing import FILE_NAME, Sealer
from node.staff import totp
from node.staff.links import Links
from node.staff.people import NAME, People, Person
from node.staff.second import DRAFT_MS, SecondFactors
from node.staff.trail import Trail
from node.staff.tries import FREE, HOUR_MS, KEPT_MS, LONGEST_WAIT_MS, PER_ADDRESS, Tries, Try

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute

# RFC 6238, appendix B: seconds, and the last six digits of its codes of SHA-1.
VECTORS = [
    (59, "287082"),
    (1_111_111_109, "081804"),
    (1_111_111_111, "050471"),
    (1_234_567_890, "005924"),
    (2_000_000_000, "279037"),
    (20_000_000_000, "353130"),
]
SECRET = b"12345678901234567890"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(db: Database, clock: Clock) -> People:
    return People(db, clock, hasher=CHEAP)


@pytest.mark.parametrize(("second", "code"), VECTORS)
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    assert totp.taken_step(SECRET, code, now_ms=second * 1000, after_step=0) == second // totp.STEP_S


@given(st.integers(10, 10**7), st.integers(-3, 3))
def test_a_code_is_good_a_step_around_its_own_and_never_twice(step: int, away: int) -> None:
    code, now_ms = totp.code_at(SECRET, step), (step + away) * totp.STEP_S * 1000
    wanted = step if abs(away) <= 1 else None
    found = totp.taken_step(SECRET, code, now_ms=now_ms, after_step=0)
    # A code of six digits may be that of a neighbouring step as well, once in three hundred thousand.
    assert found == wanted or totp.code_at(SECRET, found or 0) == code
    assert totp.taken_step(SECRET, code, now_ms=now_ms, after_step=(found or step) + 2) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "２８７０８２", "28 70 8", "-87082", "28708x"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert totp.taken_step(SECRET, code, now_ms=59_000, after_step=0) is None


def test_a_code_may_be_typed_with_blanks() -> None:
    assert totp.taken_step(SECRET, " 287 082 ", now_ms=59_000, after_step=0) == 1


def test_an_authenticator_is_told_city_and_name_and_the_picture_is_of_that() -> None:
    address = totp.address(SECRET, name="maija", city="Åbo & co")
    assert address.startswith("otpauth://totp/%C3%85bo%20%26%20co%20citynode:maija?secret=GEZDGNBVGY3TQOJQ")
    drawn = totp.picture(address)
    assert drawn.startswith("<svg")
    assert not re.search(r"style=|<script|href", drawn)
    assert totp.picture(address + "x") != drawn


@given(st.lists(st.integers(0, 9), max_size=12))
def test_a_recovery_code_is_taken_once(order: list[int]) -> None:
    codes = totp.new_recovery()
    left = [totp.recovery_hash(code) for code in codes]
    used: set[int] = set()
    for number in order:
        after = totp.without(left, codes[number].upper().replace("-", " "))
        assert (after is None) == (number in used)
        left, used = left if after is None else after, used | {number}
    assert len(left) == totp.RECOVERY_CODES - len(used)


def test_recovery_codes_have_eighty_bits_and_no_letters_that_are_mistaken() -> None:
    codes = totp.new_recovery()
    assert len(set(codes)) == len(codes) == totp.RECOVERY_CODES
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}", code) for code in codes)


def test_what_is_sealed_opens_for_its_use_and_its_owner_alone(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / "keys")
    sealed = sealer.seal(b"secret", use="totp", about="maija")
    assert b"secret" not in sealed
    assert Sealer(tmp_path / "keys").open(sealed, use="totp", about="maija") == b"secret"
    assert sealer.seal(b"secret", use="totp", about="maija") != sealed
    changed = bytes([sealed[0] ^ 1]) + sealed[1:]
    for wrong, use, about in (
        (sealed, "totp", "paavo"),
        (sealed, "other", "maija"),
        (changed, "totp", "maija"),
        (b"", "totp", ""),
    ):
        with pytest.raises(Refuted):
            sealer.open(wrong, use=use, about=about)
    with pytest.raises(Refuted):
        Sealer(tmp_path / "others").open(sealed, use="totp", about="maija")


def test_the_sealing_key_is_kept_as_the_other_keys_are(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    sealed = Sealer(folder).seal(b"secret", use="totp", about="maija")
    path = folder / FILE_NAME
    assert path.stat().st_mode & 0o077 == 0
    assert encrypt(folder, "long passphrase") == 1
    assert b"ENCRYPTED" in path.read_bytes()
    assert Sealer(folder, "long passphrase").open(sealed, use="totp", about="maija") == b"secret"
    with pytest.raises(Misconfigured):
        Sealer(folder, "another").open(sealed, use="totp", about="maija")


def test_a_name_waits_longer_after_each_guess_up_to_an_hour(db: Database, clock: Clock) -> None:
    tries, waits = Tries(db, clock), []
    for number in range(15):
        tries.take("maija", f"192.0.2.{number}")
        if number >= FREE - 1:
            with pytest.raises(TooManyRequests) as refused:
                tries.take("maija", "198.51.100.1")
            waits.append(refused.value.retry_after_s * 1000)
            clock.ms += waits[-1]
    assert waits[:4] == [30_000, 60_000, 120_000, 240_000]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_MS


def test_a_refused_try_costs_nothing_and_other_names_and_kinds_go_on(db: Database, clock: Clock) -> None:
    tries = Tries(db, clock)
    for _ in range(FREE):
        tries.take("maija", "192.0.2.1")
    for _ in range(9):
        with pytest.raises(TooManyRequests) as refused:
            tries.take("maija", "192.0.2.2")
        assert refused.value.retry_after_s == 30
    tries.take("paavo", "192.0.2.2")
    Tries(db, clock, "code").take("maija", "192.0.2.1")


@pytest.mark.slow
def test_an_address_has_its_hour_over_all_names_and_good_tries_do_not_count(db: Database, clock: Clock) -> None:
    tries = Tries(db, clock)
    for number in range(10):
        tries.good(tries.take(f"good-{number}", "192.0.2.1"))
    for number in range(PER_ADDRESS):
        tries.take(f"name-{number}", "192.0.2.1")
    with pytest.raises(TooManyRequests):
        tries.take("another", "192.0.2.1")
    tries.take("another", "192.0.2.9")
    clock.ms += HOUR_MS
    tries.take("another", "192.0.2.1")


def test_counts_are_hashes_and_are_forgotten(db: Database, clock: Clock) -> None:
    tries = Tries(db, clock)
    tries.take("maija", "192.0.2.1")
    with db.read() as tx:
        rows = tx.rows("SELECT * FROM staff_try")
    assert len(rows) == 2
    assert not any("maija" in str(row) or "192.0.2.1" in str(row) for row in rows)
    clock.ms += KEPT_MS + 1
    tries.take("paavo", "192.0.2.2")
    with db.read() as tx:
        assert len(tx.rows("SELECT hash FROM staff_try")) == 2


def test_of_two_that_use_a_link_together_one_gets_it(db: Database, clock: Clock, people: People) -> None:
    people.add("maija", roles=["editor"])
    made = Links(db, clock, lambda: "s" * 43).make("maija")
    people.set_password("maija", "four words in a row", link=made.secret)
    with pytest.raises(NotFound, match="used up"):
        people.set_password("maija", "five words in a row too", link=made.secret)
    assert people.check("maija", "four words in a row")
    with db.read() as tx:
        assert tx.row("SELECT count(*) FROM staff_link") == (0,)


def test_the_database_holds_no_secret_of_a_link_or_a_password(db: Database, clock: Clock, people: People) -> None:
    people.add("maija", roles=["editor"])
    Links(db, clock, lambda: "s" * 43).make("maija")
    people.add("paavo", roles=["editor"])
    people.set_password("paavo", "four words in a row")
    with db.read() as tx:
        rows = str(tx.rows("SELECT * FROM staff_link") + tx.rows("SELECT * FROM staff"))
    assert "s" * 43 not in rows
    assert "four words" not in rows
    assert "$argon2id$" in rows


def test_a_draft_of_a_phone_ends_and_belongs_to_its_account(
    db: Database, clock: Clock, people: People, tmp_path: Path
) -> None:
    people.add("maija", roles=["editor"])
    seconds = SecondFactors(db, Sealer(tmp_path / "keys"), clock, city="Helsinki")
    draft = seconds.begin("maija").draft
    assert seconds.begin("maija", draft=draft).draft == draft
    assert seconds.begin("maija").draft != draft
    with pytest.raises(Malformed):
        seconds.begin("paavo", draft=draft)
    with pytest.raises(Unauthenticated):
        seconds.confirm("maija", draft, "no code")
    clock.ms += DRAFT_MS
    with pytest.raises(Malformed, match="too old"):
        seconds.begin("maija", draft=draft)
    with pytest.raises(Unauthenticated):
        seconds.check("maija", "000000")


NAMES = st.text(max_size=60)


@pytest.mark.slow
@given(NAMES)
def test_whatever_another_sign_in_calls_somebody_they_get_a_name_of_ours(lasting_db: Database, name: str) -> None:
    people = People(lasting_db, lambda: 1_000, hasher=CHEAP)
    subject = f"https://id.example {name.encode().hex()}"
    found = people.vouched(subject, name=name, shown=name, roles=["viewer"])
    assert NAME.match(found.name)
    assert found.shown.isprintable()
    assert people.vouched(subject, name="other", shown="", roles=["viewer"]).name == found.name


def test_the_last_who_may_rule_stays(people: People) -> None:
    people.add("liisa", roles=["admin"])
    people.add("maija", roles=["editor"])
    with pytest.raises(Conflict):
        people.disable("liisa")
    people.grant("maija", ["admin"])
    people.disable("liisa")
    with pytest.raises(Conflict):
        people.grant("maija", ["editor"])


def test_who_was_only_invited_is_not_the_last_who_may_rule(people: People) -> None:
    people.add("liisa", roles=["admin"])
    people.set_password("liisa", "four words in a row")
    people.add("ghost", roles=["admin"])
    for leave in (lambda: people.disable("liisa"), lambda: people.grant("liisa", ["editor"])):
        with pytest.raises(Conflict, match="Nobody would be left"):
            leave()
    people.grant("ghost", ["viewer"])
    people.grant("ghost", ["admin"])
    people.set_password("ghost", "four other words here")
    people.disable("liisa")


def test_the_trail_takes_whatever_it_is_told_and_can_be_read_again(db: Database, clock: Clock) -> None:
    trail = Trail(db, clock)
    odd = "\x00\udcff\u202e" + "x" * 10_000
    with trail.act(who=odd, way="command", source=odd, act="staff add", target=odd) as told:
        told.detail.update({f"{odd}{n}": odd for n in range(50)})
        told.detail["n"] = 1
    [event] = trail.list()
    assert (event.outcome, len(event.target), "\x00" in event.who) == ("done", 500, False)


def _together(count: int, work: Callable[[int], object]) -> list[object]:
    """Do something many times at once; gives what each gave, or the error it met."""

    def tried(number: int) -> object:
        try:
            return work(number)
        except NodeError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(tried, range(count)))


@pytest.mark.slow
def test_many_guesses_at_once_are_no_way_around_the_count(db: Database, clock: Clock) -> None:
    tries = Tries(db, clock)
    done = _together(16, lambda number: tries.take("maija", f"192.0.2.{number}"))
    assert sum(isinstance(each, Try) for each in done) == FREE
    assert all(isinstance(each, Try | TooManyRequests) for each in done)


@pytest.mark.slow
def test_a_code_that_is_sent_twice_together_is_taken_once(
    db: Database, clock: Clock, people: People, tmp_path: Path
) -> None:
    people.add("maija", roles=["editor"])
    seconds = SecondFactors(db, Sealer(tmp_path / "keys"), clock, city="Helsinki")
    draft = seconds.begin("maija").draft
    secret = seconds._drafted("maija", draft)
    step = clock.ms // 1000 // totp.STEP_S
    codes = seconds.confirm("maija", draft, totp.code_at(secret, step))
    clock.ms += totp.STEP_S * 1000
    for code, how in ((totp.code_at(secret, step + 1), "phone"), (codes[0], "recovery")):
        done = _together(8, lambda _, code=code: seconds.check("maija", code))
        assert [each for each in done if isinstance(each, str)] == [how]


@pytest.mark.slow
def test_of_many_that_use_a_link_at_once_one_gets_it(db: Database, clock: Clock, people: People) -> None:
    people.add("maija", roles=["editor"])
    link = Links(db, clock, lambda: "s" * 43).make("maija").secret
    done = _together(6, lambda number: people.set_password("maija", f"four words in a row {number}", link=link))
    assert sum(isinstance(each, Person) for each in done) == 1
    assert sum(isinstance(each, NotFound) for each in done) == 5


class _Counting(PasswordHasher):
    """A hasher that counts how often it compares."""

    compared = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.compared += 1
        return super().verify(hash, password)


def test_the_same_work_is_done_for_names_that_nobody_has(db: Database, clock: Clock) -> None:
    counting = _Counting(time_cost=1, memory_cost=8, parallelism=1)
    people = People(db, clock, hasher=counting)
    people.add("maija", roles=["editor"])
    people.add("invited", roles=["editor"])
    people.set_password("maija", "four words in a row")
    for name in ("maija", "nobody", "invited", "No name\x00", "x" * 500):
        before = counting.compared
        assert people.check(name, "some other password") is None
        assert counting.compared == before + 1


def test_a_password_of_weaker_times_is_kept_anew_when_it_is_next_given(db: Database, clock: Clock) -> None:
    people = People(db, clock, hasher=CHEAP)
    people.add("maija", roles=["editor"])
    people.set_password("maija", "four words in a row")
    stronger = People(db, clock, hasher=PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert stronger.check("maija", "four words in a row")
    with db.read() as tx:
        assert "m=16,t=2,p=1" in str(tx.row("SELECT password FROM staff WHERE name = 'maija'"))
    assert stronger.check("maija", "four words in a row")
