"""How a setting is written down: its default, one sentence, its unit; and how lists and secrets are read and shown.

What the classes of settings beside this are made of.
Knows nothing of any one setting, and reads neither the environment nor a file.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BeforeValidator, Field, SecretStr
from pydantic.fields import FieldInfo

HIDDEN = "(hidden)"


def listed(value: object) -> object:
    """Read `en,fi,sv` as three values, so that a list fits into one variable."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Listed = Annotated[tuple[str, ...], BeforeValidator(listed)]


def setting(
    default: object,
    sentence: str,
    *,
    unit: str = "",
    fits: str = "",
    **bounds: Any,  # noqa: ANN401 (of any type)
) -> Any:  # noqa: ANN401 (a field of any type)
    """Write down a setting; `fits` says what it takes where no bound does."""
    return Field(default, description=sentence, json_schema_extra={"unit": unit, "fits": fits}, **bounds)


def fits(field: FieldInfo) -> str:
    """Say which values a setting takes, as docs/settings.md prints it; empty where any text does."""
    said = field.json_schema_extra["fits"] if isinstance(field.json_schema_extra, dict) else ""
    if said:
        return str(said)
    if field.annotation is bool:
        return "`true`, `false`"
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(field.annotation))
    bounds = {
        name: getattr(each, name)
        for each in field.metadata
        for name in ("ge", "le", "max_length")
        if hasattr(each, name)
    }
    least, most, longest = (bounds.get(name) for name in ("ge", "le", "max_length"))
    if least is not None:
        return f"from {least}" if most is None else f"{least} to {most}"
    what = "characters" if field.annotation is str else "of them"
    return f"at most {longest} {what}" if longest is not None else ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as `citynode config show` prints it."""

    key: str
    value: str | int | bool | list[str]
    given_by: str
    unit: str
    meaning: str


def shown(value: object) -> str | int | bool | list[str]:
    """Give a value as it is printed; a secret never is."""
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    if isinstance(value, tuple):
        return [str(part) for part in value]
    return value if isinstance(value, (bool, int)) else str(value)
