"""From the city's one colour to `theme.css`: hue and chroma are the city's, lightness is the sheet's.

So contrast holds for every city. The conversion is OKLab's (Björn Ottosson); chroma is cut at .19. Pure arithmetic:
text in, text out, and nothing of a request.
"""

import math
import re
from collections.abc import Mapping

_HEX = re.compile(r"#?([0-9a-fA-F]{6})\Z")
_NAME = re.compile(r"[a-z0-9-]+\Z")
MAX_CHROMA = 0.19
DEFAULT_HUE, DEFAULT_CHROMA = 264.0, 0.17


def _linear(channel: int) -> float:
    value = channel / 255
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def hue_and_chroma(colour: str) -> tuple[float, float]:
    """Read `#rrggbb` as OKLCH hue in degrees and chroma; what is no colour gives the sheet's own blue."""
    match = _HEX.match(colour.strip())
    if match is None:
        return DEFAULT_HUE, DEFAULT_CHROMA
    red, green, blue = (_linear(int(match.group(1)[i : i + 2], 16)) for i in (0, 2, 4))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return math.degrees(math.atan2(b, a)) % 360, min(math.hypot(a, b), MAX_CHROMA)


def theme_css(colour: str, others: Mapping[str, str] | None = None) -> str:
    """Write the whole of `theme.css`; `others` are the colours of other cities, by the names they bear here."""
    hue, chroma = hue_and_chroma(colour)
    own = f":root{{--city-h:{hue:.0f};--city-c:{chroma:.3f}}}\n[data-city=self]{{--h:{hue:.0f}}}\n"
    dots = (
        f'[data-city="{name}"]{{--h:{hue_and_chroma(each)[0]:.0f}}}\n'
        for name, each in sorted((others or {}).items())
        if _NAME.match(name)
    )
    return own + "".join(dots)
