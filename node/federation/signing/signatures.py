"""HTTP message signatures (RFC 9421) and Content-Digest (RFC 9530): what is signed of a message, byte for byte.

Pure: no keys, no clock, no network; signing is handed in. Signature-Input is read strictly, in the one spelling that
structured fields have (RFC 8941), so that what is covered is exactly what stands there. Of the parameters of a
component only `req` is known (an answer that covers its question); anything else is refused rather than passed over.
Which components have to be covered, by whose key and how fresh, is for `messages`.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256, sha512
from urllib.parse import urlsplit

from node.errors import Malformed, Refuted

MAX_HEADER = 8 * 1024
MAX_SIGNATURES = 4
_KEY = r"[a-z*][a-z0-9_.*-]*"
_VALUE = r'"(?:[ !#-\[\]-~])*"|[0-9]{1,15}'
_PARAMETERS = rf"(?:;{_KEY}=(?:{_VALUE}))*"
_ITEM = rf'"([a-z0-9@!#$%&\'*+.^_`|~-]+)"((?:;{_KEY}(?:=(?:{_VALUE}))?)*)'
_ONE_ITEM = re.compile(_ITEM)
_ONE_PARAMETER = re.compile(rf";({_KEY})=({_VALUE})")
_INPUT = re.compile(rf"({_KEY})=(\(((?:{_ITEM}(?: {_ITEM})*)?)\)({_PARAMETERS}))")
_SIGNATURE = re.compile(rf"({_KEY})=:([A-Za-z0-9+/=]*):")
_BETWEEN = re.compile(r"[ \t]*,[ \t]*")
_SPACES = re.compile(r"[ \t]*\r?\n[ \t]+|[ \t]{2,}")
_ALGORITHMS = {"sha-256": sha256, "sha-512": sha512}

Parameters = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that is covered: a header in lower case, or a derived component such as `@method`."""

    name: str
    of_request: bool = False

    def __str__(self) -> str:
        """Give it as it stands in Signature-Input."""
        return f'"{self.name}"{";req" if self.of_request else ""}'


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or an answer (`status`) with the request it answers. Header names in lower case."""

    method: str = ""
    target: str = ""
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    status: int = 0
    request: "Message | None" = None

    def values(self, name: str) -> Sequence[str]:
        """Give the values of a header; nothing if it is not there."""
        return self.headers.get(name, ())


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature as it came: what it covers, by which parameters, its bytes. `text` is what is signed of them."""

    label: str
    components: tuple[Component, ...]
    parameters: Parameters
    text: str
    signature: bytes = field(repr=False)

    def word(self, name: str) -> str:
        """Give a parameter that is a text; empty if it is not there or something else."""
        value = self.parameters.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """Give a parameter that is a number; -1 if it is not there or something else."""
        value = self.parameters.get(name)
        return value if type(value) is int else -1


# ---------------------------------------------------------------- the signature base


def base_of(message: Message, components: Sequence[Component], text: str) -> bytes:
    """Give the bytes that are signed (RFC 9421, 2.5); `text` is the covered components with the parameters.

    Raises:
        Malformed: A component is covered twice, is not in the message, or has no ASCII spelling.
    """
    if len(set(components)) < len(components):
        raise Malformed("A signature covers a component twice.")
    lines = [f"{each}: {_value(message, each)}" for each in components]
    try:
        return "\n".join((*lines, f'"@signature-params": {text}')).encode("ascii")
    except UnicodeEncodeError as error:
        raise Malformed("A component of a signature is not ASCII.") from error


def _value(message: Message, component: Component) -> str:
    source: Message | None = message.request if component.of_request else message
    if source is None or (component.of_request and not message.status):
        raise Malformed(f"The component {component} is of a request, and this is one.")
    if component.name.startswith("@"):
        return _derived(source, component.name)
    values = source.values(component.name)
    if not values:
        raise Malformed(f"The message has no {component.name}, which its signature should cover.")
    return ", ".join(_SPACES.sub(" ", value.strip()) for value in values)


def _derived(source: Message, name: str) -> str:
    if name == "@status":
        if not source.status:
            raise Malformed("A request has no status that could be signed.")
        return str(source.status)
    if source.status:
        raise Malformed(f"An answer has no {name} of its own.")
    parts = urlsplit(source.target)
    path = parts.path or "/"
    query = f"?{parts.query}"
    known: Mapping[str, Callable[[], str]] = {
        "@method": lambda: source.method,
        "@target-uri": lambda: source.target,
        "@authority": lambda: _authority(parts.scheme, parts.netloc),
        "@scheme": parts.scheme.lower,
        "@request-target": lambda: path + (query if parts.query else ""),
        "@path": lambda: path,
        "@query": lambda: query,
    }
    if name not in known:
        raise Malformed(f"The component {name[:40]} is not known here.")
    return known[name]()


