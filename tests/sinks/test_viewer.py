"""What a viewer shows and what its keys do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from realtime import Control, EngineInfo, Frame, StopStreaming, StreamInfo
from realtime.control import LAST_SECONDS, ControlState, Playback, Standing
from realtime.events import EventBus, Link
from realtime.frame import Samples
from realtime.report import RunStats
from realtime.sinks.viewer import LEFT, RIGHT, Actions, Viewer

WIDTH, HEIGHT = 1280, 720


def frame(value: int, before: int | None = None, **fields: Any) -> Frame:
    """A gray frame, whose left half is darker, and what it was before."""
    picture = np.full((HEIGHT, WIDTH, 3), value, np.uint8)
    picture[:, : WIDTH // 2] //= 2
    return Frame((picture,), original=None if before is None else frame(before), **fields)


def viewer(**fields: object) -> Viewer:
    result = Viewer(Control(), **fields)  # type: ignore[arg-type]
    result.show(frame(200, 20))
    return result


def picture(one: Viewer) -> Samples:
    result = one.picture()
    assert result is not None
    return result


def plain(one: Viewer) -> Samples:
    result = one.plain_picture()
    assert result is not None
    return result


def standing(one: Viewer) -> Standing:
    return one.control.standing


def press(one: Viewer, keys: str) -> None:
    for key in keys:
        one.key(ord(key))


def test_it_shows_the_enhanced_picture_alone_at_first() -> None:
    assert (picture(viewer()) == frame(200).planes[0]).all()


def test_a_small_picture_is_enlarged_so_that_text_can_be_read() -> None:
    one = Viewer(Control())
    one.show(Frame((np.full((90, 160, 3), 9, np.uint8),)))
    assert picture(one).shape == (480, 853, 3)
    plain = one.plain_picture()
    assert plain is not None
    assert plain.shape == (90, 160, 3), "a snapshot keeps its size"


def test_before_the_first_frame_there_is_nothing_to_show() -> None:
    empty = Viewer(Control())
    assert empty.picture() is None
    press(empty, "hcbmtis ")
    assert empty.picture() is None


@pytest.mark.parametrize("key", ["q", "Q", "\x1b"])
def test_q_and_escape_quit(key: str) -> None:
    with pytest.raises(StopStreaming):
        press(viewer(), key)


def test_c_shows_a_divider_that_can_be_dragged() -> None:
    one = viewer()
    press(one, "c")
    one.drag(0.75)
    assert (picture(one)[:, WIDTH * 3 // 4 - 4] == 20).all()
    assert (picture(one)[:, WIDTH * 3 // 4 + 4] == 200).all()
    press(one, "c")
    assert (picture(one) == frame(200).planes[0]).all()


def test_c_takes_away_a_divider_at_the_edge() -> None:
    shown = viewer()
    shown.key(ord("c"))
    shown.drag(0.0)
    shown.key(ord("c"))
    assert shown.view.divider is None


def test_dragging_without_a_divider_does_nothing() -> None:
    one = viewer()
    one.drag(0.3)
    assert one.view.divider is None


def test_b_shows_both_beside_each_other() -> None:
    one = viewer()
    press(one, "b")
    assert picture(one).shape == (HEIGHT, 2 * WIDTH, 3)


def test_m_mirrors_and_t_turns() -> None:
    one = viewer()
    press(one, "m")
    assert (picture(one) == frame(200).planes[0][:, ::-1]).all()
    press(one, "mt")
    assert picture(one).shape == (WIDTH, HEIGHT, 3)
    press(one, "ttt")
    assert (picture(one) == frame(200).planes[0]).all()


def test_e_plus_minus_dot_and_comma_change_the_shared_control() -> None:
    one = viewer()
    press(one, "e---..,")
    state = one.control.state
    assert (state.enhanced, state.strength, state.exposure_bias) == (False, 0.7, 0.5)
    press(one, "e" + "+" * 20 + "." * 30)
    state = one.control.state
    assert (state.enhanced, state.strength, state.exposure_bias) == (True, 1.0, 6.0)


def test_a_change_is_told_for_a_while_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many frames come meanwhile, a paused picture gets none."""
    now = [100.0]
    monkeypatch.setattr("realtime.sinks.viewer.perf_counter", lambda: now[0])
    one = viewer()
    press(one, "-")
    assert (picture(one) != frame(200).planes[0]).any()
    now[0] += 2
    for _ in range(100):
        one.show(frame(200))
    assert (picture(one) != frame(200).planes[0]).any()
    now[0] += 1
    assert (picture(one) == frame(200).planes[0]).all()


def test_space_freezes_a_live_picture() -> None:
    one = viewer()
    press(one, " ")
    one.show(frame(90))
    assert plain(one).max() == 200
    press(one, " ")
    one.show(frame(90))
    assert plain(one).max() == 90


def test_a_frozen_picture_is_replaced_by_itself_alone() -> None:
    """The session makes it anew when something changes; what is made too late is for a picture that is gone."""
    one = Viewer(Control())
    one.show(frame(200, 20, pts=5))
    press(one, " ")
    assert standing(one) is Standing.PICTURE
    one.show(frame(90, pts=6))
    one.show(frame(120, 30, pts=5, repeated=True))
    assert plain(one).max() == 120
    press(one, "b")
    assert plain(one)[0, WIDTH - 1].max() == 30, "what it was before is there too"
    press(one, "b ")
    assert standing(one) is Standing.NO
    one.show(frame(90, pts=7))
    one.show(frame(120, pts=5, repeated=True))
    assert plain(one).max() == 90


