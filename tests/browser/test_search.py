"""The search in a real browser: ticking narrows in place, the address says what is shown, going back shows it again."""

import contextlib
import time
from typing import Any

import pytest

from tests.browser.chromium import PROGRAM, Tab
from tests.cluster.rig import City

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed here (apt install chromium).")
HERE = "location.pathname + location.search"
STATUS = "document.querySelector('[role=status]').textContent.trim()"


def until(tab: Tab, told: str) -> None:
    """Wait until something is so on the page, also while it goes to another one; twenty seconds at most."""
    for _ in range(400):
        with contextlib.suppress(AssertionError):
            if tab.value(f"Boolean({told})"):
                return
        time.sleep(0.05)
    raise AssertionError(told)


def searched(helsinki: City, tab: Tab, query: str) -> str:
    tab.visit(f"{helsinki.base_url}/search?{query}")
    said: str = tab.value(STATUS)
    return said


def test_ticking_a_filter_swaps_the_results_keeps_the_focus_and_writes_the_address(helsinki: City, tab: Tab) -> None:
    before = searched(helsinki, tab, "q=title&lang=en")
    tab.value("window.unchanged = true; document.querySelector('#city-london').focus()")
    tab.value("document.querySelector('#city-london').click()")
    until(tab, "location.search.includes('city=london')")
    assert tab.value(HERE) == "/search?q=title&city=london&lang=en"
    until(tab, f"{STATUS} !== {before!r}")
    assert tab.value("window.unchanged")  # the page is still the same one
    assert tab.value("document.activeElement.id") == "city-london"
    assert tab.value("document.querySelectorAll('.chosen li').length") == 1
    assert tab.value("document.querySelectorAll('main').length") == 1
    assert tab.said == []


def test_going_back_shows_what_was_shown(helsinki: City, tab: Tab) -> None:
    before = searched(helsinki, tab, "q=title&lang=en")
    tab.value("document.querySelector('#city-london').click()")
    until(tab, "location.search.includes('city=london')")
    tab.value("history.back()")
    until(tab, f"document.readyState === 'complete' && !location.search.includes('london') && {STATUS} === {before!r}")
    assert tab.value("document.querySelector('#city-london').checked") is False


def test_what_was_unfolded_stays_unfolded(helsinki: City, tab: Tab) -> None:
    searched(helsinki, tab, "q=title&lang=en")
    tab.value("document.querySelector('#by-time').open = true; document.querySelector('#city-london').click()")
    until(tab, "location.search.includes('city=london')")
    until(tab, "document.querySelectorAll('.chosen li').length === 1")
    assert tab.value("document.querySelector('#by-time').open")


def test_a_map_is_fetched_when_somebody_sees_it_and_not_before(helsinki: City, tab: Tab) -> None:
    searched(helsinki, tab, "q=title")
    assert not [url for url in tab.asked if "leaflet" in url]
    tab.value("document.querySelector('.all').open = true; document.querySelector('#by-place').open = true")
    until(tab, "document.querySelector('#area .leaflet-container')")
    assert tab.value("document.querySelector('#area button.btn').textContent")
    assert tab.said == []


def test_a_search_is_made_with_the_keyboard_alone(helsinki: City, tab: Tab) -> None:
    searched(helsinki, tab, "lang=en")
    seen: list[Any] = []
    for _ in range(20):
        tab.press("Tab")
        seen.append(tab.value("document.activeElement.id || document.activeElement.className"))
        if seen[-1] == "q":
            break
    assert seen[-1] == "q", seen
    tab.value("document.activeElement.value = 'title'")
    tab.press("Enter")
    until(tab, "location.search.includes('q=title')")
    assert tab.value("document.title").startswith("Search: title")
