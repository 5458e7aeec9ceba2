"""What this city shows to the places where its own data lie: tokens, passwords and keys, sealed and never shown again.

Each is bound to where it may be shown, so that nobody who may register an origin can have it sent somewhere else. Given
through a file or standard input, kept under the sealing key of the node's key folder; what is listed says where it is
for and never what it is. Owns `data_credential`.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from node.db import Database, Row
from node.errors import Conflict, Malformed, NotFound
from node.keys.sealing import Sealer
from node.records import is_collection_name

KINDS = ("bearer", "basic", "header", "s3")
MAX_SECRET = 8_192
PATH, VIRTUAL = "path", "virtual"  # how a store's buckets are addressed
_USE = "data-credential"
_NEEDED = {"bearer": (), "basic": ("user",), "header": ("header",), "s3": ("key_id",)}
_OPTIONAL = {"bearer": (), "basic": (), "header": (), "s3": ("region", "session", "addressing")}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}\Z")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z")
# What frames a message or says which bytes are wanted is not for a credential to say.
_OURS = frozenset(
    "host range if-range connection content-length content-type transfer-encoding te upgrade accept-encoding expect".split()  # noqa: SIM905, E501
)


class Where(Protocol):
    """Tells where an address leads."""

    def __call__(self, url: str) -> str:
        """Give `scheme://host:port`; empty if it has no host."""


@dataclass(frozen=True, slots=True)
class Told:
    """A credential as it may be shown: `where` is the one origin that it is for."""

    name: str
    kind: str
    where: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Keys:
    """What requests to an S3 store are signed with, and where that store is."""

    endpoint: str
    region: str
    key_id: str
    secret: str = field(repr=False)
    session: str = field(default="", repr=False)
    is_virtual: bool = False  # each bucket is a host of its own, below the store's


class Credentials:
    """Keeps them, and gives what has to be shown for one address. Safe to share by threads."""

    def __init__(
        self, db: Database, sealer: Sealer, *, origin_of: Where, allow_http: bool, clock_ms: Callable[[], int]
    ) -> None:
        """Keep them in this database; `allow_http` lets secrets go out in the clear, for tests and this machine."""
        self._db = db
        self._sealer = sealer
        self._origin_of = origin_of
        self._allow_http = allow_http
        self._clock_ms = clock_ms

    def set(self, name: str, kind: str, where: str, secret: str, more: Mapping[str, str] | None = None) -> Told:
        """Write a credential, in place of the one of this name if there is any.

        Args:
            name: What origins call it.
            kind: bearer, basic, header or s3.
            where: The address that it is for; of an s3 credential the endpoint.
            secret: The token, password, value or secret key.
            more: user of basic, header of header; key_id, region, session and addressing of s3.

        Raises:
            Malformed: Something of it cannot be shown to any server, or would be shown in the clear.
        """
        if not is_collection_name(name):
            raise Malformed(f"A credential cannot be named {name[:60]!r}.", fix="Use a-z, 0-9 and -, at most 63.")
        held = {"where": self._where(where), **_checked(kind, secret, dict(more or {}))}
        if held.get("addressing") == VIRTUAL and not _is_name(held["where"]):
            raise Malformed(f"{held['where']} has no name below which buckets could be.", fix="Give addressing path.")
        sealed = self._sealer.seal(json.dumps(held).encode(), use=_USE, about=f"{name} {kind}")
        with self._db.write() as tx:
            tx.run(
                "INSERT INTO data_credential (name, kind, sealed, at) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
                " SET kind = excluded.kind, sealed = excluded.sealed, at = excluded.at",
                *(name, kind, base64.b64encode(sealed).decode(), self._clock_ms()),
            )
        return self.told(name)

    def list(self) -> Sequence[Told]:
        """List them by name; what they are is never told."""
        rows = self._db.hot().rows("SELECT name, kind, sealed, at FROM data_credential ORDER BY name")
        return [Told(str(row[0]), str(row[1]), self._opened(row)["where"], int(row[3])) for row in rows]

    def told(self, name: str) -> Told:
        """Tell of one. Raises NotFound."""
        row = self._row(name)
        return Told(str(row[0]), str(row[1]), self._opened(row)["where"], int(row[3]))

    def remove(self, name: str, *, used_by: Sequence[str] = ()) -> None:
        """Forget one. Raises NotFound; Conflict while something needs it."""
        self._row(name)
        if used_by:
            raise Conflict(f"{used_by[0][:200]} needs the credential {name}.", fix="Change what needs it first.")
        with self._db.write() as tx:
            tx.run("DELETE FROM data_credential WHERE name = ?", name)

    def headers(self, name: str, url: str) -> Mapping[str, str]:
        """Give the headers that show a credential at an address; nothing without a name.

        Raises:
            NotFound: There is none of this name.
            Malformed: It is for another place, or of a kind that signs each request (s3).
        """
        if not name:
            return {}
        row = self._row(name)
        kind, held = str(row[1]), self._opened(row)
        if held["where"] != self._origin_of(url):
            raise Malformed(
                f"The credential {name} is for {held['where']} alone.",
                fix="Set one for this address, or leave it out.",
            ).on_page("no.origin.credential_place", field="credential", name=name, where=held["where"])
        if kind == "basic":
            pair = base64.b64encode(f"{held['user']}:{held['secret']}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        if kind == "bearer":
            return {"Authorization": f"Bearer {held['secret']}"}
        if kind == "header":
            return {held["header"]: held["secret"]}
        raise Malformed(
            f"The credential {name} is for an S3 store.", fix="Give one that is shown in a header."
        ).on_page("no.origin.credential_s3", field="credential", name=name)

    def keys(self, name: str) -> Keys:
        """Give the keys of an S3 store; without a name those of the one store that there is.

        Raises:
            NotFound: There is none of this name, or none at all.
            Malformed: It is for no S3 store, or there are several to choose from.
        """
        row = self._row(self.store(name))
        held = self._opened(row)
        virtual = held.get("addressing") == VIRTUAL
        return Keys(held["where"], held["region"], held["key_id"], held["secret"], held["session"], virtual)

    def store(self, name: str = "") -> str:
        """Give the name of a credential for an S3 store: this one's, or of the only one. Raises what `keys` raises."""
        if name:
            if self._row(name)[1] != "s3":
                raise Malformed(
                    f"The credential {name} is for no S3 store.",
                    fix="Set one of the kind s3.",
                ).on_page("no.origin.credential_web", field="credential", name=name)
            return name
        rows = self._db.hot().rows("SELECT name FROM data_credential WHERE kind = 's3' ORDER BY name")
        if not rows:
            raise NotFound(
                "No S3 store is known.", fix="Set its keys: citynode data credentials set NAME --kind s3"
            ).on_page("no.origin.no_store", field="credential")
        if len(rows) > 1:
            raise Malformed(
                "Several S3 stores are known.", fix=f"Say which: {', '.join(str(row[0]) for row in rows)}"
            ).on_page("no.origin.stores", field="credential")
        return str(rows[0][0])

    def _where(self, url: str) -> str:
        found = self._origin_of(url)
        if not found or urlsplit(url).scheme not in ("https", "http"):
            raise Malformed(f"{url[:200]!r} is no web address.", fix="Say where it is for: https://HOST")
        if found.startswith("http:") and not self._allow_http:
            raise Malformed("A secret is not sent in the clear.", fix="Give an https address.")
        return found

    def _row(self, name: str) -> Row:
        row = self._db.hot().row("SELECT name, kind, sealed, at FROM data_credential WHERE name = ?", (name,))
        if row is None:
            raise NotFound(
                f"There is no credential {name[:60]!r}.", fix="List them: citynode data credentials list"
            ).on_page("no.origin.no_credential", field="credential", name=name[:60])
        return row

    def _opened(self, row: Row) -> dict[str, str]:
        about = f"{row[0]} {row[1]}"
        read: dict[str, str] = json.loads(self._sealer.open(base64.b64decode(row[2]), use=_USE, about=about))
        return read


