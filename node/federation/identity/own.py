"""What this city says of itself: the signed statement, the DID document, the key set and the summary for people.

The statement is signed anew every hour and when something in it changed; equal content gives equal bytes in every
process (the signature is deterministic), so caches and conditional requests work. Lists in it are cut so that it always
stays within what peers read: what is cut is published elsewhere (`/checkpoints`, `jwks.json`). The clock is handed in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.federation.identity.did import did_web
from node.federation.identity.identity import MAX_BYTES, TYP, VERSION
from node.federation.tokens import metadata as oauth
from node.keys import Keyring, PublicKey, Purpose
from node.keys.multikey import multikey
from node.keys.public import moment

HOUR_S = 3600
LIFETIME_S = 24 * HOUR_S
_MOST_KEYS = 24
_MOST_COLLECTIONS = 200
_TITLE = 80
_PROTOCOLS = {"feed": ["1"], "witness": ["cosignature/v1"]}
_DID_CONTEXT = [
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    "https://w3id.org/security/jwk/v1",
]
_IN_DID: tuple[Purpose, ...] = ("record", "checkpoint", "witness", "client")

# A public collection of our own: its name, its IRI and its title.
Listed = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class City:
    """What the settings say of this city. `namespaces` are those besides the base URL."""

    url: str
    name: str
    software: str
    federation: str
    namespaces: tuple[str, ...] = ()
    mailbox: str = ""
    place: tuple[float, float] | None = None
    accent: str = ""


class OwnIdentity:
    """This city, as it shows itself. Safe to use from several threads."""

    def __init__(self, city: City, keyring: Keyring, *, collections: Callable[[], Sequence[Listed]]) -> None:
        """Take what the settings say, the keys, and who lists our own public collections."""
        self._city = city
        self._keyring = keyring
        self._collections = collections
        self._made: tuple[object, str] = (None, "")

    @property
    def url(self) -> str:
        """Give the base URL, which is issuer and client id everywhere."""
        return self._city.url

    @property
    def fingerprint(self) -> str:
        """Give the thumbprint of the key that signs the statement."""
        return self._keyring.fingerprint

    @property
    def did_name(self) -> str:
        """Give this city's did:web: the base URL in the spelling that leads back to its document."""
        return did_web(self._city.url)

    def statement(self, now_ms: int) -> str:
        """Give the entity statement, signed in the running hour and good for a day from then."""
        issued_s = now_ms // 1000 // HOUR_S * HOUR_S
        keys, listed = self._keyring.published(), list(self._collections())[:_MOST_COLLECTIONS]
        # The keys in it depend on the time too: whose overlap is over leaves `jwks`.
        wanted = (issued_s, listed, [(key.kid, key.is_in_force(now_ms)) for key in keys])
        made_of, statement = self._made
        if made_of != wanted:
            statement = self._signed(issued_s, keys, listed, now_ms)
            self._made = (wanted, statement)
        return statement

    def _signed(self, issued_s: int, keys: list[PublicKey], listed: list[Listed], now_ms: int) -> str:
        while True:
            claims = {
                "iss": self._city.url,
                "sub": self._city.url,
                "iat": issued_s,
                "exp": issued_s + LIFETIME_S,
                "jwks": _key_set(keys, "entity", now_ms),
                "metadata": self._metadata(keys, listed, now_ms),
            }
            statement = self._keyring.jwt("entity", TYP, claims)
            if len(statement) <= MAX_BYTES or not listed:
                return statement
            listed = listed[: len(listed) // 2]

    def _metadata(self, keys: list[PublicKey], listed: list[Listed], now_ms: int) -> dict[str, object]:
        city = self._city
        contacts = {"contacts": [city.mailbox]} if city.mailbox else {}
        return {
            "federation_entity": {"organization_name": city.name, **contacts},
            "oauth_authorization_server": {
                **oauth.server_metadata(city.url),
                "jwks": _key_set(keys, "token", now_ms),
            },
            "oauth_client": {
                "token_endpoint_auth_method": oauth.AUTH_METHOD,
                "grant_types": [oauth.GRANT_TYPE],
                "jwks": _key_set(keys, "client", now_ms),
            },
            "oauth_resource": oauth.resource_metadata(city.url),
            "citynode": self._citynode(keys, listed),
        }

    def _citynode(self, keys: list[PublicKey], listed: list[Listed]) -> dict[str, object]:
        city, url = self._city, self._city.url
        return {
            "v": VERSION,
            "name": city.name,
            "software": city.software,
            "federation": city.federation,
            "namespaces": list(dict.fromkeys([f"{url}/", *city.namespaces])),
            "endpoints": {
                "token": url + oauth.TOKEN_PATH,
                "notify": f"{url}/federation/notify",
                "erasures": f"{url}/federation/erasures",
                "refusals": f"{url}/federation/refusals",
                "witness": f"{url}/witness/add-checkpoint",
                "checkpoints": f"{url}/checkpoints",
                "collections": f"{url}/collections",
            },
            "protocols": _PROTOCOLS,
            "collections": [{"name": name, "iri": iri, "title": title[:_TITLE]} for name, iri, title in listed],
            "keys": [key.document() for key in keys[:_MOST_KEYS]],
            **({"place": list(city.place)} if city.place else {}),
            **({"accent": city.accent.lower()} if city.accent else {}),
        }

    def did(self) -> dict[str, object]:
        """Give the DID document: keys for records may assert, the client's show who we are, the others are listed."""
        keys = [key for purpose in _IN_DID for key in self._keyring.published(purpose)]
        return {
            "@context": _DID_CONTEXT,
            "id": self.did_name,
            "alsoKnownAs": [self._city.url],
            "verificationMethod": [self._method(key) for key in keys],
            "assertionMethod": self._named(keys, "record"),
            "authentication": self._named(keys, "client"),
            # What DCP looks for behind a self-issued token.
            "capabilityInvocation": self._named(keys, "client"),
            "service": [
                {
                    "id": f"{self.did_name}#catalog",
                    "type": "CatalogService",
                    "serviceEndpoint": f"{self._city.url}/catalog",
                }
            ],
        }

    def _named(self, keys: Sequence[PublicKey], purpose: Purpose) -> list[str]:
        return [f"{self.did_name}#{key.kid}" for key in keys if key.purpose == purpose]

    def _method(self, key: PublicKey) -> dict[str, object]:
        ended = {} if key.until_ms is None else {"expires": moment(key.until_ms)}
        edwards = key.alg == "Ed25519"
        material = {"publicKeyMultibase": multikey(key.raw)} if edwards else {"publicKeyJwk": _jwk(key)}
        return {
            "id": f"{self.did_name}#{key.kid}",
            "type": "Multikey" if edwards else "JsonWebKey",
            "controller": self.did_name,
            **material,
            **ended,
        }

    def jwks(self) -> dict[str, object]:
        """Give the key set: every key there ever was, since what they signed stays published."""
        return {"keys": [_jwk(key) for key in self._keyring.published()]}

    def summary(self) -> dict[str, object]:
        """Give what `citynode identity` prints."""
        keys = [key.document() for key in self._keyring.published()]
        return {"issuer": self._city.url, "fingerprint": self.fingerprint, "did": self.did_name, "keys": keys}


def _jwk(key: PublicKey) -> dict[str, object]:
    return {**key.jwk, "kid": key.kid, "alg": key.alg, "use": "sig"}


def _key_set(keys: list[PublicKey], purpose: Purpose, now_ms: int) -> dict[str, object]:
    return {"keys": [_jwk(key) for key in keys if key.purpose == purpose and key.is_in_force(now_ms)]}
