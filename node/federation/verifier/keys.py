"""Which keys a verification trusts, and how it came to: pinned by the person who asked, or only as somebody published.

The strongest word is the caller's: a verifier key, or the fingerprint of the city's entity key, under which any copy of
its statement will do, also the one a mirror kept. Without either, the city's own address is asked first, then the
mirror; the report says so. Witnesses' keys come from the caller, else from the witness's own address.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from node.errors import BadSignature, KeyChanged, Malformed, NodeError, PeerUnreachable, Unavailable
from node.federation.identity.identity import MAX_BYTES, Identity, chain_holds, read_statement
from node.federation.verifier.web import Web
from node.journal import note
from node.journal.note import VerifierKey
from node.keys import PublicKey
from node.keys.jwt import unchecked_claims

MAX_LOOK_UPS = 5


@dataclass(frozen=True, slots=True)
class Trusted:
    """Keys that may have signed something, and why they are believed."""

    keys: tuple[bytes, ...]
    how: str


@dataclass(slots=True)
class Keys:
    """The keys of one verification; what was asked for once is remembered."""

    now_ms: int
    web: Web
    key: VerifierKey | None = None
    identity: str = ""
    statement: str = ""
    witnesses: Sequence[VerifierKey] = ()
    alone: bool = False  # the target is a file: what it brings along comes before asking anybody
    _held: dict[tuple[str, str], Trusted] = field(default_factory=dict)
    _looked_up: dict[str, Trusted] = field(default_factory=dict)

    def of(self, iri: str, *, base: str = "", local: str = "", bundled: str = "", pinned: bool = True) -> Trusted:
        """Give the checkpoint keys of a collection's city.

        Args:
            iri: The collection's IRI at its origin.
            base: The node that is asked, which may be a mirror; empty for a file.
            local: The collection's name there.
            bundled: A verifier key that came with the proof itself; the last resort.
            pinned: The fingerprint that the caller gave is this city's.

        Raises:
            PeerUnreachable: Neither the city nor the mirror could be asked.
            KeyChanged: The statement is not that of the city with this fingerprint.
        """
        if self.key is not None:
            if self.key.name != note.origin_of(iri):
                raise BadSignature(f"The key that was given is for {self.key.name}, not for {note.origin_of(iri)}.")
            return Trusted((self.key.public_key,), "given with --key")
        city = iri.rpartition("/collections/")[0]
        pin = self.identity if pinned else ""
        if (city, pin) not in self._held:
            self._held[city, pin] = self._found(iri, city, base, local, bundled, pin)
        return self._held[city, pin]

    def _found(self, iri: str, city: str, base: str, local: str, bundled: str, pin: str) -> Trusted:
        if self.statement:
            return self._trusted(self.statement, city, pin, "in the statement that was given")
        if bundled and self.alone and not pin:
            key = note.read_verifier_key(bundled)
            if key.kind == note.ED25519 and key.name == note.origin_of(iri):
                return Trusted((key.public_key,), "only as the file itself names it")
        return self._asked(city, base, local, pin)

    def _asked(self, city: str, base: str, local: str, pin: str) -> Trusted:
        """Ask the city and the mirror; pinned, the mirror's copy is as good and comes first."""
        is_mirror = bool(base) and base != city
        ways: list[tuple[Callable[[], str], str]] = [(lambda: self.web.statement(city), f"as {city} publishes it")]
        if is_mirror and local:
            ways.insert(0 if pin else 1, (lambda: self.web.origin(base, local), f"as {base} holds it of {city}"))
        failed: NodeError | None = None
        for ask, how in ways:
            try:
                return self._trusted(ask(), city, pin, how)
            except (Unavailable, Malformed) as error:
                failed = failed or error
            except KeyChanged:
                raise
            except NodeError as error:
                failed = error
        fix = "Give --key, or --statement FILE with --identity FINGERPRINT."
        raise PeerUnreachable(f"The keys of {city} could not be had: {failed}", fix=fix)

    def _trusted(self, statement: str, city: str, pin: str, how: str) -> Trusted:
        identity = read_old_statement(statement, city, self.now_ms)
        keys = tuple(key.raw for key in identity.keys_of("checkpoint"))
        if not pin:
            return Trusted(keys, f"only {how}")
        if not is_pinned(identity, pin):
            raise KeyChanged(f"The statement of {city} is by {identity.fingerprint}, not by {pin}.")
        return Trusted(keys, "pinned by --identity")

    # ------------------------------------------------------------ witnesses

    def witness(self, name: str, scheme: str) -> Trusted:
        """Give the keys of a witness by its name; none if they cannot be known."""
        given = tuple(key.public_key for key in self.witnesses if key.name == name)
        if given:
            return Trusted(given, "given with --witness")
        if self.alone or not scheme:
            return Trusted((), "")
        if name not in self._looked_up:
            if len(self._looked_up) >= MAX_LOOK_UPS:
                return Trusted((), "")
            self._looked_up[name] = self._look_up(f"{scheme}://{name}")
        return self._looked_up[name]

    def _look_up(self, url: str) -> Trusted:
        try:
            identity = read_old_statement(self.web.statement(url), url, self.now_ms)
            keys = tuple(key.raw for key in identity.keys_of("witness"))
        except NodeError:
            return Trusted((), "")
        return Trusted(keys, f"only as {url} publishes it")


def read_old_statement(statement: str, city: str, now_ms: int) -> Identity:
    """Read a statement; one that has expired is read as of its own day, since old notes are checked by it."""
    try:
        return read_statement(statement.strip(), url=city, now_ms=now_ms)
    except NodeError:
        issued_ms = _issued_ms(statement)
        if not 0 < issued_ms < now_ms:
            raise
        return read_statement(statement.strip(), url=city, now_ms=issued_ms)


def _issued_ms(statement: str) -> int:
    try:
        issued = unchecked_claims(statement.strip(), max_bytes=MAX_BYTES).get("iat")
    except NodeError:
        return 0
    return issued * 1000 if type(issued) is int else 0


def is_pinned(identity: Identity, pin: str) -> bool:
    """Tell whether the fingerprint is this city's now, or was, with an unbroken chain of rotations from it."""
    if identity.fingerprint == pin:
        return True
    keys = identity.keys_of("entity")
    former: list[PublicKey] = [key for key in keys if key.kid == pin]
    return bool(former) and chain_holds(former, keys, url=identity.url)
