"""Every setting of a node, in one class: environment before `citynode.toml` before default.

The only room that reads the environment. `assembly` and `cli` hand the values down; nothing below looks one up.
An unknown key stops the start and names the nearest one, since a misspelt setting that is silently ignored is found
on the day it was needed. Secrets may also be given as the path of a file (`CITYNODE_DATABASE_URL_FILE`).
Times and sizes carry their unit in the name; `docs/settings.md` lists all of them, and a test compares.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr, SecretStr, ValidationError

from node.errors import Misconfigured
from node.settings.city import DEFAULT_DATA, FILE_NAME, PREFIX, CitySettings, loopback_port
from node.settings.fields import HIDDEN, Listed, Shown, setting, shown

__all__ = ["DEFAULT_DATA", "FILE_NAME", "HIDDEN", "PREFIX", "Settings", "Shown", "load", "unit_of"]

# What container platforms put into the environment of a service called citynode, and the tests' own switches.
_INJECTED = re.compile(r"CITYNODE_(TEST_.*|SERVICE_.*|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)\Z")


class Settings(CitySettings):
    """The values one node runs with. Frozen: a change means a restart."""

    # How its data move
    data_streams: int = setting(
        4, "Parts of our datasets that one peer may read at the same time.", unit="streams", ge=1, le=64
    )
    data_rate_mib: int = setting(
        0,
        "How much of our data one peer may read in a second, over all its streams; 0 means no limit.",
        unit="MiB/s",
        ge=0,
        le=100000,
    )
    data_stall_s: int = setting(
        60, "How long a reader of our data may take nothing before its stream ends.", unit="s", ge=1, le=3600
    )
    data_accel: str = setting(
        "",
        "Path that nginx serves internally for X-Accel-Redirect, such as `/handed/`; empty: the node streams itself.",
    )
    data_bearer_peers: Listed = setting(
        (), "Peers, by name, whose connectors can only show a bearer token for data; all others prove their key."
    )
    data_receipt_days: int = setting(
        7,
        "How long a receipt of the other end is awaited before the transfer is filed with ours alone.",
        unit="days",
        ge=1,
        le=90,
    )
    data_auto_templates: Listed = setting(
        (),
        "Templates, such as `open-metadata`, whose automatic offers `data get` may take without a person's approval.",
    )
    data_max_gib: int = setting(1024, "Largest part that is taken in from another city.", unit="GiB", ge=1, le=1000000)
    consent_deadline_s: int = setting(
        10, "How long a consent source may take to answer before a stream is refused.", unit="s", ge=1, le=300
    )
    withdrawal_days: int = setting(
        365,
        "How long what withdrawals are known by is kept once both cities have settled them; 0 keeps it.",
        unit="days",
        ge=0,
        le=3650,
    )

    _given_by: dict[str, str] = PrivateAttr(default_factory=dict)

    def show(self) -> list["Shown"]:
        """Give every setting with its value, where it came from and what it means; secrets are hidden."""
        return [
            Shown(
                key=key,
                value=shown(getattr(self, key)),
                given_by=self._given_by.get(key, "default"),
                unit=unit_of(key),
                meaning=field.description or "",
            )
            for key, field in type(self).model_fields.items()
        ]


def unit_of(key: str) -> str:
    """Give a setting's unit, or empty."""
    extra = Settings.model_fields[key].json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


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
    at_home = "port" not in merged and loopback_port(str(merged.get("base_url", "")))
    if at_home:
        # Nothing stands between a reader of this machine and the node, so its links must lead to where it listens.
        merged["port"], given_by["port"] = at_home, "base_url"
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
