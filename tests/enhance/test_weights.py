"""Weights files: found, checked, fetched, and refused."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import random
import re
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime import WeightsError
from realtime.enhance import mbllen
from realtime.enhance import weights as module
from realtime.enhance.weights import bundled_folder, fetch, fetchable, file_path, find, index, verify
from realtime.media.checksum import sha256

CONTENT = b"as good as weights"
SHA = hashlib.sha256(CONTENT).hexdigest()


class SilentHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of bundled weights with one file in it, and an empty cache."""
    folder = tmp_path / "bundled"
    folder.mkdir()
    monkeypatch.setattr(module, "bundled_folder", lambda: folder)
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path / "cache")
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
    handler = functools.partial(SilentHandler, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def cached() -> list[str]:
    folder = module.cache_folder()
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


# Found.


def test_the_default_is_the_bundled_one(bundle: Path) -> None:
    found = find()
    assert (found.name, found.path, found.metered) == ("night", bundle / "night.h5", True)
    assert find("night") == found


def test_a_path_is_another_file(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.h5"
    path.write_bytes(b"anything")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (path, str(path), "~/mine.h5"):
        found = find(name)
        assert (found.name, found.path, found.metered) == ("mine.h5", path, False)


def test_a_file_says_that_it_was_trained_behind_the_meter(bundle: Path, tmp_path: Path) -> None:
    for attributes in ({"metered": True}, {}):
        with h5py.File(tmp_path / "mine.h5", "w") as file:
            file.attrs.update(attributes)
        assert find(tmp_path / "mine.h5").metered is bool(attributes)


def test_an_unknown_name_is_reported_with_the_known_ones(bundle: Path) -> None:
    with pytest.raises(WeightsError, match=r"'dusk' are neither a file nor one of night"):
        find("dusk")


def test_altered_weights_are_refused(bundle: Path) -> None:
    (bundle / "night.h5").write_bytes(CONTENT + b"!")
    with pytest.raises(WeightsError, match=r"altered: its SHA-256 is .* not " + SHA[:12]):
        find()


def test_published_weights_that_were_not_fetched_are_reported_with_the_command(bundle: Path) -> None:
    enter(bundle, far={"file": "far.h5", "sha256": SHA, "url": "http://nowhere.invalid/far.h5"})
    with pytest.raises(WeightsError, match="run 'realtime weights fetch far'"):
        find("far")


@pytest.mark.parametrize("name", [None, "night"])
def test_missing_bundled_weights_are_not_to_be_fetched(name: str | None, bundle: Path) -> None:
    (bundle / "night.h5").unlink()
    with pytest.raises(WeightsError, match="'night'") as caught:
        find(name)
    assert "None" not in str(caught.value)
    assert "fetch" not in str(caught.value)
    assert "install" in str(caught.value)


def test_a_missing_index_is_reported_with_the_remedy(bundle: Path) -> None:
    (bundle / "index.json").unlink()
    with pytest.raises(WeightsError, match="install the package again"):
        find()


@pytest.mark.parametrize("name", ["mine.json", "mine.keras", "mine.weights", "mine.h5.txt"])
def test_other_files_than_h5_are_refused_unopened(name: str, bundle: Path, tmp_path: Path) -> None:
    """Keras would open whatever such a file names."""
    (tmp_path / name).mkdir()
    with pytest.raises(WeightsError, match="neither a file nor"):
        find(tmp_path / name)
    (tmp_path / name).rmdir()
    (tmp_path / name).write_text(json.dumps({"path": "/etc/passwd"}))
    with pytest.raises(WeightsError, match=r"is not an \.h5 file"):
        find(tmp_path / name)


# Their contents.


def test_weights_load_as_they_were_saved(weights: Path) -> None:
    loaded, saved = mbllen.load(find(weights)), synthetic.random_model()
    assert all(np.array_equal(a, b) for a, b in zip(loaded.get_weights(), saved.get_weights(), strict=True))


@pytest.fixture
def copy(weights: Path, tmp_path: Path) -> Path:
    """A weights file to damage."""
    return Path(shutil.copy(weights, tmp_path / "copy.h5"))


def refused(path: Path, reason: str) -> None:
    with pytest.raises(WeightsError, match=rf"copy\.h5 does not hold weights of MBLLEN: .*{reason}") as caught:
        mbllen.load(find(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_a_file_of_something_else(content: bytes, copy: Path) -> None:
    copy.write_bytes(content)
    refused(copy, "")


def test_a_file_of_another_network(copy: Path) -> None:
    import keras

    keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)]).save_weights(copy.with_suffix(".weights.h5"))
    copy.with_suffix(".weights.h5").replace(copy)
    refused(copy, "layer_names")


def test_a_student_is_not_the_network(student_weights: Path, copy: Path) -> None:
    shutil.copy(find(student_weights).student_path, copy)
    refused(copy, "12 tensors, of other shapes")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite(value: float, copy: Path) -> None:
    with h5py.File(copy, "a") as file:
        file["fusion"]["fusion/kernel:0"][0, 0, 3, 1] = value
    refused(copy, "a value is not a finite number")


@settings(max_examples=10)
@given(length=st.one_of(st.integers(0, 8191), st.integers(8192, 2_000_000)))
def test_a_file_that_was_cut_short(weights: Path, length: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.h5"
        copy.write_bytes(weights.read_bytes()[:length])
        refused(copy, "")


def replaced(path: Path, layer: str, name: str, link: Any) -> None:
    with h5py.File(path, "a") as file:
        del file[layer][name]
        file[layer][name] = link


def test_links_are_not_followed(copy: Path, weights: Path) -> None:
    """Neither to another file, nor within the file."""
    for link in (h5py.ExternalLink(str(weights), "/fusion/fusion/bias:0"), h5py.SoftLink("/fusion/fusion/kernel:0")):
        replaced(copy, "fusion", "fusion/bias:0", link)
        refused(copy, "'bias:0' is a link")


def test_external_and_virtual_data_are_not_read(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(np.zeros(3, np.float32).tobytes())
    with h5py.File(copy, "a") as file:
        del file["fusion"]["fusion/bias:0"]
        external = [(str(tmp_path / "raw"), 0, 12)]
        file["fusion"].create_dataset("fusion/bias:0", (3,), np.float32, external=external)
    refused(copy, "'fusion/bias:0' is no plain dataset")
    with h5py.File(copy, "a") as file:
        del file["fusion"]["fusion/bias:0"]
        layout = h5py.VirtualLayout((3,), np.float32)
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "data", (3,))
        file["fusion"].create_virtual_dataset("fusion/bias:0", layout)
    refused(copy, "'fusion/bias:0' is no plain dataset")


def test_a_huge_tensor_is_refused_before_it_is_read(copy: Path) -> None:
    """A few bytes on disk, 4 TB in memory."""
    with h5py.File(copy, "a") as file:
        del file["fusion"]["fusion/bias:0"]
        file["fusion"].create_dataset("fusion/bias:0", (1 << 40,), np.float32, chunks=(1 << 20,))
    refused(copy, "162 tensors, of other shapes")


@pytest.mark.parametrize("names", [["fusion/bias:0", "fusion/kernel:0"], ["fusion/kernel:0"], ["a", "b"]])
def test_other_names_are_refused(names: list[str], copy: Path) -> None:
    with h5py.File(copy, "a") as file:
        file["fusion"].attrs["weight_names"] = names
    refused(copy, "instead of a kernel and a bias")


def test_integers_are_refused(copy: Path) -> None:
    replaced(copy, "fusion", "fusion/bias:0", np.zeros(3, np.int32))
    refused(copy, "no floating point numbers")


@pytest.mark.parametrize(
    ("name", "value"),
    [("layer_names", np.zeros((3, 3))), ("layer_names", 3), ("weight_names", np.zeros((2, 2))), ("weight_names", 1.5)],
)
def test_numbers_in_the_place_of_names_are_refused(name: str, value: Any, copy: Path) -> None:
    with h5py.File(copy, "a") as file:
        (file if name == "layer_names" else file["fusion"]).attrs[name] = value
    refused(copy, "")


def test_a_flipped_bit_is_refused_in_one_line_or_changes_a_value(copy: Path) -> None:
    """In what structures the file: names, lists of members, heaps."""
    data, chance = copy.read_bytes(), random.Random(1)
    marks = [found.start() for found in re.finditer(b"TREE|HEAP|SNOD|layer_names|weight_names|bias:0", data)]
    said = []
    for _ in range(12):
        damaged = bytearray(data)
        damaged[chance.choice(marks) + chance.randrange(64)] ^= 1 << chance.randrange(8)
        copy.write_bytes(damaged)
        try:
            mbllen.load(find(copy))
        except WeightsError as error:
            said.append(str(error))
    assert said
    assert not any("\n" in text for text in said)


# Companions.


def test_companions_of_another_file_lie_beside_it(tmp_path: Path, weights: Path) -> None:
    found = find(shutil.copy(weights, tmp_path / "mine.h5"))
    assert found.student_path == tmp_path / "mine.fast.h5"


def test_companions_of_bundled_weights_are_those_of_the_index() -> None:
    assert find().student_path == bundled_folder() / index()["night"]["fast"]["file"]
    verify(find().student_path, index()["night"]["fast"]["sha256"])


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
    here = [entry for entry in index().values() if "url" not in entry and file_path(entry).is_file()]
    assert here, "the package comes without weights"
    for entry in here:
        verify(file_path(entry), entry["sha256"])


def test_published_files_are_what_the_index_says(shared: Path) -> None:
    for name in fetchable():
        entry = index()[name]
        assert sha256(shared / "weights" / entry["file"]) == entry["sha256"]


def test_weights_are_found_beside_a_checkout() -> None:
    assert (bundled_folder() / "index.json").is_file()


# Fetched.


def test_fetch_keeps_an_intact_file(bundle: Path, server: str, tmp_path: Path) -> None:
    enter(bundle, far={"file": "far.h5", "sha256": SHA, "url": f"{server}/far.h5"})
    path = fetch("far")
    assert path.read_bytes() == CONTENT
    assert cached() == ["far.h5"]
    assert find("far").path == path
    # It is there: no server is needed for it any more.
    (tmp_path / "served" / "far.h5").unlink()
    assert fetch("far") == path


def test_fetch_replaces_an_altered_file(bundle: Path, server: str) -> None:
    enter(bundle, far={"file": "far.h5", "sha256": SHA, "url": f"{server}/far.h5"})
    path = fetch("far")
    path.write_bytes(b"altered")
    assert fetch("far").read_bytes() == CONTENT


def test_an_altered_download_is_refused_and_not_kept(bundle: Path, server: str) -> None:
    enter(bundle, far={"file": "far.h5", "sha256": "0" * 64, "url": f"{server}/far.h5"})
    with pytest.raises(WeightsError, match="altered"):
        fetch("far")
    assert cached() == []


def test_a_download_without_end_is_cut(bundle: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_FILE", 5)
    enter(bundle, far={"file": "far.h5", "sha256": SHA, "url": f"{server}/far.h5"})
    with pytest.raises(WeightsError, match="altered"):
        fetch("far")
    assert cached() == []


@pytest.mark.parametrize("reason", ["no such file", "nobody there", "no address"])
def test_without_a_connection_it_says_where_to_put_the_file(reason: str, bundle: Path, server: str) -> None:
    address = {
        "no such file": f"{server}/gone.h5",
        "nobody there": "http://127.0.0.1:9/far.h5",
        "no address": "http://nowhere.invalid/far.h5",
    }[reason]
    enter(bundle, far={"file": "far.h5", "sha256": SHA, "url": address})
    with pytest.raises(WeightsError, match=r"cannot be fetched .* put the file at .*far\.h5 yourself") as caught:
        fetch("far")
    assert "\n" not in str(caught.value)
    assert cached() == []


def test_a_response_that_is_not_http(bundle: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def respond() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"what do you want?\r\n\r\n")

        thread = threading.Thread(target=respond)
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/far.h5"
        enter(bundle, far={"file": "far.h5", "sha256": SHA, "url": address})
        with pytest.raises(WeightsError, match="cannot be fetched"):
            fetch("far")
        thread.join()
    assert cached() == []


@pytest.mark.parametrize("name", ["night", "dusk"])
def test_only_published_weights_can_be_fetched(name: str, bundle: Path) -> None:
    with pytest.raises(WeightsError, match=f"'{name}' cannot be fetched"):
        fetch(name)