def _authority(scheme: str, place: str) -> str:
    usual = {"http": ":80", "https": ":443"}.get(scheme.lower(), "")
    plain = place.lower()
    return plain.removesuffix(usual) if usual else plain


def parameters_text(components: Sequence[Component], parameters: Parameters) -> str:
    """Write covered components and parameters as they stand in Signature-Input, after the label."""
    covered = " ".join(map(str, components))
    return f"({covered})" + "".join(f";{name}{_written(value)}" for name, value in parameters.items())


def _written(value: str | int) -> str:
    return f"={value}" if isinstance(value, int) else f'="{value}"'


def signed(
    message: Message,
    components: Sequence[Component],
    parameters: Parameters,
    *,
    label: str,
    sign: Callable[[bytes], bytes],
) -> dict[str, str]:
    """Sign a message; give the two headers that carry the signature.

    Raises:
        Malformed: It lacks a component that is to be covered.
    """
    text = parameters_text(components, parameters)
    made = base64.b64encode(sign(base_of(message, components, text))).decode()
    return {"Signature-Input": f"{label}={text}", "Signature": f"{label}=:{made}:"}


# ---------------------------------------------------------------- reading


def read(inputs: Sequence[str], signatures: Sequence[str]) -> list[Signed]:
    """Read the signatures of a message from its two headers, unjudged.

    Raises:
        Malformed: They cannot be read strictly, are too many or too long, or do not go together.
    """
    told = _members(_INPUT, inputs, "Signature-Input")
    made = {found[1]: found[2] for found in _members(_SIGNATURE, signatures, "Signature")}
    if not told or len(told) > MAX_SIGNATURES or len(made) != len(told):
        raise Malformed(f"A message has 1 to {MAX_SIGNATURES} signatures, each with its own label.")
    return [_signed(found, made) for found in told]


def _members(pattern: re.Pattern[str], values: Sequence[str], name: str) -> list[re.Match[str]]:
    text = ", ".join(values).strip(" \t")
    if len(text) > MAX_HEADER:
        raise Malformed(f"The header {name} has more than {MAX_HEADER} characters.")
    found: list[re.Match[str]] = []
    at = 0
    while at < len(text):
        member = pattern.match(text, at)
        between = _BETWEEN.match(text, member.end()) if member else None
        if member is None or (between.end() == len(text) if between else member.end() != len(text)):
            raise Malformed(f"The header {name} cannot be read at character {at}.")
        found.append(member)
        at = between.end() if between else len(text)
    if len({each[1] for each in found}) < len(found):
        raise Malformed(f"A label stands twice in the header {name}.")
    return found


def _signed(found: re.Match[str], made: Mapping[str, str]) -> Signed:
    label, text, items, parameters = found[1], found[2], found[3], found[found.re.groups]
    if label not in made:
        raise Malformed(f"The signature {label[:40]} is announced and not there.")
    try:
        raw = base64.b64decode(made[label], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("A signature is no base64.") from error
    components = tuple(_component(each) for each in _ONE_ITEM.finditer(items))
    return Signed(label, components, _parameters(parameters), text, raw)


def _component(found: re.Match[str]) -> Component:
    if found[2] not in ("", ";req"):
        raise Malformed(f"The parameter {found[2][:40]} of a covered component is not known here.")
    return Component(found[1], of_request=found[2] == ";req")


def _parameters(text: str) -> Parameters:
    read: dict[str, str | int] = {}
    for found in _ONE_PARAMETER.finditer(text):
        if found[1] in read:
            raise Malformed(f"The parameter {found[1][:40]} of a signature stands twice.")
        value = found[2]
        read[found[1]] = value[1:-1] if value[0] == '"' else int(value)
    return read


# ---------------------------------------------------------------- Content-Digest


def content_digest(body: bytes) -> str:
    """Give the value of Content-Digest for a body."""
    return f"sha-256=:{base64.b64encode(sha256(body).digest()).decode()}:"


def check_digest(values: Sequence[str], body: bytes) -> None:
    """Compare a body with every digest that Content-Digest names and we know; one at least there must be.

    Raises:
        Malformed: The header cannot be read, or names no digest that is known.
        Refuted: A digest is that of another body.
    """
    known = [each for each in _members(_SIGNATURE, values, "Content-Digest") if each[1] in _ALGORITHMS]
    if not known:
        raise Malformed("Content-Digest has neither sha-256 nor sha-512.")
    for each in known:
        if each[2] != base64.b64encode(_ALGORITHMS[each[1]](body).digest()).decode():
            raise Refuted("Content-Digest is that of another body.")
