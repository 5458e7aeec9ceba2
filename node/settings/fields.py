"""How a setting is written down: its default, one sentence, its unit; and how lists and secrets are read and shown.

What the classes of settings beside this are made of.
Knows nothing of any one setting, and reads neither the environment nor a file.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr

HIDDEN = "(hidden)"


def listed(value: object) -> object:
    """Read `en,fi,sv` as three values, so that a list fits into one variable."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Listed = Annotated[tuple[str, ...], BeforeValidator(listed)]


def setting(default: object, sentence: str, *, unit: str = "", **bounds: Any) -> Any:  # noqa: ANN401 (a field of any type)
    """Write down a setting."""
    return Field(default, description=sentence, json_schema_extra={"unit": unit}, **bounds)


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
