"""Edits that lose detail: JPEG, blur, noise."""

from dataclasses import dataclass
from io import BytesIO
from typing import Annotated

import numpy as np
from PIL import Image, ImageFilter, JpegImagePlugin

from seentwice.edits.parameters import SEED, Parameter
from seentwice.edits.protocol import Edit

_JPEG_SIDE_PX = 65_488  # the format ends at 65,500; whole blocks of 16
_BYTES_A_VALUE = 4
_BYTES_DEVIATION = (_BYTES_A_VALUE * (256**2 - 1) / 12) ** 0.5
_NOISE_VALUES = 1 << 20  # at a time


@dataclass(frozen=True)
class Jpeg(Edit):
    """The photo saved as JPEG with halved colour and read again, in memory.

    Its pixels depend on the JPEG library inside Pillow: another version may round otherwise.
    """

    name = "jpeg"

    quality: Annotated[float, Parameter(1, 100, ((30, 90),), is_whole=True)]  # Pillow's

    def apply(self, image: Image.Image) -> Image.Image:
        """Save and read a copy; beyond a JPEG's largest side, part by part."""
        read = Image.new("RGB", image.size)
        for top in range(0, image.height, _JPEG_SIDE_PX):
            for left in range(0, image.width, _JPEG_SIDE_PX):
                right = min(image.width, left + _JPEG_SIDE_PX)
                bottom = min(image.height, top + _JPEG_SIDE_PX)
                stream = BytesIO()
                part = image.crop((left, top, right, bottom))
                part.save(stream, "JPEG", quality=int(self.quality), subsampling="4:2:0")
                stream.seek(0)
                # Not `Image.open`, which warns of large photos.
                with JpegImagePlugin.JpegImageFile(stream) as decoded:
                    read.paste(decoded, (left, top))
        return read


@dataclass(frozen=True)
class Blur(Edit):
    """The photo out of focus."""

    name = "blur"

    radius: Annotated[float, Parameter(0, 0.1, ((0.004, 0.012),), excludes_lowest=True)]
    """Deviation of the Gaussian, as a share of the shorter side."""

    def apply(self, image: Image.Image) -> Image.Image:
        """Blur a copy."""
        return image.filter(ImageFilter.GaussianBlur(self.radius * min(image.size)))


@dataclass(frozen=True)
class Noise(Edit):
    """A sensor's noise, independent in each pixel and channel.

    It is nearly Gaussian, a sum of random bytes, since those are the same with every NumPy.
    """

    name = "noise"

    deviation: Annotated[float, Parameter(0, 128, ((8, 25),), excludes_lowest=True)]
    """In values of 0 to 255."""
    seed: Annotated[float, SEED]

    def apply(self, image: Image.Image) -> Image.Image:
        """Add the noise to a copy."""
        values = np.array(image)
        flat = values.reshape(-1)
        generator = np.random.PCG64(int(self.seed))
        gain = self.deviation / _BYTES_DEVIATION
        for start in range(0, len(flat), _NOISE_VALUES):
            part = flat[start : start + _NOISE_VALUES]
            words = generator.random_raw(_NOISE_VALUES * _BYTES_A_VALUE // 8)
            drawn = words.astype("<u8").view(np.uint8).reshape(-1, _BYTES_A_VALUE)[: len(part)]
            noise = drawn.sum(axis=1, dtype=np.int32) - _BYTES_A_VALUE * 255 / 2
            part[:] = np.clip(np.rint(part + gain * noise), 0, 255)
        return Image.fromarray(values)
