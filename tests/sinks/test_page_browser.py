"""The page in a real browser: what is to be seen, and what pointer, touch and keys do."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from chromium import Chromium

from realtime import Control, Frame, StreamInfo
from realtime.control import ControlState
from realtime.frame import RGB, Samples
from realtime.report import Report
from realtime.sinks.page import Page, pictures

pytestmark = pytest.mark.needs("chromium")

WIDTH, HEIGHT = 320, 180
AFTER, BEFORE = (200, 120, 60), (20, 30, 40)
LEFT, UP, HOME, TAB = 37, 38, 36, 9


class Stream:
    """A page with a camera that films one color."""

    def __init__(self, port: int = 0) -> None:
        self.info = StreamInfo(WIDTH, HEIGHT, RGB, live=True, name="garden")
        self.control = Control()
        self.page = Page("127.0.0.1", port, self.control, "a-token-of-ours", ["exact", "fast"])
        self.page.open(self.info)
        self.show(AFTER, BEFORE)

    def show(self, after: tuple[int, int, int], before: tuple[int, int, int]) -> None:
        original, picture = (np.full((HEIGHT, WIDTH, 3), color, np.uint8) for color in (before, after))
        self.page.write(Frame((picture,), original=Frame((original,))))

    def close(self) -> None:
        self.page.close()


@pytest.fixture
def stream() -> Iterator[Stream]:
    with closing(Stream()) as stream:
        yield stream


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Chromium, stream: Stream) -> Iterator[Chromium]:
    """A browser in which the page shows its first picture."""
    chromium.size(1280, 800)
    chromium.events.clear()
    chromium.open(stream.page.address)
    chromium.wait_until("document.body.dataset.link === 'live' && shown")
    yield chromium
    chromium.open("about:blank")


def color_at(picture: Samples, x: float, y: float) -> tuple[int, ...]:
    return tuple(int(v) for v in picture[round(y), round(x)])


def wait_for_color(browser: Chromium, x: float, y: float, color: tuple[int, int, int]) -> None:
    """Returns when that color is to be seen there; JPEG may change it a little."""
    while not np.allclose(seen := color_at(browser.screenshot(), x, y), color, atol=4):
        # Pictures come within a frame or two; the test's own time limit ends this loop.
        assert browser.evaluate("new Promise((done) => requestAnimationFrame(() => done(true)))"), seen


def box(browser: Chromium) -> tuple[float, float, float, float]:
    """Left, top, width and height of the picture on the screen."""
    left, top, width, height = browser.evaluate(
        "(() => { const box = $('view').getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; })()"
    )
    return left, top, width, height


def compare(browser: Chromium) -> None:
    browser.click("#compare")
    browser.wait_until("shown.before")


def test_the_picture_is_to_be_seen_in_its_shape(browser: Chromium, stream: Stream) -> None:
    left, top, width, height = box(browser)
    assert width / height == pytest.approx(16 / 9, rel=0.01)
    assert width > 900
    for x, y in ((left + 3, top + 3), (left + width - 4, top + height - 4), (left + width / 2, top + height / 2)):
        wait_for_color(browser, x, y, AFTER)
    assert browser.evaluate("$('name').textContent") == "garden"
    stream.show((10, 200, 90), BEFORE)
    wait_for_color(browser, left + width / 2, top + height / 2, (10, 200, 90))


def test_nothing_comes_from_elsewhere_and_nothing_complains(browser: Chromium, stream: Stream) -> None:
    requested = [p["request"]["url"] for method, p in browser.events if method == "Network.requestWillBeSent"]
    hosts = {urlsplit(url).netloc for url in requested if not url.startswith("data:")}
    assert hosts == {urlsplit(stream.page.address).netloc}
    assert {urlsplit(url).path for url in requested if not url.startswith("data:")} >= {"/", "/page.css", "/page.js"}
    complaints = [p for method, p in browser.events if method in ("Log.entryAdded", "Runtime.exceptionThrown")]
    assert complaints == []
    assert "token" not in browser.evaluate("location.href")


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_the_mouse_drags_the_divider(browser: Chromium, share: float) -> None:
    compare(browser)
    left, top, width, height = box(browser)
    y = top + height / 4
    x, handle_y = browser.center("#divider")
    browser.mouse("mousePressed", x, handle_y)
    for step in (0.4, 0.5, share):
        browser.mouse("mouseMoved", left + step * width, handle_y)
    browser.mouse("mouseReleased", left + share * width, handle_y, pressed=False)
    wait_for_color(browser, left + share * width - 12, y, BEFORE)
    wait_for_color(browser, left + share * width + 12, y, AFTER)
    browser.mouse("mouseMoved", left + width / 2, y, pressed=False)  # without the button it stays
    assert browser.evaluate("divider") == pytest.approx(share, abs=0.002)
    assert browser.evaluate("$('divider').getAttribute('aria-valuenow')") == str(round(100 * share))


def test_a_finger_drags_the_divider(browser: Chromium) -> None:
    browser.size(320, 480, telephone=True)  # so small that the page scrolls
    compare(browser)
    left, top, width, height = box(browser)
    y = top + height / 4
    browser.touch("touchStart", (left + width / 2, top + 0.9 * height))
    for share, down in ((0.5, 0.6), (0.45, 0.3), (0.3, 0.2)):  # upwards first, which would scroll elsewhere
        browser.touch("touchMove", (left + share * width, top + down * height))
    browser.touch("touchEnd")
    assert browser.evaluate("document.documentElement.scrollHeight > innerHeight && scrollY === 0")
    wait_for_color(browser, left + 0.3 * width - 12, y, BEFORE)
    wait_for_color(browser, left + 0.3 * width + 12, y, AFTER)


def test_keys_move_the_divider(browser: Chromium) -> None:
    compare(browser)
    browser.evaluate("$('divider').focus()")
    for _ in range(10):
        browser.key("ArrowLeft", LEFT)
    assert browser.evaluate("divider") == pytest.approx(0.4)
    browser.key("Home", HOME)
    left, top, _, height = box(browser)
    wait_for_color(browser, left + 40, top + height / 4, AFTER)


@pytest.mark.parametrize("name", ["strength", "exposure_bias"])
def test_a_slider_changes_the_control(browser: Chromium, stream: Stream, name: str) -> None:
    x, y = browser.center(f"#{name}")
    browser.mouse("mousePressed", x, y)
    browser.mouse("mouseMoved", x - 60, y)
    browser.mouse("mouseReleased", x - 60, y, pressed=False)
    value = browser.evaluate(f"Number($('{name}').value)")
    before = getattr(ControlState(), name)
    assert before - 1.5 < value < before
    await_control(browser, stream, **{name: value})


def await_control(browser: Chromium, stream: Stream, **fields: object) -> None:
    """Returns when the control has these values; the command is on its way."""
    while stream.control.state != ControlState(**fields):  # type: ignore[arg-type]
        browser.evaluate("new Promise((done) => setTimeout(() => done(true), 10))")


def test_the_button_switches_the_enhancement(browser: Chromium, stream: Stream) -> None:
    browser.click("#enhanced")
    browser.wait_until("$('enhanced').getAttribute('aria-pressed') === 'false'")
    await_control(browser, stream, enhanced=False)
    assert browser.evaluate("$('strength').disabled") is True
    browser.click("#enhanced")
    browser.wait_until("$('enhanced').getAttribute('aria-pressed') === 'true'")
    await_control(browser, stream, enhanced=True)


def test_what_others_change_is_shown(browser: Chromium, stream: Stream) -> None:
    stream.control.update(strength=0.4, exposure_bias=1.5)
    browser.wait_until("$('strength').value === '0.4' && $('exposure_bias').value === '1.5'")
    assert browser.evaluate("$('strength-value').textContent") == "40 %"
    assert browser.evaluate("$('exposure_bias-value').textContent") == "+1.5 stops"


def test_a_snapshot_is_downloaded(browser: Chromium, tmp_path: Path) -> None:
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path), eventsEnabled=True)
    compare(browser)
    browser.evaluate("moveDivider(0.25)")
    browser.click("#snapshot")
    browser.wait_for_event(lambda name, p: name == "Browser.downloadProgress" and p["state"] == "completed")
    [path] = tmp_path.iterdir()
    assert re.fullmatch(r"realtime-\d{8}-\d{6}\.png", path.name)
    picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert color_at(picture, 0.2 * WIDTH, 20) == BEFORE
    assert color_at(picture, 0.3 * WIDTH, 20) == AFTER


def test_a_recording_is_marked_on_the_picture(browser: Chromium, stream: Stream) -> None:
    left, top, width, _ = box(browser)
    assert browser.evaluate("$('recording').offsetParent === null")
    stream.info.events.publish("recording_started", path="a.mkv")
    browser.wait_until("$('recording').offsetParent")
    x, y = browser.center("#recording")
    assert left + 0.8 * width < x < left + width
    assert top < y < top + 40
    stream.info.events.publish("recording_finished", path="a.mkv")
    browser.wait_until("$('recording').offsetParent === null")


def test_an_engine_that_loads_and_a_fixed_exposure_are_told(browser: Chromium, stream: Stream) -> None:
    stream.page.set_status(Report("fast", "cpu", "uint8", WIDTH, HEIGHT, 300, None, 4, 10.0, None, ()))
    stream.info.events.publish("engine_loading", engine="exact")
    browser.wait_until("$('engine').selectedOptions[0].text === 'exact, loads …'")
    assert browser.evaluate("[...$('engine').options].map((option) => option.text)") == ["exact, loads …", "fast (cpu)"]
    stream.info.events.publish("engine_failed", engine="exact", stays="fast", reason="no such library")
    browser.wait_until("$('engine').selectedOptions[0].text === 'fast (cpu)'")
    stream.info.events.publish("engine_changed", engine="exact")  # while the stream is paused: no new figures
    browser.wait_until("$('engine').selectedOptions[0].text === 'exact (cpu)'")
    assert browser.evaluate("$('exposure_bias').disabled") is False
    stream.control.update(exposure="off")
    browser.wait_until("$('exposure_bias-value').textContent === 'off'")
    assert browser.evaluate("$('exposure_bias').disabled") is True


def test_figures_are_shown(browser: Chromium, stream: Stream) -> None:
    stream.page.set_status(
        Report("fast", "cpu", "uint8", WIDTH, HEIGHT, 300, None, 4, 10.0, {"p50": 12.4, "p95": 19.7}, ())
    )
    browser.wait_until("$('fps').textContent === '30.0 fps'")
    browser.wait_until("$('engine').selectedOptions[0].text === 'fast (cpu)'")
    assert browser.evaluate("['delay', 'dropped'].map((id) => $(id).textContent)") == ["12 / 20 ms", "4"]


def test_an_engine_is_chosen(browser: Chromium, stream: Stream) -> None:
    assert browser.evaluate("$('engine').disabled") is True
    stream.page.set_status(Report("fast", "cpu", "uint8", WIDTH, HEIGHT, 300, None, 4, 10.0, None, ()))
    browser.wait_until("!$('engine').disabled")
    browser.evaluate("$('engine').focus()")
    browser.key("ArrowUp", UP)
    await_control(browser, stream, engine="exact")


def test_a_lost_stream_is_gray_and_says_so(browser: Chromium, stream: Stream) -> None:
    left, top, _, _ = box(browser)
    stream.info.link.lost("garden is lost: no frame for 5 s\ntrying again in 2 s")
    browser.wait_until("document.body.dataset.link === 'lost'")
    assert "trying again in 2 s" in browser.evaluate("$('message').innerText")
    seen = color_at(browser.screenshot(), left + 10, top + 10)
    assert max(seen) - min(seen) <= 2
    assert 30 < seen[0] < 100
    stream.info.link.restored()
    browser.wait_until("document.body.dataset.link === 'live'")
    wait_for_color(browser, left + 10, top + 10, AFTER)
    assert browser.evaluate("getComputedStyle($('message')).display") == "none"


def test_it_comes_back_when_the_program_does(browser: Chromium, stream: Stream) -> None:
    port = urlsplit(stream.page.address).port
    assert port is not None
    stream.close()
    browser.wait_until("document.body.dataset.link === 'ended'")
    for _ in range(2):
        assert browser.evaluate("$('message').textContent") == "The stream has ended."
        browser.evaluate("connect(); true")  # as it does now and then; nobody answers
        browser.wait_until("socket.readyState === WebSocket.CLOSED")
    with closing(Stream(port)) as again:
        again.show((10, 200, 90), BEFORE)
        browser.evaluate("connect(); true")
        browser.wait_until("document.body.dataset.link === 'live'")
        left, top, width, height = box(browser)
        wait_for_color(browser, left + width / 2, top + height / 2, (10, 200, 90))


def test_a_line_that_is_dead_is_noticed(browser: Chromium, stream: Stream) -> None:
    """It closes nothing: nothing is heard any more. Here the page is made to believe that."""
    browser.evaluate("socket.onmessage = null; heard = -Infinity; true")
    browser.wait_until("document.body.dataset.link === 'offline'")
    assert "No connection" in browser.evaluate("$('message').textContent")
    browser.wait_until("document.body.dataset.link === 'live'")


def test_a_fast_stream_is_followed_to_its_last_frame(browser: Chromium, stream: Stream) -> None:
    for level in range(256):
        stream.show((level, level, 255 - level), BEFORE)
    left, top, width, height = box(browser)
    wait_for_color(browser, left + width / 2, top + height / 2, (255, 255, 0))


def test_a_hidden_page_asks_for_nothing(browser: Chromium, stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers stop the animation frames of hidden pages; here they are stopped by hand."""
    browser.evaluate("window.requestAnimationFrame = () => 0; true")
    encoded = threading.Semaphore(0)
    calls: list[int] = []
    encode = pictures.encode_jpeg

    def watched(frame: Frame) -> bytes:
        calls.append(frame.pts)
        encoded.release()
        return encode(frame)

    monkeypatch.setattr(pictures, "encode_jpeg", watched)
    for _ in range(2):
        stream.show(AFTER, BEFORE)
        assert encoded.acquire(timeout=60)
    for _ in range(20):
        stream.show(AFTER, BEFORE)
    stream.control.update(strength=0.3)
    browser.wait_until("$('strength').value === '0.3'")  # what is sent after the pictures
    assert len(calls) == 2


