"""The enhancer: what goes in, what comes out, and what it compiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime import DeviceError, Enhancer, Frame, PixelFormat, SettingError, StreamInfo
from realtime.enhance.device import choose_device, choose_precision
from realtime.enhance.engines.base import ProgramSpec

LIMITED = PixelFormat("yuv", 8, (2, 2), "bt709", full_range=False)


def frames(format: PixelFormat, width: int, height: int, count: int) -> list[Frame]:
    return [
        Frame(synthetic.random_planes(format, width, height, seed), format, pts=seed, captured_at=seed + 1.0)
        for seed in range(count)
    ]


# Pictures in, pictures out.


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 3), (2, 14), (64, 48), (33, 31), (3, 2000)])
def test_any_size_comes_out_as_it_went_in(width: int, height: int, enhancer: Enhancer) -> None:
    pictures = synthetic.noise(width, height, top=256)
    made = enhancer(pictures)
    assert made.shape == pictures.shape
    assert made.dtype == np.uint8
    assert not np.array_equal(made, pictures)


def test_pictures_are_not_changed(enhancer: Enhancer) -> None:
    pictures = synthetic.noise(64, 48)
    kept = pictures.copy()
    enhancer(pictures)
    assert np.array_equal(pictures, kept)


def test_no_picture_is_no_answer(enhancer: Enhancer) -> None:
    assert enhancer(np.zeros((0, 48, 64, 3), np.uint8)).shape == (0, 48, 64, 3)


def test_a_view_will_do(enhancer: Enhancer) -> None:
    pictures = synthetic.noise(64, 48)
    mirrored = enhancer(pictures[:, :, ::-1])
    assert np.array_equal(mirrored, enhancer(np.ascontiguousarray(pictures[:, :, ::-1])))


@pytest.mark.parametrize(
    "pictures",
    [
        np.zeros((48, 64, 3), np.uint8),
        np.zeros((1, 48, 64), np.uint8),
        np.zeros((1, 48, 64, 4), np.uint8),
        np.zeros((1, 48, 64, 3), np.float32),
    ],
    ids=lambda pictures: f"{pictures.dtype}{pictures.shape}",
)
def test_other_arrays_are_refused(pictures: np.ndarray, enhancer: Enhancer) -> None:
    with pytest.raises(ValueError, match=r"uint8 RGB of shape \(N, H, W, 3\)"):
        enhancer(pictures)


@settings(max_examples=6)
@given(count=st.integers(1, 5), batch=st.integers(1, 4))
def test_the_batch_makes_no_difference(weights: Path, count: int, batch: int) -> None:
    pictures = synthetic.noise(24, 20, count)
    alone = ENHANCERS.of(weights, 1)(pictures)
    assert np.abs(ENHANCERS.of(weights, batch)(pictures).astype(int) - alone).max() <= 1


class Enhancers:
    """One for each batch size; loading takes longer than anything else here."""

    def __init__(self) -> None:
        self._made: dict[int, Enhancer] = {}

    def of(self, weights: Path, batch: int) -> Enhancer:
        if batch not in self._made:
            self._made[batch] = Enhancer(weights, batch=batch, **synthetic.QUICK)
        return self._made[batch]


ENHANCERS = Enhancers()


# Strength.


@pytest.mark.parametrize(
    "format",
    [PixelFormat(), LIMITED, PixelFormat("yuv", 8, (2, 2), "bt601", full_range=True)],
    ids=["rgb", "limited", "full"],
)
def test_strength_0_is_the_input_exactly(format: PixelFormat, plain: Enhancer) -> None:
    # Any sample at all, those outside the legal range too.
    given_frames = frames(format, 33, 31, 2)
    plain.prepare(StreamInfo(33, 31, format), rgb=format.model == "rgb")
    for before in given_frames:
        (after,) = plain.enhance([before])
        assert after.format == format
        assert all(map(np.array_equal, before.planes, after.planes))


def test_strength_0_of_pictures_is_the_input_exactly(plain: Enhancer) -> None:
    pictures = synthetic.noise(31, 20, 2, top=256)
    assert np.array_equal(plain(pictures), pictures)


def test_strength_blends_linearly(enhancer: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = synthetic.noise(64, 48)
    whole = enhancer(pictures).astype(int)
    for strength in (0.25, 0.5):
        monkeypatch.setattr(enhancer, "strength", strength)
        expected = pictures + strength * (whole - pictures)
        assert np.abs(enhancer(pictures) - expected).max() <= 1


@pytest.mark.parametrize("strength", [-0.01, 1.01, 5.0, float("nan")])
def test_strength_out_of_range(strength: float, weights: Path) -> None:
    with pytest.raises(SettingError, match=r"strength .* is outside 0\.\.1") as caught:
        Enhancer(weights, strength=strength)
    assert isinstance(caught.value, ValueError)


# Streams.


def test_prepare_says_what_comes_out(enhancer: Enhancer) -> None:
    info = StreamInfo(24, 20, PixelFormat("yuv", 10, (2, 1), "bt2020", full_range=False), name="hdr")
    made = enhancer.prepare(info, rgb=False)
    assert made.format == PixelFormat("yuv", 8, (2, 2), "bt2020", full_range=False)
    assert made.name == "hdr"
    assert enhancer.prepare(info, rgb=True).format == PixelFormat()


@pytest.mark.parametrize("rgb", [True, False])
@pytest.mark.parametrize(
    "format",
    [PixelFormat(), LIMITED, PixelFormat("yuv", 10, (2, 1), "bt2020", False), PixelFormat("gray", 12)],
    ids=["rgb", "yuv8", "yuv10", "gray12"],
)
def test_every_frame_comes_out_prepared(format: PixelFormat, rgb: bool, enhancer: Enhancer) -> None:
    made = enhancer.prepare(StreamInfo(33, 31, format), rgb=rgb)
    given_frames = frames(format, 33, 31, 1)
    (frame,) = enhancer.enhance(given_frames)
    assert frame.format == made.format
    assert (frame.pts, frame.captured_at) == (given_frames[0].pts, given_frames[0].arrived)
    assert (frame.width, frame.height) == (33, 31)


def test_a_stream_is_the_same_pictures(enhancer: Enhancer) -> None:
    pictures = synthetic.noise(64, 48, 3)
    enhancer.prepare(StreamInfo(64, 48), rgb=True)
    stream = [enhancer.enhance([Frame((picture,))])[0].planes[0] for picture in pictures]
    assert np.array_equal(np.stack(stream), enhancer(pictures))


def test_a_stream_may_change_its_size(enhancer: Enhancer) -> None:
    enhancer.prepare(StreamInfo(64, 48), rgb=True)
    given_frames = [Frame((synthetic.noise(*size)[0],)) for size in ((64, 48), (33, 31), (64, 48))]
    made = [enhancer.enhance([frame])[0] for frame in given_frames]
    assert [(frame.width, frame.height) for frame in made] == [(64, 48), (33, 31), (64, 48)]


def counted(monkeypatch: pytest.MonkeyPatch, enhancer: Enhancer) -> list[tuple[int, ...]]:
    """Notes the shape of what every compiled program is given, and empties the cache of programs."""
    shapes: list[tuple[int, ...]] = []
    make = enhancer.engine.program

    def program(job: ProgramSpec) -> Callable[..., Any]:
        compiled = make(job)

        def run(planes: Any, *rest: Any) -> Any:
            shapes.append(np.shape(planes[0]))
            return compiled(planes, *rest)

        return run

    monkeypatch.setattr(enhancer, "_programs", {})
    monkeypatch.setattr(enhancer.engine, "program", program)
    return shapes


def test_a_last_batch_is_padded_and_nothing_compiled_again(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enhancer = ENHANCERS.of(weights, 3)
    shapes = counted(monkeypatch, enhancer)
    enhancer.prepare(StreamInfo(24, 20, LIMITED), rgb=False)
    given_frames = frames(LIMITED, 24, 20, 7)
    made = [frame for first in (0, 3, 6) for frame in enhancer.enhance(given_frames[first : first + 3])]
    assert [frame.pts for frame in made] == list(range(7))
    assert shapes == [(3, 20, 24)] * 3
    assert len(enhancer._programs) == 1
    (last,) = enhancer.enhance(given_frames[6:])
    assert all(map(np.array_equal, last.planes, made[6].planes))


def test_a_program_never_traces_twice(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime.enhance import color_ops as color
    from realtime.enhance.engines.exact import engine as exact

    traced: list[tuple[int, ...]] = []

    def to_rgb(planes: tuple[Any, ...], format: PixelFormat) -> Any:
        traced.append(tuple(planes[0].shape))
        return color.to_rgb(planes, format)

    monkeypatch.setattr(exact, "to_rgb", to_rgb)
    enhancer = ENHANCERS.of(weights, 2)
    monkeypatch.setattr(enhancer, "_programs", {})
    enhancer.prepare(StreamInfo(20, 24), rgb=True)
    assert traced == [(2, 24, 20, 3)], "compiled before the first frame"
    for strength in (1.0, 0.5, 0.0):
        monkeypatch.setattr(enhancer, "strength", strength)
        enhancer.enhance(frames(PixelFormat(), 20, 24, 2))
        enhancer.enhance(frames(PixelFormat(), 20, 24, 1))
    assert len(traced) == 1


# Settings.


@pytest.mark.parametrize("batch", [0, -1, "many", 1.5])
def test_batch_out_of_range(batch: Any, weights: Path) -> None:
    with pytest.raises(SettingError, match="batch"):
        Enhancer(weights, batch=batch)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"engine": "magic"}, r"engine 'magic' is not one of auto, exact"),
        ({"precision": "int4"}, r"precision 'int4' is not one of auto, float32"),
        ({"device": "tpu"}, r"device 'tpu' is not one of auto, cpu, gpu"),
        ({"device": "gpu:x"}, r"device 'gpu:x' is not one of"),
        ({"exposure": "bright"}, r"exposure 'bright' is not auto, off or stops"),
        ({"exposure": 7.0}, r"exposure 7\.0 is not auto"),
        ({"exposure": -1}, r"exposure -1 is not auto"),
    ],
)
def test_unknown_settings_name_the_known_ones(setting: dict[str, Any], message: str, weights: Path) -> None:
    with pytest.raises(SettingError, match=message):
        Enhancer(weights, **setting)


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match="GPU"):
        choose_device("gpu:99")


def test_describe(enhancer: Enhancer) -> None:
    assert enhancer.describe().items() >= {"engine": "exact", "device": "cpu", "precision": "float32"}.items()


def test_auto_chooses_what_was_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime.enhance import device

    monkeypatch.setattr(device, "speeds", lambda precisions, on: {"float32": 1.0, "bfloat16": 2.0})
    assert choose_precision("auto", "cpu") == "bfloat16"
    monkeypatch.setattr(device, "speeds", lambda precisions, on: {"float32": 1.0, "bfloat16": 1.1})
    assert choose_precision("auto", "cpu") == "float32"
    assert choose_precision("bfloat16", "cpu") == "bfloat16"


def test_bfloat16_is_close_to_float32(weights: Path, enhancer: Enhancer) -> None:
    pictures = synthetic.noise(64, 48)
    small = Enhancer(weights, **{**synthetic.QUICK, "precision": "bfloat16"})
    error = np.mean((small(pictures).astype(float) - enhancer(pictures)) ** 2)
    assert 20 * np.log10(255 / np.sqrt(error)) >= 38


def test_stops_brighten(weights: Path) -> None:
    """With exposure in stops the frame is developed before the network sees it."""
    pictures = synthetic.noise(24, 20, top=30)
    made = Enhancer(weights, **{**synthetic.QUICK, "exposure": 3.0})(pictures)
    assert made.astype(int).mean() > ENHANCERS.of(weights, 1)(pictures).mean() + 5
