"""What tests of the intake share: a mirror that goes on, and ways to break one thing of a page."""

from typing import Any

from node.journal import rebuild
from node.journal.verify import verify
from tests.federation.origins import LOCAL, Break, Mirror, Origin, Told, payload_of, record_of


def sound(mirror: Mirror, origin: Origin) -> None:
    """See that the mirror holds, and that the shelf is what a rebuilt one would be."""
    verify(mirror.journals, LOCAL, [origin.keyring.public_key("checkpoint")])
    lived = mirror.rows()
    assert mirror.shelf.astray(LOCAL) == ""
    rebuild(mirror.journals, mirror.intake._followers[0])
    assert mirror.rows() == lived


def started(mirror: Mirror, origin: Origin, count: int = 3) -> None:
    for number in range(count):
        origin.put(number)
    mirror.take(origin.page())


def sets(place: str, key: str, value: Any, line: int = 0) -> Break:
    def change(envelope: Told, lines: list[Told]) -> None:
        if place == "envelope":
            envelope[key] = value
        elif place == "line":
            lines[line] = lines[line] | {key: value}
        else:
            lines[line] = lines[line] | {place: lines[line][place] | {key: value}}

    return change


def without(place: str, key: str) -> Break:
    def change(envelope: Told, lines: list[Told]) -> None:
        told = envelope if place == "envelope" else lines[0]
        del told[key]

    return change


def forked(origin: Origin, keep: int, count: int) -> Origin:
    """The same city tells another story after some entries."""
    other = Origin(origin.keyring)
    for number in range(keep):
        other.put(number)
    for number in range(keep, count):
        other.put(number, payload_of(record_of(number), title="Another story"))
    return other
