"""The exposure of one stream over time: calm within a shot, at once at a cut."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.light import ExposureMap, even, from_stops, to_stops
from realtime.enhance.exposure.local_meter import WHITEST, Reading, Tone, measure, night_share, read, tone_of
from realtime.enhance.exposure.reduced import Reduced

Floats = npt.NDArray[np.float32]

#: Seconds in which the tone covers 63 % of a change, as calm as a camera's own exposure.
TIME_CONSTANT = 0.8
#: The same where the scene's lift falls: a flash of lightning must not blow the frame for long.
FALL_TIME_CONSTANT = 0.12
#: Seconds over which the scene's highlights are remembered: a lamp that flashes once a second counts as lit all the
#: time.
HIGHLIGHT_SECONDS = 2.0
#: The tone is read so often, in seconds: scenes do not change faster, and reading costs more than following.
READ_INTERVAL = 0.1
#: Two frames are of one shot when their histograms (half-stop bins) share at least this much, or their structure
#: correlates this much.
SAME_LIGHT, SAME_PLACES = 0.55, 0.5
#: A jump in time by so many seconds, or back, starts anew.
SHOT_GAP = 3.0


@dataclass
class _Shot:
    tone: Tone
    seen: Floats
    bins: Floats
    history: deque[tuple[float, Reading, float]] = field(default_factory=deque)


class ExposureController:
    """One per stream; frames in order, one thread at a time.

    `mode` is ``auto`` (a map), ``scene`` (a single number), ``off``, or a fixed number of stops.
    """

    def __init__(self, mode: str | float = "auto") -> None:
        self.set(mode)
        self.reset()

    def set(self, mode: str | float, bias: float = 0.0) -> None:
        """Changes what the user asked for; `bias` in stops is added to what the meter found."""
        self._mode, self._bias = mode, bias

    def reset(self) -> None:
        """Forgets the stream: the next frame is a first one."""
        self._shot: _Shot | None = None
        self._before: tuple[float, _Shot] | None = None
        self._when = self._read = 0.0

    def __call__(self, small: Reduced, seconds: float, noise: float = 0.0) -> ExposureMap:
        """The exposure of the frame with this small picture, shown at `seconds`; `noise` in levels, as the memory
        knows it."""
        if self._mode == "off":
            return even(0.0)
        if not isinstance(self._mode, str):
            return _fixed(small, float(self._mode))
        seen, bins = _thumbnail(small)
        elapsed = seconds - self._when
        if self._shot is not None and not 0 <= elapsed <= SHOT_GAP:
            self.reset()
        if self._shot is None or not _same(self._shot, seen, bins):
            self._cut(small, seconds, seen, bins, noise)
        elif seconds - self._read >= READ_INTERVAL:
            self._follow(small, seconds, noise)
        assert self._shot is not None
        self._shot.seen, self._shot.bins, self._when = seen, bins, seconds
        if self._mode == "scene":
            return _fixed(small, max(0.0, self._shot.tone.scene + self._bias))
        # The map itself has no memory: one that lagged would trail what moves. What it looks at is calm already.
        tone = self._shot.tone
        return measure(small, tone._replace(scene=max(0.0, tone.scene + self._bias)))

    def _cut(self, small: Reduced, seconds: float, seen: Floats, bins: Floats, noise: float) -> None:
        left = self._shot
        if (
            self._before is not None
            and seconds - self._before[0] < HIGHLIGHT_SECONDS
            and _same(self._before[1], seen, bins)
        ):
            # A flash over the whole frame is over: the shot goes on as it was.
            self._shot, self._before = self._before[1], None
        else:
            reading = read(small)
            night = night_share(small, reading.scene)
            self._shot = _Shot(tone_of(reading, reading.scene, night, noise), seen, bins)
            self._shot.history.append((seconds, reading, night))
            self._before = (seconds, left) if left is not None else None
        self._read = seconds

    def _follow(self, small: Reduced, seconds: float, noise: float) -> None:
        assert self._shot is not None
        tone, history = self._shot.tone, self._shot.history
        history.append((seconds, read(small), night_share(small, tone.scene)))
        while history[0][0] < seconds - HIGHLIGHT_SECONDS:
            history.popleft()
        # The brightest of the last seconds counts for highlights, the median for the rest.
        brightest = Reading(min(r.scene for _, r, _ in history), max(r.lit for _, r, _ in history))
        night = float(np.median([night for _, _, night in history]))
        goal = tone_of(brightest, brightest.scene, night, noise)
        elapsed, self._read = seconds - self._read, seconds
        step = 1 - float(np.exp(-elapsed / TIME_CONSTANT))
        follow = 1 - float(np.exp(-elapsed / FALL_TIME_CONSTANT)) if goal.scene < tone.scene else step
        calm = Tone(*(old + step * (new - old) for old, new in zip(tone, goal)))
        self._shot.tone = calm._replace(scene=tone.scene + follow * (goal.scene - tone.scene))


def _fixed(small: Reduced, stops: float) -> ExposureMap:
    """The same lift everywhere, its shoulder by the brightest places of this frame."""
    peak = np.sort(small.peak[::2, ::2], axis=None)
    top = to_stops(peak[int(WHITEST * (len(peak) - 1))][None]) + np.float32(stops)
    return even(stops, float(from_stops(top)[0]))


def _thumbnail(small: Reduced) -> tuple[Floats, Floats]:
    """What tells one shot from another: stops on a coarse grid, and their histogram."""
    stops = to_stops(cv2.resize(small.luma, (48, 27), interpolation=cv2.INTER_AREA) + np.float32(0.5))
    bins = np.bincount(np.clip((stops.ravel() + 16) * 2, 0, 31).astype(np.intp), minlength=32) / stops.size
    return stops, bins.astype(np.float32)


def _same(shot: _Shot, seen: Floats, bins: Floats) -> bool:
    if float(np.minimum(shot.bins, bins).sum()) >= SAME_LIGHT:
        return True
    first, second = shot.seen - shot.seen.mean(), seen - seen.mean()
    scale = float(np.sqrt((first * first).sum() * (second * second).sum()))
    return scale > 0 and float((first * second).sum()) / scale >= SAME_PLACES
