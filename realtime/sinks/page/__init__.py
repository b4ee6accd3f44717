"""A web page that shows the stream, for machines without a screen: picture, before/after, a few controls, figures."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from realtime.control import Control
from realtime.errors import SinkError
from realtime.frame import Frame, StreamInfo
from realtime.report import Report
from realtime.sinks.base import Sink
from realtime.sinks.page.access import Access, parse_address
from realtime.sinks.page.pictures import Pictures
from realtime.sinks.page.status import Status

__all__ = ["Page", "parse_address"]


class Page(Sink):
    """Serves the page at ``host:port`` (port 0: any free one), from a thread of its own between `open` and `close`.

    What viewers change goes to `control`. Beyond loopback only they see the page who have `token`, which is made when
    it is None; on loopback None asks for no token. `address` has it. `engines` may be chosen on the page. Raises
    SettingError for a port or token that cannot be, SinkError when the library for it is not installed.
    """

    name = "page"
    may_drop = True

    def __init__(
        self, host: str, port: int, control: Control, token: str | None = None, engines: Sequence[str] = ()
    ) -> None:
        try:
            import aiohttp  # noqa: F401 (said now, not after the model was loaded)
        except ImportError as error:
            raise SinkError("the page needs aiohttp: pip install 'mbllen-realtime[serve]'") from error
        self._access = Access.for_host(host, port, token)
        self._control, self._engines = control, tuple(engines)
        self._port = port
        self._pictures = Pictures()
        self._status: Status | None = None
        self._started: Future[None] = Future()
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """What to open in a browser, token included. The port is known from `open` on if it was 0."""
        return self._access.address(self._port)

    def open(self, info: StreamInfo) -> None:
        """Begins to serve and says where. Raises SinkError when the address is taken or is not this machine's."""
        self._status = Status(info, self._control, self._engines)
        self._thread = threading.Thread(target=self._run, args=(info, self._status), name="realtime-page")
        self._thread.start()
        try:
            self._started.result()
        except OSError as error:
            host, port = self._access.host, self._access.port
            raise SinkError(
                f"the page cannot be served at {host}:{port}: {error.strerror or error}; "
                "choose another port, or 0 for a free one"
            ) from error
        info.diagnostics.info(f"the page is at {self.address}")

    def write(self, frame: Frame) -> None:
        """Shows a frame to the viewers who wait for one; it is encoded later, in other threads, if there are any."""
        self._pictures.put(frame)
        self._loop.call_soon_threadsafe(self._server.wake_viewers)

    def set_status(self, report: Report) -> None:
        """Shows these figures. May be called from any one thread."""
        if self._status is not None:
            self._status.update(report)

    def end(self) -> None:
        """Tells the browsers that the stream is over, while the server still runs."""
        if self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._server.dismiss(), self._loop)

    def close(self) -> None:
        """Tells the browsers that the stream is over, and ends the server."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._started.exception() is None:
            self._loop.call_soon_threadsafe(self._stop.set)
        thread.join()

    def _run(self, info: StreamInfo, status: Status) -> None:
        try:
            asyncio.run(self._serve(info, status))
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self, info: StreamInfo, status: Status) -> None:
        from realtime.sinks.page.server import Server

        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._server = Server(info, self._control, self._access, self._pictures, status)
        try:
            self._port = await self._server.start()
            self._started.set_result(None)
            await self._stop.wait()
        finally:
            await self._server.stop()
