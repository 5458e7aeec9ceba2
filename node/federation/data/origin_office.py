"""What the city's staff does with data origins: the one desk behind the command line, the API and the pages.

An origin is read before it is written down, so that nobody hears of data that cannot be had; what is read then is held
against the checksums of the record. Paths of this machine are taken from the command line alone. Secrets never come
back: an address is told without its query, a credential by its name.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from node.errors import Conflict, Malformed, NodeError, NotFound
from node.federation.data.credentials import Credentials, Told
from node.federation.data.digests import Digests, Holdings, Read, refuse, unversioned
from node.federation.data.files import FilePlace
from node.federation.data.origin_store import OriginStore
from node.federation.data.places import PIECE_BYTES, Place, Registered, is_once, takeable
from node.federation.data.promises import promised, summary
from node.federation.data.s3 import location_of
from node.federation.data.subjects import Subjects
from node.federation.moved import OriginTold, OriginWish, UnfilteredTold
from node.federation.moving import MAX_PARTS, Part, Personal, checked_part
from node.outbound import Outbound

# How much is read while somebody waits: of this machine, and from others. The worker reads the rest.
LOCAL_BYTES, REMOTE_BYTES = 4 << 30, 16 << 20
_MAX_LOCATION = 2_000
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,62}\Z")
_PAGE = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be said otherwise of an origin or its dataset; None leaves it as it is."""

    media_type: str | None = None
    credential: str | None = None
    is_personal: bool | None = None
    column: str | None = None
    consent: str | None = None

    @property
    def is_of_residents(self) -> bool:
        """Tell whether something is said of residents."""
        return not (self.is_personal is None and self.column is None and self.consent is None)


