"""The explorable page in headless Chromium: folding, search, keyboard, pointer, speed, looks."""

import numpy as np
import pytest
from graph_pages import BOXES, ENDS, HOSTILE, VIEWS, chain, data_of, stack
from page_driver import LOADED, MARKS, PAINTED, focused, item, labels, press, seconds, webdriver

import minigrad
from minigrad import Tensor, nn
from minigrad import functional as F

pytestmark = MARKS


# ------------------------------------------------------------------------------------------ layout
@pytest.mark.parametrize("name", VIEWS)
def test_boxes_stand_apart_inside_their_frames_and_edges_end_at_them(name, opened):
    browser = opened(VIEWS[name]())
    boxes = {box["id"]: box for box in browser.execute_script(BOXES)}
    siblings = {}
    for box in boxes.values():
        siblings.setdefault(box["home"], []).append(box["at"])
        if box["home"]:
            left, top, right, bottom = boxes[box["home"]]["at"]
            assert left <= box["at"][0] < box["at"][2] <= right
            assert top <= box["at"][1] < box["at"][3] <= bottom
    for group in siblings.values():
        for i, (left, top, right, bottom) in enumerate(group):
            for other in group[i + 1 :]:
                apart = (
                    right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
                )
                assert apart
    for tail, head, *points in browser.execute_script(ENDS):
        for key, (x, y) in zip((tail, head), points, strict=True):
            left, top, right, bottom = boxes[key]["at"]
            assert left - 1 <= x <= right + 1
            assert (
                min(abs(y - top), abs(y - bottom), abs(x - left), abs(x - right)) < 8
            )  # an ellipse


@pytest.mark.parametrize("name", ["shared", "beside", "blocks"])
def test_every_argument_has_its_edge_when_all_is_open(name, opened):
    view = VIEWS[name]()
    browser = opened(view)
    for _ in range(3):
        browser.execute_script("$('unfold').click()")
    assert not browser.execute_script("return tree.clusters.some((c) => !c.open)")
    seen = sorted((tail, head) for tail, head, *_ in browser.execute_script(ENDS))
    assert seen == sorted((e.tail, e.head) for e in view.edges)
    assert len(browser.find_elements("css selector", "#graph .node")) == len(view.nodes)


def test_the_spine_of_a_network_is_straight(opened):
    layers = [layer for i in range(4) for layer in (nn.Linear(3 + i, 4 + i), nn.ReLU())]
    x = Tensor(np.ones((2, 3), "f4"), name="x")
    browser = opened(F.mse_loss(nn.Sequential(*layers)(x), np.zeros((2, 7), "f4")).draw())
    centres = browser.execute_script(
        "return picture.seen.filter((i) => !(i.folds && i.open)).map((i) => [i.data.kind, i.x])"
    )
    spine = [x for kind, x in centres if kind != "constant"]
    assert len(spine) >= 11
    assert max(spine) - min(spine) < 0.5


# ----------------------------------------------------------------------------------------- folding
def test_a_click_closes_and_opens_a_module_where_it_is(opened):
    browser = opened(stack(2, collapse_repeats=False))
    before = labels(browser)
    frame = item(browser, "blocks.0: Block")
    place = frame.find_element("css selector", ".handle").rect
    webdriver.ActionChains(browser).move_to_element_with_offset(
        frame.find_element("css selector", ".handle"), 0, 0
    ).click().perform()
    folder = item(browser, "blocks.0: Block")
    assert folder.get_attribute("aria-expanded") == "false"
    assert len(labels(browser)) < len(before)
    assert abs(folder.rect["y"] - place["y"]) < 12
    assert abs(folder.rect["x"] - place["x"]) < 12
    folder.click()
    assert labels(browser) == before
    assert item(browser, "blocks.0: Block").get_attribute("aria-expanded") == "true"


def test_fold_all_and_unfold_level_by_level(opened):
    browser = opened(stack(2, collapse_repeats=False))
    browser.find_element("id", "fold").click()
    outer = browser.execute_script("return tree.root.children.length")
    assert len(labels(browser)) == outer
    browser.find_element("id", "unfold").click()
    assert {"blocks.0: Block", "blocks.1: Block", "x"} & set(labels(browser))
    assert len(labels(browser)) > outer


