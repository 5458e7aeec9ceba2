"""Models at an address: fetched into a file within bounds, read in the child process, thrown away again.

The way out is `node.outbound` with its rules of addresses. A tileset's further tilesets are fetched as its reader asks
for them, from its origin alone (`inspect`), all together within the bounds of one model; contents are never fetched.
Touches a folder of its own; no database.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from node.catalog.fetched_files import conditions, kept_of, room
from node.catalog.models.beginning import beginning_of
from node.catalog.models.facts import ModelFacts
from node.catalog.models.inspect import Limits, inspect_file
from node.errors import TooLarge
from node.outbound import Answer, Outbound

_ACCEPT = "application/city+json, application/city+json-seq, application/gml+xml, application/json, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was fetched and read; `facts` is None where it is the same, `etag` is what to ask with next time."""

    facts: ModelFacts | None
    etag: str


class Fetching:
    """Fetches and reads models. Safe to share by threads."""

    def __init__(
        self,
        way: Outbound,
        folder: Path,
        *,
        max_bytes: int,
        deadline_s: float,
        limits: Limits,
        clock_ms: Callable[[], int],
    ) -> None:
        """Fetch nothing yet; `max_bytes` and `deadline_s` are for all files of one model together."""
        self._way = way
        self._folder = folder
        self._max_bytes = max_bytes
        self._deadline_s = deadline_s
        self._limits = limits
        self._clock_ms = clock_ms

    def read(self, url: str, *, etag: str = "", stop: threading.Event) -> Fetched:
        """Fetch and read a model, unless it is the one that had this `etag`.

        Raises:
            ForbiddenAddress: This node never fetches it.
            SourceUnreachable: No good answer in time. Safe to retry.
            TooLarge: More than may be fetched, or than can be read.
            Malformed: What came is no model that is read here.
            Stopped: `stop` was set.
        """
        with room(self._folder, "model-", self._clock_ms()) as space:
            rest = _Rest(self._way, self._max_bytes, time.monotonic() + self._deadline_s, stop)
            path = space / "model"
            try:
                answer = rest.get(url, path, etag=etag)
            except TooLarge as refusal:
                return Fetched(*self._beginning(url, path, refusal, stop))
            if answer.not_modified:
                return Fetched(None, etag)
            facts = inspect_file(
                path,
                name=_name(answer.url) or _name(url),
                limits=self._limits,
                stop=stop,
                base=answer.url,
                fetch=rest.fetch,
            )
        return Fetched(facts, kept_of(answer))

    def _beginning(self, url: str, path: Path, refusal: TooLarge, stop: threading.Event) -> tuple[ModelFacts, str]:
        """Read what is too large by its beginning, if its server gives parts."""
        named = _name(url)
        return beginning_of(url, self._way, path, name=named, limits=self._limits, refusal=refusal, stop=stop)

    def read_new(self, url: str, *, stop: threading.Event) -> ModelFacts:
        """Fetch and read a model in any case. Raises what `read` raises."""
        facts = self.read(url, stop=stop).facts
        assert facts is not None  # noqa: S101  (nothing was asked under a condition)
        return facts

    def read_file(self, path: Path) -> ModelFacts:
        """Read a model that lies here. Raises NotFound, Malformed, TooLarge."""
        return inspect_file(path, limits=self._limits)


@dataclass(slots=True)
class _Rest:
    """What of one model may still be fetched, and until when (monotonic seconds)."""

    way: Outbound
    left: int
    deadline: float
    stop: threading.Event

    def fetch(self, url: str, to: Path) -> None:
        """Fetch a further file, as the reader of the first asks for it."""
        self.get(url, to, same_origin=True)

    def get(self, url: str, to: Path, *, etag: str = "", same_origin: bool = False) -> Answer:
        """Fetch one file of the model."""
        left_s = self.deadline - time.monotonic()
        if self.left <= 0 or left_s <= 0:
            raise TooLarge("Its files are more than is fetched of one model.", fix="Name one part of it.")
        etag, since = conditions(etag)
        answer = self.way.download(
            url,
            to,
            accept=_ACCEPT,
            etag=etag,
            last_modified=since,
            max_bytes=self.left,
            deadline_s=left_s,
            stop=self.stop,
            same_origin=same_origin,
        )
        self.left -= answer.size
        return answer


def _name(url: str) -> str:
    return unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
