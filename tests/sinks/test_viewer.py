"""What a viewer shows and what its keys do."""

from __future__ import annotations

import numpy as np
import pytest

from realtime import Control, EngineInfo, Frame, StopStreaming, StreamInfo
from realtime.control import LAST_SECONDS, Playback
from realtime.events import Link
from realtime.frame import Samples
from realtime.report import RunStats
from realtime.sinks.viewer import LEFT, RIGHT, Actions, Viewer

WIDTH, HEIGHT = 1280, 720


def frame(value: int) -> Frame:
    picture = np.full((HEIGHT, WIDTH, 3), value, np.uint8)
    picture[:, : WIDTH // 2] //= 2
    return Frame((picture,))


def viewer(**fields: object) -> Viewer:
    result = Viewer(Control(), **fields)  # type: ignore[arg-type]
    result.show(frame(200), frame(20))
    return result


def picture(one: Viewer) -> Samples:
    result = one.picture()
    assert result is not None
    return result


def plain(one: Viewer) -> Samples:
    result = one.plain_picture()
    assert result is not None
    return result


def press(one: Viewer, keys: str) -> None:
    for key in keys:
        one.key(ord(key))


def test_it_shows_the_enhanced_picture_alone_at_first() -> None:
    assert (picture(viewer()) == frame(200).planes[0]).all()


def test_a_small_picture_is_enlarged_so_that_text_can_be_read() -> None:
    one = Viewer(Control())
    one.show(Frame((np.full((90, 160, 3), 9, np.uint8),)), None)
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
    assert not one.needs_original
    press(one, "c")
    assert one.needs_original
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


def test_a_change_is_told_for_a_while() -> None:
    one = viewer()
    press(one, "-")
    assert (picture(one) != frame(200).planes[0]).any()
    for _ in range(100):
        one.show(frame(200), None)
    assert (picture(one) == frame(200).planes[0]).all()


def test_space_freezes_a_live_picture() -> None:
    one = viewer()
    press(one, " ")
    one.show(frame(90), None)
    assert plain(one).max() == 200
    press(one, " ")
    one.show(frame(90), None)
    assert plain(one).max() == 90


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
