"""The page of duplicates in a real browser."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import BROWSERS, Tab, find_browser, start_browser
from found_duplicates import (
    EVERYTHING,
    HOSTILE,
    make_chain,
    make_duplicates,
    make_group,
)
from PIL import Image

from seentwice.dedupe.findings import Duplicates, Evidence, Group, Match
from seentwice.dedupe.report import PageLimits, choose_side_px, thumbnail_maker, write_page
from seentwice.display import show_text
from seentwice.files import UnwritableError
from seentwice.pages import make_thumbnail
from seentwice.records import Reason, Unreadable

JPEG = make_thumbnail(Image.new("RGB", (24, 16), "green"))
MANY = 10_000


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    browser = find_browser()
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with start_browser(browser, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


def write(folder: Path, found: Duplicates, limits: PageLimits | None = None) -> Path:
    page = folder / "report.html"
    write_page(page, found, lambda path: JPEG, lambda done, total: None, limits)
    return page


def some_groups() -> Duplicates:
    groups = (
        make_chain(),  # its least sure match has 0.75
        make_group("kitchen/one.jpg", "kitchen/two.jpg"),
        make_group("bath.jpg", "Bath 2.jpg", score=0.6, evidence=Evidence.NEAR_EMBEDDINGS),
        make_group("hall.jpg", "hall2.jpg", score=0.95, evidence=Evidence.NEAR_HASHES),
    )
    link = Match("a.jpg", "lonely/CAFÉ.jpg", 0.8, (Evidence.NEAR_EMBEDDINGS,))
    unreadable = Unreadable(Path("/photos/broken.jpg"), Reason.TRUNCATED, "ends early")
    return make_duplicates(groups, (link,), (unreadable,))


@pytest.fixture
def opened(tab: Tab, tmp_path: Path) -> Tab:
    tab.open(write(tmp_path, some_groups()))
    return tab


def shown(tab: Tab) -> list[str]:
    seen = "[...document.querySelectorAll('article:not([hidden])')]"
    return tab.run(f"{seen}.map((article) => article.getAttribute('aria-label'))")


def enter(tab: Tab, field: str, value: str) -> None:
    found = f"document.getElementById({json.dumps(field)})"
    event = "new Event('input', { bubbles: true })"
    tab.run(f"{found}.value = {json.dumps(value)}; {found}.dispatchEvent({event})")


def tick(tab: Tab, kind: Evidence) -> None:
    tab.run(f"document.querySelector(`#kinds input[value='{kind.value}']`).click()")


def current(tab: Tab) -> str | None:
    return tab.run("document.querySelector('[aria-current]')?.getAttribute('aria-label')")


def test_all_groups_are_there_with_the_kept_photo_marked(opened: Tab) -> None:
    assert shown(opened) == ["Group 1", "Group 2", "Group 3", "Group 4", "Link 1"]
    badges = "[...document.querySelectorAll('.badge')].map((b) => b.closest('a').title)"
    assert opened.run(badges) == ["a.jpg", "kitchen/one.jpg", "bath.jpg", "hall.jpg"]
    said = opened.run("document.getElementById('shown').textContent")
    assert said == "4 of 4 groups, 9 photos; 1 of 1 link"
    assert "broken.jpg truncated ends early" in " ".join(
        opened.run("document.querySelector('#unreadable table').innerText").split()
    )
    assert opened.complaints() == []


def test_each_photo_says_why_it_is_there(opened: Tab) -> None:
    texts = "[...document.querySelectorAll('article figcaption')].map((f) => f.innerText)"
    _, near, far, *_ = (" ".join(text.split()) for text in opened.run(texts))
    facts = "1,200 × 801 · 2.0 kB · 2020-09-13"
    reason = "score 0.987 near hashes 3 of 64 bits -5 % brighter"
    assert near == f"b.jpg {facts} product P1 seller =s2 {reason}"
    assert far.endswith(
        "score 0.750 near hashes near embeddings 9 of 64 bits similarity 0.900 "
        "as compared with b.jpg"
    )


def test_the_search_finds_names_of_any_case(opened: Tab) -> None:
    enter(opened, "search", "KITCHEN")
    assert shown(opened) == ["Group 2"]
    enter(opened, "search", "cafe\u0301")  # the accent as a character of its own
    assert shown(opened) == ["Link 1"]
    enter(opened, "search", "nowhere")
    assert shown(opened) == []
    opened.run("document.getElementById('reset').click()")
    assert len(shown(opened)) == 5


def test_evidence_filters_by_the_surest_of_each_match(opened: Tab) -> None:
    tick(opened, Evidence.NEAR_EMBEDDINGS)
    assert shown(opened) == ["Group 1", "Group 2", "Group 4"]
    tick(opened, Evidence.NEAR_HASHES)
    assert shown(opened) == ["Group 2"]
    boxes = "[...document.querySelectorAll('#kinds label:not([hidden])')].map((l) => l.innerText)"
    assert [text.strip() for text in opened.run(boxes)] == [
        "same bytes 1",
        "near hashes 2",
        "near embeddings 2",
    ]


def test_scores_and_sellers_filter_and_order(opened: Tab) -> None:
    enter(opened, "from", "0.7")
    enter(opened, "to", "0.95")
    assert shown(opened) == ["Group 1", "Group 4", "Link 1"]
    enter(opened, "to", "")
    assert shown(opened) == ["Group 1", "Group 2", "Group 4", "Link 1"]
    enter(opened, "sellers", "several")
    assert shown(opened) == ["Group 1"]
    heading = opened.run("document.querySelector('article h3').innerText")
    assert " ".join(heading.split()) == "Group 1 3 photos · 5.0 kB to save · 2 sellers"
    opened.run("document.getElementById('reset').click()")
    enter(opened, "order", "score")
    assert shown(opened) == ["Group 3", "Group 1", "Group 4", "Group 2", "Link 1"]


def test_of_a_catalogue_nothing_is_kept_or_saved(tab: Tab, tmp_path: Path) -> None:
    tab.open(write(tmp_path, replace(some_groups(), products=3)))
    heading = tab.run("document.querySelector('article h3').innerText")
    assert " ".join(heading.split()) == "Group 1 3 photos · 3 products · 2 sellers"
    assert tab.run("document.querySelectorAll('.keep').length") == 0
    text = tab.run("document.body.innerText")
    assert "4 groups of copies, with photos of 3 products" in text
    assert "save" not in text


def test_keys_walk_search_and_help(opened: Tab) -> None:
    opened.press("j")
    assert current(opened) == "Group 1"
    opened.press("ArrowRight", "j")
    assert current(opened) == "Group 3"
    opened.press("k", "ArrowLeft", "k")
    assert current(opened) == "Group 1"  # there is none before it
    opened.press("/", "j")
    assert opened.run("document.getElementById('search').value") == "j"  # typed, not a step
    assert current(opened) == "Group 1"  # it has a name with j: .jpg
    opened.press("Escape", "?")
    assert opened.run("document.getElementById('keys').open") is True
    opened.press("j", "Escape")
    assert opened.run("document.getElementById('keys').open") is False
    assert current(opened) == "Group 1"
    opened.press("j", "j", "j", "j", "j", "j")
    assert current(opened) == "Link 1"


def test_a_page_without_duplicates_says_so(tab: Tab, tmp_path: Path) -> None:
    tab.open(write(tmp_path, make_duplicates(())))
    text = tab.run("document.body.innerText")
    assert "10,000 photos searched, no duplicates found." in text
    assert tab.run("document.getElementById('tools')") is None
    assert tab.complaints() == []


def test_hostile_names_are_shown_and_never_run(tab: Tab, tmp_path: Path) -> None:
    tab.open(write(tmp_path, EVERYTHING))
    titles = "[...document.querySelectorAll('article img')].map((image) => image.alt)"
    assert tab.run(titles)[3:9] == [show_text(name) for name in HOSTILE]
    assert tab.run("document.querySelectorAll('img[onerror], img:not([src^=data])').length") == 0
    links = tab.run("[...document.querySelectorAll('article a')].map((link) => link.protocol)")
    assert set(links) == {"file:"}
    assert "/caf%E9.jpg" in tab.run("document.querySelector('#links li:nth-child(2) a').href")
    assert tab.complaints() == []


def test_the_page_asks_for_nothing_but_itself(tab: Tab, tmp_path: Path) -> None:
    page = write(tmp_path, EVERYTHING)
    tab.open(page)
    tab.run("document.querySelector('#unreadable').scrollIntoView()")
    tab.settle()
    assert tab.requests() == [page.as_uri()]
    refused = "fetch('http://127.0.0.1:9/').then(() => 'fetched', () => 'refused')"
    assert tab.run(refused) == "refused"
    assert "Content Security Policy" in " ".join(tab.complaints())


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    groups = tuple(make_group(f"{n}/left.jpg", f"{n}/right.jpg") for n in range(1, MANY + 1))
    return write(tmp_path_factory.mktemp("long"), make_duplicates(groups))


def test_10000_groups_scroll_to_the_end(tab: Tab, long_page: Path) -> None:
    tab.open(long_page)
    assert tab.run("document.querySelectorAll('article').length") == MANY
    filled = "document.querySelectorAll('article img').length"
    assert tab.run(filled) < 100  # only what is near the view
    in_view = "document.elementFromPoint(500, 700).closest('article').getAttribute('aria-label')"
    for part in (0.5, 1):
        for _ in range(3):  # groups that come into view get their own heights
            tab.run(f"scrollTo(0, document.documentElement.scrollHeight * {part})")
            tab.settle()
        number = int(re.sub(r"\D", "", tab.run(in_view)))
        assert number == pytest.approx(MANY * part, abs=100)
    assert tab.run("document.querySelector('article:last-child h3').innerText").startswith(
        "Group 10,000"
    )
    assert tab.run(filled) < 500


def test_10000_groups_are_searched_and_walked(tab: Tab, long_page: Path) -> None:
    tab.open(long_page)
    enter(tab, "search", "9999/")
    assert shown(tab) == ["Group 9,999"]
    tab.settle()
    assert tab.run("document.querySelectorAll('article:not([hidden]) img').length") == 2
    enter(tab, "search", "")
    tab.press("j")
    assert current(tab) == "Group 1"


def test_thumbnails_are_bounded_and_what_is_left_out_is_told(tab: Tab, tmp_path: Path) -> None:
    limits = PageLimits(thumbnail_bytes=3 * len(JPEG), groups=3, photos=2, links=1, unreadable=1)
    found = some_groups()
    found = replace(found, links=found.links * 2, unreadable=found.unreadable * 2)
    page = write(tmp_path, found, limits)
    tab.open(page)
    assert shown(tab) == ["Group 1", "Group 2", "Group 3", "Link 1"]
    notes = tab.run("document.getElementById('left-out').innerText")
    for told in (
        "The first 3 of 4 groups are shown.",
        "Of large groups the first 2 photos are shown.",
        "The first 1 of 2 links are shown.",
        "photos are shown without a picture",
        "groups.json and groups.csv hold everything.",
    ):
        assert told in notes
    assert "and 1 more photo, listed in groups.csv" in tab.run("document.body.innerText")
    assert tab.run("document.querySelectorAll('article img').length") == 2
    assert page.read_text().count("/9j/") == 2


def test_photos_of_the_same_bytes_share_a_thumbnail_that_is_made_once(tmp_path: Path) -> None:
    group = make_group("a.jpg", "b.jpg", "c.jpg")
    same = tuple(replace(photo, sha256="0" * 64) for photo in group.photos)
    made: list[Path] = []

    def thumbnail(path: Path) -> bytes:
        made.append(path)
        return JPEG

    found = make_duplicates((Group(same, group.matches),))
    write_page(tmp_path / "report.html", found, thumbnail, lambda done, total: None)
    assert made == [Path("/photos/a.jpg")]
    assert (tmp_path / "report.html").read_text().count("/9j/") == 1


def many_groups(number: int) -> tuple[Group, ...]:
    """Groups of two, all photos of them different."""
    groups = (make_group(f"{n}.jpg", f"{n}b.jpg") for n in range(number))
    return tuple(
        replace(group, photos=tuple(replace(p, sha256=p.key) for p in group.photos))
        for group in groups
    )


def test_each_photo_has_its_own_thumbnail_whatever_the_number_of_threads(tmp_path: Path) -> None:
    links = tuple(Match(f"{n}.jpg", f"{n}.gone.jpg", 0.4, (Evidence.NEAR_HASHES,)) for n in (3, 99))
    found = make_duplicates(many_groups(150), links)
    pages = []
    for threads in (1, 4):
        page = tmp_path / "report.html"
        write_page(page, found, lambda path: path.name.encode(), lambda *step: None, None, threads)
        pages.append(page.read_text())
    assert pages[0] == pages[1]
    data = re.findall(r'application/json"[^>]*>([^<]*)<', pages[0])
    for record, thumbnails in zip(
        map(json.loads, data[::2]), map(json.loads, data[1::2]), strict=True
    ):
        for photo in record["photos"]:
            assert b64decode(thumbnails[photo["thumbnail"]]).decode() == photo["name"]


def test_progress_counts_groups_and_links(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_page(
        tmp_path / "a.html", some_groups(), lambda path: JPEG, lambda *step: told.append(step)
    )
    assert told == [(number, 5) for number in range(1, 6)]


def test_a_page_that_cannot_be_made_leaves_the_old_one(tmp_path: Path) -> None:
    page = write(tmp_path, some_groups())
    before = page.read_bytes()

    def fail(path: Path) -> bytes:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        write_page(page, some_groups(), fail, lambda done, total: None)
    assert page.read_bytes() == before
    assert list(tmp_path.iterdir()) == [page]
    with pytest.raises(UnwritableError, match="make that folder"):
        write(tmp_path / "gone", some_groups())


def test_a_page_is_written_piece_by_piece(tmp_path: Path) -> None:
    sizes: list[int] = []

    def thumbnail(path: Path) -> bytes:
        sizes.append(sum(file.stat().st_size for file in tmp_path.iterdir()))
        return JPEG * 20

    found = make_duplicates(many_groups(200))
    write_page(tmp_path / "a.html", found, thumbnail, lambda done, total: None)
    assert 0 < sizes[200] < sizes[-1]


def test_a_page_shows_two_photos_of_a_group_or_more() -> None:
    with pytest.raises(ValueError, match="photos is 1, not 2 or more"):
        PageLimits(photos=1)


def test_thumbnails_are_small_upright_and_none_of_what_is_no_photo(tmp_path: Path) -> None:
    turned: Any = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (2000, 1000), "red").save(tmp_path / "a.jpg", exif=turned)
    (tmp_path / "b.jpg").write_bytes(b"no photo")
    make = thumbnail_maker(10_000_000)
    (tmp_path / "small.jpg").write_bytes(make(tmp_path / "a.jpg") or b"")
    with Image.open(tmp_path / "small.jpg") as image:
        assert image.size == (120, 240)
        assert not image.getexif()
    assert make(tmp_path / "b.jpg") is None
    assert make(tmp_path / "gone.jpg") is None
    assert thumbnail_maker(1000)(tmp_path / "a.jpg") is None


def test_thumbnails_of_many_photos_are_smaller(tmp_path: Path) -> None:
    assert (choose_side_px(6_000), choose_side_px(6_001)) == (240, 160)
    Image.new("RGB", (400, 300), "red").save(tmp_path / "a.png")
    small = thumbnail_maker(10_000_000, choose_side_px(10_000))(tmp_path / "a.png") or b""
    (tmp_path / "small.jpg").write_bytes(small)
    with Image.open(tmp_path / "small.jpg") as image:
        assert image.size == (160, 120)


def test_a_photo_that_has_gone_has_its_place(tab: Tab, tmp_path: Path) -> None:
    found = make_duplicates((make_group("a.jpg", "b.jpg", root=tmp_path),), root=tmp_path)
    write_page(tmp_path / "r.html", found, thumbnail_maker(1000), lambda done, total: None)
    tab.open(tmp_path / "r.html")
    missing = "[...document.querySelectorAll('article .missing')].map((m) => m.innerText)"
    assert tab.run(missing) == ["could not be read again"] * 2