def test_a_paused_file_says_that_the_source_stands_still() -> None:
    one = viewer(playback=Playback())
    press(one, " ")
    assert standing(one) is Standing.SOURCE
    one.show(frame(120, repeated=True))
    assert plain(one).max() == 120
    press(one, " ")
    assert standing(one) is Standing.NO


@pytest.mark.parametrize(
    ("exposure", "keys", "after", "says"),
    [
        (None, "..,", (None, 0.5), "+0.5 stops"),
        ("scene", ",", ("scene", -0.5), "-0.5 stops"),
        ("off", ",", ("off", 0.0), "off"),
        ("off", ".", (0.0, 0.0), "0.0 EV"),
        ("off", "..", (0.5, 0.0), "0.5 EV"),
        ("off", "..,,", ("off", 0.0), "off"),
        ("2", ".", (2.5, 0.0), "2.5 EV"),
        (5.8, "..", (6.0, 0.0), "6.0 EV"),
    ],
)
def test_keys_change_the_exposure_from_where_it_is(
    exposure: str | float | None, keys: str, after: tuple[object, float], says: str
) -> None:
    one = Viewer(Control(ControlState(exposure=exposure)))
    press(one, keys)
    state = one.control.state
    assert (state.exposure, state.exposure_bias) == after
    assert one.texts() == (f"exposure {says}",)


def test_events_are_told_on_the_picture() -> None:
    one, bus = viewer(), EventBus()
    one.happenings.follow(bus)
    bus.publish("engine_loading", engine="exact")
    assert one.texts() == ("engine exact is loading",)
    bus.publish("engine_failed", engine="exact", stays="fast", reason="a long story")
    assert one.texts() == ("engine exact cannot be used, fast goes on",)
    bus.publish("engine_changed", engine="exact")
    assert one.texts() == ("engine exact",)


def test_a_recording_is_marked_on_the_picture_and_not_in_snapshots() -> None:
    one, bus = viewer(), EventBus()
    one.happenings.follow(bus)
    bus.publish("recording_started", path="a.mkv")
    corner = picture(one)[:80, -200:].astype(int)
    assert ((corner[..., 0] > 180) & (corner[..., 1] < 90)).sum() > 100
    assert (plain(one) == frame(200).planes[0]).all()
    one.link.lost("camera 0 is lost")
    corner = picture(one)[:80, -200:].astype(int)
    assert ((corner[..., 0] > 180) & (corner[..., 1] < 90)).sum() > 100, "it goes on across the gap"
    one.link.restored()
    bus.publish("recording_finished", path="a.mkv")
    assert (picture(one) == frame(200).planes[0]).all()
    bus.publish("recording_started", path="a.mkv")
    bus.publish("output_failed", path="a.mkv", reason="disk full")
    assert one.texts() == ("the recording ended: it cannot be written",)


def test_space_and_arrows_steer_a_file() -> None:
    playback = Playback()
    playback.length, playback.position = 60.0, 20.0
    one = viewer(playback=playback)
    press(one, " ")
    assert playback.paused
    one.key(next(iter(RIGHT)))
    assert playback.take_target() == 25.0
    one.key(next(iter(LEFT)))
    assert playback.take_target() == 15.0
    playback.position = 59.0
    one.key(next(iter(RIGHT)))
    assert playback.take_target() == 60.0 - LAST_SECONDS


def test_actions_are_called_and_their_answer_is_told() -> None:
    called: list[str] = []

    def action(name: str) -> str:
        called.append(name)
        return name

    taken: list[Samples] = []
    actions = Actions(
        snapshot=lambda shot: taken.append(shot) or action("snapshot"),  # type: ignore[func-returns-value]
        toggle_recording=lambda: action("record"),
        next_engine=lambda: action("engine"),
        toggle_full_screen=lambda: called.append("full screen"),
    )
    one = viewer(actions=actions)
    press(one, "srgf")
    assert called == ["snapshot", "record", "engine", "full screen"]
    assert (taken[0] == frame(200).planes[0]).all(), "a snapshot holds no text"


def test_keys_without_an_action_do_nothing_and_are_not_in_the_help() -> None:
    one = viewer()
    press(one, "srgfxyz1")
    assert not any(line.startswith(("s ", "r ", "g ", "f ")) for line in one.help())


def test_h_lists_every_key_on_the_picture() -> None:
    one = viewer(actions=Actions(snapshot=lambda shot: ""))
    assert [line.split()[0] for line in one.help()][:3] == ["h", "q", "space"]
    press(one, "h")
    assert (picture(one) != frame(200).planes[0]).any()
    press(one, "h")
    assert (picture(one) == frame(200).planes[0]).all()


def test_a_lost_stream_is_gray_and_says_so() -> None:
    link = Link()
    one = viewer(link=link)
    link.lost("camera 0 is lost: unplugged\ntrying again in 4 s")
    shown = picture(one)
    assert shown.max() == 255 or shown.mean() < 100
    assert (shown[0, 0] == shown[0, 0, 0]).all()
    link.restored()
    assert (picture(one) == frame(200).planes[0]).all()


def test_i_shows_the_figures_of_the_report() -> None:
    one = viewer()
    stats = RunStats(StreamInfo(WIDTH, HEIGHT, live=True), {"window": lambda: 0}, lambda: EngineInfo("fast"), int, None)
    one.report = stats.report()
    press(one, "i")
    assert (picture(one) != frame(200).planes[0]).any()
