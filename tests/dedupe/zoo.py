"""A folder of all that a folder of photos may hold, made in code, and what each file must give.

Photos of one family show the same picture, so each family is one group of duplicates; a photo of no
family is like none other. What is no photo has the reason why.
"""

import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
from encoding import draw, encode, encode_heic, exif, ftyp, make_deep_png, make_png
from PIL import Image
from zoo_kinds import put_kinds
from zoo_words import ALONE, HIDDEN, Put, Zoo

from seentwice.records import Reason


def make_zoo(root: Path) -> Zoo:
    """Make the folder; return what each path in it gives, folders that can be entered left out."""
    zoo: Zoo = {}

    def put(key: str | bytes, content: bytes, gives: Reason | str) -> Path:
        name = os.fsdecode(key)
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        zoo[name] = gives
        return path

    _put_formats(put)
    _put_grey(put)
    _put_orientations(put)
    _put_damage(put)
    _put_undecoded(put)
    _put_bombs(put)
    _put_shapes(put)
    _put_blanks(put)
    _put_names(put)
    put_kinds(root, zoo, put)
    return zoo


def _put_formats(put: Put) -> None:
    """One picture in every format that is read: the family "colour"."""
    photo = draw(1)
    pixels = np.asarray(photo)
    other = draw(2)
    jpeg = encode(photo, "JPEG", quality=90)
    contents = {
        "plain.png": encode(photo, "PNG"),
        "same pixels.bmp": encode(photo, "BMP"),
        "same pixels.tif": encode(photo, "TIFF"),
        "lzw.tiff": encode(photo, "TIFF", compression="tiff_lzw"),
        "jpeg in.tiff": encode(photo, "TIFF", compression="jpeg", quality=95),
        "big.tiff": encode(photo, "TIFF", big_tiff=True),
        "q90.jpg": jpeg,
        "q90 decoded.png": encode(Image.open(io.BytesIO(jpeg)), "PNG"),
        "progressive.jpeg": encode(photo, "JPEG", quality=90, progressive=True),
        "full colour.jpe": encode(photo, "JPEG", quality=90, subsampling=0),
        "rgb.jfif": encode(photo, "JPEG", quality=95, keep_rgb=True),
        "cmyk.jpg": encode(photo.convert("CMYK"), "JPEG", quality=95),
        "cmyk.tif": encode(photo.convert("CMYK"), "TIFF"),
        "two.mpo": encode(photo, "MPO", save_all=True, append_images=[other], quality=90),
        "lossless.webp": encode(photo, "WEBP", lossless=True),
        "lossy.webp": encode(photo, "WEBP", quality=80),
        "animated.webp": encode(photo, "WEBP", save_all=True, append_images=[other], quality=80),
        "photo.avif": encode(photo, "AVIF", quality=80),
        "still.gif": encode(photo, "GIF"),
        "animated.gif": encode(photo, "GIF", save_all=True, append_images=[other]),
        "animated.apng": encode(photo, "PNG", save_all=True, append_images=[other]),
        "palette.png": encode(photo.quantize(256), "PNG"),
        "sixteen bits.png": make_deep_png(pixels.astype(np.uint16) * 257),
        "named wrong.jpg": encode(photo, "PNG"),
        "named wrong.png": jpeg,
        "a jpeg.heic": jpeg,
        "a heic.heic": encode_heic(photo),
        "a heic.jpg": encode_heic(photo),
    }
    for name, content in contents.items():
        put(f"formats/{name}", content, "colour")
    _put_transparent(put)


def _put_transparent(put: Put) -> None:
    """A picture on white, and with other colours hidden where it is transparent."""
    photo = draw(3)
    seen = np.zeros((192, 256), bool)
    seen[40:150, 30:200] = True
    on_white = Image.fromarray(np.where(seen[..., None], np.asarray(photo), 255).astype(np.uint8))
    put("alpha/on white.png", encode(on_white, "PNG"), "transparent")
    for seed in (4, 5):
        below = np.where(seen[..., None], np.asarray(photo), np.asarray(draw(seed)))
        alpha = np.where(seen, 255, 0)[..., None]
        hidden = Image.fromarray(np.concatenate((below, alpha), axis=2).astype(np.uint8))
        put(f"alpha/hidden {seed}.png", encode(hidden, "PNG"), "transparent")
        put(f"alpha/hidden {seed}.webp", encode(hidden, "WEBP", lossless=True), "transparent")
        put(f"alpha/hidden {seed}.tif", encode(hidden, "TIFF"), "transparent")
    palette = on_white.quantize(64)
    white = palette.getpixel((0, 0))
    put("alpha/palette.png", encode(palette, "PNG", transparency=white), "transparent")
    put("alpha/palette.gif", encode(palette, "GIF", transparency=white), "transparent")