SCREENS = [(1280, 800, False), (390, 844, True), (844, 390, True), (320, 568, True), (568, 320, True)]


@pytest.mark.parametrize(("width", "height", "telephone"), SCREENS)
def test_it_fits_the_screen(browser: Chromium, width: int, height: int, telephone: bool) -> None:
    browser.size(width, height, telephone)
    browser.evaluate("$('name').textContent = '/home/somebody/recordings/of/last/night/front_door_1920x1080.mp4'; true")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    _, top, shown_width, shown_height = box(browser)
    assert top + shown_height <= height + 1
    assert shown_width >= (width - 20 if height > width else 0.59 * width)
    if height != 320:  # all but the figures of the smallest is seen without scrolling
        assert browser.evaluate("$('exposure_bias').getBoundingClientRect().bottom") <= height
    state = browser.evaluate("(() => { const box = $('state').getBoundingClientRect(); return box.right; })()")
    assert state <= width, "beside a long name"
    sizes = browser.evaluate(
        "[...document.querySelectorAll('button, .button, input, select')].filter((e) => e.offsetParent)"
        ".map((e) => [e.id, e.getBoundingClientRect().height, e.scrollWidth - e.clientWidth])"
    )
    assert len(sizes) == 7
    assert all(height >= 44 and overflow <= 0 for _, height, overflow in sizes), sizes


def test_everything_has_a_name_for_screen_readers_and_is_reached_by_tab(browser: Chromium, stream: Stream) -> None:
    compare(browser)
    stream.page.set_status(Report("fast", "cpu", "uint8", WIDTH, HEIGHT, 300, None, 4, 10.0, None, ()))
    browser.wait_until("!$('engine').disabled")
    browser.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(18):  # twice round, with the browser's own stop in between
        browser.key("Tab", TAB)
        reached.add(browser.evaluate("document.activeElement.id"))
    buttons = {"enhanced", "compare", "snapshot", "fullscreen"}
    assert reached - {""} == buttons | {"divider", "strength", "exposure_bias", "engine"}
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    named = {(n["role"]["value"], n.get("name", {}).get("value")) for n in tree if not n["ignored"]}
    assert named >= {
        ("slider", "Strength"), ("slider", "Exposure"), ("slider", "Divider between before and after"),
        ("button", "Enhance"), ("button", "Before / after"), ("link", "Snapshot"), ("button", "Full screen"),
        ("combobox", "Engine"),
    }  # fmt: skip
