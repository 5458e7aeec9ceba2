"""The second factor: codes of six digits that change every 30 seconds (RFC 6238), and what stands in for a lost phone.

Pure but for the randomness of new secrets: the clock comes in, and whoever keeps accounts keeps the step of the last
code that was taken, because a code that was seen over a shoulder is good for a minute and a half otherwise. Recovery
codes have 80 random bits each, so a plain SHA-256 keeps them.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from urllib.parse import quote, urlencode

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
RECOVERY_CODES = 10
# Without i, l, o and u: read out over a telephone, none is taken for another, and no word comes of it.
_ALPHABET = "abcdefghjkmnpqrstvwxyz0123456789"
_GROUPS, _GROUP = 4, 4


def new_secret() -> bytes:
    """Make the secret that a phone and the node share."""
    return secrets.token_bytes(SECRET_BYTES)


def spelt(secret: bytes) -> str:
    """Give the secret as people type it: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(secret: bytes, *, name: str, city: str) -> str:
    """Give the address that an authenticator reads from the picture."""
    issuer = f"{city} citynode"
    facts = {"secret": base64.b32encode(secret).decode().rstrip("="), "issuer": issuer}
    # Algorithm, digits and period are those that every authenticator takes; some choke on being told.
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(name, safe='')}?{urlencode(facts, quote_via=quote)}"


def picture(text: str) -> str:
    """Draw a QR code as an SVG element of dark squares on white, which a camera needs in the dark scheme too."""
    code = segno.make(text, error="m", micro=False)
    return str(
        code.svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None)
    )


def taken_step(secret: bytes, code: str, *, now_ms: int, after_step: int) -> int | None:
    """Give the step that a code is of, or None if it does not hold.

    Args:
        secret: Shared with the phone.
        code: As typed; spaces are passed over.
        now_ms: The time; a clock may go 30 seconds wrong either way.
        after_step: Of the last code that was taken: it and all before it are refused.
    """
    plain = "".join(code.split())
    if len(plain) != DIGITS or not (plain.isascii() and plain.isdigit()):
        return None
    now = now_ms // 1000 // STEP_S
    found = None
    for step in (now - 1, now, now + 1):  # all three, whichever fits: how long it takes tells nothing
        if hmac.compare_digest(code_at(secret, step), plain) and step > after_step:
            found = step
    return found


def code_at(secret: bytes, step: int) -> str:
    """Give the code of a step."""
    # Authenticators know SHA-1 alone, and HMAC does not need what SHA-1 has lost.
    return HOTP(secret, DIGITS, SHA1()).generate(step).decode()  # noqa: S303


def new_recovery() -> list[str]:
    """Make recovery codes, each good for one sign-in."""
    return ["-".join(_group() for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]


def _group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP))


def recovery_hash(code: str) -> str:
    """Give what is kept of a recovery code; hyphens, spaces and capitals make no difference."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def without(hashes: Sequence[str], code: str) -> list[str] | None:
    """Give the hashes that are left once this code is used, or None if it is none of them."""
    shown = recovery_hash(code)
    held = [hmac.compare_digest(each, shown) for each in hashes]
    return [each for each, same in zip(hashes, held, strict=True) if not same] if any(held) else None