def _put_grey(put: Put) -> None:
    """A grey picture of 8, 16, 32 bits and in floats, which must not become white."""
    grey = draw(6).convert("L")
    pixels = np.asarray(grey)
    deep = pixels.astype(np.uint16) * 257
    contents = {
        "8.png": encode(grey, "PNG"),
        "8.jpg": encode(grey, "JPEG", quality=90),
        "8.tif": encode(grey, "TIFF"),
        "alpha.png": encode(grey.convert("LA"), "PNG"),
        "16.png": make_deep_png(deep),
        "16.tif": encode(Image.fromarray(deep), "TIFF"),
        "float.tif": encode(Image.fromarray(pixels.astype(np.float32) / 255), "TIFF"),
        "32.tif": encode(Image.fromarray(deep.astype(np.int32)), "TIFF"),
    }
    for name, content in contents.items():
        put(f"grey/{name}", content, "grey")
    put("grey/one bit.bmp", encode(draw(7).convert("1"), "BMP"), ALONE)
    put("grey/one bit.tif", encode(draw(8).convert("1"), "TIFF", compression="group4"), ALONE)
    put("grey/lab.tif", encode(_in_lab(draw(9)), "TIFF"), ALONE)


def _in_lab(photo: Image.Image) -> Image.Image:
    return Image.frombytes("LAB", photo.size, photo.convert("YCbCr").tobytes())


def _put_orientations(put: Put) -> None:
    """Photos that are upright once their EXIF is heeded."""
    upright = draw(10)
    transpose = Image.Transpose
    back = {
        1: None,
        2: transpose.FLIP_LEFT_RIGHT,
        3: transpose.ROTATE_180,
        4: transpose.FLIP_TOP_BOTTOM,
        5: transpose.TRANSPOSE,
        6: transpose.ROTATE_90,
        7: transpose.TRANSVERSE,
        8: transpose.ROTATE_270,
    }
    for orientation, turn in back.items():
        lying = upright if turn is None else upright.transpose(turn)
        for form, suffix in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")):
            content = encode(lying, form, quality=90, exif=exif(orientation))
            put(f"turned/{orientation}.{suffix}", content, "turned")
    content = encode(upright, "JPEG", quality=90, exif=exif(6))
    at = content.index(b"Exif\0\0")
    broken = content[: at + 10] + b"\xff" * 8 + content[at + 18 :]
    put("turned/broken exif.jpg", broken, "turned")