def _is_name(where: str) -> bool:
    """Tell whether a place has a name, which others can be below, and not a number."""
    host = urlsplit(where).hostname or ""
    return "." in host and not host.replace(".", "").isdigit() and ":" not in host


def _checked(kind: str, secret: str, more: dict[str, str]) -> dict[str, str]:
    if kind not in KINDS:
        raise Malformed(f"{kind[:40]!r} is no kind of credential.", fix=f"One of {', '.join(KINDS)}.")
    if not _VALUE.match(secret) or len(secret) > MAX_SECRET:
        raise Malformed(
            "The secret cannot be sent.", fix=f"One line of at most {MAX_SECRET} printable ASCII characters."
        )
    given = {name: value for name, value in more.items() if value}
    missing = [name for name in _NEEDED[kind] if name not in given]
    beyond = [name for name in given if name not in (*_NEEDED[kind], *_OPTIONAL[kind])]
    if missing or beyond:
        what = f"needs {missing[0]}" if missing else f"has no {beyond[0]}"
        raise Malformed(f"A credential of the kind {kind} {what}.", fix="See citynode data credentials set --help.")
    if any(not _VALUE.match(value) or len(value) > MAX_SECRET for value in given.values()):
        raise Malformed("Something of the credential cannot be sent.", fix="Printable ASCII characters alone.")
    if "header" in given and (not _TOKEN.match(given["header"]) or given["header"].lower() in _OURS):
        raise Malformed(f"{given['header'][:60]!r} is no header for a credential.", fix="Such as X-API-Key.")
    if given.get("addressing", PATH) not in (PATH, VIRTUAL):
        raise Malformed("Buckets are addressed by path or virtual.", fix=f"Give addressing {PATH} or {VIRTUAL}.")
    if ":" in given.get("user", ""):
        raise Malformed("A user name has no colon.", fix="Give the part before it.")
    if kind == "s3":
        given = {"region": "us-east-1", "session": ""} | given
    return {"secret": secret, **given}
