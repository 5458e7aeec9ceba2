"""A process of its own that appends to a journal, for tests that kill it or race two of them.

`python -m tests.journal.child URL KEYS NAME WHO BATCHES` appends batches of 20 drafts, follows in the same
transaction and says `ack SIZE` only after the commit. It stops after BATCHES, or never if that is 0.
"""

import itertools
import sys
from pathlib import Path

from node.db import Database
from node.errors import JournalBusy
from node.journal import catch_up_in
from node.journal.journal import Journals
from node.keys import Keyring
from tests.journal.rig import put, withdraw
from tests.journal.stored import Stored

BATCH = 20


def step(journals: Journals, name: str, who: str, number: int) -> int:
    first = number * BATCH
    drafts = [put(n, f"{who} wrote {n}") for n in range(first, first + BATCH - 1)]
    with journals.db.write() as tx:
        entries = journals.append(tx, name, [*drafts, withdraw(first - 2)], at_ms=number)
        catch_up_in(tx, journals, Stored(), name)
    return entries[-1].seq if entries else 0


def main(url: str, keys: str, name: str, who: str, batches: str) -> None:
    journals = Journals(Database(url), Keyring(Path(keys)))
    numbers = range(int(batches)) if int(batches) else itertools.count()
    with journals.db.read() as tx:
        start = journals.get(tx, name).size
    for number in numbers:
        while True:
            try:
                seq = step(journals, name, f"{who} from {start}", number)
                break
            except JournalBusy:
                continue
        sys.stdout.write(f"ack {seq}\n")
        sys.stdout.flush()
    journals.db.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
