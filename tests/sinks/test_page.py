"""The page without a browser: who gets in, what is encoded, and what viewers that behave badly cost."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar, WSMsgType, WSServerHandshakeError
from doubles import Echo, RecordingSink, ScriptedSource

from realtime import Control, Frame, SettingError, SinkError, StreamInfo
from realtime.control import ControlState
from realtime.events import Event
from realtime.frame import RGB, PixelFormat
from realtime.pipeline import run
from realtime.report import OutputReport, Report
from realtime.sinks.overlay import View, compose
from realtime.sinks.page import Page, parse_address, pictures, server
from realtime.sinks.page.access import Access, is_loopback
from realtime.sinks.page.status import Status

WIDTH, HEIGHT = 160, 120
INFO = StreamInfo(WIDTH, HEIGHT, RGB, live=True, name="garden")
TOKEN = "open sesame"


def frame(level: int, before: int | None = None) -> Frame:
    """A gray frame, and what it was before."""
    original = None if before is None else Frame((np.full((HEIGHT, WIDTH, 3), before, np.uint8),))
    return Frame((np.full((HEIGHT, WIDTH, 3), level, np.uint8),), pts=level, original=original)


@pytest.fixture
def page() -> Iterator[Page]:
    with closing(Page("127.0.0.1", 0, Control())) as page:
        page.open(StreamInfo(WIDTH, HEIGHT, RGB, live=True, name="garden"))
        yield page


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The timestamps of the frames that were encoded."""
    calls: list[int] = []
    encode = pictures.encode_jpeg

    def watched(frame: Frame) -> bytes:
        calls.append(frame.pts)
        return encode(frame)

    monkeypatch.setattr(pictures, "encode_jpeg", watched)
    return calls


