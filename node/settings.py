"""Every setting of a node, in one class: environment before `citynode.toml` before default.

The only module that reads the environment. `assembly` and `cli` hand the values down; nothing below looks one up.
An unknown key stops the start and names the nearest one, since a misspelt setting that is silently ignored is found
on the day it was needed. Secrets may also be given as the path of a file (`CITYNODE_DATABASE_URL_FILE`).
Times and sizes carry their unit in the name; `docs/settings.md` lists all of them, and a test compares.
"""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from node.errors import Misconfigured

PREFIX = "CITYNODE_"
FILE_NAME = "citynode.toml"
DEFAULT_DATA = Path("citynode-data")
HIDDEN = "(hidden)"

# What container platforms put into the environment of a service called citynode, and the tests' own switches.
_INJECTED = re.compile(r"CITYNODE_(TEST_.*|SERVICE_.*|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)\Z")


def _listed(value: object) -> object:
    """Read `en,fi,sv` as three values, so that a list fits into one variable."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]


def _setting(default: object, sentence: str, *, unit: str = "", **bounds: Any) -> Any:  # noqa: ANN401 (a field of any type)
    return Field(default, description=sentence, json_schema_extra={"unit": unit}, **bounds)


class Settings(BaseSettings):
    """The values one node runs with. Frozen: a change means a restart."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    # Who this node is
    data: Path = _setting(
        DEFAULT_DATA, "Folder that holds everything of this node: settings file, keys, database, work space."
    )
    name: str = _setting(
        "", "The city's name as people read it; `citynode init` writes it into the settings file.", max_length=80
    )
    base_url: str = _setting(
        "http://127.0.0.1:8000", "Public origin and path prefix without a trailing slash; every address starts with it."
    )
    languages: Listed = _setting(("en",), "Languages of the pages, first one the default.")
    accent: str = _setting("#0b57a4", "Colour of links and buttons on the pages.", pattern="^#[0-9a-fA-F]{6}$")
    contact_name: str = _setting(
        "", "Who answers for the catalogue; empty means the city's name. Also replaces named persons in contacts."
    )
    contact_mailbox: str = _setting(
        "", "Role mailbox of that organisation; it stands in the catalogue and in the User-Agent of a harvest."
    )

    # Where it keeps and serves
    database_url: SecretStr = _setting(
        SecretStr(""), "`postgresql://…` to use a PostgreSQL server; empty means SQLite in the data folder."
    )
    host: str = _setting("127.0.0.1", "Address that the web processes listen on.")
    port: int = _setting(8000, "Port that the web processes listen on.", ge=1, le=65535)
    workers: int = _setting(1, "Web processes; one per core that may serve readers.", unit="processes", ge=1, le=64)
    metrics: bool = _setting(default=True, sentence="Serve /metrics for Prometheus.")
    page_size: int = _setting(100, "Records on one page of a catalogue document.", unit="records", ge=1, le=1000)
    log_format: Literal["plain", "json"] = _setting("plain", "Lines for people, or one JSON object a line.")
    log_level: Literal["debug", "info", "warning", "error"] = _setting("info", "The least grave thing that is logged.")

    # How it fetches and harvests
    private_origins: Listed = _setting(
        (), "Origins with private addresses that may be fetched all the same, such as `http://ckan.internal:5000`."
    )
    max_document_bytes: int = _setting(
        1024**3, "Largest document that is fetched, counted after decompression.", unit="bytes", ge=1024
    )
    fetch_deadline_s: int = _setting(600, "Longest that one document may take, slow drip included.", unit="s", ge=1)
    run_deadline_s: int = _setting(6 * 3600, "Longest that one harvest run may take.", unit="s", ge=1)
    parser_memory_mib: int = _setting(
        768, "Memory of the child process that parses strangers' bytes.", unit="MiB", ge=128, le=65536
    )
    harvest_every_min: int = _setting(
        24 * 60, "How often a source is harvested when `sources add` names no time of its own.", unit="min", ge=5
    )
    withdraw_threshold_percent: int = _setting(
        10, "A run that would withdraw more than this share of a source waits for approval.", unit="%", ge=0, le=100
    )

    # How it is searched and queried
    sparql: str = _setting(
        "embedded",
        "Triple store of /sparql: `embedded` starts one, `off` has none, an address is the query endpoint of yours.",
    )
    sparql_update_url: SecretStr = _setting(
        SecretStr(""), "Update endpoint of your own triple store; needed with an address in `sparql`."
    )
    sparql_timeout_s: int = _setting(10, "Longest that one SPARQL query may take.", unit="s", ge=1, le=600)
    sparql_memory_mib: int = _setting(
        2048, "Memory of each embedded triple store; one that needs more starts anew.", unit="MiB", ge=256, le=1048576
    )
    sparql_result_mib: int = _setting(32, "Largest result of one SPARQL query.", unit="MiB", ge=1, le=1024)
    sparql_query_bytes: int = _setting(65536, "Longest SPARQL query.", unit="bytes", ge=1024, le=1048576)
    sparql_at_once: int = _setting(
        2, "SPARQL queries that one web process lets run at once.", unit="queries", ge=1, le=64
    )
    search_peers_ms: int = _setting(
        1500, "How long a search waits for a peer that must be asked live.", unit="ms", ge=100, le=30000
    )
    link_check_days: int = _setting(
        30, "How often each link of the records is tried; 0 tries none.", unit="days", ge=0, le=365
    )

    model_inspect_mib: int = _setting(
        200,
        "Largest 3D city model that is fetched and looked at by itself; 0 looks at none.",
        unit="MiB",
        ge=0,
        le=4096,
    )
    submissions_per_day: int = _setting(
        20, "Reuses that one address may submit in a day; 0 takes none.", unit="submissions/day", ge=0, le=10000
    )
    submissions_waiting: int = _setting(
        500, "Reuses that may wait for a decision before no more are taken.", unit="submissions", ge=1, le=10000
    )

    # How it meets other cities
    federation: str = _setting(
        "https://w3id.org/citynode/federation/digital-declaration",
        "IRI of the federation this node belongs to; agreements are signed for it alone.",
    )
    namespaces: Listed = _setting(
        (),
        "Further IRI prefixes that this city alone describes, such as its portal's; each ends in / or #.",
        max_length=31,
    )
    key_passphrase: SecretStr = _setting(
        SecretStr(""), "Passphrase of the private keys in the data folder; empty means they are not encrypted."
    )
    allow_http_peers: bool = _setting(
        default=False, sentence="Take peers at http addresses that are not of this machine; for closed test networks."
    )
    peer_poll_s: int = _setting(300, "How often a peer is asked even if it told of no change.", unit="s", ge=1)
    notify_after_ms: int = _setting(
        1000, "How long changes are gathered before peers are told of them.", unit="ms", ge=0, le=60000
    )
    agreement_approvals: int = _setting(
        1, "Persons who must approve an agreement before this city signs it; two are two different ones.", ge=1, le=2
    )
    unsigned_agreements: Literal["never", "public", "always"] = _setting(
        "public", "Whether an agreement that the other side cannot sign suffices: for what is public, always, or never."
    )
    agreement_reminder_days: int = _setting(
        30, "How long before an agreement ends or is to be reviewed the staff is reminded.", unit="days", ge=1, le=365
    )
    witnesses: Listed = _setting(
        (), "Peers that cosign our checkpoints, by name, at most five; empty means the first five active ones."
    )
    trusted_proxies: Listed = _setting(
        (), "Addresses or networks of reverse proxies whose X-Forwarded-For is believed, such as `127.0.0.1`."
    )
    rate_public_per_min: int = _setting(
        6000, "Requests that one address may make of public documents; 0 means no limit.", unit="requests/min", ge=0
    )
    rate_feed_per_min: int = _setting(
        1200, "Requests that one peer or address may make of feeds; 0 means no limit.", unit="requests/min", ge=0
    )
    rate_token_per_min: int = _setting(
        120, "Requests that one client or address may make of tokens; 0 means no limit.", unit="requests/min", ge=0
    )

    _given_by: dict[str, str] = PrivateAttr(default_factory=dict)

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
    def file(self) -> Path:
        """Where the settings file of this node is, whether or not it exists."""
        return self.data / FILE_NAME

    @property
    def on_loopback(self) -> bool:
        """Tell whether the base URL is of this machine alone; then loopback may be fetched."""
        host = urlsplit(self.base_url).hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def show(self) -> list["Shown"]:
        """Give every setting with its value, where it came from and what it means; secrets are hidden."""
        return [
            Shown(
                key=key,
                value=_shown(getattr(self, key)),
                given_by=self._given_by.get(key, "default"),
                unit=unit_of(key),
                meaning=field.description or "",
            )
            for key, field in type(self).model_fields.items()
        ]


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as `citynode config show` prints it."""

    key: str
    value: str | int | bool | list[str]
    given_by: str
    unit: str
    meaning: str


def unit_of(key: str) -> str:
    """Give a setting's unit, or empty."""
    extra = Settings.model_fields[key].json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def _shown(value: object) -> str | int | bool | list[str]:
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    if isinstance(value, tuple):
        return [str(part) for part in value]
    return value if isinstance(value, (bool, int)) else str(value)


