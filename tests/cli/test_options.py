"""Options become settings in one place; nothing below the command line sees parsed arguments."""

from __future__ import annotations

import argparse
import ast
from pathlib import Path

import pytest

import realtime
from realtime.cli import options
from realtime.cli.main import parser
from realtime.config import EncodingOptions, EnhanceOptions, InputOverrides
from realtime.enhance.engines.registry import engine_names
from realtime.errors import SettingError, SourceError


def parsed(*words: str) -> argparse.Namespace:
    return parser().parse_args(words)


def test_defaults_are_those_of_the_library() -> None:
    args = parsed("enhance", "a.mp4")
    assert options.enhance_options(args) == EnhanceOptions()
    assert options.encoding_options(args) == EncodingOptions()
    assert options.input_overrides(args) == InputOverrides()


def test_every_option_reaches_its_setting() -> None:
    enhancing = "--weights lol --engine fast --precision float32 --device gpu:1 --strength 0.5"
    enhancing += " --exposure 2 --batch 4 --denoise 9"
    encoding = "--codec hevc --crf 20 --preset slow --pixel-format yuv444p --hwaccel nvenc -e a=1 -e b=c=d --strict"
    encoding += " --max-size-ratio 1.5"
    reading = "--start 1:00 --duration 2.5 --input-matrix bt2020 --input-range full --hdr as-is"
    args = parsed("enhance", "a.mp4", *f"{enhancing} {encoding} {reading}".split())
    assert options.enhance_options(args) == EnhanceOptions("lol", "fast", "float32", "gpu:1", 0.5, "2", 4, 9)
    assert options.encoding_options(args) == EncodingOptions(
        codec="hevc",
        crf=20,
        preset="slow",
        max_size_ratio=1.5,
        pixel_format="yuv444p",
        hwaccel="nvenc",
        encoder_options={"a": "1", "b": "c=d"},
        strict=True,
    )
    assert options.input_overrides(args) == InputOverrides(60.0, 2.5, "bt2020", True, True)


def test_a_command_with_quality_options_alone() -> None:
    args = parsed("benchmark", "--crf", "20", "--preset", "slow")
    assert options.quality_options(args) == EncodingOptions(crf=20, preset="slow")


def test_settings_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(SettingError, match="lossless"):
        options.encoding_options(parsed("enhance", "a.mp4", "--codec", "ffv1", "--crf", "3"))


@pytest.mark.parametrize("command", ["enhance", "preview", "live", "benchmark"])
def test_engines_are_those_of_the_registry(command: str) -> None:
    for name in engine_names():
        words = [command, "a.mp4", "--engine", name]
        assert options.enhance_options(parsed(*words)).engine == name


def test_a_source_comes_from_argument_file_environment_or_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REALTIME_SOURCE", raising=False)
    assert options.source_address(parsed("live")) == "0"
    monkeypatch.setenv("REALTIME_SOURCE", "rtsp://u:PW@host/a")
    assert options.source_address(parsed("live")) == "rtsp://u:PW@host/a"
    file = tmp_path / "address"
    file.write_text("rtsp://u:PW@host/b \n# the one at the door\n")
    assert options.source_address(parsed("live", "--source-file", str(file))) == "rtsp://u:PW@host/b"
    assert options.source_address(parsed("live", "2")) == "2"


@pytest.mark.parametrize("words", [["live", ""], ["live", " "], ["live", "--source-file", "empty"]])
def test_an_empty_source_is_an_error(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(SettingError, match="is empty"):
        options.source_address(parsed(*words))


def test_an_empty_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALTIME_SOURCE", "")
    with pytest.raises(SettingError, match="REALTIME_SOURCE is empty"):
        options.source_address(parsed("live"))


def test_two_sources_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="exclude each other"):
        options.source_address(parsed("live", "0", "--source-file", str(tmp_path)))


def test_a_source_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing cannot be read: No such file"):
        options.source_address(parsed("live", "--source-file", str(tmp_path / "missing")))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="it is not text"):
        options.source_address(parsed("live", "--source-file", str(tmp_path / "binary")))


def test_no_parsed_arguments_below_the_command_line() -> None:
    """Only `cli` and the programs in `benchmarks` and `training` that are commands of their own know argparse."""
    package = Path(realtime.__file__).parent
    users = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import) and any(alias.name == "argparse" for alias in node.names)
    }
    assert users <= {"cli", "benchmarks", "training"}
