"""The settings of a node: who it is, where it keeps and serves, how it fetches, who works there, how it meets others.

One class of values with their bounds, each with the sentence that docs/settings.md prints. Where values come from is
beside this: nothing here reads the environment or a file.
"""

import ipaddress
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from node.settings.fields import Listed, setting

PREFIX = "CITYNODE_"
FILE_NAME = "citynode.toml"
DEFAULT_DATA = Path("citynode-data")


def _is_point(value: str) -> bool:
    found = re.fullmatch(r"\s*(-?\d{1,2}(?:\.\d{1,8})?)\s*,\s*(-?\d{1,3}(?:\.\d{1,8})?)\s*", value, re.ASCII)
    return found is not None and abs(float(found[1])) <= 90 and abs(float(found[2])) <= 180


def loopback_port(base_url: str) -> int:
    """Give the port that a base URL of this machine alone names; 0 where it names none, or is of another.

    >>> loopback_port("http://127.0.0.1:8100/city"), loopback_port("https://data.city.example:8100")
    (8100, 0)
    """
    try:
        parts = urlsplit(base_url)
        return (parts.port or 0) if parts.scheme == "http" and _is_of_this_machine(parts.hostname or "") else 0
    except ValueError:
        return 0


def _is_of_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class CitySettings(BaseSettings):
    """What a node runs with, except how its data move. Frozen: a change means a restart."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    # Who this node is
    data: Path = setting(
        DEFAULT_DATA, "Folder that holds everything of this node: settings file, keys, database, work space."
    )
    name: str = setting(
        "", "The city's name as people read it; `citynode init` writes it into the settings file.", max_length=80
    )
    base_url: str = setting(
        "http://127.0.0.1:8000", "Public origin and path prefix without a trailing slash; every address starts with it."
    )
    languages: Listed = setting(("en",), "Languages of the pages, first one the default.")
    accent: str = setting("#0b57a4", "Colour of links and buttons on the pages.", fits="`#` and six of 0-9, a-f")
    contact_name: str = setting(
        "", "Who answers for the catalogue; empty means the city's name. Also replaces named persons in contacts."
    )
    contact_mailbox: str = setting(
        "", "Role mailbox of that organisation; it stands in the catalogue and in the User-Agent of a harvest."
    )

    place: str = setting(
        "", "Where the city is on the map of the federation: latitude, longitude, as in `60.17,24.94`; empty: nowhere."
    )

    # Where it keeps and serves
    database_url: SecretStr = setting(
        SecretStr(""), "`postgresql://…` to use a PostgreSQL server; empty means SQLite in the data folder."
    )
    host: str = setting("127.0.0.1", "Address that the web processes listen on.")
    port: int = setting(
        8000,
        "Port that the web processes listen on; where nobody sets it, that of a base URL of this machine alone.",
        ge=1,
        le=65535,
    )
    workers: int = setting(1, "Web processes; one per core that may serve readers.", unit="processes", ge=1, le=64)
    metrics: bool = setting(default=True, sentence="Serve /metrics for Prometheus.")
    page_size: int = setting(100, "Records on one page of a catalogue document.", unit="records", ge=1, le=1000)
    log_format: Literal["plain", "json"] = setting("plain", "Lines for people, or one JSON object a line.")
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "The least grave thing that is logged.")

    # How it fetches and harvests
    private_origins: Listed = setting(
        (), "Origins with private addresses that may be fetched all the same, such as `http://ckan.internal:5000`."
    )
    max_document_bytes: int = setting(
        1024**3, "Largest document that is fetched, counted after decompression.", unit="bytes", ge=1024
    )
    fetch_deadline_s: int = setting(600, "Longest that one document may take, slow drip included.", unit="s", ge=1)
    run_deadline_s: int = setting(6 * 3600, "Longest that one harvest run may take.", unit="s", ge=1)
    parser_memory_mib: int = setting(
        768, "Memory of the child process that parses strangers' bytes.", unit="MiB", ge=128, le=65536
    )
    harvest_every_min: int = setting(
        24 * 60, "How often a source is harvested when `sources add` names no time of its own.", unit="min", ge=5
    )
    withdraw_threshold_percent: int = setting(
        10, "A run that would withdraw more than this share of a source waits for approval.", unit="%", ge=0, le=100
    )

    # How it is searched and queried
    sparql: str = setting(
        "embedded",
        "Triple store of /sparql: `embedded` starts one, `off` has none, an address is the query endpoint of yours.",
    )
    sparql_update_url: SecretStr = setting(
        SecretStr(""), "Update endpoint of your own triple store; needed with an address in `sparql`."
    )
    sparql_timeout_s: int = setting(10, "Longest that one SPARQL query may take.", unit="s", ge=1, le=600)
    sparql_memory_mib: int = setting(
        2048, "Memory of each embedded triple store; one that needs more starts anew.", unit="MiB", ge=256, le=1048576
    )
    sparql_result_mib: int = setting(32, "Largest result of one SPARQL query.", unit="MiB", ge=1, le=1024)
    sparql_query_bytes: int = setting(65536, "Longest SPARQL query.", unit="bytes", ge=1024, le=1048576)
    sparql_at_once: int = setting(
        2, "SPARQL queries that one web process lets run at once.", unit="queries", ge=1, le=64
    )
    search_peers_ms: int = setting(
        1500, "How long a search waits for a peer that must be asked live.", unit="ms", ge=100, le=30000
    )
    link_check_days: int = setting(
        30, "How often each link of the records is tried; 0 tries none.", unit="days", ge=0, le=365
    )

    model_inspect_mib: int = setting(
        200,
        "Largest 3D city model that is fetched and looked at by itself; 0 looks at none.",
        unit="MiB",
        ge=0,
        le=4096,
    )
    preview_mib: int = setting(
        50,
        "Largest file of our open datasets that is fetched to show what is inside; 0 looks into none.",
        unit="MiB",
        ge=0,
        le=1024,
    )
    submissions_per_day: int = setting(
        20, "Reuses that one address may submit in a day; 0 takes none.", unit="submissions/day", ge=0, le=10000
    )
    submissions_waiting: int = setting(
        500, "Reuses that may wait for a decision before no more are taken.", unit="submissions", ge=1, le=10000
    )
    reports_per_day: int = setting(
        20, "Problems that one address may report in a day; 0 takes none.", unit="reports/day", ge=0, le=10000
    )
    reports_waiting: int = setting(
        1000,
        "Reports that may be open before no more are taken; of another city a quarter.",
        unit="reports",
        ge=1,
        le=100000,
    )

    # Who works at its desk
    desk_idle_min: int = setting(480, "How long somebody stays signed in without a click.", unit="min", ge=5, le=10080)
    desk_session_h: int = setting(24, "How long somebody stays signed in at most.", unit="h", ge=1, le=168)
    second_factor: Literal["everyone", "deciders", "optional"] = setting(
        "optional",
        "Who of the desk's own accounts must use a phone; `deciders` are approvers and admins, `optional` asks nobody.",
    )
    oidc_issuer: str = setting(
        "", "Issuer of the city's own sign-in (OpenID Connect), exactly as it writes itself; empty uses none."
    )
    oidc_client_id: str = setting("", "What that sign-in calls this node.")
    oidc_client_secret: SecretStr = setting(SecretStr(""), "The secret it gave this node; empty for a public client.")
    oidc_roles: Listed = setting((), "Roles by its groups, such as `data-team=editor,data-leads=approver`.")
    oidc_groups_claim: str = setting("groups", "The claim that lists somebody's groups.", min_length=1)

    # How it meets other cities
    federation: str = setting(
        "https://w3id.org/citynode/federation/digital-declaration",
        "IRI of the federation this node belongs to; agreements are signed for it alone.",
    )
    namespaces: Listed = setting(
        (),
        "Further IRI prefixes that this city alone describes, such as its portal's; each ends in / or #.",
        max_length=31,
    )
    key_passphrase: SecretStr = setting(
        SecretStr(""), "Passphrase of the private keys in the data folder; empty means they are not encrypted."
    )
    allow_http_peers: bool = setting(
        default=False, sentence="Take peers at http addresses that are not of this machine; for closed test networks."
    )
    peer_poll_s: int = setting(300, "How often a peer is asked even if it told of no change.", unit="s", ge=1)
    notify_after_ms: int = setting(
        1000, "How long changes are gathered before peers are told of them.", unit="ms", ge=0, le=60000
    )
    agreement_approvals: int = setting(
        1, "Persons who must approve an agreement before this city signs it; two are two different ones.", ge=1, le=2
    )
    unsigned_agreements: Literal["never", "public", "always"] = setting(
        "public", "Whether an agreement that the other side cannot sign suffices; `public`: for what is public alone."
    )
    agreement_reminder_days: int = setting(
        30, "How long before an agreement ends or is to be reviewed the staff is reminded.", unit="days", ge=1, le=365
    )
    witnesses: Listed = setting(
        (), "Peers that cosign our checkpoints, by name, at most five; empty means the first five active ones."
    )
    trusted_proxies: Listed = setting(
        (), "Addresses or networks of reverse proxies whose X-Forwarded-For is believed, such as `127.0.0.1`."
    )
    rate_public_per_min: int = setting(
        6000, "Requests that one address may make of public documents; 0 means no limit.", unit="requests/min", ge=0
    )
    rate_feed_per_min: int = setting(
        1200, "Requests that one peer or address may make of feeds; 0 means no limit.", unit="requests/min", ge=0
    )
    rate_token_per_min: int = setting(
        120, "Requests that one client or address may make of tokens; 0 means no limit.", unit="requests/min", ge=0
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (pydantic-settings' signature)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `load` alone: pydantic's own sources pass unknown environment keys in silence."""
        return (init_settings,)

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("base_url")
    @classmethod
    def _origin_and_prefix(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must start with http:// or https:// and name a host")
        if parts.query or parts.fragment or parts.username or "@" in parts.netloc:
            raise ValueError("must be an origin and a path, without user, query or fragment")
        return value.rstrip("/")

    @field_validator("languages")
    @classmethod
    def _tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or any(not re.fullmatch(r"[a-z]{2,3}", tag) for tag in value):
            raise ValueError("must be two- or three-letter codes such as en,fi,sv")
        return tuple(dict.fromkeys(value))

    @field_validator("accent")
    @classmethod
    def _colour(cls, value: str) -> str:
        if not re.fullmatch("#[0-9a-fA-F]{6}", value):
            raise ValueError("must be a colour: # and six of 0-9 and a-f, such as #0b57a4")
        return value

    @field_validator("private_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
                raise ValueError(f"{origin!r} is no origin; write scheme://host:port")
        return tuple(origin.rstrip("/") for origin in value)

    @field_validator("namespaces")
    @classmethod
    def _prefixes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in value:
            parts = urlsplit(prefix)
            if parts.scheme not in ("http", "https") or not parts.hostname or prefix[-1] not in "/#":
                raise ValueError(f"{prefix!r} is no namespace; write an http(s) prefix that ends in / or #")
        return tuple(dict.fromkeys(value))

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ipaddress.ip_network(each, strict=False)
            except ValueError:
                raise ValueError(f"{each!r} is no address or network") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value().strip()
        if url and not url.startswith(("postgresql://", "sqlite:////")):
            raise ValueError("must start with postgresql:// (or sqlite://// and an absolute path)")
        return SecretStr(url)

    @field_validator("sparql")
    @classmethod
    def _known_store(cls, value: str) -> str:
        parts = urlsplit(value)
        if value not in ("embedded", "off") and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must be embedded, off, or an address that starts with http:// or https://")
        return value

    @field_validator("place")
    @classmethod
    def _point(cls, value: str) -> str:
        if value and not _is_point(value):
            raise ValueError("must be a latitude from -90 to 90 and a longitude from -180 to 180, such as 60.17,24.94")
        return value

    @field_validator("contact_mailbox")
    @classmethod
    def _mailbox(cls, value: str) -> str:
        if value and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
            raise ValueError("must be a mail address")
        return value

    @property
    def database(self) -> str:
        """The database's URL: the one that was set, else SQLite in the data folder. May hold a password."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data / 'node.db'}"

    @property
    def point(self) -> tuple[float, float] | None:
        """Give latitude and longitude of the city, where they were set."""
        north, _, east = self.place.partition(",")
        return (float(north), float(east)) if self.place else None

    @property
    def file(self) -> Path:
        """Where the settings file of this node is, whether or not it exists."""
        return self.data / FILE_NAME

    @property
    def on_loopback(self) -> bool:
        """Tell whether the base URL is of this machine alone; then loopback may be fetched."""
        return _is_of_this_machine(urlsplit(self.base_url).hostname or "")
