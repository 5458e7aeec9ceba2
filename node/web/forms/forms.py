"""A form that was sent, to the desk or by a reader, read under bounds: fields as text, numbers, ticks and files.

What does not fit is told by the field's name, so that a page can say it beside the field. Pure after the body was read.
Whether the form is ours is asked by `frame`, before.
"""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from node.errors import Malformed
from node.web.wire.bodies import body_of

MAX_BYTES = 256 * 1024
MAX_FIELDS = 2_000
_MOST_SIGNS = 2_000
_BREAKS = re.compile(r"[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNTYPED = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, in the order in which they were sent; files by name."""

    fields: Mapping[str, Sequence[str]]
    files: Mapping[str, bytes] = field(default_factory=dict)
    told: dict[str, str | int | bool] = field(default_factory=dict)
    """What the handler wants to stand in the audit trail besides the act: small facts, nothing secret.

    `target` replaces what the act is about.
    """

    def text(self, name: str, *, most: int = _MOST_SIGNS, needed: bool = False) -> str:
        """Give a text without the spaces around it; empty if it was not sent. Raises Malformed."""
        value = self.fields[name][0].replace("\r\n", "\n").strip() if name in self.fields else ""
        if len(value) > most:
            raise _of_field(name, "desk.form.long", f"The field {name} has more than {most} characters.", most=most)
        if needed and not value:
            raise _of_field(name, "desk.form.empty", f"The field {name} is empty.")
        if any(ord(sign) < 32 and sign not in "\n\t" for sign in value):
            raise _of_field(name, "desk.form.control", f"The field {name} has control characters.")
        return value

    def typed(self, name: str) -> str:
        """Give a text as it was typed, to be judged by others and shown again: never refused, its length is the form's.

        Signs that nobody types come with what is pasted, such as the page breaks of a PDF: breaks become lines, the
        rest is left out.
        """
        value = self.fields[name][0].replace("\r\n", "\n") if self.fields.get(name) else ""
        return _UNTYPED.sub("", _BREAKS.sub("\n", value)).strip()

    def many(self, name: str, *, most: int = 200) -> list[str]:
        """Give every value of a field that may be sent several times. Raises Malformed."""
        values = [each.strip() for each in self.fields.get(name, ())]
        if len(values) > most:
            raise _of_field(name, "desk.form.many", f"The field {name} has too many values.", most=most)
        if any(len(each) > _MOST_SIGNS for each in values):
            said = f"The field {name} has a value of more than {_MOST_SIGNS} characters."
            raise _of_field(name, "desk.form.long", said, most=_MOST_SIGNS)
        return [each for each in values if each]

    def chosen(self, name: str) -> list[str]:
        """Give every value of a field as it was sent, to be judged by others and chosen again: never refused."""
        values = (_UNTYPED.sub("", each).strip() for each in self.fields.get(name, ()))
        return [each for each in values if each]

    def number(self, name: str, *, least: int = 0, most: int = 2**53) -> int:
        """Give a whole number. Raises Malformed."""
        given = self.text(name, most=20)
        if not (given.isascii() and given.isdigit() and least <= int(given) <= most):
            said = f"The field {name} is no whole number from {least} to {most}."
            raise _of_field(name, "desk.form.number", said, least=least, most=most)
        return int(given)

    def ticked(self, name: str) -> bool:
        """Tell whether a box was ticked."""
        return bool(self.text(name, most=20))

    def file(self, name: str) -> bytes:
        """Give a file that was sent, or the text that a page kept of one; empty if there was none."""
        return self.files.get(name, b"") or "".join(self.fields.get(name, ())[:1]).encode()


def _of_field(name: str, key: str, message: str, **values: object) -> Malformed:
    made = fault(key, message, name=name, **values)
    made.field = name
    return made


def fault(key: str, message: str, **values: object) -> Malformed:
    """Make an error of a form that a page says in its reader's language: by a key of the words, and values."""
    made = Malformed(message, fix="Change it and send the form again.")
    made.said = (key, values)
    return made


async def read_form(request: Request, *, upload: int = 0) -> Form:
    """Read the form of a request.

    Args:
        request: A POST whose body nobody has read.
        upload: The most bytes of files; without any, files are refused.

    Raises:
        Malformed: It is no form, has too many fields, or is no UTF-8.
        TooLarge: It is longer than 256 KiB and `upload`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await body_of(request, most=MAX_BYTES + upload)
    if kind == "multipart/form-data" and upload:
        return await _multipart(request.headers, body)
    if kind != "application/x-www-form-urlencoded":
        raise fault("form.none", "This is no form that is known here.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict", encoding="utf-8"
        )
    except (ValueError, UnicodeError) as error:
        raise fault("form.unread", "The form cannot be read: it is not in UTF-8, or has too many fields.") from error
    return Form(_grouped(pairs))


async def _multipart(headers: Headers, body: bytes) -> Form:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    pairs, files = [], {}
    try:
        form = await MultiPartParser(headers, stream(), max_files=5, max_fields=MAX_FIELDS).parse()
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files[name] = await value.read()
            else:
                pairs.append((name, value))
        await form.close()
    except (MultiPartException, UnicodeError, KeyError) as error:
        raise fault("form.unread", "The form cannot be read.") from error
    return Form(_grouped(pairs), files)


def _grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields
