"""The verifier: proves what a node says, or a file that came from one, with nothing of this city's database or keys.

It believes no answer. Of a record the bytes are made anew from the document that was served, hashed, found in the
opening, the opening in the entry, the entry in the tree, the tree's root under the city's signature; of a snapshot
everything is recomputed. Strangers' documents are parsed in a child process. A "no" is part of the outcome and not an
error: who asks wants to know which step did not hold. An answer that could not be had neither proves nor refutes.
"""

import re
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from node.errors import BadSignature, Malformed, NodeError, NotFound, Refused, Refuted, Unavailable
from node.federation.verifier.history import continues
from node.federation.verifier.keys import Keys, Trusted
from node.federation.verifier.pages import lines_of, prove_snapshot
from node.federation.verifier.proof import Bundle, Document, object_of, prove, read_bundle, signed_checkpoint
from node.federation.verifier.report import Cosigner, Record, Report, State, moment_of
from node.federation.verifier.web import FORMS, Place, Web, place_of
from node.journal import note
from node.journal.note import Checkpoint
from node.keys import verified
from node.outbound import Outbound
from node.records import PLURALS
from node.vocab.parse import Parser

_FINGERPRINT = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_SNIFF_BYTES = 1 << 16
_PARSE_S = 60.0
_MAX_SNAPSHOT_BYTES = 1 << 34
_SNAPSHOT_S = 3600.0
_MAX_FILE_BYTES = 16 << 20
# What calls itself another export; and what is in a proof, in a snapshot, and before the signatures of a note.
_OTHERS = re.compile(rb'"citynode"\s*:\s*"(evidence|agreement)/')
_MARKS = (b'"inclusion"', b'"checkpoint"', "\n\n\u2014 ".encode())


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants proven. Everything but the target may be empty."""

    target: str
    against: str = ""
    key: str = ""
    identity: str = ""
    statement: str = ""
    document: str = ""
    witnesses: tuple[str, ...] = ()


def verify(wish: Wish, *, outbound: Outbound, now_ms: int) -> Report:
    """Prove what a URL or a file says.

    Args:
        wish: What is to be proven, and what is trusted beforehand.
        outbound: The way to the nodes that are asked; a file needs none but for keys.
        now_ms: The time, for statements that expire.

    Raises:
        NotFound: A file that was named is not there.
        Malformed: A key or a fingerprint that was given is none, or the file is nothing that a node gives; nobody was
            asked yet.
    """
    _check_wish(wish)
    report = Report(wish.target)
    try:
        with tempfile.TemporaryDirectory(prefix="citynode-verify-") as folder, Parser() as parser:
            _Verifier(wish, report, Web(outbound), parser, Path(folder), now_ms).run()
    except Unavailable as error:
        report.verdict, report.reason = "unreachable", str(error)
    except Refused as error:
        report.verdict, report.reason = "refuted", str(error)
    return report


def is_url(text: str) -> bool:
    """Tell whether something names a document on the web and no file."""
    return text.startswith(("http://", "https://"))


def _check_wish(wish: Wish) -> None:
    """Refuse what cannot be meant before anything is fetched: it says nothing of the city."""
    for source in (wish.target, wish.against, wish.statement, wish.document):
        if source and not is_url(source):
            _found(Path(source))
    if not is_url(wish.target):
        _check_is_ours(Path(wish.target))
    for key in (wish.key, *wish.witnesses):
        if key:
            note.read_verifier_key(key)
    if wish.identity and not _FINGERPRINT.match(wish.identity):
        raise Malformed(
            f"{wish.identity[:100]} is no fingerprint: a fingerprint is 43 characters (A-Z, a-z, 0-9, - and _).",
            fix="citynode identity prints it, at the city.",
        )


class _Verifier:
    """One verification."""

    def __init__(self, wish: Wish, report: Report, web: Web, parser: Parser, folder: Path, now_ms: int) -> None:
        self._wish = wish
        self._report = report
        self._web = web
        self._parser = parser
        self._folder = folder
        online = is_url(wish.target)
        self._scheme = wish.target.partition("://")[0] if online else ""
        self._keys = Keys(
            now_ms,
            web,
            note.read_verifier_key(wish.key) if wish.key else None,
            wish.identity,
            self._text(wish.statement) if wish.statement else "",
            [note.read_verifier_key(each) for each in wish.witnesses],
            alone=not online,
        )
        self._older = _checkpoint_in(self._text(wish.against)) if wish.against else None

    def run(self) -> None:
        """Look what the target is, and prove it."""
        if is_url(self._wish.target):
            place = place_of(self._wish.target)
            {
                "node": self._node,
                "collection": self._collection,
                "snapshot": self._snapshot,
                "record": self._record,
                "iri": self._record,
            }[place.kind](place)
        else:
            self._file(_found(Path(self._wish.target)))

    def _text(self, source: str) -> str:
        """Read a small text from a file or an address."""
        if is_url(source):
            return self._web.text(source)
        return _read(_found(Path(source))).decode(errors="replace")

    # ------------------------------------------------------------ addresses

    def _node(self, place: Place) -> None:
        """Prove the checkpoint of every collection that a node shows."""
        heads = [head for head in self._web.checkpoints(place.base) if self._is_wanted(head)]
        if not heads:
            raise NotFound(f"{place.base} shows no checkpoint of what was asked for.")
        for head in heads:
            self._head(place.base, head)

    def _is_wanted(self, head: Document) -> bool:
        origin = note.origin_of(head["collection"])
        wanted = self._keys.key.name if self._keys.key else self._older[0].origin if self._older else ""
        return wanted in ("", origin)

    def _head(self, base: str, head: Document) -> None:
        iri, name, text = head["collection"], head["name"], head["checkpoint"]
        own = iri.rpartition("/collections/")[0] == base
        self._checkpoint(iri, base, name, text, pinned=own or self._older is not None)

    def _collection(self, place: Place) -> None:
        """Prove one collection's checkpoint, and its history if an older one is at hand."""
        text = self._web.note(place.base, place.name)
        iri = self._iri_of(place, _checkpoint_in(text)[0].origin)
        self._checkpoint(iri, place.base, place.name, text)

    def _iri_of(self, place: Place, origin: str) -> str:
        """Give a collection's IRI at its origin; a note has it without its scheme, the node's list with it."""
        listed = [head["collection"] for head in self._web.checkpoints(place.base) if head["name"] == place.name]
        named = [iri for iri in listed if note.origin_of(iri) == origin]
        return named[0] if named else f"{self._scheme}://{origin}"

    def _checkpoint(self, iri: str, base: str, name: str, text: str, *, pinned: bool = True) -> None:
        trusted = self._keys.of(iri, base=base, local=name, pinned=pinned)
        signed = signed_checkpoint(text, iri, trusted.keys)
        state = self._stated(iri, text, signed, trusted)
        if self._older is not None:
            old = self._older_of(iri, trusted)
            continues(self._web, base, name, old, signed)
            state.continues = old.size

    def _stated(self, iri: str, text: str, signed: Checkpoint, trusted: Trusted) -> State:
        state = State.of(iri, signed, trusted.how)
        state.cosigned = self._cosigners(text, signed.origin)
        self._report.checkpoints.append(state)
        return state

    def _older_of(self, iri: str, trusted: Trusted) -> Checkpoint:
        """Give the older checkpoint, which must be signed by the same city."""
        if self._older is None or self._older[0].origin != note.origin_of(iri):
            raise BadSignature(f"The older note is not one of {iri}.", fix="Give --against a note of this collection.")
        return signed_checkpoint(self._older[1], iri, trusted.keys)

    def _cosigners(self, text: str, origin: str) -> list[Cosigner]:
        """Check the cosignatures of witnesses whose keys are known, and name the others."""
        found, signed = [], note.parse(text)
        for line in signed.signatures:
            if line.name == origin or len(line.signature) != 72:
                continue
            trusted = self._keys.witness(line.name, self._scheme)
            held = note.cosignatures(note.SignedNote(signed.text, (line,)), {line.name: trusted.keys}, verified)
            at = moment_of(held[0]) if held else ""
            found.append(Cosigner(line.name, at, trusted.how if held else ""))
        return found

    def _snapshot(self, place: Place) -> None:
        """Fetch a whole collection and recompute it."""
        path = self._folder / "snapshot"
        reply = self._web.outbound.save(
            f"{place.base}/collections/{place.name}/snapshot",
            path,
            max_bytes=_MAX_SNAPSHOT_BYTES,
            deadline_s=_SNAPSHOT_S,
        )
        if reply.status != 200:
            raise NotFound(f"{place.base} gives no snapshot of {place.name}: it answered {reply.status}.")
        self._pages(path, place)

    def _record(self, place: Place) -> None:
        """Prove one record from the document and the proof that a node serves."""
        body, form, proof = self._web.record(place)
        bundle = read_bundle(proof)
        self._check_asked(place, bundle)
        local = object_of(proof, len(proof)).get("collection")
        trusted = self._keys.of(
            bundle.collection, base=place.base, local=local if isinstance(local, str) else "", bundled=bundle.key
        )
        self._bundle(bundle, trusted, body, form, f"{place.base}/{place.name}")

    def _check_asked(self, place: Place, bundle: Bundle) -> None:
        """Refuted if the node proves another record than it was asked for."""
        opening = bundle.opening or {}
        if place.kind == "iri":
            same = opening.get("record") == place.name
        else:
            plural, _, slug = place.name.partition("/")
            own = bundle.collection.startswith(f"{place.base}/")
            same = not own or (opening.get("kind"), opening.get("slug")) == (PLURALS[plural], slug)
        if bundle.opening is not None and not same:
            raise Refuted(f"The proof is of another record: {opening.get('record', 'none')}.")

    # ---------------------------------------------------------------- files

    def _file(self, path: Path) -> None:
        with path.open("rb") as file:
            head = file.read(_SNIFF_BYTES)
        if not head.lstrip().startswith(b"{"):
            self._note_file(path)
        elif b'"after"' in head.partition(b"\n")[0] and b'"checkpoint"' in head.partition(b"\n")[0]:
            self._pages(path, None)
        else:
            self._proof_file(path)

    def _note_file(self, path: Path) -> None:
        text = _read(path).decode(errors="replace")
        origin = _checkpoint_in(text)[0].origin
        iri = f"{self._scheme_of(origin)}://{origin}"
        trusted = self._keys.of(iri)
        signed = signed_checkpoint(text, iri, trusted.keys)
        state = self._stated(iri, text, signed, trusted)
        if self._older is None:
            return
        old = self._older_of(iri, trusted)
        base, _, name = iri.rpartition("/collections/")
        continues(self._web, base, name, old, signed)
        state.continues = old.size

    def _scheme_of(self, origin: str) -> str:
        """Say how a note's city is reached: its origin has no scheme, and only this machine is asked without TLS."""
        host = origin.partition("/")[0].rpartition(":")[0] or origin.partition("/")[0]
        return "http" if host in ("127.0.0.1", "localhost", "[::1]") else "https"

    def _pages(self, path: Path, place: Place | None) -> None:
        base, local = (place.base, place.name) if place else ("", "")
        held: dict[str, Trusted] = {}

        def keys_of(iri: str) -> tuple[bytes, ...]:
            held[iri] = self._keys.of(iri, base=base, local=local)
            return held[iri].keys

        with path.open("rb") as file:
            found = prove_snapshot(lines_of(file), keys_of, self._older[0] if self._older else None)
        trusted = held[found.collection]
        state = State.of(found.collection, found.checkpoint, trusted.how)
        state.entries = found.entries
        self._report.checkpoints.append(state)
        if self._older is not None:
            state.continues = self._older_of(found.collection, trusted).size

    def _proof_file(self, path: Path) -> None:
        bundle = read_bundle(_read(path))
        trusted = self._keys.of(bundle.collection, bundled=bundle.key)
        beside = self._beside(path)
        if beside is None:
            self._bundle(bundle, trusted, None, "", "")
        else:
            self._bundle(bundle, trusted, _read(beside), beside.suffix[1:], beside.absolute().as_uri())

    def _beside(self, path: Path) -> Path | None:
        """Find the record's document: the one that was named, or one of the proof's own name beside it."""
        if self._wish.document:
            named = _found(Path(self._wish.document))
            if named.suffix[1:] not in FORMS:
                raise Malformed(f"{named} has no ending that is known.", fix=f"Name it .{', .'.join(FORMS)}.")
            return named
        stem = path.with_name(path.name.removesuffix(".json").removesuffix(".proof"))
        return next((found for form in FORMS if (found := stem.with_name(f"{stem.name}.{form}")).is_file()), None)

    # --------------------------------------------------------------- records

    def _bundle(self, bundle: Bundle, trusted: Trusted, body: bytes | None, form: str, base_iri: str) -> None:
        signed = prove(bundle, trusted.keys)
        state = self._stated(bundle.collection, bundle.note, signed, trusted)
        if self._older is not None:
            old = self._older_of(bundle.collection, trusted)
            if old.size == signed.size and old.root != signed.root:
                raise Refuted("The older checkpoint has the same size and another root.")
            state.continues = old.size if old == signed else None
        opening = bundle.opening
        if opening is None or opening["op"] == "erase":
            raise Refuted("The proof is of an entry that shows no record.", fix="Ask its city for access.")
        digest = opening.get("digest", "")
        if body is not None and self._digest(body, form, base_iri) != digest:
            raise Refuted(f"The {form} of {opening['record']} does not have the digest that its journal holds.")
        self._report.records.append(
            Record(
                opening["record"],
                bundle.collection,
                bundle.entry["seq"],
                opening["op"],
                digest,
                form if body is not None else "",
            )
        )

    def _digest(self, body: bytes, form: str, base_iri: str) -> str:
        """Make a record's canonical bytes from one of its documents, and hash them.

        A payload has no blank nodes, so its canonical form is its sorted lines; a child process reads the document.
        """
        path, to = self._folder / f"record.{form}", self._folder / "lines"
        path.write_bytes(body)
        self._parser.rdf_to_lines(path, to, media_type=FORMS[form], base_iri=base_iri, timeout_s=_PARSE_S)
        lines = sorted(set(to.read_bytes().split(b"\n")) - {b""})
        return "sha256:" + sha256(b"".join(line + b"\n" for line in lines)).hexdigest()


