"""Driving a page in headless Chromium: opening it, its boxes, its keys."""

import shutil
import statistics

import pytest
from graph_pages import page_of

webdriver = pytest.importorskip("selenium.webdriver")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
MARKS = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
]
LOADED = "const t = performance.timing; return (t.loadEventEnd - t.navigationStart) / 1000"
PAINTED = "const done = arguments[0]; requestAnimationFrame(() => setTimeout(done));"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(30)
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, tmp_path):
    """Return a function that opens the page of a view; at the end the console has to be empty."""

    def open_page(view, width=1200, height=800, scheme="light"):
        page_of(view, tmp_path)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        browser.get((tmp_path / "graph.html").as_uri())
        return browser

    yield open_page
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def item(browser, text, kind=""):
    """Return the element of the first box or frame whose label begins so."""
    found = browser.find_elements("css selector", f"[role=treeitem]{kind}")
    return next(e for e in found if e.get_attribute("aria-label").startswith(text))


def labels(browser):
    names = browser.find_elements("css selector", "[role=treeitem]")
    return [element.get_attribute("aria-label").partition(",")[0] for element in names]


def focused(browser):
    return browser.switch_to.active_element.get_attribute("aria-label").partition(",")[0]


def press(browser, *keys):
    names = webdriver.Keys
    webdriver.ActionChains(browser).send_keys(*(getattr(names, k, k) for k in keys)).perform()


def seconds(browser, script, times=5):
    """Return how long a script takes until its result is painted, the median of several."""
    code = f"const began = performance.now(), done = arguments[0]; {script}; \
        requestAnimationFrame(() => setTimeout(() => done((performance.now() - began) / 1000)))"
    return statistics.median(browser.execute_async_script(code) for _ in range(times))
