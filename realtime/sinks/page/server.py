"""The page's web server: a few routes and one websocket a viewer, all in one event loop.

Over the websocket go, to the browser: text with `Status`, and binary messages with pictures (number of the frame and
length of the first JPEG as big-endian 32-bit numbers, the JPEG after processing, the one before it or nothing). From
the browser: JSON objects, `{"ack": number}` for each picture drawn, `{"compare": true}` to get the pictures before
processing too, `{"set": {...}}` to change the `Control`.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from importlib.resources import files
from math import nan
from time import monotonic
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from realtime.control import Control
from realtime.errors import SettingError
from realtime.frame import StreamInfo
from realtime.sinks.page.access import Access
from realtime.sinks.page.pictures import Pictures, encode_png
from realtime.sinks.page.status import Status

#: Pictures on their way to a viewer. Two keep a connection busy while one is drawn; more would only add delay.
PICTURES_IN_FLIGHT = 2
#: Seconds after which a viewer's status is looked at again when no picture comes.
STATUS_INTERVAL = 0.25
#: Seconds after which a status is sent though nothing has changed: a page that hears nothing takes the line for dead.
KEEP_ALIVE = 2.0
#: A browser that answers no ping within half of these seconds is gone.
HEARTBEAT = 20.0
#: Seconds that connections get to end when the server does.
GOODBYE = 1.0
#: How a websocket is closed when the stream is over.
ENDED: Any = {"code": WSCloseCode.GOING_AWAY, "message": b"ended"}
HEADER = struct.Struct(">II")
MOST_VIEWERS, LONGEST_MESSAGE = 32, 4096
TYPES = {"index.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
NO_TOKEN = "403: this page needs its token. Open the address that the program printed."
WRONG_HOST = "403: this machine is not known by that name. Open the address that the program printed."
WRONG_ORIGIN = "403: only the page itself may connect here."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Viewer:
    """One browser: what it has seen, and how much is on its way to it."""

    def __init__(self) -> None:
        self.socket = web.WebSocketResponse(
            timeout=GOODBYE, heartbeat=HEARTBEAT, compress=False, max_msg_size=LONGEST_MESSAGE
        )
        self.wake = asyncio.Event()
        self.seen, self.in_flight, self.compares = 0, 0, False


class Server:
    """Serves one stream's page. To be made and used in its event loop, except `Pictures.put` and `Status.update`."""

    def __init__(self, info: StreamInfo, control: Control, access: Access, pictures: Pictures, status: Status) -> None:
        self._info, self._control, self._access = info, control, access
        self._pictures, self._status = pictures, status
        self._viewers: set[_Viewer] = set()
        self._ended = False
        self._cookie = "realtime"
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._static("index.html"))
        app.router.add_get("/page.css", self._static("page.css"))
        app.router.add_get("/page.js", self._static("page.js"))
        app.router.add_get("/snapshot.png", self._snapshot)
        app.router.add_get("/stream", self._stream)
        app.on_response_prepare.append(self._add_headers)
        app.on_shutdown.append(lambda app: self.dismiss())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=GOODBYE)

    async def start(self) -> int:
        """Begins to listen and returns the port. Raises OSError."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._access.host, self._access.port).start()
        port = int(self._runner.addresses[0][1])
        self._cookie = f"realtime_{port}"  # browsers share cookies between the ports of a host
        return port

    async def stop(self) -> None:
        """Ends all connections."""
        await self._runner.cleanup()

    def wake_viewers(self) -> None:
        """Makes each viewer's connection look for what is new."""
        for viewer in self._viewers:
            viewer.wake.set()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses whoever the page is not for, on every route."""
        token = request.query.get("token")
        if not self._access.allows_host(request.headers.get("Host", "")):
            raise web.HTTPForbidden(text=WRONG_HOST)
        if not self._access.allows_token(token, request.cookies.get(self._cookie)):
            raise web.HTTPForbidden(text=NO_TOKEN)
        if request.path == "/stream" and not self._access.allows_origin(
            request.headers.get("Origin", ""), request.headers.get("Host", "")
        ):
            raise web.HTTPForbidden(text=WRONG_ORIGIN)
        if request.path == "/" and token is not None:
            # Out of the address bar and the browser's history. Lax: a link from a chat must work.
            response = web.Response(status=302, headers={"Location": "./"})
            response.set_cookie(self._cookie, token, httponly=True, samesite="Lax")
            return response
        return await handler(request)

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)

    def _static(self, name: str) -> Handler:
        body, kind = (files(__package__) / name).read_bytes(), TYPES[name]

        async def serve(request: web.Request) -> web.StreamResponse:
            return web.Response(body=body, content_type=kind, charset="utf-8")

        return serve

    async def _snapshot(self, request: web.Request) -> web.StreamResponse:
        """The newest frame in full size, as a download."""
        frame = self._pictures.newest
        if frame is None:
            raise web.HTTPServiceUnavailable(text="503: no picture has come yet.")
        try:
            divider = float(request.query["divider"]) if "divider" in request.query else None
        except ValueError:
            divider = nan
        if divider is not None and not 0.0 <= divider <= 1.0:
            raise web.HTTPBadRequest(text="400: divider is a number from 0 to 1.")
        png = await asyncio.to_thread(encode_png, frame, divider)
        name = f"realtime-{datetime.now():%Y%m%d-%H%M%S}.png"
        self._info.events.publish("snapshot", file=name, by="page")
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=png, content_type="image/png", headers=disposition)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if len(self._viewers) >= MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f"503: {MOST_VIEWERS} viewers are the most.")
        viewer = _Viewer()
        await viewer.socket.prepare(request)
        if self._ended:
            await viewer.socket.close(**ENDED)
            return viewer.socket
        self._viewers.add(viewer)
        tasks = [asyncio.ensure_future(self._send(viewer)), asyncio.ensure_future(self._receive(viewer))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._viewers.discard(viewer)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return viewer.socket

    async def _send(self, viewer: _Viewer) -> None:
        """Sends the status when it changed and pictures as fast as the viewer draws them, until it is gone."""
        sent, at = "", 0.0
        while not viewer.socket.closed:
            viewer.wake.clear()
            status = self._status.text()
            if status != sent or monotonic() - at > KEEP_ALIVE:
                await viewer.socket.send_str(status)
                sent, at = status, monotonic()
            if viewer.in_flight < PICTURES_IN_FLIGHT and (shot := self._pictures.newer_than(viewer.seen)):
                viewer.seen, viewer.in_flight = shot.number, viewer.in_flight + 1
                after, before = await shot.jpegs(viewer.compares)
                await viewer.socket.send_bytes(HEADER.pack(shot.number & 0xFFFFFFFF, len(after)) + after + before)
                continue
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(viewer.wake.wait(), STATUS_INTERVAL)

    async def _receive(self, viewer: _Viewer) -> None:
        async for message in viewer.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                self._obey(viewer, json.loads(message.data))
            except ValueError as error:  # of JSON, or a SettingError
                await viewer.socket.send_str(json.dumps({"error": str(error)}))

    def _obey(self, viewer: _Viewer, command: Any) -> None:
        """Does what a viewer's message says. Raises SettingError; then the `Control` is as before."""
        if not isinstance(command, dict):
            raise SettingError("a command is a JSON object")
        if "ack" in command:
            viewer.in_flight = max(viewer.in_flight - 1, 0)
        if "compare" in command:
            viewer.compares = bool(command["compare"])
            if viewer.compares:
                viewer.seen = 0  # the picture that is shown is needed again, with what it was before
        if "set" in command:
            self._control.update(**_settings(command["set"], self._status.engines))
            self.wake_viewers()
        viewer.wake.set()

    async def dismiss(self) -> None:
        """Tells all browsers that the stream is over, and those that come from now on."""
        self._ended = True
        goodbyes = [asyncio.wait_for(viewer.socket.close(**ENDED), GOODBYE) for viewer in self._viewers]
        await asyncio.gather(*goodbyes, return_exceptions=True)


def _settings(changes: Any, engines: Sequence[str]) -> dict[str, Any]:
    """The changes to a `Control` that a page may make, with one of these `engines`. Raises SettingError for all
    others."""
    if not isinstance(changes, dict):
        raise SettingError("what to set is a JSON object")
    kinds: dict[str, tuple[type, ...]] = {"enhanced": (bool,), "strength": (int, float), "exposure_bias": (int, float)}
    for name, value in changes.items():
        if type(value) not in kinds.get(name, ()) and not (name == "engine" and value in engines):
            raise SettingError(f"{name} {value!r} cannot be set from the page")
    return changes
