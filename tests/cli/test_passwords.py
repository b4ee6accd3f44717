"""No command shows a password, wherever an address with one in it was given."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from camera_servers import HttpCamera, jpeg_parts
from plain import Plain

from realtime.cli import options
from realtime.cli.main import COMMANDS, main

SECRET = "hunter2"
#: Nobody listens at port 9.
ADDRESSES = (
    f"rtsp://u:{SECRET}@127.0.0.1:9/live",
    f"rtsp://u:a/{SECRET}@127.0.0.1:9/live",
    f"rtsp://u:a {SECRET}@127.0.0.1:9/live",
    f"rtsp://u:a\n{SECRET}@127.0.0.1:9/live",
    f"rtsp:u:{SECRET}@127.0.0.1:9/live",
    f"u:{SECRET}@127.0.0.1:9/live",
    f"http://127.0.0.1:9/video.cgi?loginuse=a&loginpas={SECRET}",
    f"http://127.0.0.1:9/video?pw={SECRET}",
    f"http://127.0.0.1:9/video?psw={SECRET}",
    f"http://127.0.0.1:9/video?p={SECRET}",
    f"http://127.0.0.1:9/video;password={SECRET}",
    f"http://127.0.0.1:9/video#password={SECRET}",
    f"http://127.0.0.1:9/video?X-Amz-Signature={SECRET}",
    f"rtsp://127.0.0.1:9/user=admin_password={SECRET}_channel=1",
    f"srt://127.0.0.1:9?streamid=#!::u=admin,s={SECRET}",
    f"https://127.0.0.1:9/a/b.m3u8?jwt={SECRET}&sid={SECRET}",
)
#: Where an address may stand among the words of each command; ADDRESS stands for it, OUT for a folder.
USES = {
    "enhance": ("ADDRESS", "missing.mp4 -o ADDRESS", "missing.mp4 --weights ADDRESS", "missing.mp4 -e crf=ADDRESS"),
    "live": ("ADDRESS --no-window", "missing.mp4 --record ADDRESS --no-window", "missing.mp4 --serve ADDRESS"),
    "preview": ("ADDRESS",),
    "cameras": ("ADDRESS",),
    "doctor": ("ADDRESS",),
    "benchmark": ("ADDRESS",),
    "weights": ("fetch ADDRESS", "verify ADDRESS"),
    "verify": ("ADDRESS",),
    "train": ("ADDRESS -o OUT", "OUT -o ADDRESS"),
    "distil": ("ADDRESS -o OUT", "OUT -o ADDRESS"),
    "evaluate": ("ADDRESS", "OUT --weights ADDRESS"),
}
#: What `main` adds to each use: a wrong option that quotes the address, and ways to tell more.
WAYS = ((), ("-v", "--json"), ("--no-such-option=ADDRESS",), ("--seed", "ADDRESS"))


def words(use: Sequence[str], address: str, folder: Path) -> list[str]:
    return [word.replace("ADDRESS", address).replace("OUT", str(folder)) for word in use]


def files_with_secret(folder: Path) -> list[str]:
    """Files in a folder whose names or contents show the password."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in found if SECRET in path.name or SECRET.encode() in path.read_bytes()]


def test_every_command_is_tried() -> None:
    assert set(USES) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_shows_a_password(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    for use in USES[command]:
        for number, address in enumerate(ADDRESSES):
            for way in WAYS if number < 2 else WAYS[:2]:
                main([command, *words([*use.split(), *way], address, tmp_path)])
                out, err = capfd.readouterr()
                assert SECRET not in out + err
                assert out + err, "a test that sees nothing proves nothing"
    assert SECRET not in caplog.text
    assert files_with_secret(tmp_path) == []


@pytest.mark.parametrize("given_by", ["argument", "file", "environment"])
@pytest.mark.usefixtures("no_display")
def test_a_recording_and_what_is_told_of_it_show_no_password(
    given_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(options, "make_enhancer", lambda args: Control())
    (tmp_path / "secrets").mkdir()
    (tmp_path / "run").mkdir()
    recording = tmp_path / "run" / "night.mkv"
    with HttpCamera(jpeg_parts(20), "cut", interval=0.02) as server:
        address = f"{server.address}video.cgi?loginuse=a&loginpas={SECRET}"
        source = [address]
        if given_by == "file":
            (tmp_path / "secrets" / "camera").write_text(address + "\n")
            source = ["--source-file", str(tmp_path / "secrets" / "camera")]
        elif given_by == "environment":
            monkeypatch.setenv("REALTIME_SOURCE", address)
            source = []
        how = ["--no-window", "--give-up-after", "0.5", "--exposure", "off", "--json-lines", "-v"]
        main(["live", *source, "--record", str(recording), *how])
    out, err = capfd.readouterr()
    assert recording.exists()
    assert "127.0.0.1" in out + err
    assert SECRET not in out + err
    assert files_with_secret(tmp_path / "run") == []


class Control(Plain):
    """A `Plain` that can be given a control, as the enhancer can."""

    def with_control(self, control: object) -> Control:
        return self
