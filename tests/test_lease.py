"""Laws of leases: one holder at a time, lost by silence, on both databases."""

import os
import subprocess
import sys
import threading

from node.db import Database
from node.lease import Lease

LENGTH = 1000


def lease(db: Database, name: str = "timetable") -> Lease:
    return Lease(db, name, length_ms=LENGTH)


def test_of_two_workers_one_holds_and_keeps_it_while_it_renews(db: Database) -> None:
    one, two = lease(db), lease(db)
    assert one.holder != two.holder
    assert one.hold(0)
    assert not two.hold(1)
    for now in range(0, 5 * LENGTH, LENGTH - 1):
        assert one.hold(now)
        assert not two.hold(now + LENGTH)


def test_a_silent_holder_loses_it_and_does_not_get_it_back(db: Database) -> None:
    one, two = lease(db), lease(db)
    assert one.hold(0)
    assert not two.hold(LENGTH), "to the very end it is the first one's"
    assert two.hold(LENGTH + 1)
    assert not one.hold(LENGTH + 2)


def test_a_released_lease_is_free_at_once_and_nobody_releases_another_s(db: Database) -> None:
    one, two = lease(db), lease(db)
    assert one.hold(0)
    two.release()
    assert not two.hold(1)
    one.release()
    assert two.hold(1)
    one.release()
    assert not one.hold(2)


def test_leases_of_other_names_are_other_leases(db: Database) -> None:
    assert lease(db).hold(0)
    assert lease(db, "other").hold(0)


def test_of_many_that_reach_for_it_at_once_exactly_one_gets_it(db_url: str) -> None:
    databases = [Database(db_url) for _ in range(6)]
    start, got = threading.Barrier(len(databases)), []

    def reach(db: Database) -> None:
        mine = lease(db)
        start.wait()
        if mine.hold(0):
            got.append(mine.holder)

    threads = [threading.Thread(target=reach, args=(db,)) for db in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for db in databases:
        db.close()
    assert len(got) == 1


def ended_child() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_a_killed_process_of_this_machine_held_is_taken_over_at_once(db: Database) -> None:
    dead, heir = lease(db), lease(db)
    dead.holder = dead.holder.replace(f":{os.getpid()}:", f":{ended_child()}:")
    assert dead.hold(0)
    assert heir.hold(1)
    assert not dead.hold(2)


def test_a_process_of_another_machine_is_waited_for_even_if_its_number_is_nobodys_here(db: Database) -> None:
    for elsewhere in ("another-boot/pid:[1]", ""):
        away, here = lease(db, elsewhere), lease(db, elsewhere)
        host, _, token, _ = away.holder.split(":", 3)
        away.holder = f"{host}:{ended_child()}:{token}:{elsewhere}"
        assert away.hold(0)
        assert not here.hold(1)
        assert here.hold(LENGTH + 1)