# ------------------------------------------------------------------------------------------ search
def test_search_opens_centres_and_cycles(opened):
    browser = opened(stack(30, collapse_repeats=False, max_nodes=500))
    assert not [name for name in labels(browser) if name.startswith("blocks.17.")]
    press(browser, "/")
    assert browser.switch_to.active_element.get_attribute("id") == "search"
    press(browser, "blocks.17.linear.weight", "ENTER")
    assert browser.find_element("id", "found").text == "1 of 1"
    chosen = browser.find_element("css selector", ".chosen")
    assert chosen.get_attribute("aria-label").startswith("linear")
    window = browser.find_element("id", "graph").rect
    middle = chosen.rect["y"] + chosen.rect["height"] / 2
    assert abs(middle - window["y"] - window["height"] / 2) < 5
    search = browser.find_element("id", "search")
    search.clear()
    search.send_keys("relu", webdriver.Keys.ENTER)
    counts = []
    for keys in [(), ("ENTER",), ("ENTER",)]:
        press(browser, *keys)
        counts.append(browser.find_element("id", "found").text)
    assert counts == ["1 of 30", "2 of 30", "3 of 30"]
    search.send_keys(webdriver.Keys.SHIFT + webdriver.Keys.ENTER)
    assert browser.find_element("id", "found").text == "2 of 30"
    press(browser, "NULL", "no such name", "ENTER")
    assert browser.find_element("id", "found").text == "not found"
    press(browser, "ESCAPE")
    assert browser.switch_to.active_element.get_attribute("role") == "treeitem"


# ---------------------------------------------------------------------------------------- keyboard
def test_the_keyboard_goes_everywhere(opened):
    browser = opened(stack(2, collapse_repeats=False))
    order = labels(browser)
    for _ in range(20):
        press(browser, "TAB")
        if browser.switch_to.active_element.get_attribute("role") == "treeitem":
            break
    assert focused(browser) == order[0]
    halo = browser.switch_to.active_element.find_element("css selector", ".halo")
    assert halo.value_of_css_property("stroke") == "rgb(0, 114, 178)"  # the focus is seen
    press(browser, "ARROW_DOWN")
    assert focused(browser) == order[1]
    press(browser, "END")
    assert focused(browser) == order[-1]
    press(browser, "HOME", "ARROW_DOWN")
    module = next(name for name in order if name.startswith("blocks.0: Block"))
    for _ in range(order.index(module) - 1):
        press(browser, "ARROW_DOWN")
    assert focused(browser) == module
    press(browser, "ENTER")
    assert browser.switch_to.active_element.get_attribute("aria-expanded") == "false"
    press(browser, "ARROW_RIGHT")
    assert browser.switch_to.active_element.get_attribute("aria-expanded") == "true"
    assert labels(browser) == order
    press(browser, "ARROW_RIGHT", "ARROW_LEFT", "ARROW_LEFT")
    assert focused(browser) == module
    scale = browser.execute_script("return look.scale")
    press(browser, "+")
    assert browser.execute_script("return look.scale") == pytest.approx(scale * 1.25)
    items = browser.find_elements("css selector", "[role=treeitem]")
    assert [e.get_attribute("tabindex") for e in items].count("0") == 1


# ---------------------------------------------------------------------------------------- pointers
def test_hover_tells_and_drag_wheel_and_pinch_move(opened):
    with minigrad.debug():
        y = np.tanh(Tensor(np.ones((2, 3), "f4"), requires_grad=True, name="x") * 2)
    browser = opened(y.draw(gradients=True))
    chains = webdriver.ActionChains(browser)
    chains.move_to_element(item(browser, "tanh")).perform()
    panel = browser.find_element("id", "panel").text
    for fact in ("(2, 3)", "f32", "24 B", "|g| 1.0e+00", "test_page_browser.py:"):
        assert fact in panel
    before = browser.execute_script("return [look.x, look.y, look.scale]")
    svg = browser.find_element("id", "graph")
    chains.move_to_element_with_offset(svg, -300, 100).click_and_hold().move_by_offset(40, 25)
    chains.release().perform()
    after = browser.execute_script("return [look.x, look.y, look.scale]")
    assert after == pytest.approx([before[0] + 40, before[1] + 25, before[2]])
    wheel = {"type": "mouseWheel", "x": 300, "y": 400, "deltaX": 0, "deltaY": 120}
    browser.execute_cdp_cmd("Input.dispatchMouseEvent", wheel)
    browser.execute_async_script(PAINTED)
    assert browser.execute_script("return look.y") == pytest.approx(after[1] - 120)
    browser.execute_cdp_cmd("Input.dispatchMouseEvent", {**wheel, "modifiers": 2, "deltaY": -120})
    browser.execute_async_script(PAINTED)
    zoomed = browser.execute_script("return look.scale")
    assert zoomed > after[2] * 1.2
    for kind, apart in (("touchStart", 50), ("touchMove", 60), ("touchMove", 100)):
        points = [{"x": 600 + sign * apart, "y": 400, "id": n} for n, sign in enumerate((-1, 1))]
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert browser.execute_script("return look.scale") == pytest.approx(zoomed * 2, rel=0.05)