def _put_damage(put: Put) -> None:
    photo = draw(11)
    jpeg, png = encode(photo, "JPEG", quality=90), encode(photo, "PNG")
    webp, tiff = encode(photo, "WEBP"), encode(photo, "TIFF", compression="tiff_lzw")
    for name, content in {"a.jpg": jpeg, "a.png": png, "a.webp": webp, "a.tif": tiff}.items():
        put(f"cut/half {name}", content[: len(content) // 2], Reason.TRUNCATED)
        put(f"cut/header {name}", content[:30], Reason.TRUNCATED)
    put("cut/end.jpg", jpeg[:-2], Reason.TRUNCATED)
    put("empty.jpg", b"", Reason.EMPTY)
    put("text.jpg", b"There is no photo here.\n", Reason.NOT_AN_IMAGE)
    put("page.jpg", b"<!DOCTYPE html><title>404</title><h1>Not found</h1>", Reason.NOT_AN_IMAGE)
    put("vector.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", Reason.NOT_AN_IMAGE)
    put("script.png", b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run\n", Reason.NOT_AN_IMAGE)
    put("zeros.jpg", bytes(5000), Reason.NOT_AN_IMAGE)
    broken = bytearray(png)
    broken[200:220] = bytes(20)
    put("broken.png", bytes(broken), Reason.DAMAGED)
    put("no pixels.png", png[:33] + make_png(1, 1, 8, 2, b"")[-12:], Reason.TRUNCATED)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jpg", jpeg)
    put("zipped.jpg", packed.getvalue(), Reason.NOT_AN_IMAGE)
    put("photos.zip", packed.getvalue(), HIDDEN)


def _put_undecoded(put: Put) -> None:
    contents = {
        "camera.nef": encode(draw(12), "TIFF"),
        "camera.cr3": ftyp(b"crx ", b"isom"),
        "camera.jpg": b"FUJIFILMCCD-RAW 0201",
        "new.jxl": b"\xff\x0a" + bytes(50),
        "new.jpg": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50),
        "old.jp2": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50),
    }
    for name, content in contents.items():
        put(f"undecoded/{name}", content, Reason.UNDECODED)
    put("phone.heic", ftyp(b"heic", b"mif1", b"heic"), Reason.DAMAGED)
    put("phone.jpg", ftyp(b"mif1", b"heic"), Reason.DAMAGED)
    put("download", encode(draw(13), "JPEG"), Reason.MISNAMED)
    put("photo.jpg_large", encode(draw(14), "PNG"), Reason.MISNAMED)


def _put_bombs(put: Put) -> None:
    """Small files of photos that would fill the memory, by their headers."""
    put("bombs/a.png", make_png(60_000, 60_000, 8, 2, bytes(1000)), Reason.TOO_LARGE)
    jpeg = encode(draw(15), "JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    put("bombs/a.jpg", jpeg[:at] + b"\xff\xdc\xff\xdc" + jpeg[at + 4 :], Reason.TOO_LARGE)
    gif = encode(draw(16), "GIF")
    put("bombs/a.gif", gif[:6] + b"\xff\xff\xff\xff" + gif[10:], Reason.TOO_LARGE)
    bmp = encode(draw(17), "BMP")
    put("bombs/a.bmp", bmp[:18] + struct.pack("<ii", 50_000, 50_000) + bmp[26:], Reason.TOO_LARGE)


def _put_shapes(put: Put) -> None:
    put("shapes/1 x 1.png", encode(Image.new("RGB", (1, 1), "teal"), "PNG"), ALONE)
    put("shapes/1 x 300.png", encode(draw(18, 1, 300), "PNG"), ALONE)
    put("shapes/300 x 1.jpg", encode(draw(19, 300, 1), "JPEG"), ALONE)
    put("shapes/65500 x 3.jpg", encode(draw(20, 65_500, 3), "JPEG"), ALONE)
    put("shapes/3 x 65500.png", encode(draw(21, 3, 65_500), "PNG"), ALONE)
    line = np.random.default_rng(22).integers(0, 256, (1, 3_000_000, 3), dtype=np.uint8)
    put("shapes/3000000 x 1.png", encode(Image.fromarray(line), "PNG", compress_level=1), ALONE)


def _put_blanks(put: Put) -> None:
    """Photos without content: other files of the same pixels are found, and no others."""
    for tone in range(0, 256, 15):
        put(f"blank/{tone}.png", encode(Image.new("L", (256, 192), tone), "PNG"), ALONE)
        put(f"blank/{tone}.jpg", encode(Image.new("L", (300, 200), tone), "JPEG"), ALONE)
    for split in range(20, 240, 20):
        halves = np.full((192, 256), 250, np.uint8)
        halves[:, :split] = 5
        put(f"blank/halves {split}.png", encode(Image.fromarray(halves), "PNG"), ALONE)
    slope = np.tile(np.arange(256, dtype=np.uint8), (192, 1))
    put("blank/slope.png", encode(Image.fromarray(slope), "PNG"), ALONE)
    put("blank/slope.jpg", encode(Image.fromarray(slope[:, ::-1]), "JPEG"), ALONE)
    white = Image.new("RGB", (280, 210), "white")
    put("blank/white.png", encode(white, "PNG"), "white")
    put("blank/white.bmp", encode(white, "BMP"), "white")
    put("blank/white again.bmp", encode(white, "BMP"), "white")


def _put_names(put: Put) -> None:
    photo = draw(23)
    names = (
        *("plain.png", "--help.png", "-rf.png", "$(reboot).png", "a;b|c&d.png", "*?[a].png"),
        *(
            "<script>alert(1)<!--.png",
            "'quoted\".png",
            "%s %d {0}.png",
            "=1+1.png",
            "  spaces  .png",
        ),
        *("日本 é ü 🏠.png", "e\u0301.png", "right\u202eto left.png", "UPPER.PNG", "a.b.c.png"),
        *("two\nlines.png", "a\rb\tc\x1b[31m.png", "back\\slash.png", "folder.jpg/inside.png"),
        *(
            "n" * 251 + ".png",
            "é" * 125 + ".png",
            "/".join("d" * 100 for _ in range(30)) + "/x.png",
        ),
    )
    for number, name in enumerate(names):
        content = encode(photo, "PNG", compress_level=number % 9, dpi=(number + 1, 1))
        put(f"names/{name}", content, "names")
    for name in (b"caf\xe9.png", b"\xff\xfe.png", b"\xed\xa0\x80.png"):
        put(b"names/" + name, encode(photo, "PNG"), "names")
    for name in (".hidden.jpg", ".trash/a.jpg", "notes.txt", "names/manifest.csv", "jpg"):
        put(name, b"text", HIDDEN)
