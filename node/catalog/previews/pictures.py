"""Images: a small WebP of one, without what its camera wrote into it.

Only formats of which every pixel is bounded by the header; what claims more than fifty million is refused before a
pixel is read. No vector drawings: those are programs.
"""

import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from node.catalog.previews.values import Preview, Twin, refused
from node.errors import TooLarge

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF")
_PIXELS = 50_000_000
_BOX = (960, 720)


def preview(path: Path) -> tuple[Preview, bytes]:
    """Look at an image: its facts, and the small picture. Raises Malformed, TooLarge."""
    Image.MAX_IMAGE_PIXELS = _PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                width, height = image.size
                said = image.format or ""
                image.draft("RGB", _BOX)
                upright = ImageOps.exif_transpose(image)
                small = upright.convert("RGBA" if "A" in upright.getbands() or "transparency" in image.info else "RGB")
                small.thumbnail(_BOX)
                out = io.BytesIO()
                small.save(out, "WEBP", quality=80, method=4, exif=b"", icc_profile=None)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise refused(
            "pixels", "It has more than fifty million pixels.", fix="Publish it in parts.", kind=TooLarge
        ) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise refused("image", "It cannot be read as an image.", fix="Save it anew.") from error
    facts = {"width": width, "height": height, "shown": list(small.size)}
    return Preview("picture", said, None, Twin("webp", facts)), out.getvalue()
