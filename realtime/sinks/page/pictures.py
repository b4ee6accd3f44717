"""The newest frame, and its JPEGs for all viewers of the page: encoded once, and only when a viewer wants them."""

from __future__ import annotations

import asyncio

import cv2

from realtime.frame import RGB, Frame, Samples
from realtime.media.pixel_formats import convert
from realtime.sinks.overlay import View, compose

PAGE_JPEG_QUALITY = 85
#: Larger pictures are made smaller for the page: a browser that shows them smaller anyway would wait for nothing.
LONGEST_SIDE = 1920


class Shot:
    """One frame and its JPEGs. To be used in the server's event loop; encoding happens in its worker threads."""

    def __init__(self, number: int, frame: Frame) -> None:
        self.number, self._frame = number, frame
        self._jobs: dict[str, asyncio.Task[bytes]] = {}

    @property
    def busy(self) -> bool:
        """Whether it is being encoded."""
        return any(not job.done() for job in self._jobs.values())

    async def jpegs(self, with_before: bool) -> tuple[bytes, bytes]:
        """The picture, and if wanted what it was before processing; empty when it is not wanted or not known."""
        after = self._job("after", self._frame)
        original = self._frame.original
        before = self._job("before", original) if with_before and original is not None else None
        # Shielded: a viewer that leaves must not end the encoding that others wait for.
        return await asyncio.shield(after), b"" if before is None else await asyncio.shield(before)

    def _job(self, name: str, frame: Frame) -> asyncio.Task[bytes]:
        if name not in self._jobs:
            self._jobs[name] = asyncio.ensure_future(asyncio.to_thread(encode_jpeg, frame))
        return self._jobs[name]


class Pictures:
    """A slot for the newest frame: `put` from the sink's thread, all else in the event loop."""

    def __init__(self) -> None:
        self._newest: tuple[int, Frame] | None = None
        self._shot: Shot | None = None

    @property
    def newest(self) -> Frame | None:
        """The frame that came last."""
        return None if self._newest is None else self._newest[1]

    def put(self, frame: Frame) -> None:
        """Replaces the frame."""
        self._newest = (1 if self._newest is None else self._newest[0] + 1, frame)

    def newer_than(self, number: int) -> Shot | None:
        """The shot to send next to a viewer who has seen `number` (0: none); None when there is nothing new.

        That is the newest frame, or the one that is being encoded for another viewer: when encoding is slower than the
        stream, more viewers must not mean more encoding.
        """
        if self._newest is None:
            return None
        shot = self._shot
        if shot is None or not (number < shot.number and (shot.busy or shot.number == self._newest[0])):
            if self._newest[0] <= number:
                return None
            self._shot = shot = Shot(*self._newest)
        return shot


def encode_jpeg(frame: Frame) -> bytes:
    """A frame of any pixel format as JPEG, at most `LONGEST_SIDE` long."""
    picture = convert(frame, RGB).planes[0]
    scale = LONGEST_SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _encoded(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, PAGE_JPEG_QUALITY])


def encode_png(frame: Frame, divider: float | None) -> bytes:
    """A frame in full size as PNG, with what it was before left of `divider` (0..1) if that is given."""
    before = None if frame.original is None or divider is None else convert(frame.original, RGB).planes[0]
    return _encoded(".png", compose(convert(frame, RGB).planes[0], before, View(divider=divider)), [])


def _encoded(suffix: str, picture: Samples, settings: list[int]) -> bytes:
    fine, data = cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), settings)
    if not fine:
        raise ValueError(f"OpenCV cannot encode {picture.shape} as {suffix}")
    return bytes(data.tobytes())
