"""What a viewer of a stream shows and what its keys do, without any window: frames and key codes in, pictures out.

`sinks.window` puts it on a screen. All that a key changes is the `View` here, the shared `Control` and `Playback`, or a
callable that was given for it, so each key is tested without a display.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter

from realtime.control import Control, Playback, Standing
from realtime.errors import StopStreaming
from realtime.events import Link
from realtime.frame import RGB, Frame, Samples
from realtime.media.pixel_formats import convert
from realtime.report import Report
from realtime.sinks.happenings import Happenings
from realtime.sinks.overlay import View, compose, enlarged, grayed, position_bar, with_mark, with_text

STRENGTH_STEP, EXPOSURE_STEP = 0.1, 0.5
SEEK_SECONDS = 5.0
#: Key codes as OpenCV's waitKeyEx reports them on X11 (GTK and Qt), macOS and Windows.
LEFT, RIGHT = frozenset({65361, 63234, 2424832}), frozenset({65363, 63235, 2555904})
ESCAPE = 27
#: Seconds that a notice, such as "snapshot written", stays on the picture.
NOTICE_SECONDS = 2.5


@dataclass
class Actions:
    """What keys may do beyond the picture itself; None hides the key. Each returns a notice, which may be
    empty."""

    snapshot: Callable[[Samples], str] | None = None
    toggle_recording: Callable[[], str] | None = None
    next_engine: Callable[[], str] | None = None
    toggle_full_screen: Callable[[], None] | None = None


@dataclass
class Viewer:
    """The state of one viewer. `control` and `playback` are shared with the session and the source."""

    control: Control
    link: Link = field(default_factory=Link)
    playback: Playback | None = None
    actions: Actions = field(default_factory=Actions)
    view: View = field(default_factory=View)
    frozen: bool = False
    report: Report | None = None
    happenings: Happenings = field(default_factory=Happenings)

    def __post_init__(self) -> None:
        self._shown: Frame | None = None
        self._before: Samples | None = None
        self._notice, self._notice_end, self._told = "", 0.0, 0

    def show(self, frame: Frame) -> None:
        """Takes the newest frame, 8-bit RGB, with its original in any format. A picture that stands still is replaced
        by itself alone, made anew."""
        if self._shown is not None and self.frozen and not frame.repeated:
            return
        if self._shown is not None and frame.repeated and not self.frozen and frame.pts != self._shown.pts:
            return  # it was made for a picture that is gone
        self._shown, self._before = frame, None

    def texts(self) -> tuple[str, ...]:
        """What is written over the picture apart from help and figures: when it changes, the picture does."""
        news, number = self.happenings.news
        if number != self._told:
            self._told = number
            self.notice(news)
        lines = [f"engine {self.happenings.loading} is loading"] if self.happenings.loading else []
        if perf_counter() < self._notice_end and self._notice:
            lines.append(self._notice)
        if self.frozen or (self.playback is not None and self.playback.paused):
            lines.append("paused")
        return (*lines, *(["REC"] if self.happenings.recording else []))

    def picture(self) -> Samples | None:
        """What to put on the screen now, uint8 RGB (H, W, 3); None before the first frame."""
        plain = self.plain_picture()
        if plain is None:
            return None
        picture = enlarged(plain)
        if not self.link.state.connected:
            picture = grayed(picture, self.link.state.message)
        else:
            if self.playback is not None and self.playback.length and (self.view.figures or self.playback.paused):
                picture = position_bar(picture, self.playback.position / self.playback.length)
            picture = with_text(picture, self._lines())
        return with_mark(picture) if self.happenings.recording else picture

    def plain_picture(self) -> Samples | None:
        """The same without any text: what a snapshot holds."""
        if self._shown is None:
            return None
        original = self._shown.original
        if self.view.needs_original and self._before is None and original is not None:
            self._before = convert(original, RGB).planes[0]
        return compose(self._shown.planes[0], self._before, self.view)

    def key(self, code: int) -> None:
        """Does what a key means; unknown keys do nothing. Raises StopStreaming for the keys that quit."""
        if code in LEFT or code in RIGHT:
            self._seek(SEEK_SECONDS if code in RIGHT else -SEEK_SECONDS)
        elif code == ESCAPE:
            raise StopStreaming
        elif 0 <= code < 128 and (action := self._keys().get(chr(code).lower())):
            action[1]()

    def drag(self, x: float) -> None:
        """Moves the divider to `x`, 0..1 of the picture's width, if there is one."""
        if self.view.divider is not None:
            self.view = replace(self.view, divider=min(max(x, 0.0), 1.0))

    def help(self) -> list[str]:
        """A line for each key."""
        seek = ["left, right  5 s back, on"] if self.playback is not None else []
        return [f"{name if name != ' ' else 'space'}  {text}" for name, (text, _) in self._keys().items()] + seek

    def notice(self, text: str) -> None:
        """Shows a short text for `NOTICE_SECONDS`, also where no frame comes."""
        self._notice, self._notice_end = text, perf_counter() + NOTICE_SECONDS

    def _keys(self) -> dict[str, tuple[str, Callable[[], None]]]:
        keys: dict[str, tuple[str, Callable[[], None]]] = {
            "h": ("this help", lambda: self._view(help=not self.view.help)),
            "q": ("quit (or Esc)", self._quit),
            " ": ("pause, go on", self._pause),
            "c": ("compare: divider, drag it", lambda: self._view(divider=0.5 if self.view.divider is None else None)),
            "b": ("before and after side by side", lambda: self._view(side_by_side=not self.view.side_by_side)),
            "e": ("enhancement on, off", self._toggle_enhanced),
            "+": ("strength up", lambda: self._strength(STRENGTH_STEP)),
            "-": ("strength down", lambda: self._strength(-STRENGTH_STEP)),
            ".": ("exposure up", lambda: self._exposure(EXPOSURE_STEP)),
            ",": ("exposure down", lambda: self._exposure(-EXPOSURE_STEP)),
            "m": ("mirror", lambda: self._view(mirror=not self.view.mirror)),
            "t": ("turn by 90 degrees", lambda: self._view(rotation=(self.view.rotation + 90) % 360)),
            "i": ("figures", lambda: self._view(figures=not self.view.figures)),
        }
        if self.actions.next_engine is not None:
            keys["g"] = ("engine", lambda: self._act(self.actions.next_engine))
        if self.actions.snapshot is not None:
            keys["s"] = ("snapshot to a PNG file", self._snapshot)
        if self.actions.toggle_recording is not None:
            keys["r"] = ("recording: start, stop", lambda: self._act(self.actions.toggle_recording))
        if (full_screen := self.actions.toggle_full_screen) is not None:
            keys["f"] = ("full screen", full_screen)
        keys["="] = keys["+"]  # the same key without Shift on many keyboards
        return keys

    def _lines(self) -> list[str]:
        if self.view.help:
            return [line for line in self.help() if not line.startswith("=")]
        lines = []
        if self.view.figures and self.report is not None:
            lines += figures(self.report, self.control)
        return lines + [line for line in self.texts() if line != "REC"]

    def _view(self, **changes: object) -> None:
        self.view = replace(self.view, **changes)  # type: ignore[arg-type]

    def _quit(self) -> None:
        raise StopStreaming

    def _pause(self) -> None:
        if self.playback is not None:
            self.playback.paused = not self.playback.paused
            self.control.hold(Standing.SOURCE if self.playback.paused else Standing.NO)
        else:
            self.frozen = not self.frozen
            self.control.hold(Standing.PICTURE if self.frozen else Standing.NO)

    def _toggle_enhanced(self) -> None:
        enhanced = self.control.update(enhanced=not self.control.state.enhanced).enhanced
        self.notice(f"enhancement {'on' if enhanced else 'off'}")

    def _strength(self, step: float) -> None:
        strength = round(min(max(self.control.state.strength + step, 0.0), 1.0), 2)
        self.control.update(strength=strength)
        self.notice(f"strength {strength:.1f}")

    def _exposure(self, step: float) -> None:
        wanted = self.control.state.with_exposure(step)
        self.control.update(exposure=wanted.exposure, exposure_bias=wanted.exposure_bias)
        self.notice(f"exposure {wanted.exposure_text}")

    def _snapshot(self) -> None:
        picture = self.plain_picture()
        if picture is not None and self.actions.snapshot is not None:
            self.notice(self.actions.snapshot(picture))

    def _act(self, action: Callable[[], str] | None) -> None:
        if action is not None:
            self.notice(action())

    def _seek(self, seconds: float) -> None:
        if self.playback is not None:
            self.playback.seek(self.playback.position + seconds)


def figures(report: Report, control: Control) -> list[str]:
    """The figures of a run as lines: rate and engine, delay, frames dropped by output, settings."""
    delay, state = report.latency_ms, control.state
    lines = [f"{report.fps:.1f} fps  {report.width}x{report.height}  {report.engine} ({report.device})"]
    if delay:
        lines.append(f"{delay['p50']:.0f} ms behind (p95 {delay['p95']:.0f})")
    dropped = [f"{report.dropped} dropped"]
    dropped += [f"{output.dropped} by {output.name}" for output in report.outputs if output.dropped]
    lines.append(", ".join(dropped))
    settings = f"strength {state.strength:.1f}  exposure {state.exposure_text}"
    lines.append(settings if state.enhanced else f"{settings}  off")
    return lines
