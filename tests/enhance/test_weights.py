"""Weights files: found, checked, fetched, and refused."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from realtime import WeightsError
from realtime.enhance import weights as module
from realtime.enhance.weights import bundled, fetch, fetchable, find, index, place, sha256, verify

CONTENT = b"as good as weights"
SHA = hashlib.sha256(CONTENT).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of our own, and an empty cache."""
    folder = tmp_path / "bundled"
    folder.mkdir()
    monkeypatch.setattr(module, "bundled", lambda: folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    enter(folder, night={"file": "night.h5", "sha256": SHA, "metered": True})
    (folder / "night.h5").write_bytes(CONTENT)
    return folder


def enter(folder: Path, **entries: dict[str, object]) -> None:
    (folder / "index.json").write_text(json.dumps({name: {"about": "", **entry} for name, entry in entries.items()}))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server that has the file ``far.h5``."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "far.h5").write_bytes(CONTENT)
    handler = functools.partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def cached() -> list[str]:
    folder = module.cache()
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


# Found.


def test_the_default_is_the_bundled_one(shelf: Path) -> None:
    found = find()
    assert (found.name, found.path, found.metered) == ("night", shelf / "night.h5", True)
    assert find("night") == found


def test_a_path_is_a_file_of_ones_own(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.h5"
    path.write_bytes(b"anything")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (path, str(path), "~/mine.h5"):
        found = find(name)
        assert (found.name, found.path, found.metered) == ("mine.h5", path, False)


def test_a_file_says_that_it_was_trained_behind_the_meter(shelf: Path, tmp_path: Path) -> None:
    for marks in ({"metered": True}, {}):
        with h5py.File(tmp_path / "mine.h5", "w") as file:
            file.attrs.update(marks)
        assert find(tmp_path / "mine.h5").metered is bool(marks)


def test_an_unknown_name_tells_the_known(shelf: Path) -> None:
    with pytest.raises(WeightsError, match=r"'dusk' are neither a file nor one of night"):
        find("dusk")


def test_altered_weights_are_refused(shelf: Path) -> None:
    (shelf / "night.h5").write_bytes(CONTENT + b"!")
    with pytest.raises(WeightsError, match=r"altered: its SHA-256 is .* not " + SHA[:12]):
        find()


def test_published_weights_that_were_not_fetched_say_how(shelf: Path) -> None:
    enter(shelf, far={"file": "far.h5", "sha256": SHA, "url": "http://nowhere.invalid/far.h5"})
    with pytest.raises(WeightsError, match="run 'realtime weights fetch far'"):
        find("far")


@pytest.mark.parametrize("name", [None, "night"])
def test_bundled_weights_that_are_gone_are_not_to_be_fetched(name: str | None, shelf: Path) -> None:
    (shelf / "night.h5").unlink()
    with pytest.raises(WeightsError, match="'night'") as caught:
        find(name)
    assert "None" not in str(caught.value)
    assert "fetch" not in str(caught.value)
    assert "install" in str(caught.value)


def test_no_index_says_what_to_do(shelf: Path) -> None:
    (shelf / "index.json").unlink()
    with pytest.raises(WeightsError, match="install the package again"):
        find()


# In them.


def test_a_file_of_another_network(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(WeightsError, match="does not hold MBLLEN weights") as caught:
        find(path).model()
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_a_file_of_something_else(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text.h5"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="does not hold MBLLEN weights") as caught:
        find(path).model()
    assert "\n" not in str(caught.value)


def test_weights_load_as_they_were_saved(weights: Path) -> None:
    import synthetic

    loaded, saved = find(weights).model(), synthetic.random_model()
    assert all(np.array_equal(a, b) for a, b in zip(loaded.get_weights(), saved.get_weights()))


# The index that comes with the package.


def test_the_bundled_index_is_complete() -> None:
    known = index()
    assert module.DEFAULT in known
    assert {"lol", "syn", "syn-noise"} <= set(known)
    for name, entry in known.items():
        assert entry["about"], name
        assert Path(entry["file"]).name == entry["file"]
        if "url" in entry:
            assert entry["url"].startswith("https://")
            assert len(entry["sha256"]) == 64
            # A branch moves; only a commit is the file that was recorded.
            assert any(len(piece) == 40 for piece in entry["url"].split("/"))


def test_bundled_files_are_what_they_claim_to_be() -> None:
    here = [entry for entry in index().values() if "url" not in entry and place(entry).is_file()]
    assert here, "the package comes without weights"
    for entry in here:
        verify(place(entry), entry["sha256"])


def test_published_files_are_what_the_index_says(shared: Path) -> None:
    for name in fetchable():
        entry = index()[name]
        assert sha256(shared / "weights" / entry["file"]) == entry["sha256"]


def test_weights_are_found_beside_a_checkout() -> None:
    assert (bundled() / "index.json").is_file()


# Fetched.


def test_fetch_keeps_an_intact_file(shelf: Path, server: str, tmp_path: Path) -> None:
    enter(shelf, far={"file": "far.h5", "sha256": SHA, "url": f"{server}/far.h5"})
    path = fetch("far")
    assert path.read_bytes() == CONTENT
    assert cached() == ["far.h5"]
    assert find("far").path == path
    # It is there: no server is needed for it any more.
    (tmp_path / "served" / "far.h5").unlink()
    assert fetch("far") == path


def test_fetch_replaces_an_altered_file(shelf: Path, server: str) -> None:
    enter(shelf, far={"file": "far.h5", "sha256": SHA, "url": f"{server}/far.h5"})
    path = fetch("far")
    path.write_bytes(b"altered")
    assert fetch("far").read_bytes() == CONTENT


def test_an_altered_download_is_refused_and_not_kept(shelf: Path, server: str) -> None:
    enter(shelf, far={"file": "far.h5", "sha256": "0" * 64, "url": f"{server}/far.h5"})
    with pytest.raises(WeightsError, match="altered"):
        fetch("far")
    assert cached() == []


def test_a_download_without_end_is_cut(shelf: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_FILE", 5)
    enter(shelf, far={"file": "far.h5", "sha256": SHA, "url": f"{server}/far.h5"})
    with pytest.raises(WeightsError, match="altered"):
        fetch("far")
    assert cached() == []


@pytest.mark.parametrize("reason", ["no such file", "nobody there", "no address"])
def test_without_a_connection_it_says_where_to_put_the_file(reason: str, shelf: Path, server: str) -> None:
    address = {
        "no such file": f"{server}/gone.h5",
        "nobody there": "http://127.0.0.1:9/far.h5",
        "no address": "http://nowhere.invalid/far.h5",
    }[reason]
    enter(shelf, far={"file": "far.h5", "sha256": SHA, "url": address})
    with pytest.raises(WeightsError, match=r"cannot be fetched .* put the file at .*far\.h5 yourself") as caught:
        fetch("far")
    assert "\n" not in str(caught.value)
    assert cached() == []


def test_an_answer_that_is_no_http(shelf: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def babble() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"what do you want?\r\n\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/far.h5"
        enter(shelf, far={"file": "far.h5", "sha256": SHA, "url": address})
        with pytest.raises(WeightsError, match="cannot be fetched"):
            fetch("far")
        thread.join()
    assert cached() == []


@pytest.mark.parametrize("name", ["night", "dusk"])
def test_only_published_weights_can_be_fetched(name: str, shelf: Path) -> None:
    with pytest.raises(WeightsError, match=f"'{name}' cannot be fetched"):
        fetch(name)
