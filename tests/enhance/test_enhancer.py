"""The enhancer: arrays in and out, its settings, and how many programs it keeps."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import VIDEO, info, smooth

from realtime import DeviceError, EnhanceOptions, Enhancer, SettingError
from realtime.enhance.device import choose_device, choose_precision
from realtime.enhance.engines.base import ProgramSpec
from realtime.enhance.enhancer import MAX_PROGRAMS
from realtime.frame import RGB, PixelFormat

# Arrays.


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 3), (2, 14), (64, 48), (33, 31), (3, 2000)])
def test_any_size_comes_out_as_it_went_in(width: int, height: int, enhancer: Enhancer) -> None:
    pictures = synthetic.noise(width, height, top=256)
    output = enhancer(pictures)
    assert output.shape == pictures.shape
    assert output.dtype == np.uint8
    assert not np.array_equal(output, pictures)


def test_pictures_are_not_changed(enhancer: Enhancer) -> None:
    pictures = synthetic.noise(64, 48)
    before = pictures.copy()
    enhancer(pictures)
    assert np.array_equal(pictures, before)


def test_no_picture_gives_none(enhancer: Enhancer) -> None:
    assert enhancer(np.zeros((0, 48, 64, 3), np.uint8)).shape == (0, 48, 64, 3)


def test_a_view_is_accepted(enhancer: Enhancer) -> None:
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


@settings(max_examples=5)
@given(count=st.integers(1, 5), batch=st.integers(2, 4))
def test_batch_and_padding_make_no_difference(weights: Path, count: int, batch: int) -> None:
    pictures = synthetic.noise(24, 20, count)
    alone, together = (
        ENHANCERS.setdefault(size, Enhancer(weights=weights, batch=size, **synthetic.QUICK)) for size in (1, batch)
    )
    # The sums of another batch size may take another order.
    assert np.abs(together(pictures).astype(int) - alone(pictures)).max() <= 1


ENHANCERS: dict[int, Enhancer] = {}


def test_pictures_of_a_call_are_scenes_of_their_own(student_weights: Path) -> None:
    """Neither exposure nor the fast engine's maps come from the picture before."""
    pictures = np.concatenate([synthetic.noise(32, 32, top=200), synthetic.noise(32, 32, top=20, seed=1)])
    enhancer = Enhancer(weights=student_weights, **synthetic.QUICK | {"engine": "fast", "exposure": "auto"})
    assert np.array_equal(enhancer(pictures)[1], enhancer(pictures[1:])[0])


def test_strength_0_is_the_input_exactly(plain: Enhancer) -> None:
    pictures = synthetic.noise(31, 20, 2, top=256)
    assert np.array_equal(plain(pictures), pictures)


def test_stops_brighten(weights: Path, enhancer: Enhancer) -> None:
    pictures = synthetic.noise(24, 20, top=30)
    lifted = Enhancer(weights=weights, **synthetic.QUICK | {"exposure": 3.0})(pictures)
    assert lifted.mean() > enhancer(pictures).mean() + 5


def test_bfloat16_is_close_to_float32(weights: Path, enhancer: Enhancer) -> None:
    pictures = synthetic.noise(64, 48)
    small = Enhancer(weights=weights, **synthetic.QUICK | {"precision": "bfloat16"})(pictures)
    error = np.mean((small.astype(float) - enhancer(pictures)) ** 2)
    assert 20 * np.log10(255 / np.sqrt(error)) >= 38


# Settings.


def test_fields_replace_those_of_the_options(weights: Path) -> None:
    options = EnhanceOptions(weights=weights, engine="exact", precision="float32", device="cpu", strength=0.5)
    enhancer = Enhancer(options, strength=0.0)
    assert enhancer.options == EnhanceOptions(weights, "exact", "float32", "cpu", 0.0)
    assert (enhancer.weights.path, enhancer.exposure) == (weights, "off")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"engine": "magic"}, r"engine 'magic' is not one of auto, exact, fast"),
        ({"precision": "int4"}, r"precision 'int4' is not one of auto, float32"),
        ({"device": "tpu"}, r"device 'tpu' is not one of auto, cpu, gpu"),
        ({"device": "gpu:x"}, r"device 'gpu:x' is not one of"),
        ({"device": "gpu:-1"}, r"device 'gpu:-1' is not one of"),
        ({"exposure": "bright"}, r"exposure 'bright' is not auto, scene, off or stops"),
        ({"strength": 1.5}, r"strength 1\.5 is outside 0\.\.1"),
        ({"batch": 0}, r"batch 0 is neither"),
    ],
)
def test_unknown_settings_name_the_known_ones(fields: dict[str, Any], message: str, weights: Path) -> None:
    with pytest.raises(SettingError, match=message):
        Enhancer(weights=weights, **synthetic.QUICK | fields)


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match=r"device 'gpu:99' is not there: TensorFlow sees \d+ GPUs"):
        choose_device("gpu:99")


