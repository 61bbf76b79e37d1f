"""The page in headless Chromium: folds, links, traces, exports, paper, map, thousands of boxes."""

import base64
import struct
import time
from xml.etree import ElementTree

import numpy as np
import pytest
from graph_networks import Tower, irregular, quiet, raw_rnn, tensor
from graph_pages import stack
from page_driver import MARKS, item, labels, press, webdriver

from minigrad import Tensor, draw

pytestmark = MARKS
OPEN_ALL = """
    const done = arguments[0]; let longest = 0, last = performance.now(), busy = true;
    const tick = () => { const now = performance.now(); longest = Math.max(longest, now - last);
      last = now; if (busy) setTimeout(tick); };
    tick();
    (async () => {
      for (const each of tree.clusters) each.open = true;
      await renderSlowly();
      fit();
      await new Promise((next) => setTimeout(next, 300));
      look.scale = 0.8; look.y = -5000; aim();
      await new Promise((next) => setTimeout(next, 300));
      busy = false; done([longest / 1000, picture.order.length]);
    })()"""
CLICKED = """const done = arguments[0];
URL.createObjectURL = (blob) => { const reader = new FileReader();
  reader.onload = () => done(reader.result); reader.readAsDataURL(blob); return "data:,"; };
HTMLAnchorElement.prototype.click = () => {};
$("%s").click();"""


def tower(opened, **options):
    view = draw(Tower([8] * 12)(tensor(3, 8, name="x", grad=True)), gradients=True)
    return opened(view, **options)


def tap(browser, name, part=".shape"):
    shape = item(browser, name).find_element("css selector", part)
    webdriver.ActionChains(browser).move_to_element(shape).click().perform()


def press_button(browser, name):
    buttons = browser.find_elements("css selector", "#panel button")
    next(b for b in buttons if b.text == name).click()


# ------------------------------------------------------------------------------------------- folds
def test_repeats_are_folded_as_in_pictures_and_can_be_shown_all(opened):
    browser = tower(opened)
    names = labels(browser)
    assert [name.partition(":")[0] for name in names if name.startswith("×")] == [
        "×12 (layers.0–11)"
    ]
    assert names.count("relu") == names.count("add") == 1
    assert "next ×11" in browser.find_element("id", "graph").text
    relu = item(browser, "relu").get_attribute("aria-label")
    assert "…" in relu.split("|g|")[1]  # the range of all twelve
    tap(browser, "×12", ".handle")
    tap(browser, "×12")
    press_button(browser, "Show all 12")
    shown = [name for name in labels(browser) if name.startswith("layers.")]
    assert len(shown) == 12
    press(browser, "0")
    tap(browser, "layers.7: Block")
    assert labels(browser).count("relu") == 1
    press_button(browser, "✕")
    press(browser, "0")
    tap(browser, "×12", ".handle")
    assert item(browser, "×12").get_attribute("aria-expanded") == "false"


def test_a_search_finds_what_a_fold_hides(opened):
    browser = tower(opened)
    search = browser.find_element("id", "search")
    search.send_keys("layers.7.linear.weight\n")
    assert browser.find_element("id", "found").text == "1 of 1"
    chosen = browser.find_element("css selector", ".chosen")
    assert "layers.7.linear.weight" in browser.find_element("id", "panel").text
    assert chosen.is_displayed()


def test_a_loop_without_modules_is_one_frame(opened):
    h, params = raw_rnn(110, tensor(4, 110, 3, name="x", grad=True))
    browser = opened(draw(h.sum(), params=params))
    assert len(labels(browser)) == 11  # the loop, its six operations, two inputs, sum, output
    assert item(browser, "[:, t]").is_displayed()


def test_a_module_and_what_is_in_it_are_one_find(opened):
    browser = opened(stack(2, collapse_repeats=False))
    browser.find_element("id", "search").send_keys("blocks.1.norm\n")
    assert browser.find_element("id", "found").text == "1 of 1"


# ------------------------------------------------------------------------------------------- tools
def test_the_panel_closes_by_its_button_and_by_escape(opened):
    browser = tower(opened)
    panel = browser.find_element("id", "panel")
    for close in (
        lambda: browser.find_element("id", "close").click(),
        lambda: press(browser, "ESCAPE"),
    ):
        tap(browser, "relu")
        assert panel.is_displayed()
        close()
        assert not panel.is_displayed()


