"""Watching a folder: what is saved and clean is published, what is not is said, again and again.

A file is read once it has stopped changing for one round, so that half a save is never published. A file that is gone
withdraws nothing: only a person does that. Reads the folder and writes through the office; the caller sleeps.
"""

from dataclasses import dataclass
from typing import Literal

from node.catalog.author.folder import Folder
from node.catalog.author.office import Authoring
from node.errors import NotFound, Refused, Unavailable
from node.vocab.kinds.checking import Problem

Stamps = dict[str, tuple[tuple[str, int, int], ...]]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to one name in a round; `problems` are errors where it was refused, else warnings."""

    name: str
    what: Literal["published", "unchanged", "refused", "gone"]
    problems: tuple[Problem, ...] = ()


class Watch:
    """One folder under watch."""

    def __init__(self, folder: Folder, authoring: Authoring, *, collection: str = "") -> None:
        """Publish into that collection, if one is named, whatever the files say."""
        self._folder = folder
        self._authoring = authoring
        self._collection = collection
        self._last: Stamps = {}
        self._done: Stamps = {}

    def round(self) -> list[Event]:
        """Look once; give what happened, by name. What could not be written now is tried again in the next round."""
        now = self._folder.stamps()
        gone = sorted(self._done.keys() - now.keys())
        for name in gone:
            del self._done[name]
        still = [name for name in sorted(now) if now[name] == self._last.get(name) != self._done.get(name)]
        self._last = now
        events = [Event(name, "gone") for name in gone]
        for name in still:
            event = self._publish(name)
            if event is not None:
                self._done[name] = now[name]
                events.append(event)
        return events

    def _publish(self, name: str) -> Event | None:
        try:
            written = self._folder.read(name)
            outcome = self._authoring.publish(self._folder.table.kind, [written], collection=self._collection)
        except (NotFound, FileNotFoundError) as error:
            # Without its main file, or renamed in this moment; a collection that is not there is told as well.
            return Event(name, "refused", (Problem("", "not-found", str(error)),))
        except Unavailable:
            return None
        except Refused as error:
            return Event(name, "refused", (Problem("", error.code, str(error)),))
        if outcome.refused:
            return Event(name, "refused", outcome.refused[0][1])
        return Event(name, "published" if outcome.put else "unchanged", outcome.warned[0][1] if outcome.warned else ())
