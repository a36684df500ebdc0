"""The page to try a service, in a real browser."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from browser import BROWSERS, Tab, find_browser, start_browser
from served_homes import Homes, SharedSource, index_homes, serve_in_thread

from seentwice.web.keys import ApiKeys
from seentwice.web.limits import ServiceLimits
from seentwice.web.server import open_service

HOSTILE = "<img src=x onerror=alert(1)>"
KEY = "a key of the service"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    browser = find_browser()
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with start_browser(browser, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def address(made_homes: Homes) -> Iterator[str]:
    service = open_service(SharedSource(made_homes.index, 10**8, 1), ServiceLimits(), None, True)
    with serve_in_thread(service) as address:
        yield address


def wait(tab: Tab, what: str) -> None:
    """Until an expression is true, a minute at most."""
    tab.run(
        "new Promise((go, fail) => { const end = Date.now() + 60000; const look = () => "
        f"({what}) ? go() : Date.now() > end ? fail('late') : setTimeout(look, 20); look(); }})"
    )


def texts(tab: Tab, selector: str) -> list[str]:
    every = f"[...document.querySelectorAll({json.dumps(selector)})]"
    found: list[str] = tab.run(f"{every}.map((one) => one.textContent)")
    return found


def test_a_photo_shows_its_neighbours_with_three_scores_and_where_it_is(
    tab: Tab, address: str, made_homes: Homes, tmp_path: Path
) -> None:
    tab.open(address)
    photo = made_homes.list_photos()[0]
    tab.choose_file("#photo", photo)
    wait(tab, "document.querySelectorAll('#results img').length === 12")
    wait(tab, "[...document.querySelectorAll('#results img')].every((one) => one.naturalWidth)")
    wait(tab, "document.getElementById('here').textContent.includes('already')")
    assert texts(tab, "#state") == ["12 listings"]
    names = texts(tab, "#results li:first-child dt")
    assert names == ["class", "tags", "visual", "score"]
    values = texts(tab, "#results li:first-child dd:nth-of-type(even)")
    assert sum(map(float, values[:3])) == pytest.approx(float(values[3]), abs=0.002)
    assert "same bytes" in "".join(texts(tab, "#here p"))
    assert tab.run("document.getElementById('preview').naturalWidth") > 0
    assert not tab.complaints()
    assert all(
        request.startswith((address, f"blob:{address}", "data:")) for request in tab.requests()
    )
    tab.photograph(tmp_path / "page.png")


def test_an_id_is_asked_about_and_what_is_wrong_is_told(tab: Tab, address: str) -> None:
    tab.open(address)
    submit = "document.getElementById('ask').requestSubmit()"
    tab.run(submit)
    assert texts(tab, "#state.wrong") == ["Choose a photo, or give an id."]
    tab.run(f"document.getElementById('id').value = 'L03'; {submit}")
    wait(tab, "document.querySelectorAll('#results li').length === 12")
    tab.run(f"document.getElementById('where').value = 'town=Paris'; {submit}")
    wait(tab, "document.querySelector('#state.wrong')")
    assert "no column" in texts(tab, "#state")[0]


def test_names_from_outside_stay_text(tab: Tab, homes: Homes) -> None:
    homes.list_photos()[3].rename(homes.photos / f"{HOSTILE}.jpg")
    homes.table.write_text(
        f"id,photos\n{HOSTILE},{HOSTILE}.jpg\n"
        f"plain,{homes.list_photos()[5].relative_to(homes.photos)}\n"
    )
    index_homes(homes)
    service = open_service(SharedSource(homes.index, 10**8, 1), ServiceLimits(), None, True)
    with serve_in_thread(service) as address:
        tab.open(address)
        tab.run("document.getElementById('id').value = 'plain'")
        tab.run("document.getElementById('ask').requestSubmit()")
        wait(tab, "document.querySelectorAll('#results img').length === 1")
        wait(tab, "document.querySelector('#results img').naturalWidth")
        assert texts(tab, "#results strong") == [f"1. {HOSTILE}"]
        assert not tab.complaints()


def test_a_key_is_asked_for_where_one_is_needed(tab: Tab, made_homes: Homes) -> None:
    keys = ApiKeys((sha256(KEY.encode()).digest(),))
    service = open_service(SharedSource(made_homes.index, 10**8, 1), ServiceLimits(), keys, True)
    with serve_in_thread(service) as address:
        tab.open(address)
        assert tab.run("document.getElementById('keys').hidden")
        tab.run("document.getElementById('id').value = 'L03'")
        tab.run("document.getElementById('ask').requestSubmit()")
        wait(tab, "!document.getElementById('keys').hidden")
        tab.run(f"document.getElementById('key').value = {json.dumps(KEY)}")
        tab.run("document.getElementById('ask').requestSubmit()")
        wait(tab, "document.querySelectorAll('#results img').length === 12")
        wait(tab, "[...document.querySelectorAll('#results img')].every((one) => one.naturalWidth)")


def test_the_page_for_programs_lists_every_operation(tab: Tab, address: str) -> None:
    tab.open(f"{address}/docs")
    wait(tab, "document.querySelectorAll('h3').length > 8")
    assert "POST /recommend" in texts(tab, "h3")
    assert not tab.complaints()