def load(
    *, environ: Mapping[str, str] | None = None, data: Path | None = None, overrides: Mapping[str, object] | None = None
) -> Settings:
    """Gather the settings of a node: command line (`overrides`) > environment > settings file > default.

    Args:
        environ: The environment, by default this process's own.
        data: The data folder as the command line named it; else `CITYNODE_DATA`, else `citynode-data` here.
        overrides: Values of the command line; those that are None were not given.

    Raises:
        Misconfigured: A key is unknown, a value does not fit, or the settings file cannot be read.
    """
    surroundings = os.environ if environ is None else environ  # noqa: TID251 (the one place that reads it)
    from_environment = _read_environment(surroundings)
    folder = Path(data or str(from_environment.get("data") or DEFAULT_DATA)).expanduser().resolve()
    from_file = _read_file(folder / FILE_NAME)
    from_command = {key: value for key, value in (overrides or {}).items() if value is not None}
    for key in from_command:
        _known(key, f"--{key.replace('_', '-')}", lambda other: f"--{other.replace('_', '-')}")
    merged = {**from_file, **from_environment, **from_command, "data": folder}
    given_by = dict.fromkeys(from_file, FILE_NAME) | dict.fromkeys(from_environment, "environment")
    given_by |= dict.fromkeys([*from_command, *(["data"] if data else [])], "command line")
    return _checked(merged, given_by)


