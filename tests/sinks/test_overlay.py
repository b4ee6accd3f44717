"""What viewers draw over a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sinks.overlay import View, compose, grayed, position_bar, with_mark, with_text

BEFORE = np.full((90, 160, 3), 10, np.uint8)
AFTER = np.full((90, 160, 3), 200, np.uint8)
AFTER[:, :80] = (250, 100, 100)  # left and right differ


@pytest.mark.parametrize("divider", [0.0, 0.25, 0.5, 1.0])
def test_the_divider_has_before_on_its_left_and_after_on_its_right(divider: float) -> None:
    picture, column = compose(AFTER, BEFORE, View(divider=divider)), round(divider * 160)
    assert (picture[:, : max(column - 1, 0)] == 10).all()
    assert (picture[:, column + 1 :] == AFTER[:, column + 1 :]).all()


def test_side_by_side_shows_both_in_full() -> None:
    assert (compose(AFTER, BEFORE, View(side_by_side=True)) == np.hstack([BEFORE, AFTER])).all()


def test_without_an_original_the_enhanced_picture_is_shown() -> None:
    assert (compose(AFTER, None, View(divider=0.5)) == AFTER).all()


def test_mirror_and_rotation() -> None:
    assert (compose(AFTER, None, View(mirror=True)) == AFTER[:, ::-1]).all()
    assert (compose(AFTER, None, View(rotation=90)) == np.rot90(AFTER, -1)).all()
    assert (compose(AFTER, None, View(rotation=180)) == np.rot90(AFTER, 2)).all()
    assert (compose(AFTER, None, View(rotation=270)) == np.rot90(AFTER)).all()


@pytest.mark.parametrize("shape", [(40, 60, 3), (180, 320, 3), (1080, 1920, 3), (640, 90, 3)])
def test_the_mark_is_at_the_top_right(shape: tuple[int, int, int]) -> None:
    plain = np.full(shape, 90, np.uint8)
    marked = with_mark(plain)
    assert (plain == 90).all()
    changed = np.argwhere((marked != plain).any(2))
    assert changed[:, 1].max() == shape[1] - 1
    if shape[1] > 200:
        assert changed[:, 0].max() < shape[0] / 4
        assert changed[:, 1].min() > shape[1] / 2


def test_a_lost_picture_is_gray_and_darker_and_says_so() -> None:
    plain, told = grayed(AFTER, ""), grayed(AFTER, "lost")
    assert (plain.max(axis=2) == plain.min(axis=2)).all()
    assert plain.max() <= 100
    assert (told != plain).any()


def test_text_changes_only_its_corner() -> None:
    large = np.full((720, 1280, 3), 90, np.uint8)
    changed = np.argwhere((with_text(large, ["30 fps", "0 dropped"]) != large).any(axis=2))
    assert len(changed)
    assert changed.max(axis=0)[0] < 200
    assert changed.max(axis=0)[1] < 400


@given(width=st.integers(1, 400), height=st.integers(1, 300), text=st.text(max_size=80), centered=st.booleans())
def test_any_text_fits_any_picture(width: int, height: int, text: str, centered: bool) -> None:
    picture = np.zeros((height, width, 3), np.uint8)
    assert with_text(picture, [text, "second"], centered=centered).shape == picture.shape


@pytest.mark.parametrize("height", [240, 720, 1080])
def test_no_letter_reaches_beyond_its_box(height: int) -> None:
    picture = np.full((height, height * 16 // 9, 3), 90, np.uint8)
    drawn = with_text(picture, ["b  before and after side by side", "h  this help"])
    box, letters = np.argwhere(drawn[..., 0] == 30), np.argwhere(drawn[..., 0] > 90)
    assert (letters.min(axis=0) > box.min(axis=0)).all()
    assert (letters.max(axis=0) < box.max(axis=0)).all()


def test_the_position_bar_is_filled_up_to_the_position() -> None:
    bar = position_bar(AFTER, 0.25)[-1]
    assert (bar[:40] == 255).all()
    assert (bar[40:] < 255).any(axis=1).all()


def test_nothing_changes_its_input() -> None:
    before = AFTER.copy()
    compose(AFTER, BEFORE, View(divider=0.5))
    grayed(AFTER, "lost")
    with_text(AFTER, ["text"])
    position_bar(AFTER, 0.5)
    assert (before == AFTER).all()
