"""A picture file becomes the numbers that the model reads: decoded within limits, turned, brought to size, scaled."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
PIXELS_MAX = 50_000_000  # of the file: a small one may say that it holds far more
DEEP = 257  # what a shade of 16 bits is divided by to be one of 8
PAPER = (255, 255, 255, 255)  # what shines through where a picture is transparent


def pixels(content: bytes, facts: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the pixels of a picture file, shape (height, width, channels) as the model reads them, from 0 to 255.

    A phone's picture is turned upright, of an animation the first image is taken, transparent parts become white, and
    another size is stretched to the model's. ``ValueError`` says why a file is no picture.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 - 30 ms, and tables need none

    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            if width * height > PIXELS_MAX:
                message = f"the picture has {width:,} x {height:,} pixels, more than {PIXELS_MAX:,}"
                raise ValueError(message)
            image.load()
            found = _in_mode(ImageOps.exif_transpose(image), str(facts["order"]).replace("BGR", "RGB"))
    except UnidentifiedImageError:
        message = f"expected a picture ({', '.join(FORMATS)}), got what is none"
        raise ValueError(message) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        message = f"the picture has more than {PIXELS_MAX:,} pixels"
        raise ValueError(message) from None
    except (OSError, SyntaxError, EOFError, IndexError, TypeError, MemoryError, OverflowError) as error:
        message = f"the picture cannot be read: {error}"
        raise ValueError(message) from None
    if found.size != (facts["width"], facts["height"]):
        found = found.resize((facts["width"], facts["height"]), Image.Resampling.BILINEAR)
    return np.asarray(found, dtype=np.float64).reshape(facts["height"], facts["width"], facts["channels"])


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    from PIL import Image  # noqa: PLC0415 - loaded by now

    if image.mode.startswith("I") or image.mode == "F":  # 16 bits a shade, which Pillow would cut off
        shades = np.clip(np.asarray(image, dtype=np.float64) / DEEP, 0, 255).round().astype(np.uint8)
        image = Image.fromarray(shades)
    if image.mode == mode:
        return image
    if mode != "RGBA" and ("A" in image.getbands() or "transparency" in image.info):
        seen = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", seen.size, PAPER), seen).convert("RGB")
    return image.convert(mode)


def prepared(values: NDArray[np.float64], facts: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return pixels as the model reads them: (pixel * scale - mean) / std, in its order and layout."""
    if facts["order"] == "BGR":
        values = values[..., ::-1]
    values = (values * facts["scale"] - np.array(facts["mean"])) / np.array(facts["std"])
    if facts["layout"] == "CHW":
        return np.moveaxis(values, -1, 0)
    return values if facts["layout"] == "HWC" else values[..., 0]