def _read_environment(environ: Mapping[str, str]) -> dict[str, object]:
    """Take the variables that are ours.

    Raises:
        Misconfigured: One starts with CITYNODE_ and is no setting.
    """
    found: dict[str, object] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or _is_injected(name, environ[name]):
            continue
        _take(found, name[len(PREFIX) :].lower(), environ[name], name, lambda key: PREFIX + key.upper())
    return found


def _is_injected(name: str, value: str) -> bool:
    return bool(_INJECTED.match(name)) or (name.startswith(PREFIX + "PORT") and value.startswith("tcp://"))


def _read_file(path: Path) -> dict[str, object]:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}.", fix="Mend its permissions or its encoding.") from error
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path} is no TOML: {error}.", fix="Mend that line.") from error
    found: dict[str, object] = {}
    for key, value in given.items():
        if key == "data":
            raise Misconfigured(f"{path}: data cannot be set in the data folder.", fix="Use --data or CITYNODE_DATA.")
        _take(found, key, value, f"{path}: {key}", str)
    return found


def _take(found: dict[str, object], key: str, value: object, where: str, spelling: Any) -> None:  # noqa: ANN401
    """Put one given value where it belongs, reading `…_file` of a secret."""
    target = key.removesuffix("_file")
    if target != key and _is_secret(target):
        if target in found:
            raise Misconfigured(f"{where}: {target} is given twice.", fix="Keep the value or the file, not both.")
        found[target] = _secret_in(Path(str(value)), where)
        return
    _known(key, where, spelling)
    if key in found:
        raise Misconfigured(f"{where}: {key} is given twice.", fix="Keep the value or the file, not both.")
    found[key] = value


def _is_secret(key: str) -> bool:
    field = Settings.model_fields.get(key)
    return field is not None and field.annotation is SecretStr


def _secret_in(path: Path, where: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{where}: the file of the secret cannot be read.", fix=f"See {path}: {error}.") from error


def _known(key: str, where: str, spelling: Any) -> None:  # noqa: ANN401 (a function from key to what the user writes)
    known = [*Settings.model_fields, *(f"{name}_file" for name in Settings.model_fields if _is_secret(name))]
    if key in known:
        return
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
    raise Misconfigured(f"{where} is no setting.", fix=f"Did you mean {spelling(near[0])}? See `citynode config show`.")


def _checked(values: Mapping[str, object], given_by: Mapping[str, str]) -> Settings:
    try:
        settings = Settings(**values)  # type: ignore[arg-type]  # pydantic is what checks the types here
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = str(first["loc"][0])
        what = first["msg"].removeprefix("Value error, ")
        spelled = {"environment": PREFIX + key.upper(), "command line": "--" + key.replace("_", "-")}
        where = spelled.get(given_by.get(key, ""), key)
        # Without `from`: pydantic's own error repeats values, and one of them may be a secret.
        raise Misconfigured(
            f"{where}: {what[:1].lower()}{what[1:]}.", fix="Change it and start again; docs/settings.md says what fits."
        ) from None
    settings._given_by.update(given_by)  # noqa: SLF001 (the record of where values came from is ours)
    return settings