def test_auto_takes_16_bits_only_where_that_is_clearly_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime.enhance import device

    monkeypatch.setattr(device, "speeds", lambda precisions, on: {"float32": 1.0, "bfloat16": 2.0})
    assert choose_precision("auto", "cpu") == "bfloat16"
    monkeypatch.setattr(device, "speeds", lambda precisions, on: {"float32": 1.0, "bfloat16": 1.1})
    assert choose_precision("auto", "cpu") == "float32"
    assert choose_precision("bfloat16", "cpu") == "bfloat16"


# Programs.


def spec(width: int, batch: int = 1, format: PixelFormat = RGB) -> ProgramSpec:
    return ProgramSpec(width, 16, batch, format, format)


def test_only_the_latest_programs_are_kept(weights: Path) -> None:
    """A folder of photos of many sizes needs no more memory than a few sizes do."""
    enhancer = Enhancer(weights=weights, **synthetic.QUICK)
    references = []
    for width in range(14, 14 + MAX_PROGRAMS + 2):
        enhancer(synthetic.noise(width, 16))
        references.append(weakref.ref(enhancer.program("exact", spec(width))))
    gc.collect()
    assert [reference() is not None for reference in references] == [False] * 2 + [True] * MAX_PROGRAMS


def test_a_program_that_is_used_again_stays(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enhancer = Enhancer(weights=weights, **synthetic.QUICK)
    built: list[int] = []

    def build(wanted: ProgramSpec) -> object:
        built.append(wanted.width)
        return object()

    monkeypatch.setattr(enhancer.engine("exact"), "program", build)
    for width in (1, 2, 1, 3, 1, 4, 1, 5, 1, 2):
        enhancer.program("exact", spec(width))
    assert built == [1, 2, 3, 4, 5, 2]


def test_sessions_of_one_kind_share_a_program_that_is_traced_once(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from realtime.enhance import color_ops
    from realtime.enhance.engines.exact import engine as exact

    traced: list[tuple[int, ...]] = []

    def to_rgb(planes: tuple[Any, ...], format: PixelFormat) -> Any:
        traced.append(tuple(planes[0].shape))
        return color_ops.to_rgb(planes, format)

    monkeypatch.setattr(exact, "to_rgb", to_rgb)
    for strength in (1.0, 0.5):
        enhancer = Enhancer(weights=weights, batch=2, strength=strength, **synthetic.QUICK)
        traced.clear()
        sessions = [enhancer.session(info(20, 24), VIDEO) for _ in range(2)]
        assert traced == [(2, 24, 20)], "compiled when the session is made"
        for session in sessions:
            for count in (2, 1, 2):
                frames = [smooth(20, 24, seed=seed) for seed in range(count)]
                assert len(session.process(frames)) == count
        assert len(traced) == 1


def test_threads_share_one_enhancer(weights: Path) -> None:
    """Each thread gets the pictures it asked for, also while programs are made and dropped."""
    enhancer = Enhancer(weights=weights, **synthetic.QUICK)
    pictures = {width: synthetic.noise(width, 16, seed=width) for width in range(14, 14 + MAX_PROGRAMS + 1)}
    expected = {width: enhancer(picture) for width, picture in pictures.items()}
    wrong: list[int] = []

    def work(widths: list[int]) -> None:
        wrong.extend(width for width in widths if not np.array_equal(enhancer(pictures[width]), expected[width]))

    orders = [list(pictures), list(pictures)[::-1], [14] * 6]
    threads = [threading.Thread(target=work, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
