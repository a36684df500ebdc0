import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from seentwice.pages import (
    Block,
    Cell,
    Code,
    Column,
    Facts,
    Gallery,
    PhotoGrid,
    PhotoPair,
    PhotoShot,
    Picture,
    Section,
    Table,
    Thumbnail,
    make_thumbnail,
    render_page,
    write_page,
)

OpenInBrowser = Callable[[Path], tuple[str, list[str]]]


def png(colour: str = "red") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (4, 3), colour).save(buffer, format="PNG")
    return buffer.getvalue()


def evil(field: str) -> str:
    """Text that breaks out of an element or attribute unless it is escaped; names its field."""
    return (
        f"""</style></{field}>"><script>alert("{field}")</script><img src=x onerror='f()'>&amp;"""
    )


JPEG = make_thumbnail(Image.new("RGB", (8, 6), "green"))
TABLE = Table(
    evil("caption"),
    (Column(evil("column"), hint=evil("hint")), Column(evil("number"), is_numeric=True)),
    (
        (Cell(evil("row")), Cell(evil("cell"), evil("detail"), 0.5, is_best=True)),
        (Cell("other"), Cell("nothing")),
    ),
)
GALLERY = Gallery(
    evil("gallery"),
    (
        PhotoPair(
            Thumbnail(JPEG, evil("photo")),
            Thumbnail(None, evil("missing"), evil("problem")),
            (evil("line 1"), evil("line 2")),
        ),
    ),
)
BLOCKS: tuple[Block, ...] = (
    TABLE,
    Facts(((evil("fact"), evil("value")),)),
    Code(evil("code")),
    Code(evil("folded"), evil("fold")),
    Picture(png(), evil("alt")),
    GALLERY,
    PhotoGrid((PhotoShot(Thumbnail(JPEG, evil("shot")), (evil("caption 1"),)),)),
)
PAGE = render_page(
    evil("title"),
    evil("summary"),
    [
        Section(evil("section"), evil("text"), BLOCKS),
        Section("Second"),
        Section("Third"),
    ],
)


FIELDS = sorted(set(re.findall(r"alert\((?:&#34;|\")([^&\"]+)", PAGE)))


