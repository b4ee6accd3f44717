"""A headless Chromium that tests drive through the DevTools protocol, as a person would: pointer, keys, screenshots."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import cv2
import numpy as np

from realtime.frame import Samples

#: Seconds after which something that should happen counts as not happening.
DEADLINE = 30.0
#: The sandbox and /dev/shm are missing in containers; no part of the browser may call home.
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--remote-debugging-port=0",
]  # fmt: skip


class Chromium:
    """One browser with one tab. `events` holds what the protocol reported, as (method, parameters)."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, count(1)
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __enter__(self) -> Chromium:
        self._process = subprocess.Popen(
            ["chromium", *ARGUMENTS, f"--user-data-dir={self._folder / 'profile'}", "about:blank"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stderr is not None
        address = next(line for line in self._process.stderr if line.startswith("DevTools listening on")).split()[-1]
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._connect(address))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.call("Browser.close")
        finally:
            self._loop.run_until_complete(self._http.close())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
            self._process.communicate(timeout=DEADLINE)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command of the protocol."""
        return self._loop.run_until_complete(self._call(method, parameters))

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, awaited if it is a promise."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_until(self, expression: str) -> None:
        """Returns when a JavaScript expression is true."""
        passed = self.evaluate(
            "new Promise((done) => { const end = performance.now() + "
            f"{1000 * DEADLINE}; const look = () => ({expression}) ? done(true) : performance.now() > end"
            " ? done(false) : setTimeout(look, 20); look(); })"
        )
        assert passed, f"{expression} did not become true"

    def wait_for_event(self, matches: Callable[[str, dict[str, Any]], bool]) -> dict[str, Any]:
        """The parameters of the first event that matches, past or to come."""

        async def wait() -> dict[str, Any]:
            seen = 0
            while True:
                for method, parameters in self.events[seen:]:
                    if matches(method, parameters):
                        return parameters
                seen = len(self.events)
                await self._receive()

        return self._loop.run_until_complete(asyncio.wait_for(wait(), DEADLINE))

    def open(self, address: str) -> None:
        """Goes to an address and waits until it is loaded."""
        loaded = sum(method == "Page.loadEventFired" for method, _ in self.events)
        self.call("Page.navigate", url=address)
        while sum(method == "Page.loadEventFired" for method, _ in self.events) == loaded:
            self._loop.run_until_complete(asyncio.wait_for(self._receive(), DEADLINE))

    def size(self, width: int, height: int, telephone: bool = False) -> None:
        """Makes the page's area that large, in CSS pixels; a telephone has touch."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=telephone
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=telephone)

    def screenshot(self) -> Samples:
        """What is to be seen: uint8 RGB (H, W, 3)."""
        png = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        return cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def center(self, selector: str) -> tuple[float, float]:
        """Where an element's middle is on the screen."""
        x, y = self.evaluate(
            f"(() => {{ const box = document.querySelector('{selector}').getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        return float(x), float(y)

    def mouse(self, kind: str, x: float, y: float, pressed: bool = True) -> None:
        """A mouse event: ``mousePressed``, ``mouseMoved`` or ``mouseReleased``."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=int(pressed), clickCount=1)

    def click(self, selector: str) -> None:
        """Presses and releases the mouse on an element."""
        x, y = self.center(selector)
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y, pressed=False)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """A touch event: ``touchStart``, ``touchMove`` or ``touchEnd`` (without points)."""
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y} for x, y in points])

    def key(self, name: str, code: int) -> None:
        """Presses and releases a key by its name and Windows key code."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code)

    async def _connect(self, address: str) -> None:
        self._http, self._session = aiohttp.ClientSession(), ""
        self._socket = await self._http.ws_connect(address, max_msg_size=0)
        tab = await self._call("Target.createTarget", {"url": "about:blank"})
        attached = await self._call("Target.attachToTarget", {"targetId": tab["targetId"], "flatten": True})
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            await self._call(f"{domain}.enable", {})

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session and not method.startswith("Browser.") else {}
        await self._socket.send_str(json.dumps({"id": number, "method": method, "params": parameters, **session}))
        while (reply := await asyncio.wait_for(self._receive(), 2 * DEADLINE)).get("id") != number:
            pass
        assert "error" not in reply, reply
        return dict(reply["result"])

    async def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads((await self._socket.receive()).data)
        if "method" in message:
            self.events.append((message["method"], message["params"]))
        return message
