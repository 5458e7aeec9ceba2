"""Laws of names: what cannot be named is known before the receipt, and after it nothing is lost or named twice."""

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from node.db import Database
from node.errors import Conflict, NodeError, Refused, Unavailable
from node.federation.pulls.files import Growing, Lost, Places, mark_of, unwritable
from node.federation.pulls.naming import Naming
from node.federation.pulls.store import Progress, Pull, PullStore, Wanted

CONTENT = {"a.csv": b"one", "more/b.csv": b"three"}


def never() -> bool:
    return False


@dataclass
class Rig:
    """A pull whose parts are whole and proven."""

    naming: Naming
    store: PullStore
    pull: Pull
    places: Places
    to: Path

    def fresh(self) -> Pull:
        self.pull = self.store.get(self.pull.id)
        return self.pull

    def prepare(self) -> None:
        self.naming.prepare(self.fresh(), self.places, never)

    def appear(self) -> None:
        self.naming.appear(self.fresh(), self.places, never)

    def named(self) -> dict[str, bool]:
        return {name: each.named for name, each in self.fresh().parts.items()}

    def final(self, name: str) -> bytes:
        return self.places.final(name).read_bytes()


@pytest.fixture
def rig(db: Database, tmp_path: Path) -> Rig:
    store, to = PullStore(db), tmp_path / "to"
    made = store.add(Wanted("https://d.example/1", target=f"{to}/"), state="waiting", now_ms=1)
    pull = store.claim(made.id, "a test", 1)
    places = Places(pull.target, tmp_path / "own", "urn:uuid:1", list(CONTENT))
    parts = {}
    for name, content in CONTENT.items():
        with Growing(places.unfinished(name), keep=0, stop=never) as file:
            file.write(content)
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            whole = Progress(len(content), '"1"', len(content), digest, file=str(places.final(name)))
            parts[name] = replace(whole, mark=file.prove())
    return Rig(Naming(store, lambda: 1), store, store.keep(pull, 1, parts=parts), places, to)


def test_each_part_gets_its_name_once(rig: Rig) -> None:
    rig.prepare()
    rig.appear()
    assert {name: rig.final(name) for name in CONTENT} == CONTENT
    assert rig.named() == dict.fromkeys(CONTENT, True)
    # It is somebody else's from now on: changed or gone, it was delivered.
    rig.places.final("a.csv").write_bytes(b"one, and what we made of it")
    rig.places.final("more/b.csv").unlink()
    rig.appear()
    assert rig.final("a.csv") == b"one, and what we made of it"
    assert not rig.places.final("more/b.csv").exists()


def test_a_kill_between_the_name_and_its_record_is_found_out_by_the_bytes(rig: Rig) -> None:
    rig.prepare()
    rig.places.unfinished("a.csv").rename(rig.places.final("a.csv"))
    rig.appear()
    assert rig.named() == dict.fromkeys(CONTENT, True)
    assert {name: rig.final(name) for name in CONTENT} == CONTENT


def test_other_bytes_under_the_name_are_never_taken_for_ours(rig: Rig) -> None:
    rig.prepare()
    rig.places.unfinished("a.csv").unlink()
    rig.places.final("a.csv").write_bytes(b"two")
    with pytest.raises(Refused, match=r"a\.csv is not here any more as it came"):
        rig.appear()
    assert rig.named() == {"a.csv": False, "more/b.csv": True}
    assert rig.final("a.csv") == b"two"
    assert rig.final("more/b.csv") == b"three"


def test_what_changed_since_it_was_proven_is_not_signed_for(rig: Rig) -> None:
    rig.prepare()
    path = rig.places.unfinished("a.csv")
    path.write_bytes(b"two")
    with pytest.raises(Lost):
        rig.prepare()
    path.unlink()
    with pytest.raises(Lost):
        rig.prepare()


def test_what_can_have_no_name_is_not_signed_for(rig: Rig) -> None:
    (rig.to / "more").symlink_to("/dev")  # another disk
    with pytest.raises(Refused, match="another disk"):
        rig.prepare()
    (rig.to / "more").unlink()
    (rig.to / "more").write_bytes(b"a file")
    with pytest.raises(Refused, match="is a file, and no folder"):
        rig.prepare()
    (rig.to / "more").unlink()
    (rig.to / "a.csv").symlink_to(rig.to / "elsewhere")
    with pytest.raises(Refused, match="is there already"):
        rig.prepare()
    (rig.to / "a.csv").unlink()
    os.mkfifo(rig.to / "a.csv")
    with pytest.raises(Conflict, match="a pipe or a device"):
        rig.prepare()
    assert rig.named() == {"a.csv": False, "more/b.csv": False}
    (rig.to / "a.csv").unlink()
    rig.prepare()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("a file of somebody")])
def test_a_name_that_is_no_file_is_not_replaced_though_somebody_named_it(
    rig: Rig, make: Callable[[Path], None]
) -> None:
    named = rig.to / "one.csv"
    pull = replace(rig.pull, target=str(named))
    rig.to.mkdir(exist_ok=True)
    make(named)
    with pytest.raises(Conflict, match="link, a pipe or a device"):
        rig.naming.check(pull, Places(pull.target, rig.to, "urn:uuid:1", ["a.csv"]), never)
    named.unlink()
    named.write_bytes(b"any file")
    rig.naming.check(pull, Places(pull.target, rig.to, "urn:uuid:1", ["a.csv"]), never)


def test_of_a_pull_that_is_over_what_was_signed_for_is_named_and_known(rig: Rig) -> None:
    rig.prepare()
    over = rig.store.cancel(rig.pull.id, 2)
    (rig.to / "a.csv").mkdir()
    rig.naming.rescue(over, rig.places)
    assert rig.named() == {"a.csv": False, "more/b.csv": True}
    assert rig.final("more/b.csv") == b"three"
    assert rig.places.unfinished("a.csv").read_bytes() == b"one", "it waits beside its place"
    kept = rig.store.left(rig.pull.dataset, "")[str(rig.places.final("more/b.csv"))]
    assert [each.mark for each in kept] == [mark_of(rig.places.final("more/b.csv"))]


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, Unavailable), (errno.EDQUOT, Unavailable), (errno.EACCES, Refused)]
)
def test_a_full_disk_is_no_reason_to_give_up_what_came(number: int, kind: type[NodeError]) -> None:
    assert isinstance(unwritable(Path("x"), OSError(number, "no")), kind)