def test_an_address_leads_to_an_operation(opened):
    view = tower(opened).current_url
    browser = opened(stack(30, collapse_repeats=False, max_nodes=500))
    browser.get(f"{view}#op123")
    browser.refresh()
    chosen = browser.find_element("css selector", ".chosen")
    assert chosen.get_attribute("id").startswith("item_op123_")
    window = browser.find_element("id", "graph").rect
    assert window["y"] < chosen.rect["y"] < window["y"] + window["height"]
    assert browser.find_element("css selector", "#panel a").text == "#op123"
    browser.execute_script("location.hash = '#op7'")
    time.sleep(0.2)
    assert (
        browser.find_element("css selector", ".chosen").get_attribute("id").startswith("item_op7_")
    )


def test_ancestors_and_descendants_are_traced(opened):
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    a, b = np.tanh(x), np.exp(x)
    browser = opened(draw((a * 2.0 + np.sin(b)).sum()))
    full = lambda: {  # noqa: E731
        e.get_attribute("aria-label").partition(",")[0]
        for e in browser.find_elements("css selector", "[role=treeitem]:not(.faded)")
    }
    tap(browser, "exp")
    press_button(browser, "Trace on")
    assert full() == {"exp", "sin", "add", "sum", next(n for n in full() if n.startswith("output"))}
    press_button(browser, "Trace back")
    assert full() == {"exp", "x"}
    press(browser, "ESCAPE")
    assert len(full()) == 8


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_shown_is_saved_as_svg_and_png(opened, scheme):
    browser = tower(opened, scheme=scheme)
    svg = base64.b64decode(browser.execute_async_script(CLICKED % "svg").partition(",")[2])
    root = ElementTree.fromstring(svg)
    texts = "".join("".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "next ×11" in texts
    assert float(root.get("width")) > 100
    assert "url(http" not in svg.decode()
    png = base64.b64decode(browser.execute_async_script(CLICKED % "png").partition(",")[2])
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    assert width == pytest.approx(2 * float(root.get("width")), abs=2)
    assert width * height < 12e6
    browser.execute_script("performance.clearResourceTimings()")  # the drawing itself


def test_on_paper_there_is_the_whole_graph_and_no_tool(opened):
    browser = opened(stack(6, collapse_repeats=False))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert not browser.find_element("css selector", ".tools").is_displayed()
    box = browser.execute_script("return $('graph').getAttribute('viewBox')").split()
    size = browser.execute_script("return [picture.width, picture.height]")
    assert [float(n) for n in box[2:]] == pytest.approx([n + 16 for n in size])
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert browser.execute_script("return $('graph').getAttribute('viewBox')") is None


def test_the_map_shows_where_one_is_and_leads_elsewhere(opened):
    browser = opened(stack(6, collapse_repeats=False))
    browser.execute_script("for (const c of tree.clusters) c.open = true; render(); fit(0.8)")
    chart = browser.find_element("id", "map")
    assert chart.is_displayed()
    before = browser.execute_script("return look.y")
    browser.execute_cdp_cmd("Input.dispatchMouseEvent", {
        "type": "mousePressed", "x": chart.rect["x"] + 10, "button": "left", "buttons": 1,
        "y": chart.rect["y"] + chart.rect["height"] - 8, "clickCount": 1,
    })  # fmt: skip
    assert browser.execute_script("return look.y") < before - 300


def test_a_phone_begins_at_the_first_input(opened):
    browser = tower(opened, width=390)
    x = item(browser, "x").rect
    graph = browser.find_element("id", "graph").rect
    assert graph["y"] <= x["y"] < graph["y"] + 200
    assert 0 <= x["x"] < x["x"] + x["width"] <= 390
    assert not browser.find_element("id", "map").is_displayed()


# ------------------------------------------------------------------------------------------- speed
@pytest.mark.parametrize("make", [
    lambda: quiet(irregular(10_000), max_nodes=20_000),
    lambda: stack(460, collapse_repeats=False, max_nodes=6000),
], ids=["a chain of 10000", "blocks of 4600"])  # fmt: skip
def test_thousands_of_boxes_opened_never_block_the_page(opened, make):
    view = make()
    best = 9.0
    for _ in range(2):  # the machine may have been busy with something else
        browser = opened(view)
        longest, boxes = browser.execute_async_script(OPEN_ALL)
        best = min(best, longest)
    assert boxes > 4600
    assert best < 0.5
    assert 0 < len(labels(browser)) < 500  # what is in sight
