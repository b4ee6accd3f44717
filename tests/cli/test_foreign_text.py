"""Escape sequences from files (names, tags, names of tracks) reach neither the terminal nor a line of their own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import synthetic
from ffmpeg_tools import ffmpeg

from realtime import Frame, PerFrame
from realtime.cli.main import main

#: Clears the screen, names the window, and looks like a line of ours.
HOSTILE = "a\x1b[2J\x1b]0;owned\x07\nrealtime: out.mkv: as recorded\u202e\x9b31m"
ESCAPED = "a\\x1b[2J\\x1b]0;owned\\x07\\nrealtime: out.mkv: as recorded\\u202e\\x9b31m"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def unchanged(frame: Frame) -> Frame:
        return frame

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("realtime.cli.options.make_enhancer", lambda args: PerFrame(unchanged, "test"))
    return tmp_path


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command, and returns what it says: nothing in it controls a terminal, and no line is faked."""

    def run(*words: str, code: int) -> str:
        assert main(list(words)) == code
        out, err = capfd.readouterr()
        assert CONTROL.search(out + err) is None
        assert not any(line.startswith("realtime: out.mkv: as recorded") for line in (out + err).splitlines())
        return out + err

    return run


@pytest.mark.parametrize("more", [(), ("-v",), ("--list-damage",)], ids=" ".join)
def test_names_of_files(more: tuple[str, ...], here: Path, said: Callable[..., str]) -> None:
    name = f"{HOSTILE}.mp4"
    synthetic.clip(here / name)
    assert ESCAPED in said("enhance", name, "-o", "out/", *more, code=0)
    assert ESCAPED in said("enhance", name, "-o", "out/", *more, code=1)  # it exists now
    (here / name).write_bytes(b"no video")
    assert ESCAPED in said("enhance", name, "-o", "new/", *more, code=1)
    assert ESCAPED in said("enhance", f"missing{name}", *more, code=1)


def test_json_holds_the_name_and_no_control_characters(here: Path, said: Callable[..., str]) -> None:
    name = f"{HOSTILE}.mp4"
    synthetic.clip(here / name)
    text = said("enhance", name, "-o", "out/", "--json", code=0)
    summary, _ = json.JSONDecoder().raw_decode(text)
    assert summary["results"][0]["input"] == name


@pytest.mark.needs("ffmpeg")
@pytest.mark.parametrize("more", [(), ("-v",), ("--json",), ("--strict",)], ids=" ".join)
def test_tags_and_names_of_tracks(more: tuple[str, ...], here: Path, said: Callable[..., str]) -> None:
    """A subtitle track that does not fit is named in a warning, by the name that the file gives it."""
    (here / "a.srt").write_text("1\n00:00:00,000 --> 00:00:00,200\none\n")
    ffmpeg(
        *("-i", synthetic.clip(here / "whole.mp4"), "-i", here / "a.srt", "-c:v", "copy", "-c:s", "mov_text"),
        *("-metadata", f"title={HOSTILE}", "-metadata:s:s:0", f"handler_name={HOSTILE}", here / "tagged.mp4"),
    )
    assert "owned" in said("enhance", "tagged.mp4", "-o", "out.mkv", *more, code=1 if "--strict" in more else 0)


def test_what_a_manifest_names(here: Path, said: Callable[..., str]) -> None:
    name = f"{HOSTILE}.mp4"
    synthetic.clip(here / name)
    said("enhance", name, "-o", "out.mkv", "--manifest", code=0)
    assert ESCAPED in said("verify", "out.mkv.manifest.json", code=0)
    said("verify", "out.mkv.manifest.json", "--json", code=0)
    shutil.copy(here / "out.mkv.manifest.json", here / f"{HOSTILE}.manifest.json")
    assert said("verify", f"{HOSTILE}.manifest.json", code=0).count(ESCAPED) >= 2
    record = json.loads((here / "out.mkv.manifest.json").read_bytes())
    record["output"]["path"] = HOSTILE
    (here / "out.mkv.manifest.json").write_text(json.dumps(record))
    assert ESCAPED in said("verify", "out.mkv.manifest.json", code=1)
    (here / f"{HOSTILE}.manifest.json").write_text("{}")
    assert ESCAPED in said("verify", f"{HOSTILE}.manifest.json", code=1)
