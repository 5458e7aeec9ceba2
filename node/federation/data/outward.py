"""What other cities hear of an origin that cannot be read: that it is so, and never where the data lie.

What a place says is for the city's own people: it names addresses, buckets and folders. They read it in the log, in
`origins list` and at the desk. Whatever is handed out reads through these places instead, so that no error of one is
ever said at the door, written into the end of a transfer, or signed. A fault that is none of ours is the origin's too.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from node.errors import Conflict, NodeError, NotFound, OriginChanged, SourceUnreachable, Stopped, TooLarge
from node.federation.data.places import Bytes, Place, Registered, no_part, too_many
from node.federation.moving import Part

_logger = logging.getLogger("citynode.data")


class Outward:
    """A place as strangers hear of it. Safe to share by threads if the place is."""

    def __init__(self, place: Place) -> None:
        """Ask this place."""
        self._place = place

    def parts(self, origin: Registered) -> Sequence[Part]:
        """Give what lies there. Raises SourceUnreachable; TooLarge, Conflict for what no city could take."""
        with plainly(origin):
            return self._place.parts(origin)

    def left_out(self, origin: Registered) -> Sequence[str]:
        """Name what can be no part. Raises what `parts` raises."""
        with plainly(origin):
            return self._place.left_out(origin)

    def open(self, origin: Registered, part: str, *, start: int, stop: threading.Event | None = None) -> Bytes:
        """Open a part from a byte on. Raises NotFound, SourceUnreachable, OriginChanged, Stopped."""
        with plainly(origin, part):
            return _Bytes(self._place.open(origin, part, start=start, stop=stop), origin)


class _Bytes:
    """Open bytes whose reading says nothing of where they lie."""

    def __init__(self, source: Bytes, origin: Registered) -> None:
        self.part = source.part
        self.close = source.close
        self._read, self._origin = source.read, origin

    def read(self, most: int) -> bytes:
        """Give the next bytes."""
        try:  # no manager: it is called for each piece
            return self._read(most)
        except Exception as error:
            raise _outward(error, self._origin, self.part.name) from error


def outward(places: Mapping[str, Place]) -> dict[str, Place]:
    """Give places by kind as strangers hear of them."""
    return {kind: Outward(place) for kind, place in places.items()}


@contextmanager
def plainly(origin: Registered, part: str = "") -> Iterator[None]:
    """Say to strangers what goes wrong at an origin within this, and to the log all of it."""
    try:
        yield
    except Exception as error:
        raise _outward(error, origin, part) from error


def _outward(error: Exception, origin: Registered, part: str) -> NodeError:
    if isinstance(error, Stopped):
        return Stopped("The stream was stopped.")
    _log(error, origin, part)
    name = part or origin.name
    if isinstance(error, TooLarge) and not part:
        return too_many("The dataset")
    if isinstance(error, Conflict):
        return Conflict(
            "Two parts of the dataset cannot lie side by side.", fix="Its city has to name one of them otherwise."
        )
    if isinstance(error, NotFound) and part and origin.is_folder:
        return no_part(part)
    if isinstance(error, OriginChanged) and name:
        return OriginChanged(
            f"{name} was changed where it lies, or is not what it said.", fix="Ask for it again."
        ).on_page("no.origin.moved", name=name)
    # What was registered and is not there, or not as it was, can be mended by its city: that is no lasting "no".
    return SourceUnreachable(
        f"{name} cannot be read now where it lies." if name else "The data cannot be read now where they lie.",
        fix="Ask again later; its city finds in its log what is wrong.",
    ).on_page("no.origin.unread_there")


def _log(error: Exception, origin: Registered, part: str) -> None:
    about = part or origin.name or "a folder", origin.dataset, type(error).__name__, error
    # The words of a fault that is no refusal of ours may be anything: with them stands where it comes from.
    trace = None if isinstance(error, NodeError) else error
    _logger.warning("%s of %s cannot be handed out: %s: %s", *about, exc_info=trace)
