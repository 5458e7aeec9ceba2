"""LDES members: of every object the newest version, and nothing of what was deleted.

A feed page holds one named graph per member, and members (ActivityStreams `Create`, `Update`, `Delete`) that say which
object a graph describes and when. Older versions of an object may stand on other pages, so members are set aside in a
file until the walk is over. Touches the workspace only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from node.vocab.ntriples import value_of

_AS = "https://www.w3.org/ns/activitystreams#"
_OBJECT = f"<{_AS}object>"
_PUBLISHED = f"<{_AS}published>"
_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_ACTS = {f"<{_AS}{name}>" for name in ("Create", "Update", "Delete")}
_DELETE = f"<{_AS}Delete>"


def graph_of(line: str) -> tuple[str, str]:
    """Split an N-Quads line (no LF) into its triple and its graph term; the graph is empty for a triple."""
    body = line[:-2]
    cut = body.rfind(" ")
    term = body[cut + 1 :]
    # Subject and predicate hold no space, so a line with a graph has two before the graph; and a literal's last word
    # holds its closing quote, whatever else it looks like.
    if term[:1] in "<_" and '"' not in term and body.count(" ", 0, cut) >= 2:
        return body[:cut] + " .", term
    return line, ""


@dataclass(slots=True)
class _Version:
    object: str = ""
    published: str = ""
    act: str = ""
    page: int = 0


def _instant(text: str) -> str:
    """Spell a time so that later ones sort behind earlier ones, whatever their offset; as it is if it is none."""
    try:
        at = datetime.fromisoformat(text)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return text
    return at.isoformat(timespec="microseconds")


class Members:
    """The members seen on the pages of one walk."""

    def __init__(self, workspace: Path) -> None:
        """Keep the set-aside lines in the run's workspace."""
        self._aside = workspace / "members.nq"
        self._versions: dict[str, _Version] = {}
        self._page = 0

    def __bool__(self) -> bool:
        """Tell whether any member was seen."""
        return bool(self._versions)

    def sort(self, lines: Path, out: BinaryIO) -> Iterator[str]:
        """Write the lines that are no member's to `out`, set the members' aside, and yield what was written.

        A member never changes, and may stand on several pages (a feed can be cut in many ways): only its first
        appearance counts, since its nameless nodes would be doubled by the second.
        """
        self._page += 1
        self._learn(lines)
        with lines.open(encoding="utf-8", newline="\n") as read, self._aside.open("ab") as aside:
            for line in read:
                triple, graph = graph_of(line.rstrip("\n"))
                version = self._versions.get(graph) if graph else None
                if version:
                    version.page = version.page or self._page
                    if version.page == self._page:
                        aside.write(line.encode())
                else:
                    out.write(triple.encode() + b"\n")
                    yield triple

    def _learn(self, lines: Path) -> None:
        with lines.open(encoding="utf-8", newline="\n") as read:
            for line in read:
                if _AS not in line:
                    continue
                triple, graph = graph_of(line.rstrip("\n"))
                subject, predicate, rest = triple.split(" ", 2)
                if graph:
                    continue
                object_ = rest[:-2]
                if predicate == _OBJECT:
                    self._versions.setdefault(subject, _Version()).object = object_
                elif predicate == _PUBLISHED:
                    self._versions.setdefault(subject, _Version()).published = _instant(value_of(object_))
                elif predicate == _TYPE and object_ in _ACTS:
                    self._versions.setdefault(subject, _Version()).act = object_

    def release(self, out: BinaryIO) -> None:
        """Write the newest version of every object that was not deleted last."""
        newest: dict[str, tuple[str, str]] = {}
        for member, version in self._versions.items():
            rank = (version.published, member)
            if version.object and rank > newest.get(version.object, ("", "")):
                newest[version.object] = rank
        live = {member for _, member in newest.values() if self._versions[member].act != _DELETE}
        with self._aside.open(encoding="utf-8", newline="\n") as read:
            for line in read:
                triple, graph = graph_of(line.rstrip("\n"))
                if graph in live:
                    out.write(triple.encode() + b"\n")