def _found(path: Path) -> Path:
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", fix="Give a file, or an address that begins with http.")
    return path


def _check_is_ours(path: Path) -> None:
    """Malformed unless a file looks like a note, a proof or a snapshot: else it is nothing that could be refuted."""
    try:
        with path.open("rb") as file:
            head = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Malformed(f"{path} cannot be read: {error.strerror}.") from error
    fix = "Give what …/proof, …/checkpoint or …/snapshot answers at a node."
    if other := _OTHERS.search(head):
        word = "evidence" if other[1] == b"evidence" else "agreements"
        raise Malformed(f"{path} is an export of {word}.", fix=f"Verify it with: citynode {word} verify {path}")
    if not any(mark in head for mark in _MARKS):
        raise Malformed(f"{path} is {'no proof, no checkpoint and no snapshot' if head else 'empty'}.", fix=fix)
    if len(head) > _MAX_FILE_BYTES and b'"after"' not in head.partition(b"\n")[0]:
        raise Malformed(f"{path} is longer than any checkpoint or proof.", fix=fix)


def _read(path: Path) -> bytes:
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise Malformed(f"{path} is longer than any note, proof or document.")
    return path.read_bytes()


def _checkpoint_in(text: str) -> tuple[Checkpoint, str]:
    """Read a note without judging it; give what it says and its text."""
    try:
        return note.checkpoint_of(note.parse(text).text), text
    except NodeError as error:
        raise Malformed(f"This is no checkpoint: {error.message}") from error
