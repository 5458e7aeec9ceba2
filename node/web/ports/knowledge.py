"""What the web needs of knowledge: authoring, relations between records, submissions and city models.

Protocols and not classes, as in `ports`: what the web's own tests stand in for. Each router names here what it reads.
Who may see a relation comes in with each question; authoring and the desk of submissions are for staff tokens alone.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from node.catalog.author.collections import Kept
from node.catalog.author.drafts import Draft
from node.catalog.author.history import Version
from node.catalog.author.office import Outcome, Written
from node.catalog.correction_store import Correction
from node.catalog.corrections import Sheet
from node.catalog.publish import Published
from node.catalog.relations import Relation
from node.catalog.shelf import Held
from node.catalog.submissions import Bounds, Receipt, Shown, Standing
from node.catalog.tasks import Task
from node.vocab.kinds.checking import Problem
from node.vocab.kinds.field import KindTable
from node.web.ports.previews import Previews


class Submissions(Protocol):
    """The queue of what strangers submit; all block, so they are called beside the event loop."""

    @property
    def bounds(self) -> Bounds:
        """Say how much is taken."""

    def submit(self, body: Mapping[str, Any], *, caller: str) -> Receipt:
        """Take one."""

    def standing(self, name: str, secret: str) -> Standing:
        """Tell who submitted it how it stands."""

    def list(self, *, waiting: bool = True, limit: int = 100) -> Sequence[Shown]:
        """List what waits, or what is decided."""

    def show(self, name: str) -> Shown:
        """Show one."""

    def accept(self, name: str, *, slug: str = "") -> Shown:
        """Publish one."""

    def refuse(self, name: str, *, reason: str) -> Shown:
        """Refuse one."""


class Relations(Protocol):
    """What points to what among records; who may see it is said by whoever asks."""

    def into(self, targets: Sequence[str], shown: Collection[str], each: int = ...) -> Sequence[Relation]:
        """Give the links to records with these IRIs from collections with these names.

        The newest of each collection, kind and field come first; `each` bounds how many of those.
        """

    def out_of(self, collection: str, iri: str) -> Sequence[Relation]:
        """Give the links of one record."""


class Tasks(Protocol):
    """What waits for a person of this city."""

    def due(self, now_ms: int, *, days: int = 30) -> Sequence[Task]:
        """Give what is overdue or due within so many days, the longest due first."""


class Authoring(Protocol):
    """What this city writes itself; all block, so they are called beside the event loop."""

    def check(self, kind: str, slug: str, said: Mapping[str, Any], *, collection: str = "") -> Sequence[Problem]:
        """Say what a publication would say."""

    def publish(self, kind: str, many: Sequence[Written], *, collection: str = "", dry_run: bool = False) -> Outcome:
        """Publish descriptions, all or none; or only say what that would do."""

    def withdraw(self, kind: str, slug: str, *, expected: str | None = None) -> Published:
        """Withdraw a record; NotFound, Changed or Conflict."""

    def own(self, kind: str) -> Sequence[Held]:
        """List the live records of a kind."""

    def find(self, kind: str, slug: str) -> Held | None:
        """Find a live record."""

    def said(self, held: Held) -> dict[str, Any]:
        """Read a record as a description."""

    def as_published(self, kind: str, slug: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Give a description as its readers would."""

    def iri_of(self, kind: str, slug: str) -> str:
        """Give the address of a record of ours."""

    def visibilities(self) -> Mapping[str, str]:
        """Say who may read each collection, by name."""


class Drafts(Protocol):
    """Descriptions on their way to a publication; all block."""

    def list(self, kind: str = "", *, state: str = "") -> Sequence[Draft]:
        """List drafts."""

    def find(self, kind: str, slug: str) -> Draft | None:
        """Find a draft."""

    def get(self, kind: str, slug: str) -> Draft:
        """Give a draft, or NotFound."""

    def open(self, kind: str, slug: str) -> Draft:
        """Give the draft to go on with."""

    def save(
        self,
        kind: str,
        slug: str,
        said: Mapping[str, Any],
        *,
        who: str,
        version: int | None = None,
        read_at: int | None = None,
        collection: str | None = None,
    ) -> Draft:
        """Keep a description as the next version."""

    def ask(self, kind: str, slug: str, *, who: str, note: str = "") -> Draft:
        """Ask somebody else to read a draft."""

    def check(self, kind: str, slug: str, said: Mapping[str, Any], *, collection: str = "") -> Sequence[Problem]:
        """Say what publishing would say."""

    def publish(self, kind: str, slug: str, *, version: int | None = None, read_at: int | None = None) -> Outcome:
        """Publish a draft."""

    def discard(self, kind: str, slug: str, *, version: int | None = None, read_at: int | None = None) -> Draft:
        """Throw a draft away."""

    def withdraw(self, kind: str, slug: str, *, who: str, reason: str) -> Published:
        """Withdraw a record and keep its text as a draft."""


class Histories(Protocol):
    """What records said before; reading them blocks."""

    def of(self, table: KindTable, iri: str) -> Sequence[Version]:
        """List the versions of a record of ours, the newest first."""

    def said(self, table: KindTable, iri: str, collection: str, seq: int) -> dict[str, Any]:
        """Give what a version said, or NotFound."""


class Corrections(Protocol):
    """What this city sets right in records of its sources; all block."""

    def list(self, *, changed: bool = False, limit: int = 1_000) -> Sequence[Correction]:
        """List corrections."""

    def show(self, iri: str) -> Sheet:
        """Show a record with what its source says."""

    def check(self, iri: str, said: Mapping[str, Any]) -> Sequence[Problem]:
        """Say what keeps a correction from being made."""

    def set(self, iri: str, said: Mapping[str, Any], *, who: str, note: str = "", version: str | None = None) -> Sheet:
        """Correct a record at once and at every harvest."""

    def remove(self, iri: str, *, version: str | None = None) -> Sheet | None:
        """Take a correction back."""


class Collections(Protocol):
    """The desk of this city's own collections; all block."""

    def list(self) -> Sequence[Kept]:
        """List them by name."""

    def show(self, name: str) -> Kept:
        """Give one."""

    def make(self, name: str, *, title: str = "", public: bool = False) -> Kept:
        """Make one."""

    def rename(self, name: str, title: str) -> Kept:
        """Give one another title."""

    def open_to_all(self, name: str) -> Kept:
        """Let everybody read one."""

    def restrict(self, name: str) -> Kept:
        """Let nobody read one but by an agreement."""


class Knowers(Protocol):
    """Everything on practices, AI systems, models, challenges and reuses."""

    @property
    def collections(self) -> Collections:
        """Give the desk of collections."""

    @property
    def drafts(self) -> Drafts:
        """Give the drafts of what this city writes."""

    @property
    def histories(self) -> Histories:
        """Give what records said before."""

    @property
    def corrections(self) -> Corrections:
        """Give what is set right in records of sources."""

    @property
    def authoring(self) -> Authoring:
        """Give the office where this city's own descriptions are published."""

    @property
    def submissions(self) -> Submissions:
        """Give the queue of submissions."""

    @property
    def relations(self) -> Relations:
        """Give what points to what."""

    @property
    def tasks(self) -> Tasks:
        """Give what waits for a person."""

    @property
    def previews(self) -> Previews:
        """Give what was seen inside files."""
