"""Settings: frozen, and checked where they are made."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from realtime import Control, ControlState, EncodingOptions, EnhanceOptions, InputOverrides, SettingError
from realtime.color import guess_matrix


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (EnhanceOptions, {"strength": 3}, "strength 3 is outside 0..1"),
        (EnhanceOptions, {"strength": float("nan")}, "strength nan is outside 0..1"),
        (EnhanceOptions, {"batch": 0}, "batch 0"),
        (EnhanceOptions, {"batch": "many"}, "batch 'many'"),
        (EnhanceOptions, {"precision": "int8"}, "precision 'int8' is not one of auto, float32"),
        (EnhanceOptions, {"device": "tpu"}, "device 'tpu' is not one of auto, cpu, gpu, gpu:N"),
        (EnhanceOptions, {"exposure": "bright"}, "exposure 'bright' is not auto, scene, off or stops from 0 to 6"),
        (EnhanceOptions, {"exposure": 7}, "exposure 7"),
        (EncodingOptions, {"codec": "mpeg1"}, "codec 'mpeg1' is not one of h264"),
        (EncodingOptions, {"preset": "turbo"}, "preset 'turbo' is not one of ultrafast"),
        (EncodingOptions, {"hwaccel": "cuda"}, "hwaccel 'cuda' is not one of nvenc"),
        (EncodingOptions, {"crf": 52}, "crf 52 is outside 0..51 of h264"),
        (EncodingOptions, {"codec": "ffv1", "crf": 1}, "ffv1, which is lossless"),
        (InputOverrides, {"start": -1.0}, "start -1.0 s must be 0 or more"),
        (InputOverrides, {"start": float("inf")}, "start inf s"),
        (InputOverrides, {"duration": 0.0}, "duration 0.0 s must be more than 0"),
        (ControlState, {"strength": 2}, "strength 2 is outside 0..1"),
        (ControlState, {"exposure_bias": 9}, "exposure bias 9 is outside -6..6 stops"),
    ],
)
def test_a_value_out_of_range_names_value_and_range(kind: Any, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message.replace("..", r"\.\.")) as caught:
        kind(**fields)
    assert "\n" not in str(caught.value)
    assert "--" not in str(caught.value), "the library names arguments, not options of the command line"


@pytest.mark.parametrize("kind", [EnhanceOptions, EncodingOptions, InputOverrides, ControlState])
def test_settings_cannot_be_changed(kind: Any) -> None:
    value = kind()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, None)


def test_a_refused_change_leaves_the_control_as_it_was() -> None:
    control = Control()
    control.update(strength=0.5)
    with pytest.raises(SettingError):
        control.update(strength=5.0, enhanced=False)
    assert control.state == ControlState(strength=0.5)


@pytest.mark.parametrize(
    ("size", "matrix"),
    [((640, 480), "bt601"), ((1280, 544), "bt709"), ((960, 720), "bt709"), ((1279, 719), "bt601")],
)
def test_untagged_material_is_read_as_players_do(size: tuple[int, int], matrix: str) -> None:
    assert guess_matrix(*size) == matrix