class OriginOffice:
    """The desk. Safe to share by threads; reading takes as long as the place does."""

    def __init__(  # noqa: PLR0913  (the rooms behind one desk)
        self,
        store: OriginStore,
        places: Mapping[str, Place],
        digests: Digests,
        credentials: Credentials,
        *,
        files: FilePlace,
        subjects: Subjects,
        outbound: Outbound,
        holdings: Holdings,
        unfiltered: Callable[[Collection[str]], Sequence[UnfilteredTold]],
        base_url: str,
        clock_ms: Callable[[], int],
    ) -> None:
        """Work with these; `unfiltered` tells which cities got datasets with all rows before they were marked."""
        self._store = store
        self._places = places
        self._digests = digests
        self._credentials = credentials
        self._files = files
        self._subjects = subjects
        self._outbound = outbound
        self._holdings = holdings
        self._unfiltered = unfiltered
        self._base_url = base_url
        self._clock_ms = clock_ms

    # ---------------------------------------------------------------- looking

    def list(self, dataset: str = "") -> Sequence[OriginTold]:
        """List the origins, of one dataset or of all, by dataset and name."""
        personal = self._store.personal_ones()
        found = self._store.of(self.dataset(dataset)) if dataset else self._store.all()
        told = [_told(each, personal.get(each.dataset)) for each in found]
        return self._with_unfiltered(told)

    def parts(self, dataset: str, name: str = "") -> Sequence[Part]:
        """Give the parts of one origin as its place tells of them now. Raises NotFound, Unavailable."""
        origin = self._store.get(self.dataset(dataset), name)
        return self._places[origin.kind].parts(origin)

    def test(self, dataset: str, name: str = "", *, whole: bool = False) -> OriginTold:
        """Read an origin now, as far as somebody can wait for it, or to its end; what is wrong stands in the answer.

        Raises:
            NotFound: There is no such origin.
        """
        origin = self._store.get(self.dataset(dataset), name)
        if whole:
            self._digests.look(origin)
        else:
            self._store.note(origin, self._glanced(origin), at_ms=self._clock_ms())
        return replace(self._told_anew(origin), left_out=self._left_out(origin))

    def credentials(self) -> Sequence[Told]:
        """List the credentials; what they are is never told."""
        return self._credentials.list()

    # ---------------------------------------------------------------- changing

    def add(self, wish: OriginWish, *, by: str, files: bool = False) -> OriginTold:
        """Register where a part lies, or a folder of parts, once it was read.

        Args:
            wish: What somebody says of it.
            by: Who.
            files: Whether paths of this machine are taken.

        Raises:
            NotFound: No such record of ours, or nothing there.
            Malformed: It cannot be an origin as it is written.
            Refuted: Its bytes are not what the record promises.
            Unavailable: It cannot be read.
            Conflict: There is an origin of this name, or names that no other city could tell apart.
            TooLarge: With it the dataset would have more parts than a receipt names.
        """
        dataset = self.dataset(wish.dataset)
        origin = self._wanted(dataset, wish, by, files=files)
        promises = self._digests.promises(dataset)
        origin = replace(origin, checksum=summary(origin, promises))
        parts = self._places[origin.kind].parts(origin)
        if not parts:
            raise NotFound(
                f"There is no file that a part could be in {origin.location}.", fix="Put one there first."
            ).on_page("no.origin.empty", field="location")
        self._check_beside(origin, parts)
        origin = _settled(origin, parts)
        read = self._read(origin, parts, lambda part: promised(origin, part, promises))
        for each in read:
            refuse(each)
        said = _personal(wish, self._store.personal(dataset))
        if said is not None:
            self._subjects.check([origin, *self._store.of(dataset)], said)
        self._store.add(origin, said)
        for each in read:
            self._digests.keep(each)
        return replace(self._told_anew(origin), left_out=self._left_out(origin))

    def change(self, dataset: str, name: str, changes: Changes) -> OriginTold:
        """Say something else of an origin, or of whom its dataset is about. Raises what `add` raises.

        What is said of residents alone is said of the dataset, and needs no name; the answer then tells of its first.
        """
        iri = self.dataset(dataset)
        origin = self._meant(iri, name, changes)
        media_type = origin.media_type if changes.media_type is None else _media_type(changes.media_type)
        credential = origin.credential if changes.credential is None else changes.credential
        wanted = replace(origin, media_type=media_type, credential=credential, at_ms=self._clock_ms())
        said = _changed(self._store.personal(iri), changes)
        if changes.is_of_residents and said is not None:
            self._subjects.check([wanted, *(each for each in self._store.of(iri) if each.name != wanted.name)], said)
        if (media_type, credential) != (origin.media_type, origin.credential):
            wanted = self._checked(wanted)
            self._places[wanted.kind].parts(wanted)
            self._store.change(replace(wanted, trouble="", trouble_at_ms=0))
        if changes.is_of_residents:
            self._store.say(iri, said, at_ms=self._clock_ms())
        return self._told_anew(origin)

    def _meant(self, iri: str, name: str, changes: Changes) -> Registered:
        of_dataset = changes.is_of_residents and changes.media_type is None and changes.credential is None
        held = self._store.of(iri) if of_dataset and not name else []
        return held[0] if held else self._store.get(iri, name)

    def remove(self, dataset: str, name: str = "") -> None:
        """Forget an origin; no stream of it begins from now on, those that run are cut. The bytes stay."""
        self._store.remove(self._store.get(self.dataset(dataset, gone=True), name))

    def set_credential(
        self, name: str, kind: str, where: str, secret: str, more: Mapping[str, str] | None = None
    ) -> Told:
        """Write a credential. Raises Malformed."""
        return self._credentials.set(name, kind, where, secret, more)

    def remove_credential(self, name: str) -> None:
        """Forget a credential. Raises NotFound, Conflict while an origin needs it."""
        self._credentials.remove(name, used_by=self._store.users_of(name))

    # ---------------------------------------------------------------- checking

    def dataset(self, text: str, *, gone: bool = False) -> str:
        """Give the IRI of a record of ours by that, by its address here, or by the last part of its address.

        A record that was harvested keeps the IRI of its portal; its address here is another, and names it as well.

        Raises:
            NotFound: There is no such record in a collection of ours; with `gone` that is no matter.
            Conflict: Several records have this name.
        """
        below = text if "/" in text else f"datasets/{text}"
        iri = text if "://" in text else f"{self._base_url}/{below.lstrip('/')}"
        thing = self._holdings.things([iri]).get(iri)
        is_record = thing is not None and thing.payload and not iri.startswith(f"{self._base_url}/agreements/")
        if is_record:
            return iri
        return self._named(iri, text) or self._gone(iri, text, gone=gone)

    def _named(self, iri: str, text: str) -> str:
        """Find a record by the end of its address here; empty for none."""
        if not iri.startswith(f"{self._base_url}/"):
            return ""
        found = self._holdings.named(iri.rpartition("/")[2])
        if len(found) > 1:
            raise Conflict(
                f"{len(found)} records are called {text[:80]}: {', '.join(found)[:800]}.", fix="Give one IRI."
            ).on_page("no.origin.several", field="dataset", name=text[:80], count=len(found))
        return found[0] if found else ""

    @staticmethod
    def _gone(iri: str, text: str, *, gone: bool) -> str:
        if gone:
            return iri
        raise NotFound(
            f"{text[:200]!r} is no record of this city.",
            fix="Give its IRI, or the end of its address here; publish its description first if there is none.",
        ).on_page("no.origin.dataset", field="dataset", name=text[:200])

    def _wanted(self, dataset: str, wish: OriginWish, by: str, *, files: bool) -> Registered:
        kind, location = self._place(wish.location, files=files)
        origin = Registered(
            dataset, "", kind, location, _media_type(wish.media_type), wish.credential, at_ms=self._clock_ms(), by=by
        )
        name = wish.part or ("" if origin.is_folder else _name_of(location))
        origin = replace(origin, name=checked_part(name) if name else "")
        return self._checked(origin)

    def _place(self, text: str, *, files: bool) -> tuple[str, str]:
        if not text or len(text) > _MAX_LOCATION:
            raise Malformed(
                "This is no place.",
                fix="Give a path, an https address or s3://BUCKET/KEY.",
            ).on_page("no.origin.place", field="location")
        if text.startswith("s3://"):
            location_of(text)
            return "s3", text
        if "://" in text:
            self._outbound.check(text)
            return "https", text.partition("#")[0]
        if not files:
            raise Malformed(
                "A path of this machine is given on its command line alone.",
                fix="Give an https address or s3://BUCKET/KEY, or run citynode data origins add.",
            ).on_page("desk.data.origin.web_only", field="location")
        return self._files.location(text)

    def _check_beside(self, origin: Registered, parts: Sequence[Part]) -> None:
        """Refuse what no city could take together with the rest of its dataset, as far as that can be asked now."""
        names = {each.name for each in parts}
        for other in self._store.of(origin.dataset):
            if other.is_folder:
                with suppress(NodeError):
                    names |= {each.name for each in self._places[other.kind].parts(other)}
            else:
                names.add(other.name)
        takeable([Part(origin.dataset, name, "", None, "", "", 0) for name in sorted(names)], origin.dataset)

    def _checked(self, origin: Registered) -> Registered:
        """Name the credential of a store where nobody did; refuse one that does not go with the place."""
        if origin.is_local and origin.credential:
            raise Malformed(
                "A file of this machine needs no credential.",
                fix="Leave it out.",
            ).on_page("no.origin.credential", field="credential")
        if origin.kind == "s3":
            return replace(origin, credential=self._credentials.store(origin.credential))
        if origin.kind == "https":
            self._credentials.headers(origin.credential, origin.location)
        return origin

    # ---------------------------------------------------------------- reading

    def _read(self, origin: Registered, parts: Sequence[Part], promise: Callable[[str], str]) -> Sequence[Read]:
        """Read parts whole as long as somebody can wait for it. Raises Refuted for what could never be checked."""
        left, read = (LOCAL_BYTES if origin.is_local else REMOTE_BYTES), []
        for part in parts:
            if is_once(part.etag):
                if promise(part.name):
                    raise unversioned(part.name)
                continue
            if part.size is not None and part.size <= left:
                left -= part.size
                read.append(self._digests.read(origin, part.name, promise(part.name)))
        return read

    def _glanced(self, origin: Registered) -> str:
        """Give what is wrong with an origin as far as its list and the beginning of one part tell."""
        place = self._places[origin.kind]
        try:
            parts = place.parts(origin)
            if not parts:
                return "There is no file that a part could be."
            source = place.open(origin, parts[0].name, start=0)
            try:
                source.read(PIECE_BYTES)
            finally:
                source.close()
        except NodeError as error:
            return error.message
        known = self._store.known(origin.dataset)
        refused = [
            each.name
            for each in parts[:MAX_PARTS]
            if (at := known.get(each.name)) and _refused(at.etag, at.digest, each)
        ]
        return f"{refused[0]} is not what the record promises." if refused else ""

    def _left_out(self, origin: Registered) -> tuple[str, ...]:
        try:
            return tuple(self._places[origin.kind].left_out(origin))
        except NodeError:
            return ()  # what is wrong with its place is told as its trouble

    def _told_anew(self, origin: Registered) -> OriginTold:
        now = self._store.get(origin.dataset, origin.name)
        (told,) = self._with_unfiltered([_told(now, self._store.personal(origin.dataset))])
        return told

    def _with_unfiltered(self, told: Sequence[OriginTold]) -> Sequence[OriginTold]:
        """Say of datasets about residents which cities have them with all their rows."""
        held: dict[str, list[UnfilteredTold]] = {}
        for each in self._unfiltered({each.dataset for each in told if each.is_personal}):
            held.setdefault(each.dataset, []).append(each)
        return [replace(each, unfiltered=tuple(held.get(each.dataset, ()))) for each in told]