class Parsed(HTMLParser):
    """The elements, attributes and text of a page, as a browser sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = [""]
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data

    def find(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def shown(self) -> set[str]:
        """Every text and every value of an attribute."""
        values = {value for _, attributes in self.elements for value in attributes.values()}
        return values | {text.strip() for text in self.texts}


def test_the_page_above_has_every_kind_of_block() -> None:
    assert {type(block) for block in BLOCKS} == set(get_args(Block))
    assert len(FIELDS) == 25


@pytest.mark.parametrize("field", FIELDS)
def test_every_text_is_shown_as_it_is(field: str) -> None:
    assert any(evil(field) in shown for shown in Parsed(PAGE).shown)


def test_no_text_is_run() -> None:
    parsed = Parsed(PAGE)
    assert len(parsed.find("script")) == len(parsed.find("style")) == 1
    assert len(parsed.find("img")) == 3
    assert not [attributes for _, attributes in parsed.elements if "onerror" in attributes]


def test_a_file_name_that_is_not_utf_8_leaves_a_document_that_is(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    pair = PhotoPair(Thumbnail(JPEG, name), Thumbnail(None, name, "gone"), (name,))
    write_page(
        tmp_path / "a.html", render_page(name, "", [Section("", "", (Gallery("", (pair,)),))])
    )
    page = (tmp_path / "a.html").read_text("utf-8")
    assert page.count("caf\\udce9.jpg") == 6  # title, heading, alt, hover, missing, line


def test_a_page_is_written_whole(tmp_path: Path) -> None:
    write_page(tmp_path / "a.html", PAGE)
    assert (tmp_path / "a.html").read_bytes() == PAGE.encode()
    with pytest.raises(OSError, match="make that folder"):
        write_page(tmp_path / "gone" / "a.html", PAGE)


def test_a_page_refers_to_nothing_outside_itself() -> None:
    parsed = Parsed(PAGE)
    for _, attributes in parsed.elements:
        for name in attributes.keys() & {"src", "href", "srcset", "action", "data", "poster"}:
            assert attributes[name].startswith(("data:image/", "#section-"))
    style = PAGE[PAGE.index("<style>") : PAGE.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert not parsed.find("link")


def test_a_page_forbids_the_browser_to_fetch() -> None:
    [policy] = [
        meta["content"]
        for meta in Parsed(PAGE).find("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy


def test_more_than_two_sections_are_listed() -> None:
    three = [Section(f"Part {n}") for n in (1, 2, 3)]
    assert [link["href"] for link in Parsed(render_page("", "", three)).find("a")] == [
        "#section-1",
        "#section-2",
        "#section-3",
    ]
    assert not Parsed(render_page("", "", three[:2])).find("a")


def test_a_table_names_its_rows_and_sorts_by_values_alone() -> None:
    parsed = Parsed(render_page("", "", [Section("", "", (TABLE,))]))
    assert [head.get("scope") for head in parsed.find("th")] == ["col", "col", "row", "row"]
    assert [cell.get("data-value") for cell in parsed.find("td")] == ["0.5", None]
    assert len(parsed.find("strong")) == 1


def test_a_row_of_another_length_is_refused() -> None:
    columns = (Column("detector"), Column("AP", is_numeric=True))
    with pytest.raises(ValueError, match="table 'Results' has 2 columns, a row 1"):
        Table("Results", columns, ((Cell("a"), Cell("b")), (Cell("c"),)))


def tell_tale(mode: str, kind: str, **settings: object) -> Image.Image:
    """A 640x480 photo whose file says where and by whom it was taken."""
    exif = Image.Exif()
    exif[0x013B] = "Jane Owner"
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 0.0)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    buffer = BytesIO()
    Image.new(mode, (640, 480)).save(
        buffer, format=kind, exif=exif, icc_profile=profile, **settings
    )
    return Image.open(buffer)


def text_chunk() -> PngInfo:
    info = PngInfo()
    info.add_text("comment", "Jane Owner")
    return info


@pytest.mark.parametrize(
    "photo",
    [
        tell_tale("RGB", "JPEG", comment=b"Jane Owner"),
        tell_tale("CMYK", "JPEG", comment=b"Jane Owner"),
        tell_tale("L", "JPEG", comment=b"Jane Owner"),
        tell_tale("RGBA", "PNG", pnginfo=text_chunk()),
        tell_tale("P", "PNG", pnginfo=text_chunk(), transparency=0),
        tell_tale("LA", "PNG", pnginfo=text_chunk()),
        tell_tale("RGB", "WEBP"),
    ],
    ids=lambda photo: f"{photo.format}-{photo.mode}",
)
def test_a_thumbnail_is_pixels_alone(photo: Image.Image) -> None:
    data = make_thumbnail(photo, side_px=100)
    assert {"exif", "comment", "icc_profile"} & set(photo.info)
    with Image.open(BytesIO(data)) as thumbnail:
        assert (thumbnail.format, thumbnail.mode, thumbnail.size) == ("JPEG", "RGB", (100, 75))
        assert set(thumbnail.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not thumbnail.getexif()
    for secret in (b"Jane", b"Exif", b"ICC_PROFILE"):
        assert secret not in data


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 480), (240, 180)),
        ((480, 640), (180, 240)),
        ((50, 40), (50, 40)),
        ((9000, 2), (240, 1)),
    ],
)
def test_the_longer_side_of_a_thumbnail(size: tuple[int, int], expected: tuple[int, int]) -> None:
    with Image.open(BytesIO(make_thumbnail(Image.new("RGB", size)))) as thumbnail:
        assert thumbnail.size == expected


def test_transparent_parts_of_a_thumbnail_are_white() -> None:
    photo = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    photo.paste((0, 0, 255, 255), (0, 0, 16, 8))
    with Image.open(BytesIO(make_thumbnail(photo))) as thumbnail:
        assert thumbnail.getpixel((8, 15)) == pytest.approx((255, 255, 255), abs=4)
        assert thumbnail.getpixel((8, 0)) == pytest.approx((0, 0, 255), abs=4)


def test_a_thumbnail_leaves_its_photo_alone() -> None:
    photo = Image.new("RGB", (640, 480), "red")
    make_thumbnail(photo)
    assert photo.size == (640, 480)


def test_a_page_opens_in_a_browser_without_a_complaint(
    tmp_path: Path, open_in_browser: OpenInBrowser
) -> None:
    write_page(tmp_path / "page.html", PAGE)
    document, console = open_in_browser(tmp_path / "page.html")
    assert console == []
    assert len(Parsed(document).find("img")) == 3
    assert "<button" in document  # the page's own script ran
    assert evil("cell") in Parsed(document).shown


PRESS = """<script>
const heads = [...document.querySelectorAll("thead th")];
const order = () => [...document.querySelectorAll("tbody th")].map((cell) => cell.innerText);
const press = (column) => { heads[column].querySelector("button").click(); return order(); };
const shown = [order(), press(1), press(1), press(2)].map((rows) => rows.join(" ")).join("; ");
console.log("pressed: " + shown);
console.log("sorted: " + heads.map((head) => head.getAttribute("aria-sort")).join(" "));
console.log("buttons: " + document.querySelectorAll("button").length);
fetch("http://127.0.0.1:9/").catch(() => console.log("fetched nothing"));
</script>"""


def test_a_press_on_the_head_of_a_numeric_column_sorts_the_rows(
    tmp_path: Path, open_in_browser: OpenInBrowser
) -> None:
    numbers = {"a": (2.0, -1.0), "b": (10.0, 1e-7), "c": (None, 5.0), "d": (-3.5, None)}
    table = Table(
        "Results",
        (Column("detector"), Column("AP", is_numeric=True), Column("BCE", is_numeric=True)),
        tuple(
            (Cell(name), *(Cell("text", value=value) for value in values))
            for name, values in numbers.items()
        ),
    )
    page = render_page("Sorting", "", [Section("", "", (table,))])
    write_page(tmp_path / "page.html", page.replace("</body>", f"{PRESS}</body>"))
    document, console = open_in_browser(tmp_path / "page.html")
    said = " ".join(console)
    assert "pressed: a b c d; b a d c; d a b c; c b a d" in said
    assert "sorted:   descending" in said
    assert "buttons: 2" in said
    assert "Content Security Policy" in said  # nothing can be fetched, even by a script
    assert Parsed(document).find("button") == [{"type": "button"}, {"type": "button"}]