# ------------------------------------------------------------------------------------------- speed
def test_a_thousand_operations_answer_within_a_second(opened):
    view = stack(100, collapse_repeats=False, max_nodes=5000)
    assert view.whole.ops > 1000
    browser = opened(view)
    assert browser.execute_script(LOADED) < 1
    found = "tree.clusters.find((c) => c.data.text.startsWith('blocks.3:'))"
    toggled = f"const c = {found}; reveal(c); toggle(c)"
    assert seconds(browser, toggled) < 1
    assert seconds(browser, "$('search').value = 'blocks.42.linear.bias'; search(); cycle(1)") < 1
    assert seconds(browser, "tree.clusters.forEach((c) => { c.open = true }); render()", 1) < 5
    assert seconds(browser, toggled) < 1  # with a thousand boxes in sight


def test_ten_thousand_operations_open_folded(opened):
    browser = opened(chain(10_000).draw(max_nodes=20_000, collapse_repeats=False))
    assert browser.execute_script(LOADED) < 1
    assert len(labels(browser)) < 70
    assert seconds(browser, "$('search').value = 'op7777_'; search()") < 1
    assert browser.find_element("id", "found").text == "1 of 1"


# ------------------------------------------------------------------------------------------- looks
def test_names_are_text_whatever_is_in_them(opened):
    view = (Tensor([1.0], requires_grad=True, name=HOSTILE) * 2).draw(title=HOSTILE)
    browser = opened(view)
    assert browser.title != "owned"
    shown = browser.execute_script("return $('title').textContent.toWellFormed()")
    assert shown == HOSTILE.replace("\ud800", "\ufffd")
    assert len(browser.find_elements("tag name", "script")) == 2
    assert not browser.find_elements("tag name", "b")


@pytest.mark.parametrize(
    ("scheme", "width", "text", "page"),
    [
        ("light", 1200, "rgb(26, 26, 26)", "rgba(255, 255, 255, 1)"),
        ("dark", 1200, "rgb(236, 236, 236)", "rgba(30, 30, 30, 1)"),
        ("light", 390, "rgb(26, 26, 26)", "rgba(255, 255, 255, 1)"),
    ],
)
def test_colours_follow_the_reader_and_nothing_is_wider_than_a_phone(
    scheme, width, text, page, opened
):
    browser = opened(stack(3), width=width, scheme=scheme)
    heading = browser.find_element("css selector", ".op .heading")
    assert heading.value_of_css_property("fill") == text
    assert (
        browser.find_element("tag name", "body").value_of_css_property("background-color") == page
    )
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    graph = browser.find_element("id", "graph").rect
    assert graph["height"] > 400
    first = browser.find_element("css selector", "[role=treeitem]").rect
    assert graph["x"] <= first["x"] < first["x"] + first["width"] <= graph["x"] + graph["width"]


def test_the_button_leads_to_the_first_nan(opened):
    view = chain(200, nan_at=150).draw()
    browser = opened(view, width=390)
    browser.find_element("id", "bad").click()
    assert focused(browser) == "log"
    box, panel = (
        e.rect for e in (browser.switch_to.active_element, browser.find_element("id", "panel"))
    )
    assert box["y"] + box["height"] < panel["y"]
    assert "first NaN" in browser.find_element("id", "panel").text
    assert data_of(browser.page_source)["title"] == view.whole.title


@pytest.mark.parametrize("width", [390, 1280])
def test_names_of_200_letters_begin_on_the_screen(width, opened):
    net = nn.Sequential(nn.Sequential(nn.Linear(4, 5)))
    net.__dict__["m" * 200] = nn.Linear(5, 5)
    net.forward = lambda x: getattr(net, "m" * 200)(net[0](x))
    x = Tensor(np.ones((3, 4), "f4"), name="x" * 200)
    y = np.tanh(net(x))
    y.name = "層" * 200
    browser = opened(y.sum().draw(params=net), width=width, height=844)
    texts = "[...document.querySelectorAll('#graph text')]"
    script = f"return {texts}.map((text) => text.getBoundingClientRect().left)"
    assert min(browser.execute_script(script)) >= 0
