"""Black, white, one level, one pixel, any size: both engines survive them and keep them sensible."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streams
import synthetic
from hypothesis import example, given, settings
from hypothesis import strategies as st
from streams import FORMATS, VIDEO, flat, info

from realtime import Enhancer, PixelFormat
from realtime.enhance.engines.registry import ENGINES
from realtime.frame import RGB

NAMES = [engine.name for engine in ENGINES]
#: Each size of the exact engine is compiled, which takes a second.
SIZES = {"exact": [(1, 1), (5, 3), (51, 48)], "fast": [(1, 1), (1, 40), (2, 3), (7, 64), (33, 31), (70, 50)]}


@pytest.fixture(scope="module")
def bundled() -> dict[tuple[str, Any], Enhancer]:
    """The bundled weights, by engine and exposure."""
    return {
        (engine, exposure): Enhancer(engine=engine, precision="float32", device="cpu", exposure=exposure)
        for engine in NAMES
        for exposure in ("auto", "scene", 6.0, "off")
    }


Bundled = dict[tuple[str, Any], Enhancer]
exposures = st.sampled_from(["auto", "scene", 6.0, "off"])


@pytest.mark.parametrize("engine", NAMES)
@settings(max_examples=12)
@given(data=st.data(), exposure=exposures, format=st.sampled_from([VIDEO, RGB]))
def test_any_sequence_of_flat_frames(
    bundled: Bundled, engine: str, data: st.DataObject, exposure: Any, format: PixelFormat
) -> None:
    """Fades, cuts to black and back: the size stays, and flat frames stay flat."""
    size = data.draw(st.sampled_from(SIZES[engine]))
    levels = data.draw(st.lists(st.sampled_from([0, 1, 15, 16, 17, 100, 234, 235, 255]), min_size=1, max_size=5))
    frames = [flat(*size, format, level, index) for index, level in enumerate(levels)]
    outputs = streams.run(bundled[engine, exposure].session(info(*size, format), VIDEO), frames)
    assert [(frame.width, frame.height) for frame in outputs] == [size] * len(levels)
    for frame in outputs:
        luma = frame.planes[0].astype(int)
        assert luma.max() - luma.min() <= 24


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize("exposure", ["auto", "scene", 6.0])
@pytest.mark.parametrize("before", [0, 16, 60, 235])
def test_black_stays_dark_and_white_light(bundled: Bundled, engine: str, exposure: Any, before: int) -> None:
    """Whatever the frames before were: a fade, or a cut, to and from black."""
    session = bundled[engine, exposure].session(info(40, 24), VIDEO)
    frames = [flat(40, 24, VIDEO, level, index) for index, level in enumerate([before, 0, 16, 235, 255, 16])]
    means = [float(frame.planes[0].mean()) for frame in streams.run(session, frames)][1:]
    assert max(means[0], means[1], means[4]) <= 60
    assert min(means[2], means[3]) >= 200


@pytest.mark.parametrize("engine", NAMES)
@settings(max_examples=6)
@given(data=st.data(), exposure=exposures, level=st.integers(1, 255), ground=st.sampled_from([0, 16, 255]))
def test_one_pixel_alone(
    bundled: Bundled, engine: str, data: st.DataObject, exposure: Any, level: int, ground: int
) -> None:
    width, height = data.draw(st.sampled_from(SIZES[engine]))
    row, column = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    luma = np.full((height, width), ground, np.uint8)
    luma[row, column] = level
    picture = flat(width, height, VIDEO)
    picture = picture.with_planes((luma, *picture.planes[1:]), VIDEO)
    session = bundled[engine, exposure].session(info(width, height), VIDEO)
    outputs = streams.run(session, [replace(picture, pts=index) for index in range(3)])
    assert [frame.planes[0].shape for frame in outputs] == [(height, width)] * 3


@settings(max_examples=20)
@given(width=st.integers(1, 70), height=st.integers(1, 70), target=st.sampled_from([VIDEO, RGB]), data=st.data())
@example(width=1, height=1, target=VIDEO, data=None)
@example(width=1, height=3000, target=VIDEO, data=None)
@example(width=3000, height=1, target=RGB, data=None)
def test_the_fast_engine_takes_any_size_and_format(
    student_weights: Path, width: int, height: int, target: PixelFormat, data: st.DataObject | None
) -> None:
    """With nothing to restore and nothing to lift, flat frames come out as they went in."""
    source = VIDEO if data is None else data.draw(st.sampled_from(FORMATS))
    enhancer = ENHANCERS.setdefault(
        "fast", Enhancer(weights=student_weights, **synthetic.QUICK | {"engine": "fast", "exposure": "auto"})
    )
    level = round(0.9 * ((1 << source.bits) - 1))
    session = enhancer.session(info(width, height, source), target)
    (output,) = session.process([flat(width, height, source, level)])
    assert (output.width, output.height, output.format) == (width, height, target)
    off = ENHANCERS.setdefault("off", Enhancer(weights=student_weights, **synthetic.QUICK | {"engine": "fast"}))
    picture = flat(width, height, source, level)
    if source == target:
        (same,) = off.session(info(width, height, source), target).process([picture])
        assert streams.difference([picture], [same]) <= 1


ENHANCERS: dict[str, Enhancer] = {}


def test_a_large_frame(student_weights: Path) -> None:
    """8K."""
    enhancer = Enhancer(weights=student_weights, **synthetic.QUICK | {"engine": "fast", "batch": 1})
    picture = flat(7680, 4320, VIDEO, 128)
    (output,) = enhancer.session(info(7680, 4320), VIDEO).process([picture])
    assert streams.difference([picture], [output]) <= 1
