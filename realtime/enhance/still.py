"""The picture that viewers stand still at, made anew when settings change: while a file is paused, or beside a camera
that goes on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

from realtime.control import Standing
from realtime.enhance.exposure.stream import StreamExposure
from realtime.frame import Frame


@dataclass
class _Picture:
    """A frame, what became of it, and what that was `made_with`. `exposure` is as it was after the frame; None where
    the frame was passed through, and is not known to it."""

    frame: Frame
    output: Frame
    made_with: object
    exposure: StreamExposure | None


class Still:
    """One per live session: `note` each frame, then `refresh` when something may have changed."""

    def __init__(self) -> None:
        self._newest: _Picture | None = None
        self._held: _Picture | None = None

    def note(self, frame: Frame, output: Frame, made_with: object, exposure: StreamExposure | None) -> None:
        """Takes the newest frame of the stream; `made_with` is what its picture depends on."""
        self._newest = _Picture(frame, output, made_with, exposure)

    def refresh(
        self, standing: Standing, made_with: object, make: Callable[[Frame, StreamExposure | None], Frame]
    ) -> Frame | None:
        """The picture to stand still at if it is another one than before; ``make(frame, exposure)`` makes it."""
        if standing is not Standing.PICTURE:
            self._held = None
        if standing is Standing.NO or self._newest is None:
            return None
        if standing is Standing.PICTURE and self._held is None:
            # Viewers stay at this one: what it takes is kept apart from the stream, which goes on.
            self._held = replace(self._newest, exposure=copy.deepcopy(self._newest.exposure))
            if self._held.made_with == made_with:
                return replace(self._held.output, repeated=True)
        picture = self._held or self._newest
        if picture.made_with == made_with:
            return None
        picture.made_with = made_with
        picture.output = make(picture.frame, picture.exposure)
        return replace(picture.output, repeated=True)