def _refused(etag: str, digest: str, part: Part) -> bool:
    return etag == part.etag and not digest


def _settled(origin: Registered, parts: Sequence[Part]) -> Registered:
    """Hold a server to the type that it tells today; a web page is hardly ever the data."""
    if origin.is_folder or origin.media_type:
        return origin
    if parts[0].media_type in _PAGE:
        raise Malformed(
            f"{_shown(origin)} is a web page.", fix="If that is the data, say so: --type text/html"
        ).on_page("no.origin.page", field="media_type")
    return replace(origin, media_type=parts[0].media_type)


def _media_type(text: str) -> str:
    found = text.partition(";")[0].strip().lower()
    if found and not _TYPE.match(found):
        raise Malformed(
            f"{text[:80]!r} is no media type.",
            fix="Such as text/csv.",
        ).on_page("no.origin.type", field="media_type")
    return found


def _name_of(location: str) -> str:
    """Name a part by the end of where it lies."""
    path = urlsplit(location).path if "://" in location else location
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", unquote(path).rstrip("/").rpartition("/")[2]).lstrip("._-")
    return plain or "data"


def _personal(wish: OriginWish, now: Personal | None) -> Personal | None:
    """Give what is to be said of residents, None for nothing new; what is not named stays as it was said before."""
    said, held = wish.is_personal or wish.column or wish.consent, now or Personal()
    return Personal(wish.column or held.column, wish.consent or held.consent) if said else None


def _changed(now: Personal | None, changes: Changes) -> Personal | None:
    if changes.is_personal is False:
        return None
    held = now or Personal()
    return Personal(
        held.column if changes.column is None else changes.column,
        held.consent if changes.consent is None else changes.consent,
    )


def _shown(origin: Registered) -> str:
    """Give a location without what may be a secret in it."""
    before, mark, _ = origin.location.partition("?")
    return before + "?…" if mark and not origin.is_local else origin.location


def _told(origin: Registered, personal: Personal | None) -> OriginTold:
    said = personal or Personal()
    return OriginTold(
        dataset=origin.dataset,
        part=origin.name,
        kind=origin.kind,
        location=_shown(origin),
        media_type=origin.media_type,
        credential=origin.credential,
        trouble=origin.trouble,
        trouble_ms=origin.trouble_at_ms,
        is_personal=personal is not None,
        column=said.column,
        consent=said.consent,
    )
