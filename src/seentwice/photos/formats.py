"""What a file holds, by its first bytes: names are often wrong."""

from collections.abc import Mapping

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from seentwice.photos.heic import heic_plugin

HEAD_BYTES = 64
"""So many bytes of a file tell how it is decoded."""
RAW = "a camera's raw file"
HEIC = "HEIC"
# ISO/IEC 23008-12, annex B: pictures coded with HEVC, alone or in sequences.
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))


class _PlainJpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG whose EXIF is left alone: Pillow parses it for the resolution, with warnings."""

    def getexif(self) -> Image.Exif:
        return Image.Exif()


_SIGNATURES: Mapping[bytes, type[ImageFile.ImageFile]] = {
    b"\xff\xd8\xff": _PlainJpeg,  # of an MPO, the first of its photos
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"GIF87a": GifImagePlugin.GifImageFile,
    b"GIF89a": GifImagePlugin.GifImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
    b"II*\0": TiffImagePlugin.TiffImageFile,
    b"MM\0*": TiffImagePlugin.TiffImageFile,
    b"II+\0": TiffImagePlugin.TiffImageFile,
    b"MM\0+": TiffImagePlugin.TiffImageFile,
}


def decoder_of(head: bytes) -> type[ImageFile.ImageFile] | None:
    """Return the plugin of a file that begins with these `HEAD_BYTES`.

    Pillow's own `Image.open` warns of large photos and knows formats that run other programs.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile
    brand, *others = _brands_of(head)
    if brand in (b"avif", b"avis") or (brand == b"mif1" and _HEIC_BRANDS.isdisjoint(others)):
        return AvifImagePlugin.AvifImageFile
    if not _HEIC_BRANDS.isdisjoint((brand, *others)):
        return heic_plugin()
    for signature, decoder in _SIGNATURES.items():
        if head.startswith(signature):
            return decoder
    return None


def _brands_of(head: bytes) -> list[bytes]:
    """Return the brands of a file of ISO media (ISO/IEC 14496-12, section 4.3), its own first.

    Files of iPhones begin with `heic`, others with `mif1`, which AVIF may begin with, too.
    """
    if head[4:8] != b"ftyp":
        return [b""]
    end = min(int.from_bytes(head[:4]), len(head) // 4 * 4)
    return [head[8:12], *(head[start : start + 4] for start in range(16, end, 4))]


def name_format(head: bytes) -> str | None:
    """Name the format of photos that are not decoded here; None where the head is of no such."""
    brand, *others = _brands_of(head)
    if not _HEIC_BRANDS.isdisjoint((brand, *others)):
        return None if heic_plugin() else HEIC
    if brand == b"crx " or head.startswith(b"FUJIFILMCCD-RAW"):
        return RAW
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        return "JPEG XL"
    return "JPEG 2000" if head.startswith((b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")) else None


def is_photo_head(head: bytes) -> bool:
    """Whether `read_photo` has a decoder for files that begin with these `HEAD_BYTES`."""
    return decoder_of(head) is not None