class Client:
    """What page.js does, in Python: one viewer."""

    def __init__(self, stream: ClientWebSocketResponse[bool]) -> None:
        self.stream = stream
        self.statuses: list[dict[str, Any]] = []

    async def send(self, **command: Any) -> None:
        await self.stream.send_str(json.dumps(command))

    async def picture(self) -> tuple[int, int, int | None]:
        """The next picture: its number, and the levels of its middle after and before."""
        while (message := await self.stream.receive()).type is not WSMsgType.BINARY:
            assert message.type is WSMsgType.TEXT, message
            self.statuses.append(json.loads(message.data))
        number, length = struct.unpack(">II", message.data[:8])
        after, before = (message.data[8:][part] for part in (slice(length), slice(length, None)))
        return number, middle(after), middle(before) if before else None

    async def status(self, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next status that matches."""
        while True:
            message = await self.stream.receive()
            assert message.type in (WSMsgType.TEXT, WSMsgType.BINARY), message
            if message.type is WSMsgType.TEXT and matches(status := json.loads(message.data)):
                return dict(status)


def middle(jpeg: bytes) -> int:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return round(float(picture[HEIGHT // 2, WIDTH // 2].mean()))


@asynccontextmanager
async def viewer(page: Page, **headers: str) -> AsyncIterator[Client]:
    """A viewer whose Origin is the page itself."""
    parts = urlsplit(page.address)
    headers = {"Origin": f"http://{parts.netloc}", **headers}
    address = f"ws://{parts.netloc}/stream" + (f"?{parts.query}" if parts.query else "")
    async with ClientSession() as session, session.ws_connect(address, headers=headers) as stream:
        yield Client(stream)


def within_deadline(test: Awaitable[None]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test, 60)

    asyncio.run(limited())


async def written(page: Page, picture: Frame) -> None:
    await asyncio.to_thread(page.write, picture)


def test_several_viewers_cost_one_encode(page: Page, encoded: list[int]) -> None:
    async def test() -> None:
        async with viewer(page) as first, viewer(page) as second, viewer(page) as third:
            for level in range(100, 120):
                await written(page, frame(level))
                for client in (first, second, third):
                    assert (await client.picture())[1] == pytest.approx(level, abs=1)
                    await client.send(ack=1)

    within_deadline(test())
    assert encoded == list(range(100, 120))


def test_the_end_is_told_before_the_page_is_closed(page: Page) -> None:
    """A recording beside it may take long to finish. Who comes until then hears it too."""

    async def test() -> None:
        async with viewer(page) as first:
            await written(page, frame(100))
            await first.picture()
            page.end()
            while (message := await first.stream.receive()).type is WSMsgType.TEXT:
                pass
            assert (message.type, message.extra) == (WSMsgType.CLOSE, "ended")
            async with viewer(page) as late:
                message = await late.stream.receive()
                assert (message.type, message.extra) == (WSMsgType.CLOSE, "ended")

    within_deadline(test())


def test_without_viewers_nothing_is_encoded(page: Page, encoded: list[int]) -> None:
    for level in range(50):
        page.write(frame(level))
    assert encoded == []


def test_slow_encoding_is_shared_and_then_skips_to_the_present(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def slow(frame: Frame) -> bytes:
        assert go_on.wait(60)
        return str(frame.pts).encode()

    monkeypatch.setattr(pictures, "encode_jpeg", slow)

    async def test() -> None:
        shots = pictures.Pictures()
        shots.put(frame(100))
        first = shots.newer_than(0)
        assert first is not None
        leaves, stays = (asyncio.ensure_future(first.jpegs(False)) for _ in range(2))
        await asyncio.sleep(0)
        shots.put(frame(101))
        shots.put(frame(102))
        assert shots.newer_than(0) is first  # no second encoding beside it
        leaves.cancel()
        go_on.set()
        assert await stays == (b"100", b"")
        last = shots.newer_than(0)
        assert last is not None
        assert await last.jpegs(False) == (b"102", b"")
        assert shots.newer_than(last.number) is None

    within_deadline(test())


def test_who_comes_late_sees_the_newest_picture_at_once(page: Page) -> None:
    async def test() -> None:
        for level in (50, 60, 70):
            await written(page, frame(level))
        async with viewer(page) as client:
            assert await client.picture() == (3, 70, None)

    within_deadline(test())


def test_what_a_picture_was_before_is_sent_to_whom_compares(page: Page, encoded: list[int]) -> None:
    async def test() -> None:
        async with viewer(page) as plain, viewer(page) as comparing:
            await written(page, frame(200, before=20))
            assert await plain.picture() == (1, 200, None)
            assert await comparing.picture() == (1, 200, None)
            assert encoded == [200]
            # The same picture again: a stream that stands still can be compared too.
            await comparing.send(compare=True)
            assert await comparing.picture() == (1, 200, 20)
            assert len(encoded) == 2

    within_deadline(test())


def test_before_may_have_another_pixel_format(page: Page) -> None:
    planes = PixelFormat("yuv", 8, (2, 2), "bt601", full_range=True)
    original = Frame(tuple(np.full(s, 128, np.uint8) for s in planes.shapes(WIDTH, HEIGHT)), planes)

    async def test() -> None:
        async with viewer(page) as client:
            await client.send(compare=True)
            picture = frame(200)
            await written(page, Frame(picture.planes, original=original))
            while (before := (await client.picture())[2]) is None:  # the first may come before the wish
                await client.send(ack=1)
            assert before == pytest.approx(128, abs=1)

    within_deadline(test())


def test_a_viewer_that_acknowledges_nothing_gets_no_more_than_two(page: Page) -> None:
    async def test() -> None:
        async with viewer(page) as silent, viewer(page) as lively:
            for number in range(1, 31):
                await written(page, frame(number))
                assert (await lively.picture())[0] == number
                await lively.send(ack=number)
            await silent.send(set={"strength": 0.5})
            received = 0
            while (message := await silent.stream.receive()).type is WSMsgType.BINARY or (
                json.loads(message.data)["strength"] != 0.5
            ):
                received += message.type is WSMsgType.BINARY
            assert received == 2
            # It comes back to the present, not to what it missed.
            await silent.send(ack=1)
            assert (await silent.picture())[0] == 30

    within_deadline(test())


def handshake(page: Page) -> socket.socket:
    """The connection of a viewer that will never read."""
    parts = urlsplit(page.address)
    assert parts.hostname is not None
    connection = socket.create_connection((parts.hostname, parts.port or 80))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lines = [
        "GET /stream HTTP/1.1", f"Host: {parts.netloc}", f"Origin: http://{parts.netloc}", "Connection: Upgrade",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
    ]  # fmt: skip
    connection.sendall("\r\n".join(lines).encode())
    assert connection.recv(12) == b"HTTP/1.1 101"
    return connection


def test_a_viewer_that_never_reads_costs_the_others_nothing(page: Page) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1080, 1920, 3), np.uint8)  # megabytes as JPEG

    async def test() -> None:
        async with viewer(page) as client:
            for number in range(1, 13):
                await written(page, Frame((noise,)))
                assert (await client.picture())[0] == number
                await client.send(ack=number)

    with handshake(page), handshake(page):
        within_deadline(test())
        page.close()  # while both still do not read


def test_a_viewer_that_is_gone_without_a_word_is_forgotten(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEARTBEAT", 0.2)
    monkeypatch.setattr(server, "MOST_VIEWERS", 1)
    refused: list[int] = []

    async def test() -> None:
        while True:
            try:
                async with viewer(page):
                    break
            except WSServerHandshakeError as error:
                refused.append(error.status)
                await asyncio.sleep(0.05)

    with handshake(page):
        within_deadline(test())
    assert set(refused) == {503}  # until it was forgotten


def test_viewers_change_the_control_and_hear_of_it(page: Page) -> None:
    async def test() -> None:
        async with viewer(page) as hand, viewer(page) as eye:
            await hand.send(set={"strength": 0.25, "exposure_bias": -1, "enhanced": False})
            state = await eye.status(lambda status: status["strength"] == 0.25)
            assert state["exposure_bias"] == -1
            assert state["enhanced"] is False

    within_deadline(test())
    assert page._control.state == ControlState(enhanced=False, strength=0.25, exposure_bias=-1)


def test_only_an_engine_that_there_is_can_be_chosen() -> None:
    async def test(page: Page) -> None:
        async with viewer(page) as client:
            await client.send(set={"engine": "magic"})
            assert "cannot be set" in (await client.status(lambda status: "error" in status))["error"]
            await client.send(set={"engine": "exact", "strength": 0.5})
            await client.status(lambda status: status.get("strength") == 0.5)

    control = Control()
    with closing(Page("127.0.0.1", 0, control, engines=("exact", "fast"))) as page:
        page.open(StreamInfo(WIDTH, HEIGHT, RGB, live=True, name="garden"))
        within_deadline(test(page))
    assert control.state.engine == "exact"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ('{"set": {"strength": 1.5}}', "outside 0..1"),
        ('{"set": {"strength": NaN}}', "outside 0..1"),
        ('{"set": {"strength": "1"}}', "strength '1' cannot be set"),
        ('{"set": {"strength": true}}', "cannot be set"),
        ('{"set": {"exposure_bias": 7}}', "outside -6..6"),
        ('{"set": {"enhanced": 1}}', "cannot be set"),
        ('{"set": {"engine": "exact"}}', "cannot be set"),
        ('{"set": 3}', "JSON object"),
        ("[]", "JSON object"),
        ("3", "JSON object"),
        ("nonsense", "Expecting value"),
        ('{"set": {"strength": 1, "exposure_bias": 1e400}}', "outside -6..6"),
    ],
)
def test_a_wrong_command_changes_nothing_and_is_answered(page: Page, command: str, reason: str) -> None:
    async def test() -> None:
        async with viewer(page) as client:
            await client.stream.send_str(command)
            assert reason in (await client.status(lambda status: "error" in status))["error"]
            await client.send(set={"strength": 0.5})  # the connection goes on
            await client.status(lambda status: status.get("strength") == 0.5)

    within_deadline(test())
    assert page._control.state == ControlState(strength=0.5)


def test_a_lost_stream_is_told_and_its_return_too() -> None:
    info = StreamInfo(WIDTH, HEIGHT, RGB, live=True)

    async def test(page: Page) -> None:
        async with viewer(page) as client:
            assert (await client.status(lambda status: True))["connected"] is True
            info.link.lost("no frame for 5 s")
            assert (await client.status(lambda status: not status["connected"]))["message"] == "no frame for 5 s"
            info.link.restored()
            assert (await client.status(lambda status: status["connected"]))["message"] == ""

    with closing(Page("127.0.0.1", 0, Control())) as page:
        page.open(info)
        within_deadline(test(page))


def report(frames: int, seconds: float) -> Report:
    outputs = (OutputReport("window", frames, 0), OutputReport("page 2", frames, 7))
    delay = {"p50": 11.0, "p95": 22.0}
    return Report("fast", "cpu", "uint8", WIDTH, HEIGHT, frames, None, 3, seconds, delay, (), outputs)


def test_figures_are_those_of_the_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("realtime.sinks.page.status.perf_counter", lambda: now)
    status = Status(INFO, Control())
    assert json.loads(status.text())["figures"] is None
    for step in range(100):  # 10 s at 30 fps, then 10 s at 15
        now = 0.1 + step / 5
        status.update(report(frames=round(30 * min(now, 10) + 15 * max(now - 10, 0)), seconds=now))
    figures = json.loads(status.text())["figures"]
    assert figures["fps"] == pytest.approx(15, abs=0.5)
    assert figures["engine"] == "fast"
    assert figures["latency_ms"] == {"p50": 11.0, "p95": 22.0}
    assert (figures["dropped"], figures["dropped_by"]) == (3, {"page 2": 7})
    now += 5
    assert json.loads(status.text())["figures"]["fps"] == 0


def test_figures_reach_the_viewers(page: Page) -> None:
    async def test() -> None:
        async with viewer(page) as client:
            await client.status(lambda status: status["figures"] is None)
            page.set_status(report(90, 3.0))
            status = await client.status(lambda status: status["figures"] is not None)
            assert status["figures"]["fps"] == 30.0

    within_deadline(test())


def test_pixels_that_are_not_square_are_told() -> None:
    from fractions import Fraction

    info = StreamInfo(720, 576, sample_aspect_ratio=Fraction(64, 45))
    assert json.loads(Status(info, Control()).text())["aspect"] == pytest.approx(16 / 9)


async def statuses(page: Page, token: str | None, **headers: str) -> dict[str, int]:
    """The HTTP status of each route, also one that is not there, and of the websocket."""
    parts = urlsplit(page.address)
    query = "" if token is None else f"?token={token}"
    found = {}
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        for route in ("/page.css", "/page.js", "/snapshot.png", "/nowhere", "/"):
            async with session.get(f"http://{parts.netloc}{route}{query}", headers=headers) as response:
                found[route] = response.status
        with suppress(WSServerHandshakeError):
            found["/stream"] = 403
            session.cookie_jar.clear()
            headers = {"Origin": f"http://{parts.netloc}", **headers}
            async with session.ws_connect(f"ws://{parts.netloc}/stream{query}", headers=headers):
                found["/stream"] = 101
    return found


def test_every_route_wants_the_token() -> None:
    info = StreamInfo(WIDTH, HEIGHT, RGB, live=True)

    async def test(page: Page) -> None:
        for wrong in (None, "", "open sesam", "open sesame ", "öffne dich", "\udcff"):
            refused = await statuses(page, wrong.encode(errors="replace").decode() if wrong else wrong)
            assert set(refused.values()) == {403}, wrong
            assert set(refused) == {"/page.css", "/page.js", "/snapshot.png", "/nowhere", "/", "/stream"}
        let_in = await statuses(page, TOKEN)
        assert let_in == {
            "/page.css": 200, "/page.js": 200, "/snapshot.png": 200, "/nowhere": 404, "/": 200, "/stream": 101,
        }  # fmt: skip

    with closing(Page("127.0.0.1", 0, Control(), TOKEN)) as page:
        page.open(info)
        page.write(frame(100))
        within_deadline(test(page))


def test_the_token_goes_from_the_address_into_a_cookie() -> None:
    async def test(page: Page) -> None:
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
            async with session.get(page.address) as response:
                assert response.status == 200
                assert response.url.query_string == ""
                cookie = response.history[0].headers["Set-Cookie"]
                assert "HttpOnly" in cookie
                assert "SameSite=Lax" in cookie
            async with session.get(page.address.partition("?")[0] + "page.js") as response:
                assert response.status == 200

    with closing(Page("127.0.0.1", 0, Control(), "a-token-of-ours")) as page:
        page.open(INFO)
        within_deadline(test(page))


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "[", ""])
def test_a_foreign_name_for_this_machine_is_refused(page: Page, host: str) -> None:
    port = urlsplit(page.address).port
    found: dict[str, int] = {}

    async def test() -> None:
        found.update(await statuses(page, None, Host=host.format(port=port)))

    within_deadline(test())
    assert set(found.values()) == {403}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:{port}", "LOCALHOST", "[::1]:{port}", "192.168.1.7"])
def test_own_names_are_accepted(host: str) -> None:
    assert Access("127.0.0.1", 0, None).allows_host(host.format(port=80))


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "", "http://127.0.0.1", "http://127.0.0.1:{port}.evil.example", "{port}"]
)
def test_a_websocket_from_another_origin_is_refused(page: Page, origin: str) -> None:
    async def test() -> None:
        with pytest.raises(WSServerHandshakeError) as refused:
            async with viewer(page, Origin=origin.format(port=urlsplit(page.address).port)):
                pass
        assert refused.value.status == 403

    within_deadline(test())


def test_a_websocket_without_an_origin_is_refused(page: Page) -> None:
    async def test() -> None:
        async with ClientSession() as session:
            with pytest.raises(WSServerHandshakeError):
                await session.ws_connect(page.address.replace("http", "ws") + "stream")

    within_deadline(test())


def test_every_answer_keeps_foreign_things_out(page: Page) -> None:
    async def test() -> None:
        async with ClientSession() as session:
            for route in ("", "page.js", "nowhere", "snapshot.png"):
                async with session.get(page.address + route) as response:
                    policy = response.headers["Content-Security-Policy"]
                    assert policy.startswith("default-src 'self';")
                    assert "frame-ancestors 'none'" in policy
                    assert "unsafe" not in policy
                    assert response.headers["X-Content-Type-Options"] == "nosniff"

    within_deadline(test())


def test_a_snapshot_holds_every_pixel() -> None:
    events: list[Event] = []
    info = StreamInfo(WIDTH, HEIGHT, RGB, live=True)
    info.events.subscribe(events.append)
    noise = np.random.default_rng(2).integers(0, 256, (2, HEIGHT, WIDTH, 3), np.uint8)
    names = []

    async def snapshot(page: Page, query: str = "") -> tuple[int, bytes]:
        async with ClientSession() as session, session.get(f"{page.address}snapshot.png{query}") as response:
            if response.status == 200:
                assert response.content_disposition is not None
                names.append(response.content_disposition.filename)
            return response.status, await response.read()

    async def test(page: Page) -> None:
        assert (await snapshot(page))[0] == 503
        await written(page, Frame((noise[0],), original=Frame((noise[1],))))
        for query, view in (("", View()), ("?divider=0.25", View(divider=0.25))):
            png = (await snapshot(page, query))[1]
            found = cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            assert np.array_equal(found, compose(noise[0], noise[1], view))
        for wrong in ("half", "nan", "-1", "2"):
            assert (await snapshot(page, f"?divider={wrong}"))[0] == 400

    with closing(Page("127.0.0.1", 0, Control())) as page:
        page.open(info)
        within_deadline(test(page))
    assert [event.details for event in events] == [{"file": name, "by": "page"} for name in names]
    assert len(names) == 2
    assert all(name and name.startswith("realtime-20") and name.endswith(".png") for name in names)


def test_pictures_larger_than_a_page_needs_are_made_smaller() -> None:
    jpeg = pictures.encode_jpeg(Frame((np.full((1200, 3840, 3), 90, np.uint8),)))
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (600, 1920, 3)


def test_browsers_are_told_when_the_stream_ends(page: Page) -> None:
    async def test() -> None:
        async with viewer(page) as client:
            await client.status(lambda status: True)
            closing = asyncio.ensure_future(asyncio.to_thread(page.close))
            while (message := await client.stream.receive()).type is not WSMsgType.CLOSE:
                assert message.type is WSMsgType.TEXT
            assert (message.data, message.extra) == (1001, "ended")
            await closing

    within_deadline(test())


def test_a_port_that_is_taken(page: Page) -> None:
    port = urlsplit(page.address).port
    assert port is not None
    with (
        Page("127.0.0.1", port, Control()) as second,
        pytest.raises(SinkError, match=f"127.0.0.1:{port}.*another port"),
    ):
        second.open(INFO)


def test_an_address_that_is_not_this_machines() -> None:
    with closing(Page("192.0.2.1", 0, Control(), TOKEN)) as page, pytest.raises(SinkError, match="cannot be served at"):
        page.open(INFO)


def test_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(SinkError, match=r"pip install 'mbllen-realtime\[serve\]'"):
        Page("127.0.0.1", 0, Control())


def test_it_may_end_before_it_was_opened() -> None:
    page = Page("127.0.0.1", 0, Control())
    page.set_status(report(1, 1.0))
    page.close()
    page.abort()


def test_it_says_where_it_is() -> None:
    info = StreamInfo(WIDTH, HEIGHT, RGB, live=True)
    with closing(Page("127.0.0.1", 0, Control())) as page:
        page.open(info)
        assert [message.text for message in info.diagnostics.messages] == [f"the page is at {page.address}"]
        assert urlsplit(page.address).port
        assert [t.name for t in threading.enumerate()].count("realtime-page") == 1


def test_a_run_ends_it_with_the_other_outputs() -> None:
    page, recording = Page("127.0.0.1", 0, Control()), RecordingSink()
    run(ScriptedSource(30, live=True), Echo(), [recording, page])
    assert recording.calls == ["open", "close"]
    assert page._thread is None


def test_a_failed_run_ends_it_too() -> None:
    def fail(index: int) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        run(ScriptedSource(30), Echo(each=fail), [RecordingSink(), Page("127.0.0.1", 0, Control())])


def test_beyond_loopback_a_token_is_made() -> None:
    made = {Access.for_host("0.0.0.0", 80, None).token for _ in range(10)}
    assert len(made) == 10
    assert all(token and len(token) >= 22 for token in made)
    assert Access.for_host("0.0.0.0", 80, TOKEN).token == TOKEN
    assert Access.for_host("127.0.0.1", 80, None).token is None
    assert Access.for_host("127.0.0.1", 80, TOKEN).token == TOKEN


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)]
    + [("", False), ("192.168.1.7", False), ("camera.example", False), ("localhost.example", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("text", "address"),
    [("8080", ("127.0.0.1", 8080)), (":8080", ("127.0.0.1", 8080)), ("0.0.0.0:80", ("0.0.0.0", 80))]
    + [("[::1]:80", ("::1", 80)), ("camera.local:0", ("camera.local", 0))],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "host", "host:", "::1:80", "80:", "host:8o", "-1", "host:٣"])
def test_no_addresses(text: str) -> None:
    with pytest.raises(SettingError, match=r"is not \[HOST:\]PORT"):
        parse_address(text)


@pytest.mark.parametrize(("port", "token"), [(-1, None), (65536, None), (80, ""), (80, "short"), (80, "line\nbreak")])
def test_settings_that_cannot_be(port: int, token: str | None) -> None:
    with pytest.raises(SettingError):
        Page("127.0.0.1", port, Control(), token)


def test_the_printed_address() -> None:
    assert Access("127.0.0.1", 80, None).address(8080) == "http://127.0.0.1:8080/"
    assert Access("::1", 80, "a-token-of-ours").address(8080) == "http://[::1]:8080/?token=a-token-of-ours"
    everywhere = urlsplit(Access("0.0.0.0", 80, "a-token-of-ours").address(8080))
    assert everywhere.hostname not in ("0.0.0.0", "", None)
