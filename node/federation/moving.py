"""What everyone who moves data shares: datasets' parts, where their bytes come from, what each end says it moved.

Values and the shapes of those who know more; nothing here reads, writes or decides. A *dataset* is named by its
record's IRI; its *parts* are files by name. Whoever opens a part gets its bytes in order and is told loudly when they
are not what was announced: nothing here is ever silently short.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from node.errors import Malformed

PULL: Literal["HttpData-PULL"] = "HttpData-PULL"
PUSH: Literal["HttpData-PUSH"] = "HttpData-PUSH"
Format = Literal["HttpData-PULL", "HttpData-PUSH"]
FORMATS: tuple[Format, ...] = (PULL, PUSH)

NS = "https://w3id.org/citynode/ns#"
# What stands in messages of the protocol beside its own members, by full IRI so that no context is needed.
NS_DATASET, NS_PART, NS_PURPOSE, NS_JKT, NS_RECEIPT = (
    NS + name for name in ("dataset", "part", "purpose", "jkt", "receipt")
)
# The type of `authorization_details` that a token for one transfer has.
TRANSFER_ACCESS = NS + "transfer"

MAX_PART = 200
# Of one dataset, on either end: what is offered can be taken in, and its receipt names every part. The bounds below
# follow from it, in bytes: the receipt of so many parts with the longest names, what is answered to it (a difference
# holds the receipt), and the message that carries either. A statement of any of them is still a payload.
MAX_PARTS = 1_000
MAX_RECEIPT, MAX_ANSWER, MAX_MESSAGE = 576 * 1024, 768 * 1024, 1024 * 1024
# Whoever brings less than so many bytes in a second, over so long, lets others go first, whichever way data go.
PACE_S, LEAST_BYTES_S = 60.0, 4_096
# Folders of what is not whole yet are named so, beside what becomes of it: no part may be taken for one.
UNFINISHED = ".citynode-"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a dataset as it can be handed out now.

    `size` is in bytes, None where it is not known before the last one; `digest` is `sha256:` and hex of all its bytes,
    empty while nobody has read them all; `etag` is strong and quoted, another one as soon as a byte may differ.
    `filtered`: rows are left out while it streams, so it has no size, no digest and no ranges.
    """

    dataset: str
    name: str
    media_type: str
    size: int | None
    digest: str
    etag: str
    modified_ms: int
    filtered: bool = False


@dataclass(frozen=True, slots=True)
class Personal:
    """That a dataset holds data about residents.

    `column` names whom a row is about, empty where rows cannot be told apart; `consent` is the name of the consent
    source that knows who agreed, empty if there is none.
    """

    column: str = ""
    consent: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """What one end says of a part that was moved whole: `bytes` and `digest` are of what was delivered."""

    part: str
    media_type: str
    bytes: int
    digest: str
    filtered: bool = False


class Going(Protocol):
    """A transfer as those see it who hand out, judge or account for its bytes, and who change nothing of it.

    `peer` is the other city's base URL; times are in ms since the epoch, 0 for never.
    """

    @property
    def pid(self) -> str:
        """Give its id here."""

    @property
    def other_pid(self) -> str:
        """Give the other city's id of it; empty while it is unknown."""

    @property
    def role(self) -> str:
        """Say what we are in it: provider or consumer."""

    @property
    def peer(self) -> str:
        """Give the other city."""

    @property
    def state(self) -> str:
        """Give its state in the protocol's words."""

    @property
    def streams(self) -> bool:
        """Tell whether bytes may flow."""

    @property
    def format(self) -> Format:
        """Say who moves the bytes."""

    @property
    def agreement(self) -> str:
        """Give the agreement it is under."""

    @property
    def clause(self) -> str:
        """Give the clause that permits it; empty where that is not known."""

    @property
    def dataset(self) -> str:
        """Give the dataset."""

    @property
    def part(self) -> str:
        """Give the one part it is about; empty for all."""

    @property
    def purpose(self) -> str:
        """Give the purpose it is for; empty where it has none."""

    @property
    def jkt(self) -> str:
        """Give the thumbprint of the key that will pull."""

    @property
    def receipt(self) -> str:
        """Give the receipt as far as it is signed."""

    @property
    def created_at(self) -> int:
        """Give when it was asked for, by our clock."""

    @property
    def started_at(self) -> int:
        """Give when it started first, by our clock."""


class Source(Protocol):
    """The open bytes of a part, from where they were asked for."""

    @property
    def part(self) -> Part:
        """Give the part as it stood when it was opened."""

    def read(self, most: int) -> bytes:
        """Give the next bytes, at most so many; empty at the end, which is only there if all of it came. Blocks.

        Raises:
            Unavailable: It went away, changed meanwhile, or is shorter or longer than it said.
        """

    def close(self) -> None:
        """Let go of it; repeatable, and from any thread, which ends a read that blocks."""


class Origins(Protocol):
    """Where the data of our datasets lie."""

    def covered(self, covers: Sequence[str]) -> Sequence[str]:
        """Give the datasets that have data, among these records and in these collections, by IRI, in order."""

    def parts(self, dataset: str) -> Sequence[Part]:
        """Give the parts of a dataset, by name. Raises NotFound, Unavailable."""

    def open(self, dataset: str, part: str, *, start: int = 0, etag: str = "") -> AbstractContextManager[Source]:
        """Open a part from a byte on; with an etag only while that is still its own. Raises NotFound, Unavailable."""

    def lies(self, dataset: str, part: str) -> str:
        """Say where a part lies, in words that are others when it lies elsewhere; empty if nowhere. Asks no place."""

    def personal(self, dataset: str) -> Personal | None:
        """Say how it is about residents, None if it is not."""


def checked_part(name: str) -> str:
    """Give the name of a part back if it is one. Raises Malformed."""
    # A step that is a dot would be another name of the same file.
    if not _PART.match(name) or not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise Malformed(
            f"{name[:60]!r} does not name a part.",
            fix=f"At most {MAX_PART} letters, digits, dots, dashes and slashes, beginning with a letter or digit.",
        )
    return name


def check_apart(names: Sequence[str]) -> None:
    """See that of one dataset's parts each can be a file of its own, on whatever disk, and of no name that is ours.

    Raises:
        Malformed: Two are one file where capitals do not count, one is a folder of another, or one is named as no part.
    """
    folded = [name.casefold() for name in names]
    files = frozenset(folded)
    if len(files) < len(folded):
        raise Malformed("Two parts of the other city have one name.")
    for name in folded:
        steps = name.split("/")
        if any(step.startswith(UNFINISHED) for step in steps) or "." in steps:
            raise Malformed(f"{name[:60]} is no name of a part here.")
        if any("/".join(steps[:end]) in files for end in range(1, len(steps))):
            raise Malformed(f"A part of the other city is both a file and a folder: {name[:60]} is in it.")
